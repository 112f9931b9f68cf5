"""What is read out of a PDF: that what is drawn can be copied, searched and read aloud as the text it was set from.

WeasyPrint tells readers what a glyph means by the letters that it stood for when it was first drawn. That is right
where a letter is a glyph. Elsewhere glyphs change their meaning (half letters, vowels that stand before their
consonant), one letter takes several glyphs, several take one. So lines with such letters are read again after they were
drawn: ``pdf_glyphs`` tells from the face what each glyph means, and where that does not make up the text, the text is
written beside the glyphs (ActualText, ISO 32000-1, 14.9.4).

Readers turn round what runs from the right, letter by letter, ActualText too. There only single letters are given it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pydyf
from msgspec import Struct
from weasyprint.pdf.stream import Stream
from weasyprint.text.ffi import ffi, pango

from pipeline.writers.pdf.glyphs import meaning, meanings

_FROM_RIGHT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"
_REORDERED = "\u0900-\u109f\u1780-\u17ff\u1cd0-\u1cff\u19e0-\u19ff\ua8e0-\ua8ff\ua9e0-\ua9ff\uaa60-\uaa7f"
_SEQUENCES = "\u0300-\u036f\u200d\u20d0-\u20ff\u2600-\u27bf\ufe00-\ufe0f\U0001f000-\U0001faff\U000e0100-\U000e01ef"
_DIFFICULT = re.compile(f"[{_FROM_RIGHT}{_REORDERED}{_SEQUENCES}]")
_SHUFFLED = re.compile(f"[{_REORDERED}]")
_LETTER = re.compile(f"[{_FROM_RIGHT}]")
_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SHOWN = re.compile(rb"\[(.*)\] TJ", re.DOTALL)
_TOKENS = re.compile(rb"<([0-9a-f]*)>|([-+.\de]+)")
_STEP_BACK = -40.0
"""Thousandths of an em that a pen goes right after a mark; as much looks like a blank to readers."""


_Told = dict[tuple[str, int], str]
"""What the glyphs of a document mean, by face and number: the same from the first to the last page."""


class _Glyph(Struct):
    """A glyph as it was drawn."""

    number: int
    font: Any
    cluster: str
    """The letters that it stands for, alone or with its neighbours."""
    first: bool
    """Whether it is the first glyph of its cluster on paper."""
    from_right: bool

    @property
    def text(self) -> str:
        """What it is said to mean."""
        return str(self.font.to_unicode.get(self.number, ""))

    @property
    def is_picture(self) -> bool:
        """Whether it is drawn as a picture, and leaves no ink as a glyph. Of what is beyond U+FFFF nothing is lost by
        leaving it as it is: pdfium takes that out of ActualText too."""
        return bool(self.font.png or self.font.svg or self.font.colr) and max(self.cluster, default="") <= "\uffff"


class _Span(Struct):
    """Glyphs, from one place to another, that have their text written beside them."""

    begin: int
    end: int
    text: str
    wrong: bool = True
    """Whether readers would take the glyphs for something else."""
    inkless: bool = False
    """Whether there are but pictures in it."""


@contextmanager
def legible() -> Iterator[None]:
    """Let readers find the text in what WeasyPrint draws inside the block."""
    marked = Stream.marked
    Stream.marked = _reread(marked, {})
    try:
        yield
    finally:
        Stream.marked = marked


def _reread(
    marked: Callable[..., AbstractContextManager[None]], told: _Told
) -> Callable[..., AbstractContextManager[None]]:
    @contextmanager
    def reread(stream: Any, box: Any, tag: str) -> Iterator[None]:
        with marked(stream, box, tag):
            begun = len(stream.stream)
            yield
            if _DIFFICULT.search(getattr(box, "text", "")):
                _explain(stream, box, begun, told)

    return reread


def _explain(stream: Any, box: Any, begun: int, told: _Told) -> None:
    """Put right what the glyphs drawn since ``begun`` are said to mean, and write their text beside them."""
    glyphs = list(_drawn(stream, box))
    for glyph in glyphs:
        if glyph.number >= 0 and (glyph.from_right or _SHUFFLED.search(glyph.cluster)):
            key = glyph.font.hash, glyph.number
            if key not in told:
                told[key] = meaning(meanings(glyph.font), glyph.number, glyph.cluster, glyph.from_right)
            glyph.font.to_unicode[glyph.number] = told[key]
    stream.stream[begun:] = _rewritten(stream.stream[begun:], glyphs, [*_words(glyphs), *_letters(glyphs)])


def _drawn(stream: Any, box: Any) -> Iterator[_Glyph]:
    """Yield the glyphs of a line in the order in which they were drawn; its layout is gone and made once more."""
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
            yield _Glyph(number, font, cluster, start != known, bool(item.analysis.level % 2))
            known = start
        run = run.next
    layout.deactivate()


def _words(glyphs: Sequence[_Glyph]) -> Iterator[_Span]:
    """Yield the words that run from the left and are not what their glyphs say, each with the blanks beside it.

    Readers pass over what leaves no ink: blanks alone, and emoji, which are pictures. So these go with a word.
    """
    joined: list[_Span] = []
    for begin, end in _parted(glyphs):
        word = glyphs[begin:end]
        text = _DIRECTIONS.sub("", "".join(glyph.cluster for glyph in word if glyph.first))
        said = "".join(glyph.text for glyph in word if glyph.number >= 0)
        pictures = [glyph.is_picture for glyph in word if not glyph.cluster.isspace()]
        wrong = text != said or any(pictures) or bool(_SHUFFLED.search(text))
        span = _Span(begin, end, text, wrong, all(pictures))
        last = joined[-1] if joined else span
        if last.end == begin and (last.inkless or span.inkless):
            joined[-1] = _Span(last.begin, end, last.text + text, True, last.inkless and span.inkless)
        else:
            joined.append(span)
    yield from (span for span in joined if span.wrong)


def _parted(glyphs: Sequence[_Glyph]) -> Iterator[tuple[int, int]]:
    """Yield where the words begin and end that run from the left, with blanks."""
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
    """Yield the letters that run from the right and are not what their glyphs say, each for itself."""
    begin = 0
    for end in range(1, len(glyphs) + 1):
        if end < len(glyphs) and not glyphs[end].first:
            continue
        text = unicodedata.normalize("NFC", glyphs[begin].cluster)
        said = "".join(glyph.text for glyph in glyphs[begin:end])
        if glyphs[begin].from_right and _LETTER.fullmatch(text) and unicodedata.normalize("NFKC", said) != text:
            yield _Span(begin, end, text)
        begin = end


def _rewritten(operators: Sequence[bytes], glyphs: Sequence[_Glyph], spans: Sequence[_Span]) -> list[bytes]:
    """Return what was drawn with the spans marked, and with the pen lifted after marks above and below."""
    begins = {_at(glyphs, span.begin): span for span in spans if _at(glyphs, span.begin) < _at(glyphs, span.end)}
    ends = {_at(glyphs, span.end) for span in begins.values()}
    drawn = [glyph for glyph in glyphs if glyph.number >= 0]
    out: list[bytes] = []
    at = 0
    for operator in operators:
        shown = _SHOWN.fullmatch(operator)
        if not shown:
            out.append(operator)
            continue
        line: list[bytes] = []
        for code, step in _TOKENS.findall(shown[1]):
            if step:
                if at and drawn[at - 1].from_right and float(step) < _STEP_BACK and any(b"<" in part for part in line):
                    _show(out, line)
                line.append(step)
            for digits in range(0, len(code), 4):
                if at in begins:
                    _show(out, line)
                    text = pydyf.String(begins[at].text).data
                    out.append(b"/Span <</ActualText " + text + b">> BDC")
                line.append(b"<" + code[digits : digits + 4] + b">")
                at += 1
                if at in ends:
                    _show(out, line)
                    out.append(b"EMC")
        _show(out, line)
    return out


def _at(glyphs: Sequence[_Glyph], place: int) -> int:
    return sum(glyph.number >= 0 for glyph in glyphs[:place])


def _show(out: list[bytes], line: list[bytes]) -> None:
    if line:
        out.append(b"[" + b" ".join(line) + b"] TJ")
        line.clear()
