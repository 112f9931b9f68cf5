"""The record of a release as IPTC ninjs 3.1 (https://iptc.org/std/ninjs/).

It is the middle of the chain of digests: the manifest states the record's SHA-256, the record those of all other files
of the release. The schema is closed and has no field for a file's digest, so each stands among ``altIds`` with the
role ``sha256:KEY``.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import msgspec
from markupsafe import Markup
from msgspec import Struct

from pipeline.model.document import Figure
from pipeline.model.footage import FOOTAGE, ROLES, Footage, FootageFile, Measured
from pipeline.model.formats import CARD_SIZE, FORMATS, Rendition, by_name, media_type
from pipeline.model.release import Contact, Picture, Rights
from pipeline.model.revision import RevisionRecord, number
from pipeline.typography.article import DATELINE_MARK
from pipeline.typography.footage import films
from pipeline.typography.templates import render
from pipeline.writers import Output, RenderInput, home_link, text
from pipeline.writers.markup import block_html, figure_html

VERSION = "3.1"
SCHEMA = "http://www.iptc.org/std/ninjs/ninjs-schema_3.1.json#"
PRESS_RELEASE = "http://cv.iptc.org/newscodes/genre/Press_Release"
DIGEST = "sha256:"
EARLIER = "earlier revision"
_PICTURE_WIDTH = 960
"""Pixels. Width of a picture within the article."""
_ARCHIVED = re.compile(r"r\d+/")
"""Folder of an earlier revision's files."""


def write(render_input: RenderInput) -> Output:
    """Return the record; ``render_input.renditions`` must hold every other rendition and the pictures."""
    return Output(msgspec.json.format(msgspec.json.encode(record(render_input)), indent=1) + b"\n")


def record(render_input: RenderInput) -> dict[str, Any]:
    """Return the record as plain JSON values."""
    release, newsroom, article = render_input.release, render_input.newsroom, render_input.article
    html = fragment(render_input)
    # A withdrawn release keeps its dateline in the source, but its article has none.
    place = release.dateline if article.dateline else ""
    notice = next(iter(article.notices), None)
    website = [{"type": "web", "value": newsroom.website}] if newsroom.website else []
    uri = newsroom.guid(release.slug)
    deck = [{"role": "subtitle", "value": article.subtitle}] if article.subtitle else []
    return _stated(
        uri=uri,
        standard={"name": "ninjs", "version": VERSION, "schema": SCHEMA},
        type="text",
        representationType="full",
        version=str(number(release, render_input.past)),
        firstCreated=release.date.isoformat(),
        versionCreated=release.modified.isoformat(),
        edNote=f"{notice.label}: {notice.text}" if notice else "",
        pubStatus="canceled" if release.withdrawn else "usable",
        language=release.language,
        title=release.title,
        slugline=release.slug,
        located=place,
        copyrightHolder=newsroom.name,
        copyrightNotice=f"© {release.date.year} {newsroom.name}",
        usageTerms=newsroom.reuse_in(release.language),
        headlines=[{"role": "headline", "value": release.title}, *deck],
        descriptions=[{"role": "summary", "contentType": "text/plain", "value": release.summary}],
        bodies=[{"role": "article", "contentType": "text/html", "wordCount": _word_count(html), "value": html}],
        organisations=[_stated(name=newsroom.name, rel="publisher", contactInfo=website)],
        people=[_person(contact) for contact in release.contacts],
        infoSources=[_supplier(footage) for footage in release.footage],
        places=[{"name": place, "rel": "dateline"}] if place else [],
        subjects=[{"name": newsroom.topic_label(each, release.language), "literal": each} for each in release.topics],
        genres=[{"name": "Press Release", "uri": PRESS_RELEASE}],
        altIds=_alt_ids(render_input),
        renditions=[_rendition(render_input, each) for each in render_input.renditions],
        associations=[
            *(
                {"name": each.title, "rel": "translation", "uri": newsroom.guid(each.slug), "language": each.language}
                for each in render_input.related
            ),
            *(_earlier_revision(uri, render_input.base_url, each) for each in render_input.past),
            *(_footage(f"{uri}#footage-{n}", render_input, each) for n, each in enumerate(release.footage, 1)),
            *(
                _picture(f"{uri}#picture-{n}", render_input, each)
                for n, each in enumerate(release.pictures, 1)
                if each.rights != Rights() or each.source
            ),
        ],
        embargoedUntil=release.date.isoformat() if article.embargoed else "",
    )


def _stated(**fields: Any) -> dict[str, Any]:
    """Return ``fields`` without empty ones: ninjs asks to leave out what is not known."""
    return {key: value for key, value in fields.items() if value not in ("", [])}


def _word_count(html: str) -> int:
    return len(re.sub(r"<[^>]+>", " ", re.sub(r"</?su[bp]>", "", html)).split())


