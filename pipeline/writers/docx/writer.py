"""The Word document as a package of parts, built on the styles of ``templates/reference.docx``.

The only module that imports python-docx, which reads the reference and keeps parts and relationships in order. Of the
reference, a release gets only styles, numbering, fonts, margins and theme. The zip file is written here, because
python-docx would put the current time into it.
"""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime

from docx import Document
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part as PackagePart
from docx.opc.part import XmlPart
from docx.oxml.parser import parse_xml
from docx.package import Package
from lxml import etree
from lxml.etree import _Element as Element
from PIL import Image

from pipeline.model.document import Figure, Footnotes
from pipeline.model.errors import RenderError, SettingError
from pipeline.typography import image_sizes
from pipeline.typography.article import DATELINE_MARK
from pipeline.typography.headline import LONG_TITLE, TITLE_SIZES, balanced_width
from pipeline.typography.templates import FOLDER
from pipeline.writers import Output, RenderInput
from pipeline.writers.docx.blocks import Place, WordBlocks, keep_with_next
from pipeline.writers.docx.header_footer import contacts, letterhead, notices, page_footer, running_head
from pipeline.writers.docx.runs import FootnoteMarks, Runs
from pipeline.writers.docx.styles import Styles
from pipeline.writers.docx.xml import drawing, empty, name_of, w
from pipeline.writers.markup import linked_headings, referring_blocks

REFERENCE = "reference.docx"
# All lengths are in twentieths of a point.
_PAPER = {"A4": (11906, 16838), "Letter": (12240, 15840)}
"""Width and height."""
_PICTURE_SHARE = 0.36
"""Of the height of the paper that a picture may take."""
_MARK = (1700, 520)
"""Largest width and height of the organisation's mark."""
_EDGE = 567
"""Between the edge of the paper and header or footer, where the reference does not say."""
_PIXEL = 15
"""Width of a pixel at 96 to the inch; no picture is enlarged beyond that."""
_INCH = 1440
_POINT = 20
_TITLE_SPARE = 1.04
"""Georgia may come out this much wider than the face of the PDF that a headline is measured with."""
_FEW_PARAGRAPHS, _FEW_CHARACTERS = 12, 700
"""The notes, or what there is about the organisation, stay on one page with the media contacts up to this length."""
_MARGINS = ("top", "right", "bottom", "left", "header", "footer")
_PARTS_KEPT = ("styles", "numbering", "settings", "fontTable", "theme")
_SETTINGS_KEPT = (
    *("zoom", "embedTrueTypeFonts", "saveSubsetFonts", "defaultTabStop", "characterSpacingControl", "compat"),
    *("themeFontLang", "clrSchemeMapping"),
)


def write(render_input: RenderInput) -> Output:
    """Return the article as a .docx file.

    Raises ``RenderError`` for a character that XML cannot hold and for a picture that is missing, and
    ``SettingError`` for a reference without one of the styles.
    """
    try:
        return Output(_WordDocument(render_input).data())
    except ValueError as error:
        message = f"{render_input.article.slug}: Word cannot hold this text ({error})"
        raise RenderError(message, "Remove the character.") from error


class _PartRelations:
    """The relationships of one part of the package."""

    def __init__(self, part: PackagePart, package: Package, images: dict[bytes, PackagePart]) -> None:
        self._part = part
        self._package = package
        self._images = images

    def link(self, address: str) -> str:
        return str(self._part.relate_to(address, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))

    def image(self, data: bytes, media_type: str) -> str:
        """Return the id by which the part refers to a picture; the package stores each picture once."""
        if data not in self._images:
            name = PackURI(f"/word/media/image{len(self._images) + 1}.{_SUFFIXES[media_type]}")
            self._images[data] = PackagePart(name, media_type, data, self._package)
        return str(self._part.relate_to(self._images[data], RELATIONSHIP_TYPE.IMAGE))


