"""Comparing what stands on paper, where words are parted at the ends of lines and pages have heads and feet.

Words are counted, for the order in which they were drawn is not the order in which they are read. Where some run from
the right, readers put punctuation, points and the signs of numbers in places of their own; there letters, figures and
signs are counted, words still whole.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from pipeline.build.parity.compare import counts_differ
from pipeline.build.parity.content import Content, plain_letters, signs
from pipeline.model.document import Table, plain, walk
from pipeline.typography.headline import shortened
from pipeline.writers import RenderInput

RUNNING_LIMIT = 76
"""Characters of the title in the running head."""
_UNPARTED = "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Scripts that leave no blanks between words; their lines end anywhere."""
_RIGHT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"
_FROM_RIGHT = re.compile(f"[{_RIGHT}]")
_RUNS = re.compile(rf"\d+|(?:(?=[{_RIGHT}])[^\W\d_])+|(?:(?![{_RIGHT}])[^\W\d_])+|[☐☑°%+=]")
_POINTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u08d3-\u08ff]")
"""Marks above and below letters, and the line that lengthens words."""
_SINGLE = re.compile(f"[{_UNPARTED}]|[^{_UNPARTED}]+")
_STOPS = re.compile("[.,:]")
_MINUS = "−"
_MARKS = {
    False: re.compile(r"^ *\d+\. *$", re.MULTILINE),
    True: re.compile(r"^[ \u200f]*(?:\d+\.|\.\d+)[ \u200f]*$", re.MULTILINE),
}
"""Numbers of lists, which are drawn when the rest of a page is."""
_Taking = Callable[[Iterable[str]], list[str]]


def sheets_differ(render_input: RenderInput, wanted: Content, found: Content) -> str:
    """Return what is wrong with the pages of a PDF; empty when nothing is."""
    passages = [passage for passage in wanted.words if isinstance(passage, str)]
    pages = [str(page).replace("\r", "") for page in found.words]
    if _FROM_RIGHT.search("".join(passages)):
        problem = _words_differ(render_input, passages, pages, _runs)
        if problem and not _words_differ(render_input, passages, pages, _other_runs):
            return problem if _letters_differ(render_input, passages, pages) else ""
        return problem
    problem = _words_differ(render_input, passages, pages, signs)
    if problem and not _words_differ(render_input, passages, pages, _single_signs):
        return ""  # a line ended within a phrase, and the rest of it is a word of the release too
    return problem


def _words_differ(render_input: RenderInput, passages: Sequence[str], pages: Sequence[str], take: _Taking) -> str:
    number_marks = _MARKS[take is not signs]
    ours = take(passages)
    marks = take(mark for page in pages for mark in number_marks.findall(page))
    bodies = [
        _body(take([number_marks.sub("", page)]), take(_frame(render_input, number, len(pages))))
        for number, page in enumerate(pages, 1)
    ]
    messages = _joined([*marks, *(word for body in bodies for word in body)], Counter(ours))
    if len(pages) > 1:
        messages = _without_heads(messages, Counter(ours), take(_heads(render_input)))
    return counts_differ(ours, messages)


def _letters_differ(render_input: RenderInput, passages: Sequence[str], pages: Sequence[str]) -> bool:
    """Whether letters from the right are missing or too many; marks above and below make readers part words."""
    wanted, found = _letters(passages), Counter[str]()
    for number, page in enumerate(pages, 1):
        found += _letters([page]) - _letters(_frame(render_input, number, len(pages)))
    repeated = _letters(list(_heads(render_input)) * (len(pages) - 1))
    return bool(wanted - found or found - wanted - repeated)


def _single_signs(passages: Iterable[str]) -> list[str]:
    """Take text apart at blanks, and where there are none, at every sign."""
    return [part for word in signs(passages) for part in _SINGLE.findall(word)]


def _runs(passages: Iterable[str]) -> list[str]:
    """Take text apart wherever there is no letter or figure, and where letters from the right meet others."""
    return _RUNS.findall(_POINTS.sub("", plain_letters(" ".join(passages))))


def _other_runs(passages: Iterable[str]) -> list[str]:
    return [run for run in _runs(passages) if not _FROM_RIGHT.match(run)]


def _letters(passages: Iterable[str]) -> Counter[str]:
    return Counter("".join(run for run in _runs(passages) if _FROM_RIGHT.match(run)))


def _frame(render_input: RenderInput, number: int, pages: int) -> list[str]:
    """Return what a page's running head and its foot say."""
    article, messages = render_input.article, render_input.messages
    frame = [
        article.organisation,
        messages["page_of"].format(page=messages.number(number), pages=messages.number(pages)),
    ]
    if number < pages:
        frame.append(messages["more_follows"])
    if number > 1:
        frame += [shortened(article.title, RUNNING_LIMIT), article.date, article.status if article.embargoed else ""]
    return frame


def _body(page: Sequence[str], frame: Iterable[str]) -> list[str]:
    """Return the words of a page without its running head and its foot, which are drawn last."""
    budget, kept = Counter(frame), list(page)
    while kept and budget[kept[-1]] > 0:
        budget[kept.pop()] -= 1
    return kept


def _heads(render_input: RenderInput) -> Iterator[str]:
    tables = (
        block for block in walk((*render_input.article.body, *render_input.article.notes)) if isinstance(block, Table)
    )
    return (plain(cell.children) for table in tables for cell in table.head)


def _without_heads(messages: Sequence[str], wanted: Counter[str], heads: Sequence[str]) -> list[str]:
    """Leave out the heads that tables have again overleaf, in whatever pieces."""
    pieces = (word for word in Counter(messages) - wanted if any(word in head for head in heads))
    surplus = Counter(messages) - wanted
    return _without(messages, Counter({word: surplus[word] for word in pieces}))


def _without(messages: Sequence[str], some: Counter[str]) -> list[str]:
    left = Counter(some)
    out = []
    for word in messages:
        if left[word] > 0:
            left[word] -= 1
        else:
            out.append(word)
    return out


def _joined(messages: Sequence[str], wanted: Counter[str]) -> list[str]:
    """Put together what was parted at the ends of lines and pages, as far as a word that is missing comes of it."""
    missing, foreign = wanted - Counter(messages), Counter(messages) - wanted
    if not missing:
        return list(messages)
    out: list[str] = []
    at = 0
    while at < len(messages):
        whole, end = _grown(messages, at, missing) if foreign[messages[at]] > 0 else ("", at)
        if whole:
            missing[whole] -= 1
            out.append(whole)
            at = end
        else:
            out.append(messages[at])
            at += 1
    return out


def _grown(messages: Sequence[str], at: int, missing: Counter[str]) -> tuple[str, int]:
    """Return the longest missing word that ``words`` make from ``at`` on, and where it ends."""
    grown, end = _STOPS.sub("", messages[at]), at + 1
    found = "", at
    hopes = {_STOPS.sub("", word): word for word, count in missing.items() if count > 0}
    while end < len(messages) and any(hope.startswith(grown) for hope in hopes):
        piece = _STOPS.sub("", messages[end])
        if piece.startswith(_MINUS) and not any(hope.startswith(grown + piece) for hope in hopes):
            piece = piece.removeprefix(_MINUS)  # a hyphen that begins a line looks like one
        grown += piece
        end += 1
        if grown in hopes:
            found = hopes[grown], end
    return found