def fragment(render_input: RenderInput) -> str:
    """Return the article without its headline as an HTML fragment with absolute addresses."""
    article, release = render_input.article, render_input.release
    pictures = release.picture_files

    def resolve(href: str) -> str:
        return home_link(render_input.base_url, f"{release.slug}/{href}" if href in pictures else href)

    def render_figure(figure: Figure, _depth: int = 0) -> Markup:
        picture = release.picture(figure.file)
        shown = picture.at(round(_PICTURE_WIDTH * picture.stretch))
        size = Markup(' width="{}" height="{}"').format(shown.width, shown.height)
        return figure_html(
            figure,
            lambda href: resolve(shown.file if href == figure.file else href),
            render_input.credit(figure),
            size=size,
        )

    lead_in = Markup("<strong>{}</strong>{}").format(article.dateline, DATELINE_MARK) if article.dateline else ""
    source = render(
        "fragment.html.j2",
        article=article,
        resolve=resolve,
        image=render_figure(article.image) if article.image else "",
        body=block_html(article.body, resolve, lead_in, render_figure),
        notes=block_html(article.notes, resolve, figure=render_figure),
        films=block_html(block for film in article.films for block in film.blocks),
    )
    # Remove the blank lines that the template leaves, but not those of code.
    return re.sub(r"(<pre\b.*?</pre>)|\n\s*\n+", lambda match: match[1] or "\n", source, flags=re.DOTALL).strip()


def _alt_ids(render_input: RenderInput) -> list[dict[str, str]]:
    archived = (file for revision in render_input.past for file in revision.files)
    return [
        *({"role": key, "value": value} for key, value in render_input.release.facts.items()),
        *({"role": DIGEST + file.key, "value": file.sha256} for file in (*render_input.renditions, *archived)),
    ]


def _rendition(render_input: RenderInput, file: Rendition) -> dict[str, Any]:
    stated = {
        "name": file.format,
        "href": render_input.base_url + file.key,
        "contentType": media_type(file.key),
        "title": file.key.rpartition("/")[2],
        "sizeInBytes": file.size,
    }
    if file.format == FOOTAGE:
        films = render_input.release.footage_files
        return stated | _film(next(each for each in films if each.file == stated["title"]))
    if not _is_picture(file):
        row = by_name(file.format)
        size = {"width": CARD_SIZE[0], "height": CARD_SIZE[1]} if row.preview else {}
        return stated | {"title": row.label} | size
    sizes = (size for picture in render_input.release.pictures for size in picture.files)
    shown = next(size for size in sizes if size.file == stated["title"])
    name = f"{shown.width} px: {shown.file}" if file.format == "copy" else shown.file
    return stated | {"name": name, "width": shown.width, "height": shown.height}


def _film(file: FootageFile) -> dict[str, Any]:
    """Return what is known of a file of footage, and its role in its name: ``master: seoul.mov``."""
    measured = file.measured or Measured("", 0)
    return _stated(
        name=_film_name(file.role, file.file),
        format=measured.container,
        videoCodec=measured.codec,
        **{
            name: value
            for name, value in (
                ("width", measured.width),
                ("height", measured.height),
                ("duration", round(measured.duration, 3)),
                ("frameRate", float(measured.frame_rate or 0)),
            )
            if value
        },
        scanType=measured.scan,
    )


def _film_name(role: str, file: str) -> str:
    return f"{role}: {file}"


def _is_picture(file: Rendition) -> bool:
    return file.format in ("picture", "copy")


def _earlier_revision(uri: str, base_url: str, revision: RevisionRecord) -> dict[str, Any]:
    """Return an earlier revision by the digest of its record, with its archived files.

    The digest is also its address below ``uri``, because the states before and after a minor change have one number.
    """
    minor = f", until a minor change on {revision.minor}" if revision.minor else ""
    return _stated(
        name=f"Revision {revision.revision}{minor}",
        uri=f"{uri}#record-{revision.record}",
        rel=EARLIER,
        version=str(revision.revision),
        versionCreated=revision.modified.isoformat(),
        pubStatus="canceled" if revision.withdrawn else "usable",
        edNote=revision.note,
        altIds=[{"role": f"{DIGEST}record", "value": revision.record}],
        renditions=[
            {
                "name": file.key.rpartition("/")[2] if _is_picture(file) else file.format,
                "href": base_url + file.key,
                "contentType": media_type(file.key),
                "sizeInBytes": file.size,
            }
            for file in revision.files
        ],
    )


def _person(contact: Contact) -> dict[str, Any]:
    ways = (
        ("phone", "office", contact.telephone),
        ("phone", "out-of-hours", contact.out_of_hours),
        ("email", "office", contact.email),
    )
    info = [{"type": kind, "role": role, "value": value} for kind, role, value in ways if value]
    return _stated(name=contact.name, rel="media contact", literal=contact.id, contactInfo=info)


def _supplier(footage: Footage) -> dict[str, Any]:
    role = ", ".join(("footage", *_carrier_facts(footage, ", ".join(footage.all_carriers))))
    contact = _contact_info(footage)
    return _stated(name=footage.supplier or "footage", role=role, literal=footage.notice, contactInfo=contact)


