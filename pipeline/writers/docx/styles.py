"""The styles of reference.docx: found by name, and adapted to one release.

Whoever rebrands opens ``templates/reference.docx`` in Word and changes its styles. Five things are set here, for each
release: the accent colour (**the colour of the style "Status" in the reference is the accent, wherever it occurs**, and
newsroom.toml's replaces it); the language; fonts for scripts that the reference has none for; a smaller headline where
it is long; and, where the script needs it, more space between lines and no letterspacing, which would tear joined
letters apart.

All faces are ones that Windows and macOS have, by name. A document names no other, because a newsroom has no other, and
Word would replace it by one of its own choice. Georgia and Arial also have the Greek and Cyrillic letters, and Times
New Roman and Arial the Arabic and Hebrew ones.
"""

from __future__ import annotations

from lxml.etree import _Element as Element

from pipeline.model.errors import SettingError
from pipeline.writers.docx.xml import name_of, value_of, w

_COMPLEX = dict.fromkeys(("Thai", "Laoo", "Khmr"), ("Leelawadee UI",) * 2)
_COMPLEX |= dict.fromkeys(
    ("Deva", "Beng", "Guru", "Gujr", "Orya", "Taml", "Telu", "Knda", "Mlym", "Sinh"), ("Nirmala UI",) * 2
)
_COMPLEX |= {"Mymr": ("Myanmar Text",) * 2, "Tibt": ("Microsoft Himalaya",) * 2}
"""Script → serif and sans-serif font, where the reference's own lack it; for complex scripts, as Word calls them."""
_ASIAN = {"Hans": ("SimSun", "Microsoft YaHei"), "Hant": ("PMingLiU", "Microsoft JhengHei")}
_ASIAN |= {"Jpan": ("Yu Mincho", "Yu Gothic"), "Kore": ("Batang", "Malgun Gothic")}
_EUROPEAN = {"Armn": ("Sylfaen",) * 2, "Geor": ("Sylfaen",) * 2, "Ethi": ("Ebrima",) * 2}
"""The same for scripts that Word writes with its fonts for European ones."""
_LONG = 17 / 21
"""Size of a long headline relative to others, as on paper."""
_TALLER = 1.25
"""Line spacing of complex and East Asian scripts, whose signs reach higher and lower than Latin letters."""
_LARGER = 1.1
"""Font size."""


