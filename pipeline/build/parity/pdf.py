"""Reading a PDF back with pdfium, which browsers use, and comparing its pages.

On pages, words are divided at the ends of lines, and there are running heads and footers. Words are counted, because
they are not drawn in the order in which they are read. Where some run from right to left, PDF readers move punctuation,
points and signs of numbers; there the parts between these are counted.

PDF readers find most blanks by the distance of letters. A blank too many or too few is no fault of the release: where
nothing else differs, it is named in a warning.
"""

from __future__ import annotations

import ctypes
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from pipeline.build.parity.content import Content, address, counts_differ, plain_letters, signs, spelling
from pipeline.model.document import Paragraph, Table, plain, references, walk
from pipeline.typography.headline import shortened
from pipeline.writers import RenderInput

_RUNNING_TITLE = 76
"""Characters of the title in the running head."""
_NO_SPACES = "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Scripts without spaces between words; their lines end anywhere."""
_RIGHT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"
_FROM_RIGHT = re.compile(f"[{_RIGHT}]")
_RUNS = re.compile(rf"\d+|(?:(?=[{_RIGHT}])[^\W\d_])+|(?:(?![{_RIGHT}])[^\W\d_])+|[☐☑°%+=]")
_POINTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u08d3-\u08ff]")
"""Combining marks, and the stroke that lengthens Arabic words."""
_SINGLE = re.compile(f"[{_NO_SPACES}]|[^{_NO_SPACES}]+")
_STOPS = re.compile("[.,:]")
_MINUS = "−"
_END = "\n"
"""Stands for the end of a line between words."""
_LIST_NUMBERS = {
    False: re.compile(r"^ *\d+\. *$", re.MULTILINE),
    True: re.compile(r"^[ \u200f]*(?:\d+\.|\.\d+)[ \u200f]*$", re.MULTILINE),
}
"""Numbers of list items, which are drawn after the rest of a page: without and with text from right to left."""
_Split = Callable[[Iterable[str]], list[str]]
"""From texts to the parts that are counted."""


def read_pdf(data: bytes) -> Content:
    """Return the words of each page as one passage, in the order in which they were drawn, and all links."""
    document = pypdfium2.PdfDocument(data)
    passages: list[str] = []
    links: set[str] = set()
    try:
        for page in document:
            text = page.get_textpage()
            # pdfium writes U+FFFE for a hyphen and the end of a line.
            passages.append(text.get_text_range().replace("\ufffe", "-\n"))
            links.update(_links(document, page))
            text.close()
            page.close()
    finally:
        document.close()
    return Content(tuple(passages), frozenset(links))


def _links(document: Any, page: Any) -> set[str]:
    found: set[str] = set()
    place, link = ctypes.c_int(0), pdfium.FPDF_LINK()
    while pdfium.FPDFLink_Enumerate(page, ctypes.byref(place), ctypes.byref(link)):
        action = pdfium.FPDFLink_GetAction(link)
        size = pdfium.FPDFAction_GetURIPath(document, action, None, 0) if action else 0
        if size:
            buffer = ctypes.create_string_buffer(size)
            pdfium.FPDFAction_GetURIPath(document, action, buffer, size)
            found.add(address(buffer.value.decode("utf-8", "replace")))
    return found


# --- Comparing pages -------------------------------------------------------------------------------------------------


def pages_differ(render_input: RenderInput, wanted: Content, found: Content) -> tuple[str, tuple[str, ...]]:
    """Return how the pages of a PDF differ from ``wanted``, empty when they do not; and words with other blanks."""
    # The number of a footnote is a word of its own, because a line may end before it.
    passages = [passage.replace("[", " [") for passage in wanted.words if isinstance(passage, str)]
    pages = [str(page).replace("\r", "").replace("[", " [") for page in found.words]
    if _FROM_RIGHT.search("".join(passages)):
        problem, _ = _words_differ(render_input, passages, pages, _runs)
        if problem and not _words_differ(render_input, passages, pages, _other_runs)[0]:
            problem = problem if _letters_differ(render_input, passages, pages) else ""
        return problem, ()  # letters that stand closer or higher make pdfium divide words in every longer text
    problem, blanks = _words_differ(render_input, passages, pages, signs)
    if problem and not _words_differ(render_input, passages, pages, _single_signs)[0]:
        return "", ()  # a phrase without spaces was divided, and a part of it is a word of the release too
    return problem, blanks


