"""The text layer of a PDF: what is copied, searched or read aloud is the text that was typed, in every script.

WeasyPrint records for each glyph the letters that it stood for when it was first drawn. That is right where a letter is
a glyph. In other scripts a glyph changes its meaning (half letters, vowels written before their consonant), one letter
takes several glyphs, or several letters take one. So lines with such letters are corrected after they are drawn: a
glyph that stands for other letters than before gets one more code in its font, and words whose letters do not follow
each other on paper are written beside their glyphs (ActualText, ISO 32000-1, 14.9.4). Some readers go by the codes
alone, others by ActualText. From right to left, the font tells what each glyph means.

High and low figures get an ActualText too: 10⁶ must not be copied as 106.

PDF readers reverse what runs from right to left, letter by letter, and ActualText too. There, only single letters get
an ActualText.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO
from itertools import islice, product
from typing import Any

import pydyf
from msgspec import Struct

from pipeline.model.document import figures
from pipeline.writers.pdf.archive import Codes
from pipeline.writers.pdf.engine import LineBox, Stream, ffi, pango

_FROM_RIGHT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"
_REORDERED = "\u0e33\u0eb3\u0900-\u109f\u1780-\u17ff\u1cd0-\u1cff\u19e0-\u19ff\ua8e0-\ua8ff\ua9e0-\ua9ff\uaa60-\uaa7f"
_SEQUENCES = "\u0300-\u036f\u200d\u20d0-\u20ff\u2600-\u27bf\ufe00-\ufe0f\U0001f000-\U0001faff\U000e0100-\U000e01ef"
_DIFFICULT = re.compile(f"[{_FROM_RIGHT}{_REORDERED}{_SEQUENCES}]")
_SHUFFLED = re.compile(f"[{_REORDERED}]")
_LETTER = re.compile(f"[{_FROM_RIGHT}]")
_INVISIBLE = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_JOINERS = re.compile("[\u200c\u200d]+")
_SHOWN = re.compile(rb"\[(.*)\] TJ", re.DOTALL)
_TOKENS = re.compile(rb"<([0-9a-f]*)>|([-+.\de]+)")
_KEPT = "\u00a0"
"""After a hyphen at the end of a line: poppler and browsers drop a bare one with the line's end, and join the words."""
_LAST_CODE = 0xFFFF
_SILENT = "\u200b"
"""What a glyph stands for where a letter takes more glyphs than one: text cannot be empty there."""
_NEAR = 0.5
"""Points between boxes that touch."""
_STEP_BACK = -40.0
"""Thousandths of an em. A larger step to the right after a mark looks like a space to PDF readers."""


class _Decided(Struct):
    """What glyphs mean, the same on all pages of a document."""

    meanings: dict[tuple[str, int], str]
    """Font and glyph → meaning."""
    further: dict[tuple[str, int, str], int]
    """Font, glyph and another meaning → code."""
    codes: dict[bytes, dict[int, int]]
    """As ``archive.Codes``."""

    def state(self, glyph: _Glyph, text: str) -> int:
        """Return the code under which the font of ``glyph`` states ``text`` for it."""
        font, number = glyph.font, glyph.number
        known = self.meanings.setdefault((font.hash, number), text.lstrip("\u200c\u200d") or text)
        font.to_unicode[number] = known
        if known == text or "glyf" not in font.tables:
            return number
        codes = self.codes.setdefault(font.name, {})
        code = self.further.setdefault((font.hash, number, text), font.glyph_count + len(codes))
        if code > _LAST_CODE:
            return number
        codes[code] = number
        font.to_unicode[code], font.widths[code] = text, font.widths[number]
        return code


class _Glyph(Struct):
    """A glyph that was drawn."""

    number: int
    font: Any
    cluster: str
    """The letters that it stands for, alone or with other glyphs."""
    first: bool
    """It is the first glyph of its cluster on paper."""
    from_right: bool
    raised: bool
    """It stands above or below its line. To PDF readers, the step from a raised mark to the next letter is a blank."""

    @property
    def text(self) -> str:
        """The letters that the PDF states for it."""
        return str(self.font.to_unicode.get(self.number, ""))

    @property
    def is_mark(self) -> bool:
        """Whether it may stand above or below another glyph."""
        return self.from_right or not self.first or _is_mark(self.cluster[:1])

    @property
    def is_picture(self) -> bool:
        """Whether it is drawn as a picture. Characters beyond U+FFFF do not count, because pdfium drops them from
        ActualText too."""
        return bool(self.font.png or self.font.svg or self.font.colr) and max(self.cluster, default="") <= "\uffff"


