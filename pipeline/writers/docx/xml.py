"""WordprocessingML elements: paragraph properties, runs, tables, drawings.

Names and units are those of the standard (ECMA-376): distances are in twentieths of a point. The order of children is
the schema's; Word refuses a file with another order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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


class Relations(Protocol):
    """The relationships of the package part that text stands in."""

    def link(self, address: str) -> str:
        """Return the id by which the part refers to an address outside the file."""
        ...


@cache
def name_of(name: str) -> str:
    """Return a prefixed name such as ``w:p`` in lxml's notation."""
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


def w(name: str, /, *children: Element | None, **attributes: object) -> Element:
    """Return a WordprocessingML element; ``r_id`` means ``r:id``, other attributes are ``w:`` ones."""
    return _element(f"w:{name}", "w:", children, attributes)


def _dml(name: str, /, *children: Element | None, **attributes: object) -> Element:
    """Return a DrawingML element; ``r_id`` means ``r:id``, other attributes have no prefix."""
    return _element(name, "", children, attributes)


def _element(name: str, prefix: str, children: Iterable[Element | None], attributes: Mapping[str, object]) -> Element:
    """Return an element with those of ``children`` that are not None."""
    namespace = name.partition(":")[0]
    created = etree.Element(name_of(name), {}, {namespace: NAMESPACES[namespace]})
    for key, value in attributes.items():
        qualified = f"r:{key[2:]}" if key.startswith("r_") else prefix + key
        created.set(name_of(qualified) if ":" in qualified else qualified, str(value))
    created.extend(child for child in children if child is not None)
    return created


def empty(name: str) -> str:
    """Return the XML of a part without content, e.g. of a header."""
    return f'<w:{name} xmlns:w="{NAMESPACES["w"]}" xmlns:r="{NAMESPACES["r"]}"/>'


def value_of(parent: Element | None, name: str, attribute: str = "val") -> str:
    """Return attribute ``w:attribute`` of the first ``w:name`` below ``parent``, or nothing."""
    found = None if parent is None else parent.find(f".//{name_of('w:' + name)}")
    return "" if found is None else found.get(name_of("w:" + attribute), "")


def texts(value: str) -> Iterator[Element]:
    """Yield ``value`` as the content of a run; line feeds and tabs become elements."""
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
    style: str,
    widths: list[int],
    rows: Iterable[Element],
    *,
    rtl: bool,
    indent: int = 0,
    head: bool = False,
    foot: bool = False,
) -> Element:
    """Return a table of fixed column ``widths``.

    Its style has special rules for the first row of a table with a ``head``, the last row of one with a ``foot``, and
    the last column, which has no space at its right: a table from right to left needs it there.
    """
    look = f"{0x20 * head + 0x40 * foot + 0x100 * (not rtl):04x}"
    return w(
        "tbl",
        w(
            "tblPr",
            w("tblStyle", val=style),
            w("bidiVisual") if rtl else None,
            w("tblW", w=sum(widths), type="dxa"),
            w("tblInd", w=indent, type="dxa") if indent else None,
            w("tblLayout", type="fixed"),
            w("tblLook", val=look, firstRow=int(head), lastRow=int(foot), firstColumn=0, lastColumn=int(not rtl))
            if head or foot
            else None,
        ),
        w("tblGrid", *(w("gridCol", w=width) for width in widths)),
        *rows,
    )


def row(widths: list[int], cells: Iterable[list[Element]], *, head: bool = False, span: int = 1) -> Element:
    """Return a row that is not divided between pages; a ``head`` is repeated on each page of its table.

    Each cell takes the place of ``span`` columns.
    """
    return w(
        "tr",
        w("trPr", w("cantSplit"), w("tblHeader") if head else None),
        *(
            w(
                "tc",
                w("tcPr", w("tcW", w=width, type="dxa"), w("gridSpan", val=span) if span > 1 else None),
                *content,
            )
            for width, content in zip(widths, cells, strict=True)
        ),
    )


def drawing(relation: str, number: int, size: tuple[int, int], alt: str) -> Element:
    """Return a picture within a line of text; without ``alt`` it is marked as decorative."""
    width, height = (max(1, side * EMU) for side in size)
    named = {"id": number, "name": f"Picture {number}"}
    decorative = None
    if not alt:
        decorative = _dml("a:extLst", _dml("a:ext", _dml("adec:decorative", val=1), uri=_DECORATIVE))
    picture = _dml(
        "pic:pic",
        _dml("pic:nvPicPr", _dml("pic:cNvPr", **named), _dml("pic:cNvPicPr")),
        _dml("pic:blipFill", _dml("a:blip", r_embed=relation), _dml("a:stretch", _dml("a:fillRect"))),
        _dml(
            "pic:spPr",
            _dml("a:xfrm", _dml("a:off", x=0, y=0), _dml("a:ext", cx=width, cy=height)),
            _dml("a:prstGeom", _dml("a:avLst"), prst="rect"),
        ),
    )
    inline = _dml(
        "wp:inline",
        _dml("wp:extent", cx=width, cy=height),
        _dml("wp:docPr", decorative, **named, descr=alt),
        _dml("wp:cNvGraphicFramePr", _dml("a:graphicFrameLocks", noChangeAspect=1)),
        _dml("a:graphic", _dml("a:graphicData", picture, uri=NAMESPACES["pic"])),
        **dict.fromkeys(("distT", "distB", "distL", "distR"), 0),
    )
    return w("drawing", inline)
