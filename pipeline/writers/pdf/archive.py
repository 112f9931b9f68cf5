"""What WeasyPrint's PDFs lack to conform to PDF/A-2a and PDF/UA-1 at once; nothing visible changes.

WeasyPrint names only one standard in the metadata. Its tags violate PDF/UA-1 (element types of ISO 32000-1, 14.8.4)
in three places: paragraphs of a list item, a table with a head alone, and emphasized words in a link. And its fonts
have one code a glyph, where the text layer may need more. ``make validate`` checks the result with veraPDF.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pydyf

VARIANT = "pdf/a-2a"
"""What WeasyPrint is asked for; PDF/UA-1 is added here."""
# PDF/A demands a description of every property that it does not define itself.
_PDF_UA = (
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
_LEVEL = 6
"""Of compression. The highest one, 9, makes files 1 % smaller in three times the time."""


def declare_pdf_ua(metadata: Any) -> None:
    """Make ``metadata`` state that the file conforms to PDF/UA-1 too."""
    generate: Callable[..., bytes] = metadata.generate_rdf_metadata

    def generate_both(*arguments: object) -> bytes:
        return generate(*arguments).replace(_END, _PDF_UA + _END)

    metadata.generate_rdf_metadata = generate_both


Codes = Mapping[bytes, Mapping[int, int]]
"""Name of a font → code → glyph, for the codes that are no numbers of glyphs."""


def finish(_document: object, pdf: pydyf.PDF, codes: Codes) -> None:
    """Correct the tags, and declare the ``codes`` of fonts.

    List items and tables get a body, and links belong to link elements.
    """
    for font in [each for each in pdf.objects if isinstance(each, pydyf.Dictionary) and "CIDToGIDMap" in each]:
        if further := codes.get(font["BaseFont"]):
            _declare_codes(pdf, font, further)
    for item in list(_elements(pdf, "LI")):
        _add_item_body(pdf, item)
    for table in _elements(pdf, "Table"):
        _add_table_body(pdf, table)
    _move_links(pdf)
    pdf.objects = [each if each.free == "f" else _Written(each) for each in pdf.objects]


class _Written(pydyf.Object):  # type: ignore[misc]  # pydyf has no types
    """An object of the file in its final form: pydyf asks for that twice, and would compress twice."""

    def __init__(self, final: pydyf.Object) -> None:
        super().__init__()
        self.number, self.generation, self.free = final.number, final.generation, final.free
        self._compressible = final.compressible
        if isinstance(final, pydyf.Stream) and final.compress:
            content = pydyf.Stream(final.stream).data.partition(b"stream\n")[2].removesuffix(b"\nendstream")
            extra = {**final.extra, "Filter": "/FlateDecode"}
            final = pydyf.Stream([zlib.compress(content, _LEVEL)], extra)
        self._data = final.data

    @property
    def data(self) -> bytes:
        """The object as it stands in the file."""
        return self._data  # type: ignore[no-any-return]

    @property
    def compressible(self) -> bool:
        """Whether the object may be part of a compressed group."""
        return self._compressible  # type: ignore[no-any-return]


def _declare_codes(pdf: pydyf.PDF, font: Any, codes: Mapping[int, int]) -> None:
    glyphs = (codes.get(code, code) for code in range(max(codes) + 1))
    stream = pydyf.Stream([b"".join(glyph.to_bytes(2, "big") for glyph in glyphs)], compress=True)
    pdf.add_object(stream)
    font["CIDToGIDMap"] = stream.reference


def _add_item_body(pdf: pydyf.PDF, item: Any) -> None:
    """Move everything but the item's label into its body."""
    kids = [(reference, _object(pdf, reference)) for reference in item["K"]]
    outside = [(reference, kid) for reference, kid in kids if kid["S"] not in ("/Lbl", "/LBody")]
    if not outside:
        return
    body = next((kid for _, kid in kids if kid["S"] == "/LBody"), None)
    kept = [reference for reference, kid in kids if kid["S"] in ("/Lbl", "/LBody")]
    if body is None:
        body = pydyf.Dictionary({"Type": "/StructElem", "S": "/LBody", "K": pydyf.Array(), "Pg": item["Pg"]})
        body["P"] = item.reference
        pdf.add_object(body)
        kept.append(body.reference)
    for reference, kid in outside:
        body["K"].append(reference)
        kid["P"] = body.reference
    item["K"] = pydyf.Array(kept)


def _add_table_body(pdf: pydyf.PDF, table: Any) -> None:
    """Turn the head into the body when there is nothing else."""
    parts = [_object(pdf, reference) for reference in table["K"]]
    if not any(part["S"] == "/TBody" for part in parts):
        for part in parts:
            part["S"] = "/TBody" if part["S"] == "/THead" else part["S"]


def _move_links(pdf: pydyf.PDF) -> None:
    """Move clickable areas to their link element: WeasyPrint gives one to the bold words within a link."""
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
    for each in pdf.objects:
        element = isinstance(each, pydyf.Dictionary) and each.get("Type") == "/StructElem"
        if element and kind in ("", each["S"].removeprefix("/")):
            yield each


def _object(pdf: pydyf.PDF, reference: bytes) -> Any:
    return pdf.objects[int(reference.split()[0])]
