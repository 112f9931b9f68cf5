"""Lines of text without markup → our document tree: what belongs to one paragraph, list, quotation or table.

Plain text and the text of a PDF come here. Lines that were broken to fit a page are joined again; lines that are short
by intention, as in an address, stay apart.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

from pipeline.model.document import (
    Block,
    Cell,
    CodeBlock,
    Heading,
    Inline,
    LineBreak,
    List,
    ListItem,
    Paragraph,
    Quote,
    Rule,
    Table,
    Text,
)
from pipeline.reader.characters import join_lines
from pipeline.reader.imports.foreign import Check, ForeignBlock, tidy

_BULLET = re.compile(r"[-*+•‣▪◦●○■□➤►▶⁃∙·–—oO][ \t\u00a0]+(?=\S)")
_SURE_BULLET = re.compile(r"[•‣▪◦●○■□➤►▶⁃∙·*+][ \t\u00a0]*(?=\S)|[-–—oO][ \t\u00a0]+(?=\S)")
_NUMBER = re.compile(r"\(?(\d{1,3})[.)][ \t\u00a0]+(?=\S)")
_RULE = re.compile(r"[ \t]*(?:(?:\*[ \t]*){3,}|(?:[-_–—=~][ \t]*){4,})$")
_SENTENCE_END = re.compile(r"[.!?…:;。！？：]['\"’”»)\]]*$")
_CODE = re.compile(r"[{};]\s*$|^\s*(?:\$|#!|//|curl |python|import |def |<\w+)|--\w|=>|\w\(\)|\s\| \w+")
_GAPS = re.compile(r"\t+|[ \u00a0]{2,}")
_LABELLED = re.compile(r"[^\W\d_][^:：]{0,40}[:：]\s*\S")


class Group(Struct, frozen=True):
    """Lines without an empty one between them."""

    lines: tuple[str, ...]


def blocks_of(lines: Iterable[str]) -> Iterator[ForeignBlock]:
    """Yield the blocks of a text; lines that are empty part it."""
    texts = _single_spaced([line.rstrip() for line in lines])
    groups = list(_groups(texts))
    width = _width(groups)
    left = min((_indent(line) for group in groups for line in group), default=0)
    at = 0
    while at < len(groups):
        group = [line[left:] for line in groups[at]]
        taken, found = _list(groups, at, left, width)
        if taken:
            yield found
            at += taken
            continue
        yield from _block(group, width)
        at += 1


def _single_spaced(lines: list[str]) -> list[str]:
    """Return the lines of a text in which each line is followed by an empty one without these empty lines.

    Word processors and mail programs write such texts; two or more empty lines then stand between paragraphs.
    """
    filled = [at for at, line in enumerate(lines) if line.strip()]
    gaps = [after - before - 1 for before, after in pairwise(filled)]
    if len(gaps) < 4 or sum(gap == 0 for gap in gaps) > len(gaps) * 0.15:
        return lines
    near = [(lines[a], lines[b]) for (a, b), gap in zip(pairwise(filled), gaps, strict=True) if gap <= 1]
    broken = [pair for pair in near if not _SENTENCE_END.search(pair[0]) and len(pair[0]) > 30]
    longest = max(len(line) for line in lines)
    if longest > 160 or max(gaps) < 2 or len(broken) * 2 < len(near):
        return lines
    result = [lines[filled[0]]]
    for (_, after), gap in zip(pairwise(filled), gaps, strict=True):
        result += ["", lines[after]] if gap > 1 else [lines[after]]
    return result


def _groups(lines: list[str]) -> Iterator[list[str]]:
    group: list[str] = []
    for line in lines:
        if line.strip():
            group.append(line)
        elif group:
            yield group
            group = []
    if group:
        yield group


def _width(groups: list[list[str]]) -> int:
    """Return the length at which lines were broken; 0 for a text whose lines are paragraphs."""
    inner = [len(line) for group in groups if len(group) > 1 for line in group[:-1] if not _GAPS.search(line.strip())]
    if len(inner) < 2:
        return 0
    longest = max(inner)
    every = max(len(line) for group in groups for line in group)
    return longest if 40 <= longest <= 130 and every < longest * 1.3 else 0


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def join(lines: Sequence[str], width: int) -> tuple[Inline, ...]:
    """Return the lines of a paragraph as its text; a line that ends early by intention keeps its end."""
    words: list[Inline] = []
    text = ""
    for at, line in enumerate(lines):
        text = _appended(text, line.strip()) if text else line.strip()
        following = lines[at + 1].strip() if at + 1 < len(lines) else ""
        if following and not _is_broken(line.strip(), following, width):
            words += [Text(text), LineBreak()]
            text = ""
    return tidy([*words, Text(text)])


def _appended(text: str, line: str) -> str:
    if re.search(r"[^\W\d_]-$", text) and line[:1].islower():  # a compound; a hyphen of the line break is asked about
        return text + line
    if text.endswith("/") or text.endswith("\u00ad"):
        return text.rstrip("\u00ad") + line
    return join_lines(f"{text}\n{line}").replace("\n", " ")


def _is_broken(line: str, following: str, width: int) -> bool:
    """Whether ``following`` stands on a line of its own only because the one before it was full."""
    if not width:
        return following[:1].islower() and len(line) > 40
    if _LABELLED.match(following) and len(line) < width * 0.6:
        return False
    first = re.match(r"\+?[\d ()/-]{6,}|\S+", following)
    needed = len(line) + 1 + len(first[0] if first else "")
    if _wide(line) > len(line) / 2:
        return len(line) > width * 0.7
    return needed > width * 0.72 or (following[:1].islower() and len(line) > width * 0.4)


def _wide(text: str) -> int:
    return sum(unicodedata.east_asian_width(each) in "WF" for each in text)


def _block(group: list[str], width: int) -> Iterator[ForeignBlock]:
    if len(group) == 1 and _RULE.fullmatch(group[0]) and not re.search(r"[#\d]", group[0]):
        yield Rule()
        return
    if (table := _table(group)) is not None:
        yield table
        return
    indented = all(line.startswith(("    ", "\t", ">")) for line in group)
    if indented and sum(bool(_CODE.search(line)) for line in group) * 2 >= len(group):
        yield Check("indented lines that look like code; if they are a quotation, write > before them")
        yield CodeBlock("\n".join(line.removeprefix("    ") for line in group))
        return
    if indented:
        yield Quote((Paragraph(join([re.sub(r"^[ \t>]+", "", line) for line in group], width)),))
        return
    group = [line.strip() for line in group]
    if len(group) == 1 and is_heading(group[0]):
        yield Heading(2, (Text(" ".join(group[0].split())),))
        return
    yield from _hyphens(group)
    yield Paragraph(join(group, width))


def _hyphens(group: list[str]) -> Iterator[Check]:
    for line, following in pairwise(group):
        if re.search(r"[^\W\d_]-$", line) and following[:1].islower():
            word = f"{line.split()[-1]}{following.split()[0]}"
            yield Check(f"a hyphen at the end of a line: {word}; delete it if the word has none")


def is_heading(line: str) -> bool:
    """Whether a line by itself is in capitals, which is how plain text marks a heading."""
    letters = [each for each in line if each.isalpha()]
    cased = [each for each in letters if each.upper() != each.lower()]
    return 3 < len(cased) <= 90 and all(map(str.isupper, cased)) and not line.rstrip().endswith((".", ",", ";"))


def _list(groups: list[list[str]], at: int, left: int, width: int) -> tuple[int, Block]:
    """Return how many groups from ``at`` on are one list, and the list; 0 when there is none."""
    nothing = 0, Rule()
    group = [line[left:] for line in groups[at]]
    ordered = bool(_NUMBER.match(group[0]))
    mark = _NUMBER if ordered else _BULLET
    if not mark.match(group[0]) or re.fullmatch(r"[-–—]\s*\d+\s*[-–—]", group[0].strip()):
        return nothing
    lines, taken = list(group), 1
    while at + taken < len(groups):  # items with empty lines between them
        more = [line[left:] for line in groups[at + taken]]
        if not mark.match(more[0]) and not (_indent(more[0]) >= 2 and _item_mark(more[0].strip())):
            break
        lines += more
        taken += 1
    marked = [line for line in lines if mark.match(line)]
    if not ordered and len(marked) < 2 and not re.match(r"[•‣▪◦●■➤►▶]", group[0]):
        return nothing
    if ordered:
        numbers = [int(found[1]) for line in marked if (found := _NUMBER.match(line))]
        if len(numbers) < 2 or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            return nothing
    return taken, _items(lines, ordered, width)


def _item_mark(line: str) -> re.Match[str] | None:
    return _NUMBER.match(line) or _SURE_BULLET.match(line)


def _items(lines: list[str], ordered: bool, width: int) -> List:
    """Return the list of ``lines``; what is indented deeper and has a mark of its own is a list in its item."""
    level = min(_indent(line) for line in lines if _item_mark(line.strip()))
    items: list[tuple[list[str], list[str]]] = []
    start = 1
    for line in lines:
        found = _item_mark(line.strip())
        if found and _indent(line) <= level + 1:
            if not items and ordered and (number := _NUMBER.match(line.strip())):
                start = int(number[1])
            items.append(([line.strip()[found.end() :]], []))
        elif items and (items[-1][1] or (found and _indent(line) > level + 1)):
            items[-1][1].append(line)
        elif items:
            items[-1][0].append(line)
    result = []
    for own, nested in items:
        children: list[Block] = [Paragraph(join(own, width))]
        if nested:
            children.append(_items(nested, bool(_NUMBER.match(nested[0].strip())), width))
        result.append(ListItem(tuple(children)))
    return List(ordered, tuple(result), start)


def _table(group: list[str]) -> Table | None:
    """Return the table whose columns stand below each other, None where they do not."""
    if len(group) < 2:
        return None
    if all("\t" in line.strip() for line in group):
        rows = [[cell.strip() for cell in re.split(r"\t+", line.strip())] for line in group]
    else:
        length = max(map(len, group))
        padded = [line.ljust(length) for line in group]
        blank = [all(line[at] in " \u00a0" for line in padded) for at in range(length)]
        cuts = [found.span() for found in re.finditer("1{2,}", "".join("1" if each else "0" for each in blank))]
        cuts = [cut for cut in cuts if cut[0] > 0 and cut[1] < length]
        if not cuts:
            return None
        edges = [0, *(end for _, end in cuts), length]
        rows = [[line[a:b].strip() for a, b in pairwise(edges)] for line in padded]
    if len({len(row) for row in rows}) != 1 or len(rows[0]) < 2:
        return None
    if len(rows[0]) == 2 and all(row[0].endswith((":", "：")) for row in rows):
        return None
    cells = [tuple(Cell(tidy([Text(cell)])) for cell in row) for row in rows]
    numeric = [all(re.fullmatch(r"[\d.,%\s€$£¥+−–-]*", row[at]) for row in rows[1:]) for at in range(len(rows[0]))]
    return Table(cells[0], tuple(cells[1:]), tuple("right" if each else "" for each in numeric))