class Styles:
    """The style sheet of one document."""

    def __init__(self, sheet: Element, numbering: Element) -> None:
        self._numbering = numbering
        self._rows = {value_of(row, "name").lower(): row for row in sheet.iterfind(name_of("w:style"))}
        self._ids = {name: row.get(name_of("w:styleId"), "") for name, row in self._rows.items()}
        self._sheet = sheet
        self._last = max((int(num.get(name_of("w:numId"), "0")) for num in numbering.iter(name_of("w:num"))), default=0)

    def __getitem__(self, name: str) -> str:
        """Return the id of the style called ``name``: Word translates ids, but not names. Raises ``SettingError``."""
        try:
            return self._ids[name.lower()]
        except KeyError:
            raise SettingError(
                f"templates/reference.docx has no style called “{name}”",
                "Add the style in Word, or restore the previous version of reference.docx.",
            ) from None

    def right_indent(self, name: str) -> int:
        """Return the right indentation of the style ``name``."""
        return int(value_of(self._row(name), "ind", "right") or 0)

    def _row(self, name: str) -> Element:
        self[name]  # raises the error for a style that is missing
        return self._rows[name.lower()]

    def add_footnotes(self) -> None:
        """Add the styles of footnotes, where the reference does not have them."""
        if "footnote text" not in self._rows:
            spacing = w("pPr", w("spacing", after=60))
            based = w("basedOn", val=self["Note Text"])
            self._add("paragraph", "FootnoteText", "footnote text", based, spacing)
        if "footnote reference" not in self._rows:
            raised = w("rPr", w("vertAlign", val="superscript"))
            self._add("character", "FootnoteReference", "footnote reference", raised)

    def _add(self, kind: str, identifier: str, name: str, *parts: Element) -> None:
        style = w("style", w("name", val=name), *parts, type=kind, styleId=identifier)
        self._sheet.append(style)
        self._rows[name], self._ids[name] = style, identifier

    # --- Numbering ---------------------------------------------------------------------------------------------------

    def list_number(self, style: str) -> int:
        """Return the number of the list that paragraphs of ``style`` belong to. Raises ``SettingError``."""
        number = value_of(self._row(style), "numId")
        if not number:
            message = f"the style “{style}” of templates/reference.docx has no numbering"
            raise SettingError(message, "In Word, give the style a numbering.")
        return int(number)

    def restart(self, style: str, level: int, start: int) -> int:
        """Return the number of a new list of ``style`` that starts at ``start``; ``level`` counts from 0."""
        wanted = str(self.list_number(style))
        shape = next(
            value_of(num, "abstractNumId")
            for num in self._numbering.iter(name_of("w:num"))
            if num.get(name_of("w:numId")) == wanted
        )
        self._last += 1
        num = w(
            "num",
            w("abstractNumId", val=shape),
            w("lvlOverride", w("startOverride", val=start), ilvl=level),
            numId=self._last,
        )
        last = self._numbering.findall(name_of("w:num"))[-1]
        last.addnext(num)
        return self._last

    # --- Adapting ----------------------------------------------------------------------------------------------------

    def adapt(self, accent: str, language: str, script: str, direction: str) -> None:
        """Set accent colour (``#rrggbb``), language (BCP 47), its script (ISO 15924) and direction."""
        old = value_of(self._row("Status"), "color").upper()
        new = accent.lstrip("#").upper()
        coloured = map(name_of, ("w:color", "w:top", "w:left", "w:bottom", "w:right"))
        for element in self._sheet.iter(*coloured):
            for attribute in (name_of("w:val"), name_of("w:color")):
                if old and element.get(attribute, "").upper() == old:
                    element.set(attribute, new)
        self._set_language(language, script, direction)
        if direction == "rtl" or script in _COMPLEX or script in _ASIAN:
            self._add_space()
        if direction == "rtl" or script in _COMPLEX:
            self._join_letters()
        if direction == "rtl":
            self._enlarge()

    def shrink_title(self) -> None:
        """Set the headline smaller."""
        row = self._row("Title")
        for name, attribute in (("sz", "val"), ("szCs", "val"), ("spacing", "line")):
            for element in row.iter(name_of(f"w:{name}")):
                if value := element.get(name_of(f"w:{attribute}")):
                    element.set(name_of(f"w:{attribute}"), str(round(int(value) * _LONG)))

    def _set_language(self, language: str, script: str, direction: str) -> None:
        asian, european = _ASIAN.get(script), _EUROPEAN.get(script)
        for lang in self._sheet.iter(name_of("w:lang")):
            lang.set(name_of("w:val"), language)
            if asian:
                lang.set(name_of("w:eastAsia"), language)
            if direction == "rtl" or script in _COMPLEX:
                lang.set(name_of("w:bidi"), language)
        slots = {"w:cs": _COMPLEX.get(script), "w:eastAsia": asian, "w:ascii": european, "w:hAnsi": european}
        for slot, fonts in slots.items():
            if fonts:
                self._set_fonts(slot, fonts)
        if asian:
            self._emphasize_with_dots()

    def _emphasize_with_dots(self) -> None:
        """Replace italics by dots, as East Asian scripts do: they have no italics."""
        for italic in list(self._row("Emphasis").iter(name_of("w:i"), name_of("w:iCs"))):
            parent = italic.getparent()
            if parent is not None:
                parent.remove(italic)
                if italic.tag == name_of("w:i"):
                    parent.append(w("em", val="dot"))

    def _set_fonts(self, slot: str, fonts: tuple[str, ...]) -> None:
        """Set the serif font where the reference has its default font, and the sans-serif font everywhere else."""
        default = value_of(self._sheet, "rFonts", slot[2:])
        for element in self._sheet.iter(name_of("w:rFonts")):
            if element.get(name_of(slot)):
                element.set(name_of(slot), fonts[0] if element.get(name_of(slot)) == default else fonts[1])

    def _add_space(self) -> None:
        for spacing in self._sheet.iter(name_of("w:spacing")):
            if spacing.get(name_of("w:lineRule")) == "exact":
                line = int(spacing.get(name_of("w:line"), "240"))
                spacing.set(name_of("w:line"), str(round(line * _TALLER)))

    def _join_letters(self) -> None:
        for spacing in list(self._sheet.iter(name_of("w:spacing"))):
            parent = spacing.getparent()
            if parent is not None and parent.tag == name_of("w:rPr"):
                parent.remove(spacing)

    def _enlarge(self) -> None:
        for size in self._sheet.iter(name_of("w:szCs")):
            size.set(name_of("w:val"), str(round(int(size.get(name_of("w:val"), "21")) * _LARGER)))