class _Span(Struct):
    """A range of glyphs and its ActualText."""

    begin: int
    end: int
    text: str
    wrong: bool = True
    """Without ActualText, PDF readers would find other text."""
    inkless: bool = False
    """It consists of pictures only."""


def _is_mark(character: str) -> bool:
    return character != "" and unicodedata.category(character).startswith("M")


class _Blank(str):
    """Blanks that WeasyPrint draws. It leaves out boxes of blanks alone, and words would be read as one."""

    __slots__ = ()

    def strip(self, chars: str | None = None, /) -> str:
        """Return the blanks: WeasyPrint draws a box of which this leaves something."""
        return str(self)


class _LastSpan(Struct):
    """The ActualText at the end of the text box that was drawn last."""

    box: Any
    text: str
    begin: int
    """Its first operator in the stream."""
    end: int
    """Its last operator in the stream."""

    def goes_on(self, box: Any) -> bool:
        """Whether ``box`` follows on the same line."""
        far = abs(box.position_x - self.box.position_x - self.box.width)
        high = abs(box.position_y + box.baseline - self.box.position_y - self.box.baseline)
        return bool(far < _NEAR and high < _NEAR)


class _Ends(Struct):
    """The text boxes that PDF readers would end in another way."""

    hyphen: set[Any]
    """They end their line with a hyphen. After one that was added to divide a word, print.css has a soft hyphen."""
    blank: set[Any]
    """A box of blanks follows. After a mark above or below its letter, pdfium finds no blank by the distance."""


@contextmanager
def legible(document: Any) -> Iterator[Codes]:
    """Correct the text layer of what WeasyPrint draws of ``document`` within the block; yield the fonts' codes."""
    marked, decided = Stream.marked, _Decided({}, {}, {})
    Stream.marked = _correcting(marked, decided, _ends(document))
    try:
        yield decided.codes
    finally:
        Stream.marked = marked


def _ends(document: Any) -> _Ends:
    ends = _Ends(set(), set())
    for page in document.pages:
        last: Any = None
        for box in (*page._page_box.descendants(), None):  # WeasyPrint has no public way to learn where lines end
            text = getattr(box, "text", "")
            if box is None or isinstance(box, LineBox):
                if last and last.text.rstrip().endswith("-"):
                    ends.hyphen.add(last)
                last = None
            elif text.strip():
                last = box
            elif text and last and _is_mark(last.text[-1]):
                ends.blank.add(last)
    return ends


def _correcting(
    marked: Callable[..., AbstractContextManager[None]], decided: _Decided, ends: _Ends
) -> Callable[..., AbstractContextManager[None]]:
    last: dict[Any, _LastSpan] = {}

    @contextmanager
    def correcting(stream: Any, box: Any, tag: str) -> Iterator[None]:
        before = last.pop(stream, None)
        with marked(stream, box, tag):
            begun = len(stream.stream)
            text = getattr(box, "text", "")
            blank = bool(text) and not text.strip(" ")
            if blank:
                box.text = _Blank(text)
            yield
            if blank and before and before.goes_on(box):
                _join(stream, begun, before, text)
            elif box in ends.hyphen or box in ends.blank or _DIFFICULT.search(text):
                span = _correct(stream, box, begun, decided, ends)
                if span:
                    last[stream] = span
            elif box.element_tag in ("sub", "sup"):
                written = _begin(figures(text, low=box.element_tag == "sub"))
                stream.stream[begun:] = [written, *stream.stream[begun:], b"EMC"]

    return correcting


def _join(stream: Any, begun: int, span: _LastSpan, blanks: str) -> None:
    """Move blanks, drawn since ``begun``, into the ActualText before them: pdfium passes over blanks on their own."""
    moved = [each for each in stream.stream[begun:] if each.endswith((b" Tf", b" TJ"))]
    stream.stream[begun:] = [each for each in stream.stream[begun:] if each not in moved]
    stream.stream[span.begin] = _begin(span.text + blanks)
    stream.stream[span.end : span.end] = moved


