"""Words by which a release marks its parts: the template's own, in all its languages, and others that are usual."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from typing import Literal

from pipeline.typography.messages import FOLDER

Part = Literal["press_release", "status", "ends", "notes", "contact", "footage", "about", "more", "downloads"]
Field = Literal[
    "telephone",
    "out_of_hours",
    "email",
    "languages",
    "carrier",
    "duration",
    "rights",
    "restrictions",
    "copies_from",
    "download",
    "preview",
]
_TEMPLATE: dict[Part, tuple[str, ...]] = {
    "press_release": ("press_release",),
    "status": ("for_immediate_release",),
    "ends": ("ends",),
    "notes": ("notes_to_editors",),
    "contact": ("media_contact",),
    "footage": ("footage",),
    "more": ("more_follows",),
    "downloads": ("downloads", "all_releases"),
}
_USUAL: dict[Part, str] = {
    "press_release": "news release|media release|press statement|media statement|news|media advisory|for the press|"
    "presseinformation|medienmitteilung|presseaussendung|nota de prensa|nota de imprensa|comunicado de imprensa|"
    "nieuwsbericht|보도자료|プレスリリース|ニュースリリース|报道资料|新闻稿|пресс-релиз",
    "status": "immediate release|for release immediately|release immediately|zur sofortigen veröffentlichung|"
    "pour diffusion immédiate|para publicación inmediata",
    "ends": "end|end of release|end of press release|ends here|the end|ende|fin|fine|einde|koniec|конец|"
    "끝|以上|完|النهاية",
    "notes": "notes|editors notes|notes for journalists|hinweise für die redaktion|hinweis für die redaktion|"
    "notes aux rédactions|notas para editores",
    "contact": "contact|contacts|media contacts|press contact|press contacts|press office|media office|media enquiries|"
    "media inquiries|press enquiries|press inquiries|for more information|for further information|further information|"
    "for media enquiries|for press enquiries|for media inquiries|for interviews|pressekontakt|kontakt|ansprechpartner|"
    "ansprechpartnerin|rückfragen|contact presse|contacts presse|contact médias|contacto|contacto de prensa|contatto|"
    "contatti|contatto stampa|perscontact|контакты|للتواصل|"
    "문의|보도 문의|お問い合わせ|お問合せ|お問い合わせ先|联系人|媒体联系",
    "footage": "video|b-roll|broadcast material|film|note to broadcasters|note to television|filmmaterial|images",
    "about": "about us|about the organisation|about the organization|about the company|über uns|à propos|"
    "qui sommes-nous|sobre nosotros|sobre nós|chi siamo|over ons|o nas|о нас|회사 소개|会社概要|关于我们|من نحن",
    "more": "more|more follows|mehr folgt",
    "downloads": "downloads|share|print|back to list",
}
_FIELDS: dict[Field, str] = {
    "telephone": "tel|tel.|phone|telephone|mobile|mob|cell|fon|telefon|téléphone|"
    "tél|teléfono|tlf|telefono|telefoon|전화|電話|电话|тел",
    "out_of_hours": "out of hours|after hours|out-of-hours",
    "email": "e-mail|email|mail|e mail|courriel|correo|이메일|メール|邮箱|邮件|эл. почта",
    "languages": "",
    "carrier": "format|carrier",
    "duration": "length|running time|trt",
    "rights": "usage",
    "restrictions": "",
    "copies_from": "copies|supplier|available from",
    "download": "",
    "preview": "",
}


@cache
def _tables() -> tuple[dict[str, str | list[str]], ...]:
    return tuple(tomllib.loads(file.read_text("utf-8")) for file in sorted(FOLDER.glob("*.toml")))


_TELLING = ("press_release", "for_immediate_release", "ends", "media_contact", "footage", "notes_to_editors")


@cache
def _tags() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for file, table in zip(sorted(FOLDER.glob("*.toml")), _tables(), strict=True):
        for name in _TELLING:
            value = table.get(name, "")
            for form in [value] if isinstance(value, str) else value:
                found.setdefault(fold(form), set()).add(file.stem.partition("-")[0])
    return {form: frozenset(tags) for form, tags in found.items()}


def tags_of(line: str) -> frozenset[str]:
    """Return the primary tags of the languages in which a line is one of the template's labels."""
    return _tags().get(fold(line), frozenset())