def _footage(uri: str, render_input: RenderInput, footage: Footage) -> dict[str, Any]:
    """Return the film as an item of its own, because its terms of use differ from those of the text."""
    release = render_input.release
    carriers = [(carrier, ", ".join(_carrier_facts(footage, carrier))) for carrier in footage.all_carriers or [""]]
    tapes = [_stated(name="carrier", format=carrier, title=facts) for carrier, facts in carriers if facts]
    links = (("preview", footage.preview), ("copy", footage.url))
    names = {file.file for file in footage.files}
    texts = (("shot list", _shot_list(render_input, footage)), ("transcript", footage.transcript.strip()))
    return _stated(
        name="footage",
        uri=uri,
        rel="footage",
        type="video",
        language=release.language,
        usageTerms=footage.terms,
        descriptions=[{"role": "notice", "contentType": "text/plain", "value": footage.notice}],
        bodies=[
            {"role": role, "contentType": "text/plain", "value": text}
            for role, text in texts
            if text and not release.withdrawn
        ],
        infoSources=[_stated(name=footage.supplier, contactInfo=_contact_info(footage))] if footage.supplier else [],
        renditions=[
            *tapes,
            *({"name": name, "href": _uri(href)} for name, href in links if href),
            *(
                _rendition(render_input, each)
                for each in render_input.renditions
                if each.format == FOOTAGE and each.key.rpartition("/")[2] in names
            ),
        ],
        expires=footage.expires.isoformat() if footage.expires and footage.files else "",
    )


def _shot_list(render_input: RenderInput, footage: Footage) -> str:
    """Return the shots as the plain-text copy has them."""
    if not footage.shots:
        return ""
    (film,) = films([msgspec.structs.replace(footage, transcript="")], render_input.messages)
    return "\n\n".join(text.film_copy(film, render_input.article))


def _picture(uri: str, render_input: RenderInput, picture: Picture) -> dict[str, Any]:
    """Return a picture as an item of its own, because its rights and the way it was made are not those of the text."""
    rights = picture.rights
    return _stated(
        name=picture.file,
        uri=uri,
        rel="picture",
        type="picture",
        language=render_input.release.language,
        copyrightNotice=rights.copyright,
        usageTerms=rights.usage,
        rightsInfo={"linkedRights": _uri(rights.rights_page)} if rights.rights_page else "",
        digitalSourceType={"name": picture.source, "uri": picture.source_uri} if picture.source else "",
        renditions=[
            _rendition(render_input, each)
            for each in render_input.renditions
            if each.format == "picture" and each.key.endswith(f"/{picture.file}")
        ],
    )


def _uri(address: str) -> str:
    """Return an address as people type it in the characters of a URI (RFC 3986), as the standard demands."""
    parts = urlsplit(re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", address))
    safe = "!$%&'()*+,/:;=?@~"
    path, query, fragment = (quote(part, safe=safe) for part in (parts.path, parts.query, parts.fragment))
    return urlunsplit((parts.scheme, quote(parts.netloc, safe=safe + "[]"), path, query, fragment))


def _carrier_facts(footage: Footage, carrier: str) -> list[str]:
    return [fact for fact in (carrier, footage.duration) if fact]


def _contact_info(footage: Footage) -> list[dict[str, str]]:
    ways = (("phone", footage.telephone), ("email", footage.email), ("web", footage.url))
    return [{"type": kind, "value": value} for kind, value in ways if value]


# --- Reading a record back -------------------------------------------------------------------------------------------


class _ListedFile(Struct, rename="camel"):
    name: str = ""
    href: str = ""
    size_in_bytes: int = 0


class _AltId(Struct):
    role: str
    value: str


class _ListedFiles(Struct, rename="camel"):
    """The fields of a record that list files."""

    alt_ids: tuple[_AltId, ...] = ()
    renditions: tuple[_ListedFile, ...] = ()


_LISTED_FILES = msgspec.json.Decoder(_ListedFiles)
"""Made once: threads that ask for the first decoder of a type at the same time can crash Python."""


def digests(data: bytes) -> dict[str, str]:
    """Return key → SHA-256 of every file that a record lists; nothing when ``data`` is no record."""
    return {
        each.role.removeprefix(DIGEST): each.value for each in _listed(data).alt_ids if each.role.startswith(DIGEST)
    }


def files_of(data: bytes, slug: str) -> tuple[Rendition, ...]:
    """Return the files of a record's own revision, without archived ones; nothing when ``data`` is no record."""
    listed, folder = _listed(data).renditions, f"releases/{slug}/"
    names = {row.key(slug): row.name for row in FORMATS}
    films = {f"{folder}{file}" for each in listed for role, _, file in [each.name.partition(": ")] if role in ROLES}
    names |= dict.fromkeys(films, FOOTAGE)
    return tuple(
        Rendition(names.get(key, "picture"), key, file.size_in_bytes, sha256)
        for key, sha256 in digests(data).items()
        if not _ARCHIVED.match(key.removeprefix(folder))
        for file in listed
        if file.href.endswith(f"/{key}")
    )


def _listed(data: bytes) -> _ListedFiles:
    try:
        return _LISTED_FILES.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _ListedFiles()
