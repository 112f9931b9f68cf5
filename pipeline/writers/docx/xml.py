"""WordprocessingML as elements: the few constructs that every part of the Word writer is made of.

Names and units are those of the standard (ECMA-376): twentieths of a point for distances. The order of children is the
schema's; Word refuses a file that has another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Protocol

from lxml import etree
from lxml.etree import _Element as Element

NAMESPACES = {
    "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "wp": "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
    "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
    "pic": "http://schemas.openxmlformats.org/drawingml/2006/picture",
    "adec": "http://schemas.microsoft.com/office/drawing/2017/decorative",
}
EMU = 635
"""English metric units in a twentieth of a point."""
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_DECORATIVE = "{C183D7F6-B498-43B3-948B-1728B52AA6E4}"


class Part(Protocol):
    """What text needs of the package part it stands in; both give the id of a relationship."""

    def link(self, address: str) -> str:
        """Return the id by which this part refers to an address outside the file."""
        ...

    def image(self, data: bytes, media_type: str) -> str:
        """Return the id by which this part refers to a picture, which is stored once."""
        ...


@cache
def name_of(name: str) -> str:
    """Return a prefixed name such as ``w:p`` in lxml's notation."""
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


def element(name: str, /, *children: Element | None, **attributes: object) -> Element:
    """Return a DrawingML element without None among its children; ``r_id`` means ``r:id``, others have no prefix."""
    prefix = name.partition(":")[0]
    found = etree.Element(name_of(name), {}, {prefix: NAMESPACES[prefix]})
    for key, value in attributes.items():
        found.set(name_of(f"r:{key[2:]}") if key.startswith("r_") else key, str(value))
    found.extend(child for child in children if child is not None)
    return found


def w(name: str, /, *children: Element | None, **attributes: object) -> Element:
    """Return a WordprocessingML element; ``r_id`` means ``r:id``, other attributes are ``w:`` ones."""
    found = etree.Element(name_of(f"w:{name}"), {}, {"w": NAMESPACES["w"]})
    for key, value in attributes.items():
        found.set(name_of(f"r:{key[2:]}" if key.startswith("r_") else f"w:{key}"), str(value))
    found.extend(child for child in children if child is not None)
    return found


def empty(name: str) -> str:
    """Return the source of a part without content, e.g. of a header."""
    return f'<w:{name} xmlns:w="{NAMESPACES["w"]}" xmlns:r="{NAMESPACES["r"]}"/>'


def value_of(parent: Element | None, name: str, attribute: str = "val") -> str:
    """Return attribute ``w:attribute`` of the first ``w:name`` below ``parent``, or nothing."""
    found = None if parent is None else parent.find(f".//{name_of('w:' + name)}")
    return "" if found is None else found.get(name_of("w:" + attribute), "")


def texts(value: str) -> Iterator[Element]:
    """Yield ``value`` as the content of a run: line feeds and tabs have elements of their own."""
    for number, line in enumerate(value.split("\n")):
        if number:
            yield w("br")
        for column, piece in enumerate(line.split("\t")):
            if column:
                yield w("tab")
            if piece:
                found = w("t")
                found.text = piece
                if piece != " ".join(piece.split()):
                    found.set(_SPACE, "preserve")
                yield found


def table(
    style: str, widths: list[int], rows: Iterable[Element], *, rtl: bool, indent: int = 0, head: bool = False
) -> Element:
    """Return a table of fixed column ``widths``; ``head`` says that its first row is one."""
    return w(
        "tbl",
        w(
            "tblPr",
            w("tblStyle", val=style),
            w("bidiVisual") if rtl else None,
            w("tblW", w=sum(widths), type="dxa"),
            w("tblInd", w=indent, type="dxa") if indent else None,
            w("tblLayout", type="fixed"),
            w("tblLook", val="0020" if head else "0000", firstRow=int(head), lastRow=0, firstColumn=0, lastColumn=0)
            if head
            else None,
        ),
        w("tblGrid", *(w("gridCol", w=width) for width in widths)),
        *rows,
    )


def row(widths: list[int], cells: Iterable[list[Element]], *, head: bool = False) -> Element:
    """Return a row that is never broken over two pages; as ``head`` it stands on each page of its table."""
    return w(
        "tr",
        w("trPr", w("cantSplit"), w("tblHeader") if head else None),
        *(
            w("tc", w("tcPr", w("tcW", w=width, type="dxa")), *content)
            for width, content in zip(widths, cells, strict=True)
        ),
    )


def drawing(relation: str, number: int, size: tuple[int, int], alt: str) -> Element:
    """Return a picture that stands in the line; without ``alt`` it is marked as decorative."""
    width, height = (max(1, side * EMU) for side in size)
    mark = None
    if not alt:
        extension = element("a:ext", element("adec:decorative", val=1), uri=_DECORATIVE)
        mark = element("a:extLst", extension)
    named = {"id": number, "name": f"Picture {number}"}
    return w(
        "drawing",
        element(
            "wp:inline",
            element("wp:extent", cx=width, cy=height),
            element("wp:docPr", mark, **named, descr=alt),
            element("wp:cNvGraphicFramePr", element("a:graphicFrameLocks", noChangeAspect=1)),
            element(
                "a:graphic",
                element(
                    "a:graphicData",
                    element(
                        "pic:pic",
                        element("pic:nvPicPr", element("pic:cNvPr", **named), element("pic:cNvPicPr")),
                        element(
                            "pic:blipFill",
                            element("a:blip", r_embed=relation),
                            element("a:stretch", element("a:fillRect")),
                        ),
                        element(
                            "pic:spPr",
                            element("a:xfrm", element("a:off", x=0, y=0), element("a:ext", cx=width, cy=height)),
                            element("a:prstGeom", element("a:avLst"), prst="rect"),
                        ),
                    ),
                    uri=NAMESPACES["pic"],
                ),
            ),
            distT=0,
            distB=0,
            distL=0,
            distR=0,
        ),
    )