class _WordDocument:
    """One document while it is being put together."""

    def __init__(self, render_input: RenderInput) -> None:
        self.render_input = render_input
        self.article = render_input.article
        self.rtl = self.article.direction == "rtl"
        document = Document(io.BytesIO((FOLDER / REFERENCE).read_bytes()))
        self.part = document.part
        self.package: Package = self.part.package
        self.body: Element = self.part.element.body
        self.images: dict[bytes, PackagePart] = {}
        self.drawings = 0
        self._strip_reference()
        sheet, numbering = self._related(RELATIONSHIP_TYPE.STYLES), self._related(RELATIONSHIP_TYPE.NUMBERING)
        self.styles = Styles(sheet.element, numbering.element)
        article, script = self.article, render_input.messages.script
        self.styles.adapt(render_input.newsroom.accent, article.language, script, article.direction)
        self.long_title = len(article.title) > LONG_TITLE
        if self.long_title:
            self.styles.shrink_title()
        headings = linked_headings((*self.article.body, *self.article.notes))
        self.bookmarks = {name: f"_heading{number}" for number, name in enumerate(sorted(headings.values()), 1)}
        self.heading_bookmarks = {heading: self.bookmarks[name] for heading, name in headings.items()}
        if any(isinstance(block, Footnotes) for block in self.article.body):
            self.styles.add_footnotes()
        self.marks = FootnoteMarks(referring_blocks(self.article), len(self.bookmarks))
        self._measure_page()

    def data(self) -> bytes:
        """Return the finished file."""
        self._fill()
        self._add_footnotes()
        self._set_properties()
        return _packed(self.package)

    # --- What the reference contributes ------------------------------------------------------------------------------

    def _strip_reference(self) -> None:
        """Remove everything of the reference but its design: text, headers, history, names of people."""
        margins = self.body.find(f"{name_of('w:sectPr')}/{name_of('w:pgMar')}")
        paper = self.body.find(f"{name_of('w:sectPr')}/{name_of('w:pgSz')}")
        self.reference_width = int("11906" if paper is None else paper.get(name_of("w:w"), "11906"))
        self.margins = {
            edge: int("1417" if margins is None else margins.get(name_of("w:" + edge), "1417")) for edge in _MARGINS
        }
        for edge in ("header", "footer"):  # LibreOffice writes 0 for a reference without headers and footers
            self.margins[edge] = self.margins[edge] or _EDGE
        for child in list(self.body):
            self.body.remove(child)
        for owner, kept in ((self.part, _PARTS_KEPT), (self.package, ("officeDocument",))):
            for key, relation in list(owner.rels.items()):
                if relation.reltype.rpartition("/")[2] not in kept:
                    del owner.rels[key]
        settings = self._related(RELATIONSHIP_TYPE.SETTINGS)
        settings.rels.clear()
        for child in list(settings.element):
            if child.tag not in {name_of(f"w:{name}") for name in _SETTINGS_KEPT}:
                settings.element.remove(child)
            elif child.tag == name_of("w:defaultTabStop") and self.render_input.messages.hyphenated:
                child.addnext(w("autoHyphenation"))

    def _related(self, kind: str) -> XmlPart:
        """Return a part that every reference has. Raises ``SettingError``."""
        try:
            part = self.part.part_related_by(kind)
        except KeyError:
            part = None
        if not isinstance(part, XmlPart):
            name = kind.rpartition("/")[2]
            raise SettingError(f"templates/{REFERENCE} has no {name}", "Save it in Word as a .docx document.")
        return part

    def _measure_page(self) -> None:
        """Set the margins. Letter is wider than A4; wider margins keep the lines as long as in the reference."""
        paper = _PAPER[self.render_input.newsroom.paper]
        self.width = self.reference_width - self.margins["left"] - self.margins["right"]
        self.margins["left"] += (paper[0] - self.reference_width) // 2
        self.margins["right"] = paper[0] - self.width - self.margins["left"]
        self.height = paper[1]
        self.measure = self.width - self.styles.right_indent("Body Text")

    # --- Content -----------------------------------------------------------------------------------------------------

    def _blocks_of(self, part: PackagePart, *, within_footnotes: bool = False) -> WordBlocks:
        """Return what writes blocks into ``part``."""
        render_input, release = self.render_input, self.render_input.release
        relations = _PartRelations(part, self.package, self.images)
        runs = Runs(
            self.styles,
            relations,
            render_input.base_url,
            self.bookmarks,
            self.marks,
            rtl=self.rtl,
            within_footnotes=within_footnotes,
        )

        def draw(figure: Figure, width: int) -> Element:
            try:
                picture = release.picture(figure.file)
                room = (width, int(self.height * _PICTURE_SHARE))
                printed = _fitted((picture.width, picture.height), room)[0]
                pixels = max(1, round(printed / _INCH * image_sizes.DPI))
                data, kind = image_sizes.for_paper(render_input.pictures[picture.at(pixels).file], pixels)
            except KeyError:
                message = f"{self.article.slug}: the picture {figure.file} is missing"
                raise RenderError(message, "Put it into the folder of the release's source.") from None
            relation = relations.image(data, Image.MIME.get(kind, picture.media_type))
            return self._drawing(relation, (picture.width, picture.height), room, figure.alt)

        def is_broad(figure: Figure) -> bool:
            return any(picture.file == figure.file and picture.stretch > 1 for picture in release.pictures)

        return WordBlocks(runs, draw, is_broad, self.measure, self.width, render_input.credit, self.heading_bookmarks)

    def _drawing(self, relation: str, pixels: tuple[int, int], room: tuple[int, int], alt: str) -> Element:
        self.drawings += 1
        return w("r", drawing(relation, self.drawings, _fitted(pixels, room), alt))

    def _fill(self) -> None:
        article, blocks = self.article, self._blocks_of(self.part)
        out = [blocks.plain("Embargo" if article.embargoed else "Status", article.status)] if article.status else []
        out += notices(article.notices, blocks)
        title = blocks.runs.whole(article.title)
        out.append(blocks.paragraph("Title", title, right=self._title_indent()))
        if article.subtitle:
            out.append(blocks.plain("Subtitle", article.subtitle))
        if article.image:
            out += blocks.block(article.image, Place())
        out += blocks.text(article.body, article.dateline, DATELINE_MARK)
        if article.ends:
            keep_with_next(out[-1])
            out.append(blocks.plain("End Mark", article.ends))
        about = [blocks.plain("Note Heading", article.about_heading)] if article.boilerplate else []
        about += [blocks.plain("Note Text", text) for text in article.boilerplate]
        notes = blocks.blocks(article.notes, Place(notes=True))
        films = blocks.blocks((block for film in article.films for block in film.blocks), Place(notes=True))
        closing = contacts(article, blocks, self.width)
        for element in about[:-1]:
            keep_with_next(element)
        out += about + notes + films
        if closing:
            section = [] if films else notes or about
            whole = len(section) <= _FEW_PARAGRAPHS and sum(map(_length, section)) < _FEW_CHARACTERS
            for element in out[-len(section) :] if section and whole else out[-2:]:
                keep_with_next(element)
        out += closing
        self.body.extend(out)
        self.body.append(self._section())

    def _title_indent(self) -> int | None:
        """Return the indentation that makes the lines of a headline equally long, or None for no such indentation.

        It is computed with the face of the PDF, of which the style "Title" has the size that makes Georgia as wide.
        """
        if self.render_input.messages.script != "Latn":
            return None
        width = balanced_width(self.article.title, TITLE_SIZES[self.long_title], self.width / _POINT)
        return max(0, self.width - round(width * _TITLE_SPARE * _POINT)) if width else None

    def _add_footnotes(self) -> None:
        """Add the part with the footnotes, once the text has referred to them, if there are any."""
        notes = [note for block in self.article.body if isinstance(block, Footnotes) for note in block.notes]
        if not notes:
            return
        for number in range(1, len(notes) + 1):
            if number not in self.marks.placed:
                message = f"{self.article.slug}: only a footnote refers to footnote {number}"
                raise RenderError(message, "refer to it in the text, or write it into the other footnote")
        name = PackURI("/word/footnotes.xml")
        part = XmlPart(name, CONTENT_TYPE.WML_FOOTNOTES, parse_xml(empty("footnotes")), self.package)
        blocks = self._blocks_of(part, within_footnotes=True)
        lines = {"separator": -1, "continuationSeparator": 0}  # above the footnotes of a page
        for line, number in lines.items():
            content = w("p", w("pPr", w("bidi")) if self.rtl else None, w("r", w(line)))
            part.element.append(w("footnote", content, type=line, id=number))
        part.element.extend(blocks.footnote(note, number) for number, note in enumerate(notes, 1))
        self.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)
        settings = self._related(RELATIONSHIP_TYPE.SETTINGS).element
        used = w("footnotePr", *(w("footnote", id=number) for number in lines.values()))
        after = [name_of(f"w:{each}") for each in _SETTINGS_KEPT[_SETTINGS_KEPT.index("compat") :]]
        following = next((child for child in settings if child.tag in after), None)
        settings.append(used) if following is None else following.addprevious(used)

    def _section(self) -> Element:
        """Return the page setup: paper, margins, headers and footers; those of the first page are its own."""
        paper = _PAPER[self.render_input.newsroom.paper]
        edges = (("header", "first"), ("header", "default"), ("footer", "first"), ("footer", "default"))
        references = [
            w(f"{kind}Reference", type=page, r_id=self._header_or_footer(kind, number, page))
            for number, (kind, page) in enumerate(edges)
        ]
        return w(
            "sectPr",
            *references,
            w("pgSz", w=paper[0], h=paper[1]),
            w("pgMar", **self.margins, gutter=0),
            w("titlePg"),
            w("bidi") if self.rtl else None,
        )

    def _header_or_footer(self, kind: str, number: int, page: str) -> str:
        """Add a header or footer, of the first page or of all others, and return the id of its relationship."""
        name = PackURI(f"/word/{kind}{number % 2 + 1}.xml")
        head = kind == "header"
        content_type = CONTENT_TYPE.WML_HEADER if head else CONTENT_TYPE.WML_FOOTER
        part = XmlPart(name, content_type, parse_xml(empty("hdr" if head else "ftr")), self.package)
        blocks = self._blocks_of(part)
        if not head:
            elements = page_footer(self.article, blocks, self.render_input.messages["page_of"])
        elif page == "first":
            elements = self._letterhead(part, blocks)
        else:
            elements = running_head(self.article, blocks)
        part.element.extend(elements)
        relation = RELATIONSHIP_TYPE.HEADER if head else RELATIONSHIP_TYPE.FOOTER
        return str(self.part.relate_to(part, relation))

    def _letterhead(self, part: PackagePart, blocks: WordBlocks) -> list[Element]:
        data = self.render_input.mark
        if not data:
            return letterhead(self.article, blocks, self.width, None, 0)
        with Image.open(io.BytesIO(data)) as image:
            pixels = image.size
        relations = _PartRelations(part, self.package, self.images)
        relation = relations.image(image_sizes.for_paper(data)[0], "image/png")
        # The mark has no alternative text, because the organisation's name stands beside it.
        mark = self._drawing(relation, pixels, _MARK, "")
        return letterhead(self.article, blocks, self.width, mark, _fitted(pixels, _MARK)[0])

    def _set_properties(self) -> None:
        release, article = self.render_input.release, self.article
        properties = self.package.core_properties
        properties.title = article.title[:255]
        properties.author = properties.last_modified_by = article.organisation[:255]
        properties.language = article.language
        properties.identifier = self.render_input.newsroom.guid(article.slug)[:255]
        properties.created, properties.modified = _naive_utc(release.date), _naive_utc(release.modified)
        properties.revision = release.revision


