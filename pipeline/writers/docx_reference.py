"""The first ``templates/reference.docx``: ``python -m pipeline.writers.docx_reference FILE`` writes it anew.

The file is the source, not this table: an organisation opens reference.docx in Word, changes styles, margins and
numbering there and saves it. This module is how the house design came to be, for whoever wants to start from it again;
nothing else imports it. Units are Word's: twentieths of a point for distances, half points for sizes.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

UNIT = 150
"""Half a line of text: every vertical distance is a multiple or a half of it."""
STEP = 360
"""Indentation of one level of a list or quotation."""
WIDTH = 9071
"""Between the margins, 160 mm."""
RAG = 2381
"""What the text leaves free at the right: 118 mm hold some 72 characters."""
RULE = 2300
"""Indentation of a thematic break at both sides."""
ACCENT, INK, GREY, HAIR = "8A1C1C", "1A1A1A", "595959", "A6A6A6"


def _face(latin: str, arabic: str, asian: str) -> str:
    return f'<w:rFonts w:ascii="{latin}" w:eastAsia="{asian}" w:hAnsi="{latin}" w:cs="{arabic}"/>'


TEXT = _face("Spectral", "Amiri", "Yu Mincho")
SANS = _face("IBM Plex Sans Condensed", "IBM Plex Sans Arabic", "Yu Gothic")
MONO = _face("IBM Plex Mono", "Courier New", "MS Gothic")
BOLD = "<w:b/><w:bCs/>"


def _size(half_points: int) -> str:
    return f'<w:sz w:val="{half_points}"/><w:szCs w:val="{half_points}"/>'


def _ink(colour: str) -> str:
    return f'<w:color w:val="{colour}"/>'


def _gap(before: int = 0, after: int = UNIT, line: int = 2 * UNIT, rule: str = "exact") -> str:
    return f'<w:spacing w:before="{before}" w:after="{after}" w:line="{line}" w:lineRule="{rule}"/>'


def _indent(left: int, hanging: int = 0, right: int = RAG) -> str:
    return f'<w:ind w:left="{left}" w:right="{right}"' + (f' w:hanging="{hanging}"/>' if hanging else "/>")


def _border(edges: str, colour: str, eighths: int = 4, space: int = 4) -> str:
    return "".join(
        f'<w:{edge} w:val="single" w:sz="{eighths}" w:space="{space}" w:color="{colour}"/>' for edge in edges.split()
    )


def _tab(position: int) -> str:
    return f'<w:tabs><w:tab w:val="right" w:pos="{position}"/></w:tabs>'


def _numbered(number: int, level: int) -> str:
    return f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>'


def _jc(value: str) -> str:
    return f'<w:jc w:val="{value}"/>'


def _outline(level: int) -> str:
    return f'<w:outlineLvl w:val="{level}"/>'


KEEP = "<w:keepNext/><w:keepLines/>"
WHOLE = "<w:suppressAutoHyphens/>"
ITALIC = "<w:i/><w:iCs/>"
SPACED = '<w:caps/>{}<w:spacing w:val="16"/>'
FLAT = '<w:ind w:right="0"/>'
SHADE = '<w:shd w:val="clear" w:color="auto" w:fill="F4F3F1"/>'
BOX = f"<w:pBdr>{_border('top left bottom right', ACCENT, 12, 5)}</w:pBdr>"
NOTE = _gap(line=240)
FINE = _gap(after=0, line=240)

PARAGRAPHS: list[tuple[str, str, str, str]] = [
    # name, based on, paragraph properties, run properties
    ("Normal", "", "", _ink(INK)),
    ("Body Text", "Normal", _gap() + _indent(0), ""),
    ("Title", "Body Text", KEEP + WHOLE + _gap(UNIT, UNIT, 460) + FLAT + _outline(0), BOLD + _size(40)),
    ("Subtitle", "Body Text", KEEP + WHOLE + _gap(0, 3 * UNIT // 2, 330) + FLAT, _ink(GREY) + _size(25)),
    ("heading 1", "Body Text", KEEP + WHOLE + _gap(2 * UNIT, UNIT, 360) + _outline(0), SANS + BOLD + _size(28)),
    ("heading 2", "Body Text", KEEP + WHOLE + _gap(3 * UNIT // 2, UNIT // 2) + _outline(1), SANS + BOLD + _size(23)),
    ("heading 3", "heading 2", _outline(2), _size(21)),
    ("heading 4", "Body Text", KEEP + WHOLE + _gap(3 * UNIT // 2, UNIT // 2) + _outline(3), SANS + ITALIC + _size(20)),
    ("heading 5", "heading 4", _outline(4), ""),
    ("heading 6", "heading 4", _outline(5), _ink(GREY)),
    ("Quote", "Body Text", _indent(STEP, right=RAG + STEP), ""),
    *((f"List Bullet {n}".removesuffix(" 1"), "Body Text", _numbered(1, n - 1), "") for n in range(1, 6)),
    *((f"List Number {n}".removesuffix(" 1"), "Body Text", _numbered(2, n - 1), "") for n in range(1, 6)),
    *((f"List Task {n}".removesuffix(" 1"), "Body Text", _numbered(3, n - 1), "") for n in range(1, 6)),
    *((f"List Continue {n}".removesuffix(" 1"), "Body Text", _indent(n * STEP), "") for n in range(1, 6)),
    ("Code", "Body Text", SHADE + _gap(line=250) + _jc("left"), MONO + "<w:noProof/>" + _size(17)),
    ("Figure", "Body Text", _gap(UNIT // 2, UNIT, 240, "auto"), ""),
    ("Captioned Figure", "Figure", KEEP + _gap(UNIT // 2, UNIT // 2, 240, "auto"), ""),
    ("caption", "Body Text", "<w:keepLines/>" + _gap(0, 2 * UNIT, 240), SANS + _ink(GREY) + _size(18)),
    (
        "Thematic Break",
        "Body Text",
        f"<w:pBdr>{_border('bottom', HAIR, 4, 0)}</w:pBdr>{_gap(0, 2 * UNIT, UNIT)}" + _indent(RULE, right=RAG + RULE),
        _size(8),
    ),
    ("End Mark", "Body Text", _gap(UNIT, 3 * UNIT // 2) + _jc("center"), SANS + BOLD + SPACED.format("") + _size(19)),
    ("Note Text", "Body Text", NOTE, _size(18)),
    ("Note Heading", "Note Text", KEEP + WHOLE + _gap(UNIT, UNIT // 2, 240) + _outline(1), SANS + BOLD + _size(19)),
    ("Note Subheading", "Note Heading", _outline(2), _size(18)),
    ("Note List", "Note Text", "", ""),
    ("Note Quote", "Note Text", _indent(STEP, right=RAG + STEP), ""),
    ("Status", "Body Text", WHOLE + _gap(0, UNIT // 2) + FLAT, SANS + BOLD + SPACED.format(_ink(ACCENT)) + _size(19)),
    (
        "Embargo",
        "Status",
        BOX + _gap(UNIT // 2, 2 * UNIT) + '<w:ind w:left="120" w:right="120"/>',
        _size(20),
    ),
    ("Running Embargo", "Embargo", _gap(0, UNIT, 220), '<w:spacing w:val="0"/>' + _size(17)),
    (
        "Notice",
        "Body Text",
        f"<w:keepLines/><w:pBdr>{_border('top bottom', ACCENT, 4, 5)}</w:pBdr>{_gap(UNIT, 2 * UNIT, 270)}{FLAT}",
        SANS + _size(20),
    ),
    ("Letterhead Name", "Normal", WHOLE + _gap(after=0, line=320), SANS + BOLD + _size(27)),
    ("Letterhead Mark", "Normal", _gap(after=0, line=240, rule="auto"), ""),
    ("Letterhead Detail", "Normal", FINE + _jc("right"), SANS + _ink(GREY) + _size(18)),
    ("Letterhead Kind", "Letterhead Detail", "", BOLD + _ink(INK)),
    ("Letterhead Space", "Normal", _gap(after=0, line=2 * UNIT), _size(8)),
    (
        "header",
        "Normal",
        f"<w:pBdr>{_border('bottom', HAIR, 4, 4)}</w:pBdr>{_tab(WIDTH)}{_gap(0, 2 * UNIT, 240)}",
        SANS + _ink(GREY) + _size(17),
    ),
    ("footer", "Normal", _tab(WIDTH) + FINE, SANS + _ink(GREY) + _size(17)),
    (
        "Contact Heading",
        "Normal",
        KEEP + WHOLE + _gap(0, 0, 240) + _outline(1),
        SANS + BOLD + SPACED.format(_ink(ACCENT)) + _size(17),
    ),
    ("Contact Name", "Normal", KEEP + _gap(UNIT, 0, 240), SANS + BOLD + _size(20)),
    ("Contact Role", "Normal", KEEP + _gap(0, UNIT // 2, 240), SANS + _size(18)),
    ("Contact Text", "Normal", KEEP + _gap(UNIT, UNIT // 2, 240), SANS + _size(18)),
    (
        "Contact Line",
        "Normal",
        KEEP + FINE + _indent(1600, 1600, 0),
        SANS + _size(18),
    ),
    ("Table Text", "Normal", WHOLE + _gap(30, 30, 240), SANS + _size(18)),
    ("Table Text Centred", "Table Text", _jc("center"), ""),
    ("Table Text Right", "Table Text", _jc("right"), ""),
    ("Table Small", "Table Text", _gap(20, 20, 190), _size(14)),
    ("Table Small Centred", "Table Small", _jc("center"), ""),
    ("Table Small Right", "Table Small", _jc("right"), ""),
    ("Table Space", "Normal", _gap(after=0, line=UNIT), _size(8)),
    ("Contact Space", "Normal", KEEP + _gap(after=0, line=UNIT), _size(8)),
    ("Reuse", "Normal", _gap(after=0, line=210), SANS + _ink(GREY) + _size(16)),
]

LINKED = _ink(ACCENT) + '<w:u w:val="single"/>'
CHARACTERS: list[tuple[str, str]] = [
    ("Strong", BOLD),
    ("Emphasis", ITALIC),
    ("Strikethrough", "<w:strike/>"),
    ("Code Span", MONO + '<w:noProof/><w:sz w:val="18"/><w:szCs w:val="18"/>'),
    ("Code Link", MONO + "<w:noProof/>" + _ink(ACCENT) + _size(18) + '<w:u w:val="single"/>'),
    ("Hyperlink", LINKED),
    ("Contact Link", _ink(ACCENT)),
    ("Dateline", BOLD + "<w:smallCaps/>"),
    ("Credit", ITALIC),
    ("Label", _ink(GREY)),
    ("Notice Label", BOLD + _ink(ACCENT)),
]

TABLES: list[tuple[str, str, str]] = [
    # name, table properties, more
    (
        "Release Table",
        f"<w:tblBorders>{_border('top bottom', INK, 6, 0)}</w:tblBorders>"
        '<w:tblCellMar><w:left w:w="0" w:type="dxa"/><w:right w:w="150" w:type="dxa"/></w:tblCellMar>',
        f'<w:tblStylePr w:type="firstRow"><w:rPr>{BOLD}</w:rPr>'
        f"<w:tcPr><w:tcBorders>{_border('bottom', INK, 6, 0)}</w:tcBorders>"
        '<w:vAlign w:val="bottom"/></w:tcPr></w:tblStylePr>',
    ),
    (
        "Letterhead",
        f"<w:tblBorders>{_border('bottom', HAIR, 4, 0)}</w:tblBorders>"
        '<w:tblCellMar><w:left w:w="0" w:type="dxa"/><w:bottom w:w="75" w:type="dxa"/>'
        '<w:right w:w="0" w:type="dxa"/></w:tblCellMar>',
        "",
    ),
    (
        "Contact Frame",
        f"<w:tblBorders>{_border('top left bottom right', HAIR, 4, 0)}</w:tblBorders>"
        f'<w:tblCellMar><w:top w:w="{UNIT}" w:type="dxa"/><w:left w:w="{UNIT}" w:type="dxa"/>'
        f'<w:bottom w:w="{UNIT}" w:type="dxa"/><w:right w:w="{UNIT}" w:type="dxa"/></w:tblCellMar>',
        "",
    ),
]

FONTS = [  # name, the face to take where it is not installed, family, pitch
    ("Spectral", "Georgia", "roman", "variable"),
    ("IBM Plex Sans Condensed", "Arial", "swiss", "variable"),
    ("IBM Plex Mono", "Courier New", "modern", "fixed"),
    ("Amiri", "Times New Roman", "roman", "variable"),
    ("IBM Plex Sans Arabic", "Arial", "swiss", "variable"),
]
_BUILT_IN = (
    "Normal",
    "Body Text",
    "Title",
    "Subtitle",
    "heading",
    "Quote",
    "List B",
    "List N",
    "List C",
    "caption",
    *("header", "footer", "Strong", "Emphasis", "Hyperlink"),
)


def _id(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in name.split())


def _style(kind: str, name: str, based: str, body: str) -> str:
    custom = "" if name.startswith(_BUILT_IN) else ' w:customStyle="1"'
    default = ' w:default="1"' if name == "Normal" else ""
    link = f'<w:basedOn w:val="{_id(based)}"/>' if based else ""
    if kind == "paragraph" and _outline(0)[:14] in body:
        link += '<w:next w:val="BodyText"/>'
    return (
        f'<w:style w:type="{kind}"{default}{custom} w:styleId="{_id(name)}"><w:name w:val="{name}"/>{link}'
        f"<w:qFormat/>{body}</w:style>"
    )


def _styles() -> str:
    faces = f'{TEXT}<w:kern w:val="2"/>{_size(21)}<w:lang w:val="en-GB" w:eastAsia="ja-JP" w:bidi="ar-SA"/>'
    rows = [
        _style("paragraph", name, based, f"<w:pPr>{p}</w:pPr>" * bool(p) + f"<w:rPr>{r}</w:rPr>" * bool(r))
        for name, based, p, r in PARAGRAPHS
    ]
    rows.append(
        '<w:style w:type="character" w:default="1" w:styleId="DefaultParagraphFont"><w:name w:val="Default Paragraph '
        'Font"/><w:uiPriority w:val="1"/><w:semiHidden/></w:style>'
        '<w:style w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/><w:uiPriority '
        'w:val="99"/><w:semiHidden/><w:tblPr><w:tblInd w:w="0" w:type="dxa"/></w:tblPr></w:style>'
        '<w:style w:type="numbering" w:default="1" w:styleId="NoList"><w:name w:val="No List"/><w:semiHidden/>'
        "</w:style>"
    )
    rows += [_style("character", name, "Default Paragraph Font", f"<w:rPr>{r}</w:rPr>") for name, r in CHARACTERS]
    for name, properties, more in TABLES:
        rows.append(_style("table", name, "Table Normal", f"<w:tblPr>{properties}</w:tblPr>{more}"))
    return (
        f'<w:styles xmlns:w="{W}"><w:docDefaults><w:rPrDefault><w:rPr>{faces}</w:rPr></w:rPrDefault>'
        f"<w:pPrDefault><w:pPr><w:widowControl/></w:pPr></w:pPrDefault></w:docDefaults>{''.join(rows)}</w:styles>"
    )


def _numbering() -> str:
    out = ""
    for number, (style, form, texts) in enumerate(
        (("ListBullet", "bullet", ("•", "–")), ("ListNumber", "decimal", ()), ("ListTask", "bullet", ("",)))
    ):
        levels = "".join(
            f'<w:lvl w:ilvl="{level}"><w:start w:val="1"/><w:numFmt w:val="{form}"/>'
            + (f'<w:pStyle w:val="{style}{level + 1 if level else ""}"/>' if level < 5 else "")
            + ('<w:suff w:val="nothing"/>' if texts == ("",) else "")
            + f'<w:lvlText w:val="{texts[level % len(texts)] if texts else f"%{level + 1}."}"/><w:lvlJc w:val="left"/>'
            f'<w:pPr><w:ind w:left="{STEP * (level + 1)}" w:hanging="{STEP}"/></w:pPr></w:lvl>'
            for level in range(9)
        )
        shape = '<w:multiLevelType w:val="multilevel"/>'
        out += f'<w:abstractNum w:abstractNumId="{number}">{shape}{levels}</w:abstractNum>'
    nums = "".join(f'<w:num w:numId="{n + 1}"><w:abstractNumId w:val="{n}"/></w:num>' for n in range(3))
    return f'<w:numbering xmlns:w="{W}">{out}{nums}</w:numbering>'


def _fonts() -> str:
    rows = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{instead}"/><w:charset w:val="00"/><w:family w:val="{family}"/>'
        f'<w:pitch w:val="{pitch}"/></w:font>'
        for name, instead, family, pitch in FONTS
    )
    return f'<w:fonts xmlns:w="{W}">{rows}</w:fonts>'


def _settings() -> str:
    return (
        f'<w:settings xmlns:w="{W}"><w:zoom w:percent="100"/><w:defaultTabStop w:val="{STEP}"/>'
        '<w:characterSpacingControl w:val="doNotCompress"/><w:compat><w:compatSetting w:name="compatibilityMode" '
        'w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat></w:settings>'
    )


def _document() -> str:
    shown = "".join(
        f'<w:p><w:pPr><w:pStyle w:val="{_id(name)}"/></w:pPr><w:r><w:t>{escape(name)}</w:t></w:r></w:p>'
        for name, *_ in PARAGRAPHS
    ) + "".join(
        f'<w:p><w:r><w:rPr><w:rStyle w:val="{_id(name)}"/></w:rPr><w:t>{escape(name)}</w:t></w:r></w:p>'
        for name, _ in CHARACTERS
    )
    return (
        f'<w:document xmlns:w="{W}" xmlns:r="{_OFFICE}"><w:body>{shown}<w:sectPr><w:pgSz w:w="11906" w:h="16838"/>'
        '<w:pgMar w:top="1417" w:right="1417" w:bottom="1701" w:left="1418" w:header="567" w:footer="850" '
        'w:gutter="0"/></w:sectPr></w:body></w:document>'
    )


def parts() -> dict[str, str]:
    """Return the package's parts by name, as XML."""
    own = {
        "styles": _styles(),
        "numbering": _numbering(),
        "fontTable": _fonts(),
        "settings": _settings(),
    }
    packaging = "http://schemas.openxmlformats.org/package/2006"
    types = "".join(
        f'<Override PartName="/word/{name}.xml" ContentType="{_TYPE}.{name}+xml"/>' for name in ("document.main", *own)
    ).replace("/word/document.main", "/word/document")
    relations = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/{name}" Target="{name}.xml"/>' for n, name in enumerate(own, 1)
    )
    return {
        "[Content_Types].xml": f'<Types xmlns="{packaging}/content-types"><Default Extension="rels" ContentType='
        f'"application/vnd.openxmlformats-package.relationships+xml"/>{types}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{packaging}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/document.xml": _document(),
        "word/_rels/document.xml.rels": f'<Relationships xmlns="{packaging}/relationships">{relations}</Relationships>',
        **{f"word/{name}.xml": xml for name, xml in own.items()},
    }


def make(target: Path) -> None:
    """Write the reference document to ``target``, the same bytes each time."""
    with zipfile.ZipFile(target, "w") as package:
        for name, xml in parts().items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            package.writestr(entry, _HEAD + xml, zipfile.ZIP_DEFLATED, 9)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
