"""The release as a Word document, built on the styles of ``templates/reference.docx``.

The only module that imports python-docx, which reads the reference and keeps parts and relationships in order. Words,
links and pictures are set by the ``docx_…`` modules beside this one. Nothing of the reference but its styles,
numbering, fonts, margins and theme gets into a release, and the same job gives the same bytes.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime

from docx import Document
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part as PackagePart
from docx.opc.part import XmlPart
from docx.oxml.parser import parse_xml
from docx.package import Package
from lxml.etree import _Element as Element
from PIL import Image

from pipeline.model.document import Figure
from pipeline.model.errors import RenderError, SettingError
from pipeline.typography.article import DATELINE_MARK
from pipeline.typography.image_sizes import for_paper
from pipeline.typography.templates import FOLDER
from pipeline.writers import Output, RenderInput
from pipeline.writers.anchors import wanted_anchors
from pipeline.writers.docx.blocks import Place, Setter
from pipeline.writers.docx.frame import contacts, foot, letterhead, notices, running_head
from pipeline.writers.docx.package import SUFFIXES, PackageFile, packed
from pipeline.writers.docx.pictures import fitted, pixels_of, print_width
from pipeline.writers.docx.runs import Runs
from pipeline.writers.docx.styles import Styles
from pipeline.writers.docx.xml import drawing, empty, name_of, w

REFERENCE = "reference.docx"
PAPER = {"A4": (11906, 16838), "Letter": (12240, 15840)}
"""Width and height in twentieths of a point."""
PICTURE_SHARE = 0.36
"""Of the height of the paper that a picture may take."""
MARK = (1700, 520)
"""Largest width and height of the organisation's mark."""
EDGE = 567
"""Between the edge of the paper and head or foot where the reference does not say."""
_MARGINS = ("top", "right", "bottom", "left", "header", "footer")
_KEPT = ("styles", "numbering", "settings", "fontTable", "theme")
_SETTINGS = (
    *("zoom", "embedTrueTypeFonts", "saveSubsetFonts", "defaultTabStop", "characterSpacingControl", "compat"),
    *("themeFontLang", "clrSchemeMapping"),
)


def write(render_input: RenderInput) -> Output:
    """Set ``job.article`` as a Word document.

    Raises ``RenderError`` for a character that XML cannot hold and for a picture that the job does not have, and
    ``SettingError`` for a reference without one of the styles.
    """
    try:
        return Output(_Composition(render_input).data())
    except ValueError as error:
        raise RenderError(
            f"{render_input.article.slug}: Word cannot hold this text ({error})", "Remove the character."
        ) from error


class _Surface:
    """A part of the package that text stands in."""

    def __init__(self, part: PackagePart, package: Package, images: dict[bytes, PackagePart]) -> None:
        self._part = part
        self._package = package
        self._images = images

    def link(self, address: str) -> str:
        return str(self._part.relate_to(address, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))

    def image(self, data: bytes, media_type: str) -> str:
        if data not in self._images:
            name = PackURI(f"/word/media/image{len(self._images) + 1}.{SUFFIXES[media_type]}")
            self._images[data] = PackagePart(name, media_type, data, self._package)
        return str(self._part.relate_to(self._images[data], RELATIONSHIP_TYPE.IMAGE))