def _correct(stream: Any, box: Any, begun: int, decided: _Decided, ends: _Ends) -> _LastSpan | None:
    """Correct the meanings of the glyphs drawn since ``begun``, and write ActualText beside them.

    Return the ActualText that reaches to the end of the box from the left.
    """
    glyphs = list(_drawn(stream, box))
    codes = [glyph.number for glyph in glyphs]
    for place, text in _stated(glyphs):
        codes[place] = decided.state(glyphs[place], text)
    for glyph in glyphs:
        if glyph.number >= 0 and glyph.from_right:
            key = glyph.font.hash, glyph.number
            if key not in decided.meanings:
                decided.meanings[key] = meaning(_meanings(glyph.font), glyph.number, glyph.cluster)
            glyph.font.to_unicode[glyph.number] = decided.meanings[key]
    spans = [*_words(glyphs, last=box in ends.blank), *_letters(glyphs)]
    if box in ends.hyphen:
        spans = _with_hyphen(spans, glyphs)
    operators = _rewritten(stream.stream[begun:], glyphs, codes, spans)
    stream.stream[begun:] = operators
    last = next((span for span in spans if span.end == len(glyphs) and not glyphs[-1].from_right), None)
    if last is None:
        return None
    first, final = (begun + len(operators) - 1 - operators[::-1].index(each) for each in (_begin(last.text), b"EMC"))
    return _LastSpan(box, last.text, first, final)


def _with_hyphen(spans: Sequence[_Span], glyphs: Sequence[_Glyph]) -> list[_Span]:
    """Return ``spans`` with what makes PDF readers keep the hyphen at the end of the line."""
    place = max((at for at, glyph in enumerate(glyphs) if glyph.cluster == "-" and not glyph.from_right), default=-1)
    for span in spans:
        if span.begin <= place < span.end:
            if span.text.rstrip().endswith("-"):
                span.text = span.text.rstrip() + _KEPT
            return [*spans]
    return [*spans, _Span(place, place + 1, f"-{_KEPT}")] if place >= 0 else [*spans]


def _drawn(stream: Any, box: Any) -> Iterator[_Glyph]:
    """Yield the glyphs of a line in the order in which they were drawn; Pango lays the line out again for that."""
    layout = box.pango_layout
    layout.reactivate(box.style)
    pango.pango_layout_set_single_paragraph_mode(layout.layout, True)
    line, _ = layout.get_first_line()
    text = layout.text.encode()
    run = line.runs[0]
    while run != ffi.NULL:
        item, glyphs = run.data.item, run.data.glyphs
        font, _ = stream.add_font(item.analysis.font)
        starts = [glyphs.log_clusters[place] for place in range(glyphs.num_glyphs)]
        ends = dict(zip(sorted(set(starts)), [*sorted(set(starts))[1:], item.length], strict=True))
        known = -1
        for place, start in enumerate(starts):
            cluster = text[item.offset + start : item.offset + ends[start]].decode()
            number = glyphs.glyphs[place].glyph
            number = -1 if number == pango.PANGO_GLYPH_EMPTY else number
            raised = glyphs.glyphs[place].geometry.y_offset != 0
            yield _Glyph(number, font, cluster, start != known, bool(item.analysis.level % 2), raised)
            known = start
        run = run.next
    layout.deactivate()


def _stated(glyphs: Sequence[_Glyph]) -> Iterator[tuple[int, str]]:
    """Yield the places of glyphs that have not always the same meaning, with their share of the letters from left."""
    begin, unseen = 0, ""
    for end in range(1, len(glyphs) + 1):
        if end < len(glyphs) and not glyphs[end].first:
            continue
        cluster = unseen + glyphs[begin].cluster
        places = [place for place in range(begin, end) if glyphs[place].number >= 0]
        if places and not glyphs[begin].from_right and (unseen or _SHUFFLED.search(cluster)):
            for at, place in enumerate(places):
                share = cluster[at] if place != places[-1] and at < len(cluster) else cluster[at:]
                yield place, share or _SILENT
        unseen = cluster if not places and _JOINERS.fullmatch(cluster) else ""
        begin = end


