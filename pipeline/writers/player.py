"""The players of a release page, with the films as search engines read them (schema.org ``VideoObject``)."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from pipeline.model.footage import Footage, FootageFile
from pipeline.model.formats import media_type
from pipeline.typography.downloads import Download
from pipeline.typography.footage import file_label, running_time, short_facts
from pipeline.writers import RenderInput

_SCREEN = (1280, 720)
"""Pixels of a player whose film was not measured."""


class Track(Struct, frozen=True):
    """Captions of a player."""

    href: str
    language: str
    label: str


class Player(Struct, frozen=True):
    """A film that plays on the page, once somebody starts it."""

    href: str
    media_type: str
    label: str
    width: int
    height: int
    poster: str
    tracks: tuple[Track, ...]
    downloads: tuple[Download, ...]
    """All files of the notice; of several players, only the last has them."""


def players(render_input: RenderInput) -> list[Player]:
    """Return a player for each preview that is there; a withdrawn release has none."""
    return [player for notice in _notices(render_input) for player in _players(render_input, notice)]


def links_to_film(render_input: RenderInput) -> tuple[Download, ...]:
    """Return the link from the top of the page to the players, with the length of the first film, if there are any."""
    previews = [file for notice in _notices(render_input) for file in _there(render_input, notice, "preview")]
    if not previews:
        return ()
    measured = previews[0].measured
    facts = running_time(measured.duration) if measured and measured.duration else ""
    return (Download(render_input.messages["footage"], facts, "#FOOTAGE", ""),)


def _players(render_input: RenderInput, notice: Footage) -> Iterator[Player]:
    release, messages = render_input.release, render_input.messages
    previews, posters = _there(render_input, notice, "preview"), _there(render_input, notice, "poster")
    tracks = tuple(
        Track(
            _href(render_input, file),
            file.language or release.language,
            messages.language_name(file.language or release.language),
        )
        for file in _there(render_input, notice, "captions")
    )
    files = _there(render_input, notice)
    downloads = tuple(
        Download(file_label(file, messages), short_facts(file, messages), _href(render_input, file), _type(file))
        for file in files
    )
    for number, file in enumerate(previews, 1):
        size = file.measured
        width, height = (size.width, size.height) if size and size.width and size.height else _SCREEN
        yield Player(
            href=_href(render_input, file),
            media_type=_type(file),
            label=f"{file_label(file, messages)}: {notice.notice}",
            width=width,
            height=height,
            poster=_href(render_input, posters[0]) if posters else "",
            tracks=tracks,
            downloads=downloads if number == len(previews) else (),
        )


def _notices(render_input: RenderInput) -> tuple[Footage, ...]:
    return () if render_input.release.withdrawn else render_input.release.footage


def _there(render_input: RenderInput, notice: Footage, role: str = "") -> list[FootageFile]:
    """Return the files of a notice that are there, all or those with ``role``."""
    return [file for file in notice.files if file.file not in render_input.missing and role in ("", file.role)]


def _href(render_input: RenderInput, file: FootageFile) -> str:
    return f"{render_input.release.slug}/{file.file}"


def _type(file: FootageFile) -> str:
    return media_type(file.file).partition(";")[0]


# --- Facts for search engines ----------------------------------------------------------------------------------------


def video_objects(render_input: RenderInput) -> list[dict[str, object]]:
    """Return each film that is there: its preview, else its master, with all other files of the notice."""
    return [
        _video_object(render_input, notice, main)
        for notice in _notices(render_input)
        for main in (*_there(render_input, notice, "preview"), *_there(render_input, notice, "master"))[:1]
    ]


def _video_object(render_input: RenderInput, notice: Footage, main: FootageFile) -> dict[str, object]:
    release, base = render_input.release, f"{render_input.base_url}releases/"
    others = [file for file in _there(render_input, notice) if file != main]
    captions = [file for file in others if file.role == "captions"]
    return _stated(
        **_media_object(render_input, main, "VideoObject"),
        name=release.title,
        description=notice.notice,
        uploadDate=release.date.isoformat(),
        thumbnailUrl=[base + _href(render_input, file) for file in others if file.role == "poster"],
        transcript=notice.transcript.strip(),
        caption=[_media_object(render_input, file, "MediaObject") for file in captions],
        conditionsOfAccess=notice.terms,
        expires=notice.expires.isoformat() if notice.expires else "",
        encoding=[
            _media_object(render_input, file, "AudioObject" if file.role == "sound" else "VideoObject")
            for file in others
            if file.role in ("master", "preview", "sound")
        ],
    )


def _media_object(render_input: RenderInput, file: FootageFile, kind: str) -> dict[str, object]:
    measured = file.measured
    spoken = file.language or (render_input.release.language if file.role == "captions" else "")
    return _stated(
        **{"@type": kind},
        contentUrl=f"{render_input.base_url}releases/{_href(render_input, file)}",
        encodingFormat=_type(file),
        contentSize=f"{file.size} B" if file.size else "",
        sha256=file.sha256,
        inLanguage=spoken,
        duration=_iso_duration(measured.duration) if measured and measured.duration else "",
        width=measured.width if measured else 0,
        height=measured.height if measured else 0,
    )


def _iso_duration(seconds: float) -> str:
    """Return a duration in ISO 8601: ``PT2M10S``."""
    minutes, rest = divmod(max(1, round(seconds)), 60)
    hours = f"{minutes // 60}H" if minutes >= 60 else ""
    return f"PT{hours}{minutes % 60}M{rest}S"


def _stated(**facts: object) -> dict[str, object]:
    return {name: value for name, value in facts.items() if value}