class _Composition:
    """One document while it is being put together."""

    def __init__(self, render_input: RenderInput) -> None:
        self.render_input = render_input
        self.article = render_input.article
        document = Document(io.BytesIO((FOLDER / REFERENCE).read_bytes()))
        self.part = document.part
        self.package: Package = self.part.package
        self.body: Element = self.part.element.body
        self.images: dict[bytes, PackagePart] = {}
        self.drawn = 0
        self._strip()
        sheet, numbering = self._related(RELATIONSHIP_TYPE.STYLES), self._related(RELATIONSHIP_TYPE.NUMBERING)
        self.styles = Styles(sheet.element, numbering.element)
        self.styles.dress(render_input.newsroom.accent, self.article.language, self.article.direction)
        self.bookmarks = {
            name: f"_heading{number}"
            for number, name in enumerate(sorted(wanted_anchors((*self.article.body, *self.article.notes))), 1)
        }
        self._measure_page()

    def data(self) -> bytes:
        """Return the finished file."""
        self._fill()
        self._describe()
        parts = (
            PackageFile(
                part.partname, part.content_type, part.blob, part.partname.rels_uri, part.rels.xml if part.rels else b""
            )
            for part in self.package.iter_parts()
        )
        return packed(self.package.rels.xml, parts)

    def _strip(self) -> None:
        """Leave behind what the reference brings besides its design: text, headers, history, names of people."""
        margins = self.body.find(f"{name_of('w:sectPr')}/{name_of('w:pgMar')}")
        paper = self.body.find(f"{name_of('w:sectPr')}/{name_of('w:pgSz')}")
        self.reference_width = int("11906" if paper is None else paper.get(name_of("w:w"), "11906"))
        self.margins = {
            edge: int("1417" if margins is None else margins.get(name_of("w:" + edge), "1417")) for edge in _MARGINS
        }
        for edge in ("header", "footer"):  # LibreOffice writes 0 for a reference that has no heads and feet
            self.margins[edge] = self.margins[edge] or EDGE
        for child in list(self.body):
            self.body.remove(child)
        for owner, kept in ((self.part, _KEPT), (self.package, ("officeDocument",))):
            for key, relation in list(owner.rels.items()):
                if relation.reltype.rpartition("/")[2] not in kept:
                    del owner.rels[key]
        kept_settings = {name_of(f"w:{name}") for name in _SETTINGS}
        settings = self._related(RELATIONSHIP_TYPE.SETTINGS)
        settings.rels.clear()
        for child in list(settings.element):
            if child.tag not in kept_settings:
                settings.element.remove(child)
            elif child.tag == name_of("w:defaultTabStop") and self.render_input.messages.hyphenated:
                child.addnext(w("autoHyphenation"))

    def _related(self, kind: str) -> XmlPart:
        """Return a part that every reference has. Raises ``SettingError``."""
        try:
            found = self.part.part_related_by(kind)
        except KeyError:
            found = None
        if not isinstance(found, XmlPart):
            name = kind.rpartition("/")[2]
            raise SettingError(f"templates/{REFERENCE} has no {name}", "Save it in Word as a .docx document.")
        return found

    def _measure_page(self) -> None:
        """Letter is wider than A4: its margins grow, so that lines and table of the reference fit both."""
        paper = self.render_input.newsroom.paper
        self.width = self.reference_width - self.margins["left"] - self.margins["right"]
        more = (PAPER[paper][0] - self.reference_width) // 2
        self.margins["left"] += more
        self.margins["right"] = PAPER[paper][0] - self.width - self.margins["left"]
        self.height = PAPER[paper][1]
        self.measure = self.width - self.styles.right_indent("Body Text")

    # --- Content -----------------------------------------------------------------------------------------------------

    def _setter(self, part: PackagePart) -> Setter:
        surface = _Surface(part, self.package, self.images)
        rtl = self.article.direction == "rtl"
        runs = Runs(self.styles, surface, self.render_input.base_url, self.bookmarks, rtl=rtl)
        photo = self.render_input.messages["photo"]

        def draw(figure: Figure, width: int) -> Element:
            try:
                picture = self.render_input.release.picture(figure.file)
                room = (width, int(self.height * PICTURE_SHARE))
                printed = print_width(picture, room)
                data, kind = for_paper(self.render_input.pictures[picture.at(printed).file], printed)
            except KeyError:
                message = f"{self.article.slug}: the picture {figure.file} is not there"
                raise RenderError(message, "Put it beside the release.") from None
            relation = surface.image(data, Image.MIME.get(kind, picture.media_type))
            return self._drawn(relation, (picture.width, picture.height), room, figure.alt)

        def is_broad(figure: Figure) -> bool:
            return any(
                picture.file == figure.file and picture.stretch > 1 for picture in self.render_input.release.pictures
            )

        return Setter(runs, draw, is_broad, self.measure, self.width, photo, self.bookmarks)

    def _drawn(self, relation: str, pixels: tuple[int, int], room: tuple[int, int], alt: str) -> Element:
        self.drawn += 1
        size = fitted(pixels, room)
        return w("r", drawing(relation, self.drawn, size, alt))

    def _fill(self) -> None:
        article, setter = self.article, self._setter(self.part)
        out = [setter.plain("Embargo" if article.embargoed else "Status", article.status)] if article.status else []
        out += notices(article.notices, setter)
        out.append(setter.plain("Title", article.title))
        if article.subtitle:
            out.append(setter.plain("Subtitle", article.subtitle))
        if article.image:
            out += setter.block(article.image, Place())
        out += setter.text(article.body, article.dateline, DATELINE_MARK)
        if article.ends:
            out.append(setter.plain("End Mark", article.ends))
        if article.boilerplate:
            out.append(setter.plain("Note Heading", article.about_heading))
            out += [setter.plain("Note Text", text) for text in article.boilerplate]
        out += setter.blocks(article.notes, Place(notes=True))
        out += contacts(article.footer, setter, self.width)
        if article.reuse:
            out.append(setter.plain("Reuse", article.reuse))
        self.body.extend(out)
        self.body.append(self._section())

    def _section(self) -> Element:
        """Return the page: paper, margins, and its heads and feet, the first page's by themselves."""
        paper = PAPER[self.render_input.newsroom.paper]
        references = [
            w(f"{kind}Reference", type=page, r_id=self._edge(kind, number, page))
            for number, (kind, page) in enumerate(
                (("header", "first"), ("header", "default"), ("footer", "first"), ("footer", "default"))
            )
        ]
        return w(
            "sectPr",
            *references,
            w("pgSz", w=paper[0], h=paper[1]),
            w("pgMar", **self.margins, gutter=0),
            w("titlePg"),
            w("bidi") if self.article.direction == "rtl" else None,
        )

    def _edge(self, kind: str, number: int, page: str) -> str:
        """Make the head or foot of the first page or of all others, and return the id of its relationship."""
        name = PackURI(f"/word/{kind}{number % 2 + 1}.xml")
        head = kind == "header"
        content_type = CONTENT_TYPE.WML_HEADER if head else CONTENT_TYPE.WML_FOOTER
        part = XmlPart(name, content_type, parse_xml(empty("hdr" if head else "ftr")), self.package)
        setter = self._setter(part)
        if not head:
            found = foot(self.article, setter, self.render_input.messages["page_of"])
        elif page == "first":
            found = self._letterhead(part, setter)
        else:
            found = running_head(self.article, setter)
        part.element.extend(found)
        relation = RELATIONSHIP_TYPE.HEADER if head else RELATIONSHIP_TYPE.FOOTER
        return str(self.part.relate_to(part, relation))

    def _letterhead(self, part: PackagePart, setter: Setter) -> list[Element]:
        if not self.render_input.mark:
            return letterhead(self.article, setter, self.width, None, 0)
        pixels = pixels_of(self.render_input.mark)
        relation = _Surface(part, self.package, self.images).image(for_paper(self.render_input.mark)[0], "image/png")
        # The name stands beside the mark: to say it twice helps nobody.
        mark = self._drawn(relation, pixels, MARK, "")
        return letterhead(self.article, setter, self.width, mark, fitted(pixels, MARK)[0])

    def _describe(self) -> None:
        release, article = self.render_input.release, self.article
        properties = self.package.core_properties
        properties.title = article.title[:255]
        properties.author = properties.last_modified_by = article.organisation[:255]
        properties.language = article.language
        properties.identifier = self.render_input.newsroom.guid(article.slug)[:255]
        properties.created, properties.modified = _utc(release.date), _utc(release.modified)
        properties.revision = release.revision


def _utc(moment: datetime) -> datetime:
    """Return ``moment`` as python-docx takes it: UTC, unsaid."""
    return moment.astimezone(UTC).replace(tzinfo=None)
