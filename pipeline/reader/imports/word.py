"""A Word document (DOCX) → our document tree, by way of mammoth's HTML."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import msgspec
from lxml import etree

from pipeline.model.document import Heading, List
from pipeline.model.errors import SettingError
from pipeline.reader.imports.foreign import Check, Foreign, ForeignBlock, clean
from pipeline.reader.imports.html import read_html
from pipeline.reader.imports.pictures import Pictures

UNPACKED_LIMIT = 400_000_000
XML_LIMIT = 60_000_000
ENTRY_LIMIT = 5_000
"""A document of a press office has a hundred parts and a few megabytes; what has more may be made to fill a memory."""
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STYLES = """
p[style-name='Title'] => p.title:fresh
p[style-name='Subtitle'] => p.subtitle:fresh
p[style-name='Headline'] => p.title:fresh
p[style-name='Quote'] => blockquote > p:fresh
p[style-name='Intense Quote'] => blockquote > p:fresh
p[style-name='Block Text'] => blockquote > p:fresh
p[style-name='Note Quote'] => blockquote > p:fresh
p[style-name='caption'] => p.caption:fresh
p[style-name='Code'] => pre:separator('\\n')
p[style-name='Long Code'] => pre:separator('\\n')
p[style-name='HTML Preformatted'] => pre:separator('\\n')
p[style-name='Plain Text'] => p:fresh
p[style-name='Thematic Break'] => hr:fresh
p[style-name='Note Heading'] => h2:fresh
p[style-name='Note Subheading'] => h3:fresh
p[style-name='Contact Heading'] => h2:fresh
r[style-name='Emphasis'] => em
r[style-name='Strong'] => strong
r[style-name='Code Span'] => code
r[style-name='HTML Code'] => code
r[style-name='Credit'] => span.credit
r[style-name='Label'] => span.label
r[style-name='Dateline'] => span.dateline
strike => s
comment-reference =>
"""


def read_word(file: Path) -> Foreign:
    """Return the text of a document. Raises ``SettingError`` for one that is damaged, protected or made to do harm."""
    data = file.read_bytes()
    xml = _checked(file, data)
    data = _without_directions(data)
    import mammoth
    from mammoth import images

    pictures = Pictures()
    named: dict[str, str] = {}

    def picture(image: Any) -> dict[str, str]:
        with image.open() as stream:
            kept, problem = pictures.add_data(stream.read(), "")
        key = kept or f"problem-{len(named)}"
        named[key] = problem
        return {"src": f"word-picture:{key}"}

    try:
        result = mammoth.convert_to_html(
            io.BytesIO(data),
            style_map=_STYLES,
            include_embedded_style_map=False,
            convert_image=images.img_element(picture),
            external_file_access=False,
        )
    except Exception as error:  # mammoth raises what its parsers raise
        raise SettingError(
            f"{file}: cannot be read as a Word document: {type(error).__name__}",
            "open it in Word or LibreOffice, save it again as DOCX, and import that",
        ) from error
    foreign = read_html(str(result.value), folder=None, pictures=_Taken(pictures, named), whole=True)
    checks = list(foreign.checks)
    if re.search(rb"<w:(?:ins|del|moveFrom|moveTo) ", xml):
        checks.append("the document has tracked changes; they were taken as accepted")
    remarks = list(foreign.remarks)
    if re.search(rb"<w:commentReference ", xml):
        remarks.append("comments of the document were left out")
    if re.search(rb"<(?:w:txbxContent|wps:txbx)\b", xml):
        checks.append("the document has text boxes; see whether their text is here")
    if re.search(rb"<m:oMath\b", xml):
        checks.append("the document has formulas, which were left out")
    blocks, roles = _numbered(foreign)
    return msgspec.structs.replace(
        foreign,
        blocks=blocks,
        roles=roles,
        checks=tuple(checks),
        remarks=tuple(remarks),
        facts=_facts(data),
        letterhead=_headers(data),
    )


def _numbered(foreign: Foreign) -> tuple[tuple[ForeignBlock, ...], dict[int, str]]:
    """Return the blocks with a question above each list that may go on counting where another stopped.

    mammoth begins each numbered list with 1.
    """
    blocks: list[ForeignBlock] = []
    roles: dict[int, str] = {}
    counting = False
    for at, block in enumerate(foreign.blocks):
        if isinstance(block, List) and block.ordered:
            if counting:
                blocks.append(Check("a numbered list after another one: see with which number it begins"))
            counting = True
        elif isinstance(block, Heading):
            counting = False
        if at in foreign.roles:
            roles[len(blocks)] = foreign.roles[at]
        blocks.append(block)
    return tuple(blocks), roles


def _without_directions(data: bytes) -> bytes:
    """Return a document without the elements that set the direction of a part of a line, which mammoth leaves out."""
    rewritten = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(rewritten, "w", zipfile.ZIP_STORED) as copy:
        for entry in archive.infolist():
            part = archive.read(entry)
            if re.fullmatch(r"word/(?:document\d*|footnotes|endnotes)\.xml", entry.filename):
                part = re.sub(rb"</?w:(?:dir|bdo)(?:\s[^>]*)?>", b"", part)
            copy.writestr(entry.filename, part)
    return rewritten.getvalue()


class _Taken(Pictures):
    """Pictures that were read already, by the addresses given to them."""

    def __init__(self, pictures: Pictures, problems: dict[str, str]) -> None:
        super().__init__()
        self.files, self.problems = pictures.files, problems

    def add(self, address: str) -> tuple[str, str]:
        key = address.removeprefix("word-picture:")
        problem = self.problems.get(key, "a picture stood here, which could not be read")
        return ("", problem) if problem else (key, "")


def _checked(file: Path, data: bytes) -> bytes:
    """Return the XML of the text, after looking at the sizes that the file states and at those that it has."""
    again = "open it in Word or LibreOffice, save it again as DOCX, and import that"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            names = {entry.filename for entry in entries}
            if len(entries) > ENTRY_LIMIT or sum(entry.file_size for entry in entries) > UNPACKED_LIMIT:
                raise SettingError(f"{file}: unpacks to more than {UNPACKED_LIMIT // 1_000_000} MB", again)
            if "[Content_Types].xml" not in names:
                raise SettingError(f"{file}: is a zip file, not a Word document", "import the document within it")
            if any(entry.flag_bits & 1 for entry in entries):
                raise SettingError(f"{file}: is protected by a password", "save it without a password")
            parts = [entry for entry in entries if entry.filename.endswith((".xml", ".rels"))]
            if any(part.file_size > XML_LIMIT for part in parts):
                raise SettingError(
                    f"{file}: its text is larger than {XML_LIMIT // 1_000_000} MB", "import a part of it"
                )
            found = b""
            for part in parts:
                with archive.open(part) as stream:
                    text = stream.read(XML_LIMIT + 1)
                if len(text) > XML_LIMIT:
                    raise SettingError(f"{file}: states a wrong size of {part.filename}", again)
                if re.search(rb"<!\s*(?:DOCTYPE|ENTITY)", text.replace(b"\0", b""), re.IGNORECASE):
                    raise SettingError(f"{file}: its XML defines entities, which no Word document does", again)
                found += text if part.filename.startswith("word/document") else b""
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError, ValueError) as error:
        raise SettingError(f"{file}: is damaged: it cannot be unpacked", again) from error
    if not any(name.startswith("word/") for name in names):
        what = next(
            (
                kind
                for part, kind in (("xl/", "Excel"), ("ppt/", "PowerPoint"))
                if any(n.startswith(part) for n in names)
            ),
            "",
        )
        raise SettingError(f"{file}: is {what or 'another'} file, not a Word document", "save its text as DOCX")
    return found


def _facts(data: bytes) -> dict[str, str]:
    """Return the language that most of the text is set in, as the document's properties state it."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        core = archive.read("docProps/core.xml") if "docProps/core.xml" in archive.namelist() else b""
    found = re.search(rb"<dc:language>([A-Za-z-]{2,20})</dc:language>", core)
    return {"language": found[1].decode()} if found else {}


def _headers(data: bytes) -> tuple[str, ...]:
    """Return the lines of the page headers, each once."""
    lines: dict[str, None] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in sorted(archive.namelist()):
            if re.fullmatch(r"word/header\d*\.xml", name):
                parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
                root = etree.fromstring(archive.read(name), parser)
                for paragraph in root.iter(f"{_WORD}p") if root is not None else ():
                    text = " ".join("".join(each.text or "" for each in paragraph.iter(f"{_WORD}t")).split())
                    lines.setdefault(clean(text))
    return tuple(filter(None, lines))
