"""The styles of reference.docx: found by their names, and dressed for one release.

Whoever rebrands opens ``templates/reference.docx`` in Word and changes its styles. Four things are set at writing time,
here and nowhere else: the accent colour (**the colour that the style "Status" has in the reference is the accent,
wherever it occurs**, and newsroom.toml's takes its place), the language, the faces of scripts that the reference does
not provide for, and, for text that runs from the right, more room between lines and no letterspacing, which would tear
joined letters apart.
"""

from __future__ import annotations

from lxml.etree import _Element as Element

from pipeline.model.errors import SettingError
from pipeline.writers.docx.xml import name_of, value_of, w

_COMPLEX = {"he": ("Times New Roman", "Arial"), "th": ("Leelawadee UI",) * 2, "hi": ("Nirmala UI",) * 2}
_COMPLEX |= dict.fromkeys(("bn", "gu", "kn", "ml", "mr", "ne", "pa", "ta", "te"), _COMPLEX["hi"])
"""Text and sans face of complex scripts other than the Arabic."""
_ASIAN = {"zh": ("SimSun", "Microsoft YaHei"), "zh-Hant": ("PMingLiU", "Microsoft JhengHei")}
_ASIAN |= {"ja": ("Yu Mincho", "Yu Gothic"), "ko": ("Batang", "Malgun Gothic")}
_EUROPEAN = {"el": ("Georgia", "Arial"), "hy": ("Sylfaen",) * 2, "ka": ("Sylfaen",) * 2}
_EUROPEAN |= dict.fromkeys(("be", "bg", "kk", "mk", "ru", "sr", "uk"), ("Spectral", "Arial"))
"""Text and sans face where the reference's own have none or few of the letters: words would be set in two faces."""
_TALLER = 1.2
"""Arabic letters reach higher and lower than Latin ones of the same size."""
_LARGER = 1.1


class Styles:
    """The style sheet of one document."""

    def __init__(self, sheet: Element, numbering: Element) -> None:
        self._numbering = numbering
        self._rows = {value_of(row, "name").lower(): row for row in sheet.iterfind(name_of("w:style"))}
        self._ids = {name: row.get(name_of("w:styleId"), "") for name, row in self._rows.items()}
        self._sheet = sheet
        self._last = max((int(num.get(name_of("w:numId"), "0")) for num in numbering.iter(name_of("w:num"))), default=0)

    def __getitem__(self, name: str) -> str:
        """Return the id of the style called ``name``; Word translates ids, never the names. Raises ``SettingError``."""
        try:
            return self._ids[name.lower()]
        except KeyError:
            raise SettingError(
                f"templates/reference.docx has no style called “{name}”",
                "Add it in Word, or take reference.docx from the version before.",
            ) from None

    def right_indent(self, name: str) -> int:
        """Return what style ``name`` leaves free at the end of its lines."""
        self[name]
        return int(value_of(self._rows[name.lower()], "ind", "right") or 0)

    # --- Numbering ---------------------------------------------------------------------------------------------------

    def list_number(self, style: str) -> int:
        """Return the number of the list that paragraphs of ``style`` belong to."""
        self[style]
        found = value_of(self._rows[style.lower()], "numId")
        if not found:
            raise SettingError(
                f"the style “{style}” of templates/reference.docx has no numbering", "Give it one in Word."
            )
        return int(found)

    def restart(self, style: str, level: int, start: int) -> int:
        """Return the number of a new list of ``style`` that counts from ``start`` at ``level`` (from 0)."""
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

    # --- Dressing ----------------------------------------------------------------------------------------------------

    def dress(self, accent: str, language: str, direction: str) -> None:
        """Set accent colour (``#rrggbb``), language (BCP 47) and direction."""
        old = value_of(self._rows[self._known("Status")], "color").upper()
        new = accent.lstrip("#").upper()
        for found in self._sheet.iter(name_of("w:color"), *map(name_of, ("w:top", "w:left", "w:bottom", "w:right"))):
            for attribute in (name_of("w:val"), name_of("w:color")):
                if old and found.get(attribute, "").upper() == old:
                    found.set(attribute, new)
        self._speak(language, direction)
        if direction == "rtl":
            self._loosen()

    def _known(self, name: str) -> str:
        self[name]
        return name.lower()

    def _speak(self, language: str, direction: str) -> None:
        primary = language.split("-")[0].lower()
        hant = primary == "zh" and any(part in language for part in ("Hant", "TW", "HK", "MO"))
        asian = _ASIAN.get("zh-Hant" if hant else primary)
        for lang in self._sheet.iter(name_of("w:lang")):
            lang.set(name_of("w:val"), language)
            if asian:
                lang.set(name_of("w:eastAsia"), language)
            if direction == "rtl" or primary in _COMPLEX:
                lang.set(name_of("w:bidi"), language)
        european = _EUROPEAN.get(primary)
        slots = {"w:cs": _COMPLEX.get(primary), "w:eastAsia": asian, "w:ascii": european, "w:hAnsi": european}
        for slot, faces in slots.items():
            if faces:
                self._face(slot, faces)
        if asian:
            self._dot()

    def _dot(self) -> None:
        """Mark words out by dots, as East Asian scripts do: they have no italics, and slanted ones are ugly."""
        for slant in list(self._rows[self._known("Emphasis")].iter(name_of("w:i"), name_of("w:iCs"))):
            parent = slant.getparent()
            if parent is not None:
                parent.remove(slant)
                if slant.tag == name_of("w:i"):
                    parent.append(w("em", val="dot"))

    def _face(self, slot: str, faces: tuple[str, ...]) -> None:
        """Put the text face where the reference's defaults have theirs, the sans face everywhere else."""
        text = value_of(self._sheet, "rFonts", slot[2:])
        for fonts in self._sheet.iter(name_of("w:rFonts")):
            if fonts.get(name_of(slot)):
                fonts.set(name_of(slot), faces[0] if fonts.get(name_of(slot)) == text else faces[1])

    def _loosen(self) -> None:
        for spacing in list(self._sheet.iter(name_of("w:spacing"))):
            parent = spacing.getparent()
            if parent is not None and parent.tag == name_of("w:rPr"):
                parent.remove(spacing)
            elif spacing.get(name_of("w:lineRule")) == "exact":
                line = int(spacing.get(name_of("w:line"), "240"))
                spacing.set(name_of("w:line"), str(round(line * _TALLER)))
        for size in self._sheet.iter(name_of("w:szCs")):
            size.set(name_of("w:val"), str(round(int(size.get(name_of("w:val"), "21")) * _LARGER)))