def forms(message: str) -> set[str]:
    """Return every form of a message in every language, as typed."""
    found: set[str] = set()
    for table in _tables():
        value = table.get(message, ())
        found |= {value} if isinstance(value, str) else {*value}
    return found


def fold(text: str) -> str:
    """Return ``text`` as it is compared: small letters and figures without signs around them."""
    text = " ".join(text.replace("'", "’").casefold().split())
    return re.sub(r"^[\W_]+|[\W_]+$", "", text)


@cache
def _parts() -> dict[str, Part]:
    found: dict[str, Part] = {}
    for part, messages in _TEMPLATE.items():
        found |= {fold(form): part for message in messages for form in forms(message)}
    for part, usual in _USUAL.items():
        for form in usual.split("|"):
            found.setdefault(fold(form), part)
    return found


def part_of(line: str) -> Part | None:
    """Return the part of a release that a line begins, if it says nothing else."""
    if len(line) > 90:
        return None
    if is_end_mark(line):
        return "ends"
    folded = fold(line)
    if part := _parts().get(folded):
        return part
    return "about" if folded and any(pattern.fullmatch(line.strip(" :：*_#")) for pattern in _about()) else None


def is_end_mark(line: str) -> bool:
    """Whether a line says only that the text ends here: ENDS, -30-, ###."""
    bare = re.sub(r"[\s\\*_~\[\]().…—–-]+", "", line)
    if bare and not bare.strip("#"):
        return True
    if re.fullmatch(r"[\s\[(*_~-]*[-–—]\s*30\s*[-–—][\s\])*_~\\-]*", line):
        return True
    return _parts().get(fold(line)) == "ends" and len(line) < 40 and not line.rstrip().endswith((",", "?"))


@cache
def _about() -> tuple[re.Pattern[str], ...]:
    patterns = []
    for form in forms("about"):
        before, _, after = form.partition("{name}")
        patterns.append(re.compile(f"{re.escape(before)}\\S.{{0,78}}{re.escape(after)}", re.IGNORECASE))
    return tuple(patterns)


@cache
def _fields() -> tuple[tuple[str, Field], ...]:
    found: dict[str, Field] = {}
    for field, usual in _FIELDS.items():
        found |= {form.casefold(): field for form in forms(field)}
        for form in filter(None, usual.split("|")):
            found.setdefault(form, field)
    return tuple(sorted(found.items(), key=lambda each: -len(each[0])))


def field_of(line: str) -> tuple[Field, str] | None:
    """Return which field of a contact or a footage notice a line states, and its value: ``Tel.: +44 …``."""
    folded = line.casefold()
    for form, field in _fields():
        if folded.startswith(form):
            rest = line[len(form) :]
            if match := re.match(r"\s*(?:[:：.]\s*)+|\s{1,}(?=[+(\d]|\S+@)|\t+", rest):
                if value := rest[match.end() :].strip():
                    return field, value
            elif form in _own_forms(field) and re.match(r"\s+\S", rest):  # label and value in two columns
                return field, rest.strip()
    return None


@cache
def _own_forms(field: Field) -> frozenset[str]:
    return frozenset(form.casefold() for form in forms(field))


def is_address_of_release(text: str) -> bool:
    """Whether it says where the current version is, or where copies are checked, as the template does.

    In a PDF, the lines beside the QR code may come as one paragraph, terms of reuse among them.
    """
    for form in forms("current"):
        if begun := re.match(rf"{re.escape(form)}\s+https?://\S+", text.strip(), re.IGNORECASE):
            rest = text.strip()[begun.end() :]
            return not rest or any(stated(message, rest) for message in ("reuse", "genuine"))
    return bool(stated("genuine", text))


def stated(message: str, line: str) -> str:
    """Return the value that a message states, such as ``Reference: {reference}``; empty for other lines."""
    for form in sorted(forms(message), key=len, reverse=True):
        before, _, rest = form.partition("{")
        after = rest.partition("}")[2]
        pattern = rf"{re.escape(before.strip())}\s*(.+?)\s*{re.escape(after.strip())}"
        if before.strip() and (match := re.fullmatch(pattern, line.strip(), re.IGNORECASE)):
            return match[1]
    return ""
