"""Comparing what stands on paper, where words are parted at the ends of lines and pages have heads and feet.

Words are counted, for the order in which they were drawn is not the order in which they are read. Letters of scripts
that run from the right come out of a PDF in any order, some of them twice; of those only a loss is told.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from pipeline.document import Table, plain, walk
from pipeline.headline import shortened
from pipeline.parity.compare import counts_differ
from pipeline.parity.content import Content, plain_letters, signs
from pipeline.writers import Job

RUNNING_LIMIT = 76
"""Characters of the title in the running head."""
_RUNS = re.compile(r"\d+|[^\W\d_]+")
_STOPS = re.compile("[.,:]")
_MINUS = "−"
_MARKS = {
    False: re.compile(r"^ *\d+\. *$", re.MULTILINE),
    True: re.compile(r"^[ \u200f]*(?:\d+\.|\.\d+)[ \u200f]*$", re.MULTILINE),
}
"""Numbers of lists, which are drawn when the rest of a page is."""
_CARRIERS = re.compile("[\u0627\u0648\u064a\u0649][\u0653-\u0655]")
"""Letters that carry a hamza, which some faces draw from parts that read as something else."""
_FROM_RIGHT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


class _Sheet(Struct, frozen=True):
    words: list[str]
    letters: Counter[str]
    """Letters of scripts that run from the right."""


def sheets_differ(job: Job, wanted: Content, found: Content) -> str:
    """Return what is wrong with the pages of a PDF; empty when nothing is."""
    passages = [passage for passage in wanted.words if isinstance(passage, str)]
    from_right = bool(_FROM_RIGHT.search("".join(passages)))
    ours = _sheet(passages, from_right)
    pages = [str(page).replace("\r", "") for page in found.words]
    marks = _sheet((mark for page in pages for mark in _MARKS[from_right].findall(page)), from_right).words
    sheets = [_sheet([_MARKS[from_right].sub("", page)], from_right) for page in pages]
    bodies = [_body(job, sheet, number, len(pages), from_right) for number, sheet in enumerate(sheets, 1)]
    words = _joined([*marks, *(word for body in bodies for word in body.words)], Counter(ours.words))
    if len(pages) > 1:
        words = _without_heads(words, Counter(ours.words), _heads(job, from_right))
    if from_right:  # of Arabic vowel points, some are read as a letter
        known = set(ours.words)
        words = [word for word in words if len(word) > 1 or word in known or not word.isalpha()]
    problem = counts_differ(ours.words, words)
    letters: Counter[str] = sum((body.letters for body in bodies), Counter())
    sure = _sheet([_CARRIERS.sub(" ", _decomposed(passages))], from_right)
    lost = "".join((sure.letters - letters).elements())
    return problem or (f"it lacks letters of “{lost}”" if lost else "")


def _sheet(passages: Iterable[str], from_right: bool) -> _Sheet:
    """Take text apart; beside letters from the right, signs change places, so there only letters and figures count."""
    if not from_right:
        return _Sheet(signs(passages), Counter())
    text = plain_letters(" ".join(passages))
    letters = (sign for sign in text if _FROM_RIGHT.match(sign) and unicodedata.category(sign).startswith("L"))
    return _Sheet(_RUNS.findall(_FROM_RIGHT.sub(" ", text)), Counter(letters))


def _decomposed(passages: Iterable[str]) -> str:
    return unicodedata.normalize("NFKD", " ".join(passages))


def _body(job: Job, page: _Sheet, number: int, pages: int, from_right: bool) -> _Sheet:
    """Return a page without its running head and its foot, which are drawn last."""
    article, words = job.article, job.words
    frame = [article.organisation, words["page_of"].format(page=words.number(number), pages=words.number(pages))]
    if number < pages:
        frame.append(words["more_follows"])
    if number > 1:
        frame += [shortened(article.title, RUNNING_LIMIT), article.date, article.status if article.embargoed else ""]
    drawn = _sheet(frame, from_right)
    budget, kept = Counter(drawn.words), list(page.words)
    while kept and budget[kept[-1]] > 0:
        budget[kept.pop()] -= 1
    return _Sheet(kept, page.letters - drawn.letters)


def _heads(job: Job, from_right: bool) -> list[str]:
    tables = (block for block in walk((*job.article.body, *job.article.notes)) if isinstance(block, Table))
    return _sheet((plain(cell.children) for table in tables for cell in table.head), from_right).words


def _without_heads(words: Sequence[str], wanted: Counter[str], heads: Sequence[str]) -> list[str]:
    """Leave out the heads that tables have again overleaf, in whatever pieces."""
    pieces = (word for word in Counter(words) - wanted if any(word in head for head in heads))
    surplus = Counter(words) - wanted
    return _without(words, Counter({word: surplus[word] for word in pieces}))


def _without(words: Sequence[str], some: Counter[str]) -> list[str]:
    left = Counter(some)
    out = []
    for word in words:
        if left[word] > 0:
            left[word] -= 1
        else:
            out.append(word)
    return out


def _joined(words: Sequence[str], wanted: Counter[str]) -> list[str]:
    """Put together what was parted at the ends of lines and pages, as far as a word that is missing comes of it."""
    missing, foreign = wanted - Counter(words), Counter(words) - wanted
    if not missing:
        return list(words)
    out: list[str] = []
    at = 0
    while at < len(words):
        whole, end = _grown(words, at, missing) if foreign[words[at]] > 0 else ("", at)
        if whole:
            missing[whole] -= 1
            out.append(whole)
            at = end
        else:
            out.append(words[at])
            at += 1
    return out


def _grown(words: Sequence[str], at: int, missing: Counter[str]) -> tuple[str, int]:
    """Return the missing word that ``words`` make from ``at`` on, and where it ends."""
    grown, end = _STOPS.sub("", words[at]), at + 1
    hopes = {_STOPS.sub("", word): word for word, count in missing.items() if count > 0}
    while end < len(words) and any(hope.startswith(grown) for hope in hopes):
        piece = _STOPS.sub("", words[end])
        if piece.startswith(_MINUS) and not any(hope.startswith(grown + piece) for hope in hopes):
            piece = piece.removeprefix(_MINUS)  # a hyphen that begins a line looks like one
        grown += piece
        end += 1
        if grown in hopes:
            return hopes[grown], end
    return "", at
