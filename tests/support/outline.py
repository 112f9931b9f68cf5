"""Outlines of renditions that a person can review: a line for each paragraph, table row, picture and element.

A long text is shortened; its length and the beginning of its digest stand in for the rest, so no change goes unnoticed.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from html.parser import HTMLParser
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

FOOTNOTES = "word/footnotes.xml"
LONG = 72
"""Characters from which on a text is shortened."""


def brief(text: str, long: int = LONG) -> str:
    """Return the text, or its beginning, length and digest."""
    text = text.replace("\n", "⏎").replace("\t", "⇥")
    if len(text) <= long:
        return text
    return f"{text[: long - 24]}… ({len(text)}, {hashlib.sha256(text.encode()).hexdigest()[:6]})"


def shortened(lines: list[str], ends: int = 3) -> list[str]:
    """Return the lines, or the first, the last and a digest of those between."""
    if len(lines) <= 4 * ends:
        return lines
    return [*lines[:ends], f"  {len(lines) - 2 * ends} more: {brief(' '.join(lines[ends:-ends]), 24)}", *lines[-ends:]]


# ── Word ────────────────────────────────────────────────────────────────────────────────────────────────────────────

_SPACES = {
    "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
    "wp": "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
    "rels": "http://schemas.openxmlformats.org/package/2006/relationships",
}
_W, _R = f"{{{_SPACES['w']}}}", f"{{{_SPACES['r']}}}"
_EMU, _TWIPS = 9525, 56.6929
"""English metric units in a pixel, and twentieths of a point in a millimetre."""


def of_word(package: bytes, whole: bool = True) -> str:
    """Return styles, list levels, text, links, tables, pictures, sections, headers and footers of a Word file.

    Unless it is ``whole``, the section with its headers and footers is one line with a digest.
    """
    with ZipFile(io.BytesIO(package)) as file:
        lines = list(_WordPart(file, "word/document.xml").lines())
        notes = list(_WordPart(file, FOOTNOTES).footnotes()) if FOOTNOTES in file.namelist() else []
    if not whole:
        first = next(number for number, line in enumerate(lines) if line.startswith("Section "))
        lines[first:] = [f"Section, headers and footers | {brief(' '.join(lines[first:]), 24)}"]
    return "\n".join([*lines, *notes]) + "\n"


class _WordPart:
    """The document, a header or a footer of a Word file."""

    def __init__(self, file: ZipFile, name: str) -> None:
        self.file = file
        self.root = ElementTree.fromstring(file.read(name))
        path = PurePosixPath(name)
        rels = f"{path.parent}/_rels/{path.name}.rels"
        found = ElementTree.fromstring(file.read(rels)) if rels in file.namelist() else ()
        self.targets = {each.get("Id"): each.get("Target", "") for each in found}
        self.levels = _levels(file)

    def lines(self) -> Iterator[str]:
        for node in self.root.find("w:body", _SPACES) or self.root:
            name = node.tag.removeprefix(_W)
            if name == "p":
                yield self._paragraph(node)
            elif name == "tbl":
                yield from self._table(node)
            elif name == "sectPr":
                yield from self._section(node)
            else:
                yield name

    def footnotes(self) -> Iterator[str]:
        for note in self.root:
            yield from (f"Footnote {note.get(f'{_W}id')}: {self._paragraph(p)}" for p in note.findall("w:p", _SPACES))

    def _paragraph(self, node: ElementTree.Element) -> str:
        return f"{self._kind(node)} | {brief(self._text(node))}"

    def _kind(self, node: ElementTree.Element) -> str:
        properties = node.find("w:pPr", _SPACES)
        style, marks = "(no style)", []
        for each in properties if properties is not None else ():
            if each.tag == f"{_W}pStyle":
                style = each.get(f"{_W}val", "")
            elif each.tag == f"{_W}numPr":
                values = [child.get(f"{_W}val", "") for child in each]  # level, then list
                marks.append(f"level {values[0]}: {self.levels.get((values[1], values[0]), 'no such list')}")
            else:
                marks.append(_described(each))
        return style + (f" ({', '.join(marks)})" if marks else "")

    def _text(self, node: ElementTree.Element) -> str:
        pieces = ((mark, text) for child in node for mark, text in self._pieces(child))
        out = ""
        for mark, group in groupby(pieces, key=lambda piece: piece[0]):
            text = "".join(text for _, text in group)
            out += f"{{{mark}: {text}}}" if mark else text
        return out

    def _pieces(self, node: ElementTree.Element) -> Iterator[tuple[str, str]]:
        name = node.tag.removeprefix(_W)
        if name == "r":
            mark = " ".join(_described(each) for each in node.find("w:rPr", _SPACES) or ())
            yield "" if "FootnoteReference" in mark else mark, "".join(map(self._character, node))
        elif name == "hyperlink":
            target = self.targets.get(node.get(f"{_R}id"), "") or f"#{node.get(f'{_W}anchor')}"
            yield "", f"[{self._text(node)}]({target})"
        elif name == "bookmarkStart":
            yield "", f"{{#{node.get(f'{_W}name')}}}"
        elif name == "dir":
            yield f"dir {node.get(f'{_W}val')}", self._text(node)
        elif name not in ("pPr", "bookmarkEnd"):
            yield name, self._text(node)

    def _character(self, node: ElementTree.Element) -> str:
        name = node.tag.removeprefix(_W)
        if name in ("t", "instrText"):
            return node.text or ""
        if name == "drawing":
            extent, properties = node.find(".//wp:extent", _SPACES), node.find(".//wp:docPr", _SPACES)
            blip = node.find(".//a:blip", _SPACES)
            assert extent is not None
            assert properties is not None
            assert blip is not None
            size = "x".join(str(round(int(extent.get(side, "0")) / _EMU)) for side in ("cx", "cy"))
            media = PurePosixPath(self.targets[blip.get(f"{_R}embed")]).suffix
            return f"{{picture {media} {size} px, alt={properties.get('descr')!r}}}"
        if name == "footnoteReference":
            return f"footnote {node.get(f'{_W}id')}"
        known = {"br": "⏎", "tab": "⇥", "rPr": "", "fldChar": ""}
        return known.get(name, f"{{{name}}}")

    def _table(self, node: ElementTree.Element) -> Iterator[str]:
        rows = node.findall("w:tr", _SPACES)
        grid = [each.get(f"{_W}w", "") for each in node.findall("w:tblGrid/w:gridCol", _SPACES)]
        named = (each for each in node.find("w:tblPr", _SPACES) or () if each.tag != f"{_W}tblLook")
        yield f"Table {len(rows)}x{len(grid)}, columns {' '.join(grid)}: {', '.join(map(_described, named))}"
        yield from shortened([f"  row{line}" for line in self._rows(rows)])

    def _rows(self, rows: list[ElementTree.Element]) -> Iterator[str]:
        before = ""
        for row in rows:
            marks = " ".join(_described(each) for each in row.find("w:trPr", _SPACES) or ())
            cells = [list(cell.iter(f"{_W}p")) for cell in row.findall("w:tc", _SPACES)]
            kinds = " / ".join(dict.fromkeys(self._kind(each) for cell in cells for each in cell))
            texts = [" ¶ ".join(map(self._text, cell)) for cell in cells]
            kind = f" ({marks}) {kinds}"
            yield f"{kind if kind != before else ''} | {brief(' | '.join(texts))}"
            before = kind  # a row of the same kind as the one before does not repeat it

    def _section(self, node: ElementTree.Element) -> Iterator[str]:
        parts = []
        for each in node:
            name, values = each.tag.removeprefix(_W), {key.rpartition("}")[2]: value for key, value in each.items()}
            if name in ("headerReference", "footerReference"):
                parts.append((f"{name.removesuffix('Reference')} {values['type']}", self.targets[values["id"]]))
            elif name in ("pgSz", "pgMar"):
                numbers = (f"{key}={_millimetres(value)}" for key, value in values.items())
                yield f"Section {'page' if name == 'pgSz' else 'margins'} in mm: {' '.join(numbers)}"
            else:
                yield f"Section {_described(each)}"
        for title, target in parts:
            for line in _WordPart(self.file, f"word/{target}").lines():
                yield f"{title}: {line}"


def _levels(file: ZipFile) -> dict[tuple[str, str], str]:
    """Return what stands before the items of a list's level, by number of the list and level."""
    if "word/numbering.xml" not in file.namelist():
        return {}
    root = ElementTree.fromstring(file.read("word/numbering.xml"))
    kinds = {each.get(f"{_W}abstractNumId"): each for each in root.findall("w:abstractNum", _SPACES)}
    found = {}
    for number in root.findall("w:num", _SPACES):
        abstract = number.find("w:abstractNumId", _SPACES)
        assert abstract is not None
        for level in kinds[abstract.get(f"{_W}val")].findall("w:lvl", _SPACES):
            at = level.get(f"{_W}ilvl", "")
            override = number.find(f"w:lvlOverride[@w:ilvl='{at}']/w:startOverride", _SPACES)
            start = "" if override is None or override.get(f"{_W}val") == "1" else f" from {override.get(f'{_W}val')}"
            facts = (level.find(f"w:{name}", _SPACES) for name in ("numFmt", "lvlText"))
            words = " ".join(fact.get(f"{_W}val", "") for fact in facts if fact is not None)
            found[number.get(f"{_W}numId", ""), at] = words + start
    return found


