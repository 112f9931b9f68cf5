"""What makes a PDF of WeasyPrint's fit for archives and for assistive technology at once: PDF/A-2a and PDF/UA-1.

WeasyPrint names one standard in a file's metadata, and its tags leave PDF/UA-1 (the element types of ISO 32000-1,
14.8.4) in three places: the paragraphs of a list item, a table of nothing but its head, marked words in a link. All is
put right here; on paper nothing changes. veraPDF is the judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import pydyf

VARIANT = "pdf/a-2a"
"""What WeasyPrint is asked for; the mark of PDF/UA-1 is added."""
# An archive must be told what a property means that PDF/A does not know itself.
_EXTENSION = (
    b'<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/" pdfuaid:part="1"/>'
    b'<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"'
    b' xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"'
    b' xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">'
    b'<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">'
    b"<pdfaSchema:schema>PDF/UA identification</pdfaSchema:schema>"
    b"<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>"
    b"<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>"
    b'<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">'
    b"<pdfaProperty:name>part</pdfaProperty:name>"
    b"<pdfaProperty:valueType>Integer</pdfaProperty:valueType>"
    b"<pdfaProperty:category>internal</pdfaProperty:category>"
    b"<pdfaProperty:description>Part of ISO 14289 that the file conforms to</pdfaProperty:description>"
    b"</rdf:li></rdf:Seq></pdfaSchema:property>"
    b"</rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>"
)
_END = b"</rdf:RDF>"
INTENT = "sRGB"
"""What ``write_pdf`` is told instead of its own "srgb", for which it opens a file that it does not close."""


@cache
def srgb() -> bytes:
    """Return the profile that says what the colours of a document mean."""
    return (files("weasyprint.pdf") / "sRGB2014.icc").read_bytes()


def describe(metadata: Any) -> None:
    """Make ``metadata`` say that the file conforms to PDF/UA-1 too."""
    generate: Callable[..., bytes] = metadata.generate_rdf_metadata

    def both(*arguments: object) -> bytes:
        return generate(*arguments).replace(_END, _EXTENSION + _END)

    metadata.generate_rdf_metadata = both


def finish(_document: object, pdf: pydyf.PDF) -> None:
    """Give list items a body, tables a body, and every link to an element that is one."""
    for item in list(_elements(pdf, "LI")):
        _embody_item(pdf, item)
    for table in _elements(pdf, "Table"):
        _embody_table(pdf, table)
    _own_links(pdf)


def _embody_item(pdf: pydyf.PDF, item: Any) -> None:
    """Put what stands beside the item's label into its body."""
    kids = [(reference, _object(pdf, reference)) for reference in item["K"]]
    loose = [(reference, kid) for reference, kid in kids if kid["S"] not in ("/Lbl", "/LBody")]
    if not loose:
        return
    body = next((kid for _, kid in kids if kid["S"] == "/LBody"), None)
    kept = [reference for reference, kid in kids if kid["S"] in ("/Lbl", "/LBody")]
    if body is None:
        body = pydyf.Dictionary({"Type": "/StructElem", "S": "/LBody", "K": pydyf.Array(), "Pg": item["Pg"]})
        body["P"] = item.reference
        pdf.add_object(body)
        kept.append(body.reference)
    for reference, kid in loose:
        body["K"].append(reference)
        kid["P"] = body.reference
    item["K"] = pydyf.Array(kept)


def _embody_table(pdf: pydyf.PDF, table: Any) -> None:
    """Take the head for the body when there is nothing else."""
    parts = [_object(pdf, reference) for reference in table["K"]]
    if not any(part["S"] == "/TBody" for part in parts):
        for part in parts:
            part["S"] = "/TBody" if part["S"] == "/THead" else part["S"]


def _own_links(pdf: pydyf.PDF) -> None:
    """Let the link own what can be clicked: WeasyPrint gives bold words in a link a place of their own to click."""
    tree = _object(pdf, _object(pdf, pdf.catalog["StructTreeRoot"])["ParentTree"])["Nums"]
    owners = {tree[at]: at + 1 for at in range(0, len(tree), 2)}
    for element in _elements(pdf):
        for reference in [kid for kid in element["K"] if isinstance(kid, bytes)]:
            target = _object(pdf, reference)
            if target["Type"] != "/OBJR" or element["S"] in ("/Link", "/Form"):
                continue
            link = element
            while link["S"] != "/Link":
                link = _object(pdf, link["P"])
            element["K"].remove(reference)
            link["K"].append(reference)
            tree[owners[_object(pdf, target["Obj"])["StructParent"]]] = link.reference


def _elements(pdf: pydyf.PDF, kind: str = "") -> Iterator[Any]:
    for found in pdf.objects:
        element = isinstance(found, pydyf.Dictionary) and found.get("Type") == "/StructElem"
        if element and kind in ("", found["S"].removeprefix("/")):
            yield found


def _object(pdf: pydyf.PDF, reference: bytes) -> Any:
    return pdf.objects[int(reference.split()[0])]
