"""Reading a PDF back with pdfium, which browsers use, and comparing its pages. No other module imports pypdfium2.

On pages, words are divided at the ends of lines, and there are running heads and footers. Words are counted, because
they are not drawn in the order in which they are read. Where some run from right to left, PDF readers move punctuation,
points and signs of numbers; there the parts between these are counted.
"""

from __future__ import annotations

import ctypes
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from pipeline.build.parity.content import Content, address, counts_differ, plain_letters, signs
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
            # pdfium writes U+FFFE for a hyphen at the end of a line.
            passages.append(text.get_text_range().replace("\ufffe", "- "))
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


def pages_differ(render_input: RenderInput, wanted: Content, found: Content) -> str:
    """Return how the pages of a PDF differ from ``wanted``; empty when they do not."""
    # The number of a footnote is a word of its own, because a line may end before it.
    passages = [passage.replace("[", " [") for passage in wanted.words if isinstance(passage, str)]
    pages = [str(page).replace("\r", "").replace("[", " [") for page in found.words]
    if _FROM_RIGHT.search("".join(passages)):
        problem = _words_differ(render_input, passages, pages, _runs)
        if problem and not _words_differ(render_input, passages, pages, _other_runs):
            return problem if _letters_differ(render_input, passages, pages) else ""
        return problem
    problem = _words_differ(render_input, passages, pages, signs)
    if problem and not _words_differ(render_input, passages, pages, _single_signs):
        return ""  # a phrase without spaces was divided, and a part of it is a word of the release too
    return problem


def _words_differ(render_input: RenderInput, passages: Sequence[str], pages: Sequence[str], split: _Split) -> str:
    list_number = _LIST_NUMBERS[split is not signs]
    ours = split(passages)
    numbers = split(number for page in pages for number in list_number.findall(page))
    bodies = [
        _body(split([list_number.sub("", page)]), split(_head_and_foot(render_input, number, len(pages))))
        for number, page in enumerate(pages, 1)
    ]
    theirs = _rejoined([*numbers, *(word for body in bodies for word in body)], Counter(ours))
    if len(pages) > 1:
        theirs = _without_table_heads(theirs, Counter(ours), split(_table_heads(render_input)))
    return counts_differ(ours, theirs)


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
    while body and left[body[-1]] > 0:
        left[body.pop()] -= 1
    return body


def _table_heads(render_input: RenderInput) -> Iterator[str]:
    tables = (
        block for block in walk((*render_input.article.body, *render_input.article.notes)) if isinstance(block, Table)
    )
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


def _rejoined(words: Sequence[str], wanted: Counter[str]) -> list[str]:
    """Join what was divided at the ends of lines and pages, where that gives a word that is missing."""
    missing, extra = wanted - Counter(words), Counter(words) - wanted
    if not missing:
        return list(words)
    out: list[str] = []
    at = 0
    while at < len(words):
        whole, end = _joined_from(words, at, missing) if extra[words[at]] > 0 else ("", at)
        if whole:
            missing[whole] -= 1
            out.append(whole)
            at = end
        else:
            out.append(words[at])
            at += 1
    return out


def _joined_from(words: Sequence[str], at: int, missing: Counter[str]) -> tuple[str, int]:
    """Return the longest missing word that ``words`` give from ``at`` on, and where it ends."""
    joined, end = _STOPS.sub("", words[at]), at + 1
    longest = "", at
    candidates = {_STOPS.sub("", word): word for word, count in missing.items() if count > 0}
    while end < len(words) and any(word.startswith(joined) for word in candidates):
        piece = _STOPS.sub("", words[end])
        if piece.startswith(_MINUS) and not any(word.startswith(joined + piece) for word in candidates):
            piece = piece.removeprefix(_MINUS)  # a hyphen at the beginning of a line looks like a minus
        joined += piece
        end += 1
        if joined in candidates:
            longest = candidates[joined], end
    return longest