def _described(node: ElementTree.Element) -> str:
    """Return a property with its values, as ``spacing before=120``; of a style its name alone."""
    name = node.tag.rpartition("}")[2]
    values = {key.rpartition("}")[2]: value for key, value in node.items()}
    if name in ("rStyle", "tblStyle"):
        return values["val"]
    return " ".join([name, *(value if key == "val" else f"{key}={value}" for key, value in values.items())])


def _millimetres(twips: str) -> str:
    return str(round(int(twips) / _TWIPS)) if twips.isdigit() else twips


# ── HTML ────────────────────────────────────────────────────────────────────────────────────────────────────────────

_VOID = {"meta", "link", "img", "input", "br", "hr", "source", "track"}
_INLINE = {"a", "strong", "em", "code", "del", "span", "time", "br", "img", "button", "bdi", "sub", "sup"}
_SHORT = {"strong": "b", "em": "i"}


class _Element:
    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag, self.attributes = tag, attributes
        self.children: list[_Element | str] = []

    @property
    def inline(self) -> bool:
        return self.tag in _INLINE and all(isinstance(child, str) or child.inline for child in self.children)

    def name(self) -> str:
        """Return tag, classes and attributes."""
        rest = dict(self.attributes)
        classes = "".join(f".{each}" for each in rest.pop("class", "").split())
        named = "".join(f" {key}={brief(value)}" if value else f" {key}" for key, value in rest.items())
        return _SHORT.get(self.tag, self.tag) + classes + named

    def text(self) -> str:
        """Return what is in it, in one line; elements in braces."""
        return "".join(child if isinstance(child, str) else f"{{{child.line(': ')}}}" for child in self.children)

    def line(self, mark: str = " | ", long: int = 10_000) -> str:
        text = re.sub(r"[ \n]+", " ", self.text()).strip() if self.tag != "pre" else self.text()
        return self.name() + (f"{mark}{brief(text, long)}" if text else "")

    def lines(self, folded: AbstractSet[str]) -> Iterator[str]:
        if {self.tag, self.attributes.get("class")} & folded:
            yield f"{self.name()} | {brief(self.text(), 24)}"
        elif self.tag == "tr" or all(isinstance(child, str) or child.inline for child in self.children):
            yield self.line(long=LONG)
        else:
            yield self.name()
            inner = [f" {line}" for line in self._inner(folded)]
            yield from shortened(inner) if self.tag == "tbody" else inner

    def _inner(self, folded: AbstractSet[str]) -> Iterator[str]:
        """Yield a line for each block, and one for what stands between blocks."""
        for block, group in groupby(self.children, lambda child: not isinstance(child, str) and not child.inline):
            if block:
                for child in group:
                    assert isinstance(child, _Element)
                    yield from child.lines(folded)
            else:
                loose = _Element("", {})
                loose.children = list(group)
                if loose.line().strip(" |"):
                    yield loose.line(long=LONG).removeprefix(" ")