def _words(glyphs: Sequence[_Glyph], *, last: bool) -> Iterator[_Span]:
    """Yield the words from left to right whose glyphs state another text, each with the spaces beside it.

    ``last`` asks for the last word in any case.

    PDF readers skip ActualText without ink: spaces alone, and emoji, which are pictures. So these are joined to a word.
    """
    joined: list[_Span] = []
    for begin, end in _split(glyphs):
        word = glyphs[begin:end]
        text = _INVISIBLE.sub("", "".join(glyph.cluster for glyph in word if glyph.first))
        stated = "".join(glyph.text for glyph in word if glyph.number >= 0)
        pictures = [glyph.is_picture for glyph in word if not glyph.cluster.isspace()]
        wrong = text != stated or any(pictures) or any(glyph.raised for glyph in word) or bool(_SHUFFLED.search(text))
        span = _Span(begin, end, text, wrong, all(pictures))
        before = joined[-1] if joined else span
        if before.end == begin and (before.inkless or span.inkless):
            joined[-1] = _Span(before.begin, end, before.text + text, True, before.inkless and span.inkless)
        else:
            joined.append(span)
    yield from (span for span in joined if span.wrong or (last and span.end == len(glyphs)))


def _split(glyphs: Sequence[_Glyph]) -> Iterator[tuple[int, int]]:
    """Yield begin and end of each word from left to right, with its spaces."""
    begin, known = 0, False
    for end, glyph in enumerate(glyphs):
        blank = glyph.cluster.isspace()
        if glyph.from_right or (known and not blank and glyphs[end - 1].cluster.isspace()):
            if known:
                yield begin, end
            begin, known = end + glyph.from_right, False
        known = known or not (blank or glyph.from_right)
    if known:
        yield begin, len(glyphs)


def _letters(glyphs: Sequence[_Glyph]) -> Iterator[_Span]:
    """Yield the single letters from right to left whose glyphs state another text."""
    begin = 0
    for end in range(1, len(glyphs) + 1):
        if end < len(glyphs) and not glyphs[end].first:
            continue
        text = unicodedata.normalize("NFC", glyphs[begin].cluster)
        stated = "".join(glyph.text for glyph in glyphs[begin:end])
        if glyphs[begin].from_right and _LETTER.fullmatch(text) and unicodedata.normalize("NFKC", stated) != text:
            yield _Span(begin, end, text)
        begin = end


def _rewritten(
    operators: Sequence[bytes], glyphs: Sequence[_Glyph], codes: Sequence[int], spans: Sequence[_Span]
) -> list[bytes]:
    """Return the drawing operators with the ``codes`` of glyphs, ActualText for ``spans``, and parts at marks."""
    begins = {_at(glyphs, span.begin): span for span in spans if _at(glyphs, span.begin) < _at(glyphs, span.end)}
    ends = {_at(glyphs, span.end) for span in begins.values()}
    drawn = [glyph for glyph in glyphs if glyph.number >= 0]
    shown_codes = [code for code in codes if code >= 0]
    out: list[bytes] = []
    at = 0
    for operator in operators:
        shown = _SHOWN.fullmatch(operator)
        if not shown:
            out.append(operator)
            continue
        line: list[bytes] = []
        for digits, step in _TOKENS.findall(shown[1]):
            if step:
                if at and drawn[at - 1].is_mark and float(step) < _STEP_BACK and any(b"<" in part for part in line):
                    _show(out, line)
                line.append(step)
            for _ in range(0, len(digits), 4):
                if at in begins:
                    _show(out, line)
                    out.append(_begin(begins[at].text))
                line.append(b"<%04x>" % shown_codes[at])
                at += 1
                if at in ends:
                    _show(out, line)
                    out.append(b"EMC")
        _show(out, line)
    return out


def _begin(text: str) -> bytes:
    return b"/Span <</ActualText %s>> BDC" % pydyf.String(text).data


def _at(glyphs: Sequence[_Glyph], place: int) -> int:
    return sum(glyph.number >= 0 for glyph in glyphs[:place])


def _show(out: list[bytes], line: list[bytes]) -> None:
    if line:
        out.append(b"[" + b" ".join(line) + b"] TJ")
        line.clear()


# --- Meanings of glyphs ----------------------------------------------------------------------------------------------