def _words_differ(
    render_input: RenderInput, passages: Sequence[str], pages: Sequence[str], split: _Split
) -> tuple[str, tuple[str, ...]]:
    list_number = _LIST_NUMBERS[split is not signs]
    ours = split(passages)
    numbers = split(number for page in pages for number in list_number.findall(page))
    bodies = [
        _body(_lines(list_number.sub("", page), split), split(_head_and_foot(render_input, number, len(pages))))
        for number, page in enumerate(pages, 1)
    ]
    theirs, divided = _rejoined([*numbers, _END, *(word for body in bodies for word in body)], Counter(ours))
    if len(pages) > 1:
        theirs = _without_table_heads(theirs, Counter(ours), split(_table_heads(render_input)))
    theirs, united = _parted(theirs, ours)
    if not (divided or united) and Counter(ours) == Counter(theirs):
        return "", ()
    typed = spelling(passages)
    if problem := counts_differ(ours, theirs, typed):
        return problem, ()
    return "", tuple(dict.fromkeys(" ".join(typed.get(word, word) for word in words) for words in (*divided, *united)))


def _lines(page: str, split: _Split) -> list[str]:
    """Return the words of a page with ``_END`` at the end of each line."""
    return [word for line in page.splitlines() for word in (*split([line]), _END)]


def _letters_differ(render_input: RenderInput, passages: Sequence[str], pages: Sequence[str]) -> bool:
    """Whether letters from right to left are missing or extra; combining marks make PDF readers divide words."""
    wanted, found = _letters(passages), Counter[str]()
    for number, page in enumerate(pages, 1):
        found += _letters([page]) - _letters(_head_and_foot(render_input, number, len(pages)))
    repeated = _letters(list(_table_heads(render_input)) * (len(pages) - 1))
    return bool(wanted - found or found - wanted - repeated)


def _single_signs(passages: Iterable[str]) -> list[str]:
    """Split text at spaces, and in scripts without spaces at every character."""
    return [part for word in signs(passages) for part in _SINGLE.findall(word)]


def _runs(passages: Iterable[str]) -> list[str]:
    """Split text at everything but letters and digits, and where the direction of letters changes."""
    return _RUNS.findall(_POINTS.sub("", plain_letters(" ".join(passages))))


def _other_runs(passages: Iterable[str]) -> list[str]:
    return [run for run in _runs(passages) if not _FROM_RIGHT.match(run)]


def _letters(passages: Iterable[str]) -> Counter[str]:
    return Counter("".join(run for run in _runs(passages) if _FROM_RIGHT.match(run)))


def _head_and_foot(render_input: RenderInput, number: int, pages: int) -> list[str]:
    """Return the texts of a page's running head and footer."""
    article, messages = render_input.article, render_input.messages
    texts = [
        article.organisation,
        messages["page_of"].format(page=messages.number(number), pages=messages.number(pages)),
    ]
    if number < pages:
        texts.append(messages["more_follows"])
    if number > 1:
        texts += [shortened(article.title, _RUNNING_TITLE), article.date, article.status if article.embargoed else ""]
    return texts


def _body(page: Sequence[str], head_and_foot: Iterable[str]) -> list[str]:
    """Return the words of a page without its running head and footer, which are drawn last."""
    left, body = Counter(head_and_foot), list(page)
    while body and (body[-1] == _END or left[body[-1]] > 0):
        left[body.pop()] -= 1
    return [*body, _END]


def _table_heads(render_input: RenderInput) -> Iterator[str]:
    article = render_input.article
    films = (block for film in article.films for block in film.blocks)
    tables = (block for block in walk((*article.body, *article.notes, *films)) if isinstance(block, Table))
    for cell in (cell for table in tables for cell in table.head):
        numbers = (f" [{number}]" for number in references([Paragraph(cell.children)]))
        yield "".join((plain(cell.children), *numbers))