class _Tree(HTMLParser):
    def __init__(self, source: str) -> None:
        super().__init__()
        self.root = _Element("", {})
        self.open = [self.root]
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = _Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        if data.strip() or "\n" not in data:
            self.open[-1].children.append(data)


_FRAME = {"head", "tools", "contacts", "foot", "script"}
"""Elements or classes around the text of a page."""


def of_page(source: str, whole: bool = True) -> str:
    """Return the elements of a page with classes, attributes and texts; a block a line.

    Unless it is ``whole``, what stands around the text is one line with a digest.
    """
    blocks = (child for child in _Tree(source).root.children if isinstance(child, _Element))
    return "\n".join(line for block in blocks for line in block.lines(set() if whole else _FRAME)) + "\n"


# ── Record and PDF ────────────────────────────────────────────────────────────────────────────────────────────────


def of_record(record: str, whole: bool = True) -> str:
    """Return the facts of a ninjs record, one a line; of HTML how often each element occurs.

    Unless it is ``whole``, facts that are much the same in every record are one line with a digest.
    """
    return "\n".join(_facts(json.loads(record), whole)) + "\n"


_OWN = ("language", "headlines", "descriptions", "bodies")
"""What is a record's own, and not the newsroom's or an address."""


def _facts(record: dict[str, Any], whole: bool) -> Iterator[str]:
    folded = []
    for key, value in record.items():
        for each in value if isinstance(value, list) else [value]:
            if whole or key in _OWN:
                yield f"{key} | {_fact(each)}"
            else:
                folded.append(f"{key} | {_fact(each)}")
    if folded:
        yield f"{len(folded)} other facts | {brief(' '.join(folded))}"


def _fact(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={_fact(each)}" for key, each in value.items())
    if isinstance(value, list):
        return f"[{'; '.join(map(_fact, value))}]"
    if isinstance(value, str) and value.startswith("<div"):
        counts = Counter(re.findall(r"<([a-z0-9]+)", value))
        return f"{', '.join(f'{number} {tag}' for tag, number in counts.items())} | {brief(value, 30)}"
    return brief(str(value))


def of_paper(pages: Sequence[str], whole: bool = True, ends: int = 3) -> str:
    """Return the lines of each page; unless it is ``whole``, the first, the last and a digest of those between."""
    out = []
    for number, page in enumerate(pages, 1):
        lines = [line.rstrip() for line in page.splitlines()]
        out.append(f"Page {number}, {len(lines)} lines")
        if not whole and len(lines) > 3 * ends:
            out += [*lines[:ends], brief("\n".join(lines[ends:-ends]), 2 * LONG), *lines[-ends:]]
        else:
            out += lines
    return "\n".join(out) + "\n"