Meanings = Mapping[int, tuple[str, ...]]
"""Glyph → the texts that it may stand for, the shortest first."""
_Substitution = tuple[tuple[str, ...], tuple[str, ...]]
"""The names of the glyphs that are replaced, and of those that replace them."""
_cached: dict[tuple[str, int], Meanings] = {}
_MAX_MEANINGS = 12
"""Of one glyph."""
_ROUNDS = 6
"""Substitutions that may follow each other."""


def _meanings(font: Any) -> Meanings:
    """Return the meanings of a font's glyphs; WeasyPrint must not have reduced the font yet."""
    key = (font.hash, len(font.file_content))
    if key not in _cached:
        _cached[key] = _derived(font.file_content, font.index)
    return _cached[key]


def meaning(of_font: Meanings, glyph: int, cluster: str) -> str:
    """Return the meaning of a glyph from right to left that stands for ``cluster`` or a part of it.

    PDF readers reverse the letters of text from right to left, so a ligature there should be one letter; and they
    mirror brackets, so a bracket there must be the one that it looks like.
    """
    candidates = of_font.get(glyph, ())
    whole = unicodedata.normalize("NFKD", cluster)
    fitting = [text for text in candidates if unicodedata.normalize("NFKD", text) in whole]
    text = max(fitting, key=len) if fitting else candidates[0] if candidates else cluster
    return _FORMS.get(text, text)


def _forms() -> dict[str, str]:
    """Return letters → ligature, for the Arabic ligatures with a code point; of several forms, the isolated one."""
    forms: dict[str, str] = {}
    for form in map(chr, (*range(0xFB1D, 0xFDF0), *range(0xFE70, 0xFEFD))):
        text = unicodedata.normalize("NFKC", form)
        if len(text) > 1 and " " not in text and "\u0640" not in text:
            forms.setdefault(text, form)
    return forms


_FORMS = _forms()


def _derived(data: bytes, index: int) -> Meanings:
    from fontTools.ttLib import TTFont

    with TTFont(BytesIO(data), fontNumber=index, lazy=True) as font:
        texts: dict[str, dict[str, None]] = {}
        for point, name in sorted(font.getBestCmap().items()):
            plain = unicodedata.normalize("NFKC", chr(point))
            texts.setdefault(name, {})[chr(point) if plain[0] in " \u0640" else plain] = None
        substitutions = list(_substitutions(font["GSUB"].table)) if "GSUB" in font else []
        for _ in range(_ROUNDS):
            if not _apply(substitutions, texts):
                break
        return {
            font.getGlyphID(name): tuple(sorted(meanings, key=lambda text: (len(text), text)))
            for name, meanings in texts.items()
        }


def _apply(substitutions: Sequence[_Substitution], texts: dict[str, dict[str, None]]) -> bool:
    """Add to ``texts`` the texts of glyphs that replace others; return whether any was new."""
    grown = False
    for replaced, replacing in substitutions:
        if any(name not in texts for name in replaced):
            continue
        known = texts.setdefault(replacing[0], {})
        for parts in islice(product(*(tuple(texts[name]) for name in replaced)), _MAX_MEANINGS):
            text = "".join(parts)
            if text not in known and len(known) < _MAX_MEANINGS:
                known[text] = None
                grown = True
    return grown


def _substitutions(table: Any) -> Iterator[_Substitution]:
    """Yield the substitutions of a font, whatever their order."""
    for lookup in table.LookupList.Lookup:
        for subtable in lookup.SubTable:
            each = subtable.ExtSubTable if subtable.LookupType == 7 else subtable
            match each.LookupType:
                case 1:
                    yield from (((old,), (new,)) for old, new in each.mapping.items())
                case 2:
                    yield from (((old,), tuple(new)) for old, new in each.mapping.items() if new)
                case 3:
                    yield from (((old,), (new,)) for old, forms in each.alternates.items() for new in forms)
                case 4:
                    for first, ligatures in each.ligatures.items():
                        yield from (((first, *found.Component), (found.LigGlyph,)) for found in ligatures)
                case 8:
                    pairs = zip(each.Coverage.glyphs, each.Substitute, strict=True)
                    yield from (((old,), (new,)) for old, new in pairs)