def _without_table_heads(words: Sequence[str], wanted: Counter[str], heads: Sequence[str]) -> list[str]:
    """Leave out the heads that tables repeat on further pages, even where they are divided."""
    surplus = Counter(words) - wanted
    repeated = Counter({word: count for word, count in surplus.items() if any(word in head for head in heads)})
    out = []
    for word in words:
        if repeated[word] > 0:
            repeated[word] -= 1
        else:
            out.append(word)
    return out


def _rejoined(words: Sequence[str], wanted: Counter[str]) -> tuple[list[str], list[tuple[str, ...]]]:
    """Join what was divided, where that gives a word that is missing: at the ends of lines, else within a line.

    Return the words without the ends of lines, and those that were divided within a line.
    """
    divided: list[tuple[str, ...]] = []
    left = list(words)
    for within in (False, True):
        joined = True
        while joined and (missing := wanted - Counter(left)):
            left, joined = _join_once(left, wanted, missing, divided if within else None)
            # Once more, because a part of what was joined may have been taken for another word of the release.
    return [word for word in left if word != _END], divided


def _join_once(
    words: Sequence[str], wanted: Counter[str], missing: Counter[str], divided: list[tuple[str, ...]] | None
) -> tuple[list[str], bool]:
    """Join what was divided at the ends of lines; with a list ``divided``, within lines too. Return whether any was."""
    extra = Counter(words) - wanted
    out: list[str] = []
    at = 0
    while at < len(words):
        pieces, whole, end = _joined_from(words, at, missing) if words[at] != _END else ((), "", at)
        at_ends = _END in words[at:end]
        if whole and any(extra[piece] > 0 for piece in pieces) and (at_ends or divided is not None):
            if divided is not None and not at_ends:
                divided.append((whole,))
            missing[whole] -= 1
            out.append(whole)
            at = end
        else:
            out.append(words[at])
            at += 1
    return out, len(out) < len(words)


def _joined_from(words: Sequence[str], at: int, missing: Counter[str]) -> tuple[tuple[str, ...], str, int]:
    """Return the longest missing word that ``words`` give from ``at`` on, its pieces before it, and where it ends."""
    joined, end, pieces = _STOPS.sub("", words[at]), at + 1, [words[at]]
    longest: tuple[tuple[str, ...], str, int] = ((), "", at)
    candidates = {_STOPS.sub("", word): word for word, count in missing.items() if count > 0}
    while end < len(words) and any(word.startswith(joined) for word in candidates):
        if words[end] != _END:
            piece = _STOPS.sub("", words[end])
            if piece.startswith(_MINUS) and not any(word.startswith(joined + piece) for word in candidates):
                piece = piece.removeprefix(_MINUS)  # a hyphen at the beginning of a line looks like a minus
            joined += piece
            pieces.append(words[end])
            if joined in candidates:
                longest = tuple(pieces), candidates[joined], end + 1
        end += 1
    return longest


def _parted(words: Sequence[str], wanted: Sequence[str]) -> tuple[list[str], list[tuple[str, ...]]]:
    """Part what is several words of the release that follow each other; return all words, and those that were parted.

    Figures that have come together are another number, so they stay.
    """
    extra = Counter(words) - Counter(wanted)
    if not extra or not Counter(wanted) - Counter(words):
        return list(words), []
    parts: dict[str, tuple[str, ...]] = {}
    for at in range(len(wanted)):
        joined, end = wanted[at], at + 1
        while end < len(wanted) and any(word.startswith(joined) and word != joined for word in extra):
            if wanted[end - 1][-1].isdigit() and wanted[end][0].isdigit():
                break
            joined += wanted[end]
            end += 1
            if joined in extra:
                parts.setdefault(joined, tuple(wanted[at:end]))
    out: list[str] = []
    parted: list[tuple[str, ...]] = []
    for word in words:
        if word in parts and extra[word] > 0:
            extra[word] -= 1
            out += parts[word]
            parted.append(parts[word])
        else:
            out.append(word)
    return out, parted
