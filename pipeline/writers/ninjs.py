"""The release's record as IPTC ninjs 3.1 (https://iptc.org/std/ninjs/), the middle of the chain of digests.

The schema is closed: there is no place of its own for a file's digest, so each stands among ``altIds`` with the role
``sha256:KEY``. The record lists every file of the release but itself.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import msgspec
from markupsafe import Markup
from msgspec import Struct

from pipeline.model.document import Figure
from pipeline.model.formats import FORMATS, Rendition, by_name, media_type
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import Contact, Footage, Related
from pipeline.model.revision import RevisionRecord, number
from pipeline.typography.article import DATELINE_MARK
from pipeline.typography.templates import render
from pipeline.writers import Output, RenderInput, home_link
from pipeline.writers.markup import block_html, figure_html

VERSION = "3.1"
SCHEMA = "http://www.iptc.org/std/ninjs/ninjs-schema_3.1.json#"
PRESS_RELEASE = "http://cv.iptc.org/newscodes/genre/Press_Release"
DIGEST = "sha256:"
EARLIER = "earlier revision"
SHOWN = 960
"""Pixels in the width of a picture within the article."""


def write(render_input: RenderInput) -> Output:
    """Set the record; ``job.made`` must hold every other rendition and the pictures."""
    return Output(msgspec.json.format(msgspec.json.encode(record(render_input)), indent=1) + b"\n")


def record(render_input: RenderInput) -> dict[str, Any]:
    """Return the record as plain JSON values."""
    release, newsroom = render_input.release, render_input.newsroom
    html = fragment(render_input)
    place = (
        release.dateline if render_input.article.dateline else ""
    )  # a withdrawn release tells nothing of what it said
    messages = len(re.sub(r"<[^>]+>", " ", html).split())
    found: dict[str, Any] = {
        "uri": newsroom.guid(release.slug),
        "standard": {"name": "ninjs", "version": VERSION, "schema": SCHEMA},
        "type": "text",
        "representationType": "full",
        "version": str(number(release, render_input.past)),
        "firstCreated": release.date.isoformat(),
        "versionCreated": release.modified.isoformat(),
        "edNote": _note(render_input),
        "pubStatus": "canceled" if release.withdrawn else "usable",
        "language": release.language,
        "title": release.title,
        "slugline": release.slug,
        "located": place,
        "copyrightHolder": newsroom.name,
        "copyrightNotice": f"© {release.date.year} {newsroom.name}",
        "usageTerms": newsroom.reuse_in(release.language),
        "headlines": [{"role": "headline", "value": release.title}],
        "descriptions": [{"role": "summary", "contentType": "text/plain", "value": release.summary}],
        "bodies": [{"role": "article", "contentType": "text/html", "wordCount": messages, "value": html}],
        "organisations": [_known(name=newsroom.name, rel="publisher", contactInfo=_website(newsroom))],
        "people": [_person(contact) for contact in release.contacts],
        "infoSources": [_supplier(footage) for footage in release.footage],
        "places": [{"name": place, "rel": "dateline"}] if place else [],
        "subjects": [{"name": newsroom.topic_label(t, release.language), "literal": t} for t in release.topics],
        "genres": [{"name": "Press Release", "uri": PRESS_RELEASE}],
        "altIds": _alt_ids(render_input),
        "renditions": [_rendition(render_input, made) for made in render_input.made],
        "associations": [
            *(_association(render_input, other) for other in render_input.related),
            *(_state(render_input, state) for state in render_input.past),
            *(_footage(render_input, footage) for footage in release.footage),
        ],
    }
    if render_input.article.subtitle:
        found["headlines"].append({"role": "subtitle", "value": render_input.article.subtitle})
    if render_input.article.embargoed:
        found["embargoedUntil"] = release.date.isoformat()
    return _known(**found)


def _known(**found: Any) -> dict[str, Any]:
    """Leave out what there is nothing to say of."""
    return {key: value for key, value in found.items() if value not in ("", [])}


def fragment(render_input: RenderInput) -> str:
    """Return the whole article as an HTML fragment with absolute addresses, without its headline."""
    article = render_input.article
    folder = f"{render_input.release.slug}/"
    pictures = render_input.release.picture_files

    def resolve(href: str) -> str:
        return home_link(render_input.base_url, folder + href if href in pictures else href)

    def figure(found: Figure, _depth: int = 0) -> Markup:
        credit = render_input.messages["photo"].format(credit=found.credit) if found.credit else ""
        picture = render_input.release.picture(found.file)
        shown = picture.at(round(SHOWN * picture.stretch))
        size = Markup(' width="{}" height="{}"').format(shown.width, shown.height)
        return figure_html(found, lambda href: resolve(shown.file if href == found.file else href), credit, size=size)

    lead_in = Markup("<strong>{}</strong>{}").format(article.dateline, DATELINE_MARK) if article.dateline else ""
    text = render(
        "fragment.html.j2",
        article=article,
        resolve=resolve,
        image=figure(article.image) if article.image else "",
        body=block_html(article.body, resolve, lead_in, figure),
        notes=block_html(article.notes, resolve, figure=figure),
    )
    # What the template left blank goes; blank lines of code stay.
    return re.sub(r"(<pre\b.*?</pre>)|\n\s*\n+", lambda found: found[1] or "\n", text, flags=re.DOTALL).strip()


def _alt_ids(render_input: RenderInput) -> list[dict[str, str]]:
    kept = (file for state in render_input.past for file in state.files)
    ids = [{"role": DIGEST + made.key, "value": made.sha256} for made in (*render_input.made, *kept)]
    return (
        ids
        if not render_input.release.reference
        else [{"role": "reference", "value": render_input.release.reference}, *ids]
    )


def _rendition(render_input: RenderInput, made: Rendition) -> dict[str, Any]:
    picture = made.format in ("picture", "copy")
    found: dict[str, Any] = {
        "name": made.key.rsplit("/", 1)[-1] if picture else made.format,
        "href": render_input.base_url + made.key,
        "contentType": media_type(made.key),
        "title": made.key.rsplit("/", 1)[-1] if picture else by_name(made.format).label,
        "sizeInBytes": made.size,
    }
    if picture:
        files = (each for whole in render_input.release.pictures for each in whole.files)
        shown = next(each for each in files if each.file == found["name"])
        found |= {"width": shown.width, "height": shown.height}
        if made.format == "copy":
            found["name"] = f"{shown.width} px: {shown.file}"
    return found


def _association(render_input: RenderInput, other: Related) -> dict[str, str]:
    uri = render_input.newsroom.guid(other.slug)
    return {"name": other.title, "rel": "translation", "uri": uri, "language": other.language}


def _note(render_input: RenderInput) -> str:
    """Return the newest correction, or why the release was withdrawn, as the release itself tells it."""
    notice = next(iter(render_input.article.notices), None)
    return f"{notice.label}: {notice.text}" if notice else ""


def _state(render_input: RenderInput, state: RevisionRecord) -> dict[str, Any]:
    """Return what the release was before, by the digest of its record, with the files that are kept of it."""
    name = f"Revision {state.revision}" + (f", until a minor change on {state.minor}" if state.minor else "")
    found = {
        "name": name,
        "rel": EARLIER,
        "version": str(state.revision),
        "versionCreated": state.modified.isoformat(),
        "pubStatus": "canceled" if state.withdrawn else "usable",
        "edNote": state.note,
        "altIds": [{"role": f"{DIGEST}record", "value": state.record}],
        "renditions": [_kept(render_input, file) for file in state.files],
    }
    return {key: value for key, value in found.items() if value not in ("", [])}


def _kept(render_input: RenderInput, file: Rendition) -> dict[str, Any]:
    name = file.key.rpartition("/")[2]
    shown = name if file.format in ("picture", "copy") else file.format
    return {
        "name": shown,
        "href": render_input.base_url + file.key,
        "contentType": media_type(file.key),
        "sizeInBytes": file.size,
    }


def _website(newsroom: Newsroom) -> list[dict[str, str]]:
    return [{"type": "web", "value": newsroom.website}] if newsroom.website else []


def _person(contact: Contact) -> dict[str, Any]:
    ways = (
        ("phone", "office", contact.telephone),
        ("phone", "out-of-hours", contact.out_of_hours),
        ("email", "office", contact.email),
    )
    info = [{"type": kind, "role": role, "value": value} for kind, role, value in ways if value]
    return _known(name=contact.name, rel="media contact", literal=contact.id, contactInfo=info)


def _supplier(footage: Footage) -> dict[str, Any]:
    role = ", ".join(("footage", *_both(footage)))
    return _known(name=footage.supplier or "footage", role=role, literal=footage.notice, contactInfo=_ways(footage))


def _footage(render_input: RenderInput, footage: Footage) -> dict[str, Any]:
    """Return the film itself, which has terms of its own: the record's are those of the text."""
    tape = _known(name="carrier", format=footage.carrier, title=", ".join(_both(footage)))
    links = (("preview", footage.preview), ("copy", footage.url))
    return _known(
        name="footage",
        rel="footage",
        type="video",
        language=render_input.release.language,
        usageTerms=footage.rights,
        descriptions=[{"role": "notice", "contentType": "text/plain", "value": footage.notice}],
        infoSources=[_known(name=footage.supplier, contactInfo=_ways(footage))] if footage.supplier else [],
        renditions=[tape] * bool(_both(footage)) + [{"name": name, "href": _uri(href)} for name, href in links if href],
    )


