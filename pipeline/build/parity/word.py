"""Reading a Word file back: letterhead of the first page, text, footnotes, without the numbers of list items."""

from __future__ import annotations

import io
from collections.abc import Iterator
from zipfile import ZipFile

from lxml import etree
from lxml.etree import _Element as Element

from pipeline.build.parity.content import Content, address, digits, high, low

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_PARTS = ("header1", "document", "footnotes")
_SEPARATORS = frozenset((f"{_W}p", f"{_W}br", f"{_W}tab", f"{_W}cr"))


def read_word(data: bytes) -> Content:
    """Return the content of a Word file; the targets of links are in its relationships."""
    passages: list[str] = []
    links: set[str] = set()
    numbers: set[tuple[str, str]] = set()
    with ZipFile(io.BytesIO(data)) as package:
        names = set(package.namelist())
        for part in (each for each in _PARTS if f"word/{each}.xml" in names):
            root = etree.fromstring(package.read(f"word/{part}.xml"))
            passages.append("".join(_text(root)))
            relations = f"word/_rels/{part}.xml.rels"
            targets = _targets(package.read(relations)) if relations in names else {}
            for link in root.iter(f"{_W}hyperlink"):
                target = address(targets.get(str(link.get(_ID)), ""))
                links.add(target)
                if target.startswith("tel:"):
                    numbers.add((target, digits("".join(_text(link)))))
    return Content(tuple(passages), frozenset(filter(None, links)), frozenset(numbers))


def _targets(relations: bytes) -> dict[str, str]:
    return {str(each.get("Id")): str(each.get("Target")) for each in etree.fromstring(relations)}


def _text(root: Element) -> Iterator[str]:
    for node in root.iter():
        if node.tag == f"{_W}t":
            yield _raised(node)
        elif node.tag == f"{_W}footnoteReference":
            yield high(str(node.get(f"{_W}id")))
        elif node.tag in _SEPARATORS:
            yield " "


def _raised(text: Element) -> str:
    """Return the text of a run, marked if it stands high or low."""
    run = text.getparent()
    place = None if run is None else run.find(f"{_W}rPr/{_W}vertAlign")
    marks = {"superscript": high, "subscript": low}
    words = text.text or ""
    return words if place is None else marks[str(place.get(f"{_W}val"))](words)