def _length(element: Element) -> int:
    """Return the number of characters in ``element``."""
    return sum(len(text.text or "") for text in element.iter(name_of("w:t")))


def _naive_utc(moment: datetime) -> datetime:
    """Return ``moment`` as python-docx takes it: in UTC, without a time zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _fitted(pixels: tuple[int, int], room: tuple[int, int]) -> tuple[int, int]:
    """Return the size of a picture that may be reduced to fit ``room``, but is never enlarged."""
    natural = (pixels[0] * _PIXEL, pixels[1] * _PIXEL)
    scale = min(1.0, room[0] / natural[0], room[1] / natural[1])
    return round(natural[0] * scale), round(natural[1] * scale)


# --- The zip file ----------------------------------------------------------------------------------------------------

_CONTENT_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_DEFAULTS = {"rels": "application/vnd.openxmlformats-package.relationships+xml", "xml": "application/xml"}
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file can state: a document must not depend on the clock."""
_SUFFIXES = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif"}
"""The kinds of pictures that every version of Word shows."""


def _packed(package: Package) -> bytes:
    parts = list(package.iter_parts())
    files = [("[Content_Types].xml", _content_types(parts)), ("_rels/.rels", package.rels.xml)]
    for part in parts:
        files.append((part.partname[1:], part.blob))
        if part.rels:
            files.append((part.partname.rels_uri[1:], part.rels.xml))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files:  # pictures are compressed already
            method = zipfile.ZIP_DEFLATED if name.endswith((".xml", ".rels")) else zipfile.ZIP_STORED
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, method)
    return buffer.getvalue()


def _content_types(parts: list[PackagePart]) -> bytes:
    """Return the list of media types: pictures by suffix, all other parts one by one."""
    types = etree.fromstring(f'<Types xmlns="{_CONTENT_TYPES}"/>')
    kinds = dict.fromkeys(part.content_type for part in parts)
    defaults = _DEFAULTS | {_SUFFIXES[kind]: kind for kind in kinds if kind in _SUFFIXES}
    for suffix, kind in defaults.items():
        etree.SubElement(types, f"{{{_CONTENT_TYPES}}}Default", Extension=suffix, ContentType=kind)
    for part in parts:
        if part.content_type not in _SUFFIXES:
            name, kind = part.partname, part.content_type
            etree.SubElement(types, f"{{{_CONTENT_TYPES}}}Override", PartName=name, ContentType=kind)
    return etree.tostring(types, xml_declaration=True, encoding="UTF-8", standalone=True)