def _uri(address: str) -> str:
    """Return what people typed as the standard asks for it: in ASCII."""
    return quote(address, safe="!#$%&'()*+,/:;=?@[]~")


def _both(footage: Footage) -> list[str]:
    return [each for each in (footage.carrier, footage.duration) if each]


def _ways(footage: Footage) -> list[dict[str, str]]:
    ways = (("phone", footage.telephone), ("email", footage.email), ("web", footage.url))
    return [{"type": kind, "value": value} for kind, value in ways if value]


def files_of(data: bytes, slug: str) -> tuple[Rendition, ...]:
    """Return the files that a record lists as its revision's own; nothing for what is no record."""
    listed = {
        key: sha256 for key, sha256 in digests(data).items() if not _KEPT.match(key.removeprefix(f"releases/{slug}/"))
    }
    try:
        stated = msgspec.json.decode(data, type=_Identified).renditions
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ()
    names = {row.key(slug): row.name for row in FORMATS}
    return tuple(
        Rendition(names.get(key, "picture"), key, file.size_in_bytes, sha256)
        for key, sha256 in listed.items()
        for file in stated
        if file.href.endswith(f"/{key}")
    )


_KEPT = re.compile(r"r\d+/")


class _File(Struct, rename="camel"):
    href: str = ""
    size_in_bytes: int = 0


class _AltId(Struct):
    role: str
    value: str


class _Identified(Struct, rename="camel"):
    alt_ids: tuple[_AltId, ...] = ()
    renditions: tuple[_File, ...] = ()


def digests(data: bytes) -> dict[str, str]:
    """Return key → SHA-256 of every file that a record lists; nothing for what is no record."""
    try:
        ids = msgspec.json.decode(data, type=_Identified).alt_ids
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return {alt.role.removeprefix(DIGEST): alt.value for alt in ids if alt.role.startswith(DIGEST)}
