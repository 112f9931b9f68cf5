"""Footage as it is printed: the facts of each file, the shot list and the transcript, in the language of a release."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from posixpath import splitext

from msgspec import Struct

from pipeline.model.document import Alignment, Block, Cell, Heading, LineBreak, Paragraph, Table, Text
from pipeline.model.footage import AudioTrack, Footage, FootageFile, Measured, Shot
from pipeline.typography.messages import Messages, paragraphs

_KINDS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WebP", ".gif": "GIF", ".vtt": "WebVTT"}
"""What a file is of which no container was measured."""


NO_BREAK = "\u00a0"
"""Stands between the words of a date or a fact, which are not parted at the end of a line; not in plain text."""
_ALIGNMENTS: tuple[Alignment, ...] = ("", "", "")


class ShotEntry(Struct, frozen=True):
    """An entry of a shot list."""

    at: str
    """Time code."""
    text: str
    where: str
    """``Seoul, 12 September 1998``; empty if the author says neither."""
    sound: str = ""
    """``Sound bite``, if somebody speaks."""
    said: str = ""
    """``(French) Pierre Sané, Secretary General: “…”``."""

    @property
    def bite(self) -> str:
        """The sound bite in one line."""
        return " ".join(filter(None, (self.sound, self.said)))


class Film(Struct, frozen=True):
    """Shot list and transcript of a footage notice; either may be missing."""

    heading: str
    """Of the shot list."""
    columns: tuple[str, str, str]
    """What a table of it says above time codes, shots, and where and when they were filmed."""
    restrictions: str
    """``Restrictions: …`` or empty; for a text alone, which has them above the shots."""
    shots: tuple[ShotEntry, ...]
    transcript_heading: str
    transcript: tuple[str, ...]
    """Paragraphs."""

    @property
    def groups(self) -> list[tuple[str, list[tuple[int, ShotEntry]]]]:
        """The shots with their numbers, those that follow each other at one place and day together."""
        numbered = enumerate(self.shots, 1)
        return [(where, list(shots)) for where, shots in groupby(numbered, lambda each: each[1].where)]

    @property
    def shot_list(self) -> tuple[Block, ...]:
        """The shot list as a heading and a table; nothing without shots."""
        if not self.shots:
            return ()
        width = 3 if any(shot.where for shot in self.shots) else 2
        head, *rows = (tuple(row[:width]) for row in ([*map(_cell, self.columns)], *map(_row, self.shots)))
        return Heading(2, (Text(self.heading),)), Table(head, tuple(rows), _ALIGNMENTS[:width])

    @property
    def spoken(self) -> tuple[Block, ...]:
        """The transcript as a heading and paragraphs; nothing without one."""
        if not self.transcript:
            return ()
        return Heading(2, (Text(self.transcript_heading),)), *(Paragraph((Text(each),)) for each in self.transcript)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All of it."""
        return *self.shot_list, *self.spoken


def _row(shot: ShotEntry) -> list[Cell]:
    bite = (LineBreak(), Text(shot.bite)) if shot.bite else ()
    return [_cell(shot.at), Cell((Text(shot.text), *bite)), _cell(shot.where)]


def _cell(text: str) -> Cell:
    return Cell((Text(text),) if text else ())


def films(footage: Iterable[Footage], messages: Messages) -> tuple[Film, ...]:
    """Return the film of each notice that has a shot list or a transcript; several get a number."""
    found = [notice for notice in footage if notice.shots or notice.transcript.strip()]
    numbers = [f" {messages.number(number)}" if len(found) > 1 else "" for number in range(1, len(found) + 1)]
    return tuple(
        Film(
            heading=messages["shots"] + number,
            columns=(messages["time_code"], messages["shot"], messages["filmed"]),
            restrictions=f"{messages['restrictions']}: {notice.restrictions}" if notice.restrictions else "",
            shots=tuple(_entry(shot, messages) for shot in notice.shots),
            transcript_heading=messages["transcript"] + number,
            transcript=paragraphs(notice.transcript),
        )
        for number, notice in zip(numbers, found, strict=True)
    )


def _entry(shot: Shot, messages: Messages) -> ShotEntry:
    day = messages.day_or_part(shot.date).replace(" ", NO_BREAK) if shot.date else ""
    where = messages.fill("dateline", place=shot.place, date=day) if shot.place and day else shot.place or day
    who = messages.series((shot.speaker, shot.role))
    quote = messages.fill("quote", quote=shot.quote) if shot.quote else ""
    language = f"({messages.translated_language(shot.language)})" if shot.language else ""
    said = " ".join(filter(None, (language, ": ".join(filter(None, (who, quote))))))
    return ShotEntry(shot.at, shot.text, where, messages["sound_bite"] if said else "", said)


def file_label(file: FootageFile, messages: Messages) -> str:
    """Return what a file is for: ``Master``, or ``Master (French)``."""
    role = messages["still" if file.role == "poster" else file.role]
    return f"{role} ({messages.translated_language(file.language)})" if file.language else role


def file_facts(file: FootageFile, messages: Messages, condition: str = "") -> str:
    """Return what is known of a file, with ``condition`` last: ``MP4, H.264, 1280 × 720, 25 fps, 2:10, 32 MB``."""
    measured = _measured_facts(file.measured, messages) if file.measured else ()
    facts = (fact.replace(" ", NO_BREAK) for fact in (_kind(file), *measured, _size(file, messages)))
    return messages.series((*facts, condition))


def short_facts(file: FootageFile, messages: Messages) -> str:
    """Return kind and size of a file alone: ``MP4, 32 MB``."""
    return messages.series((_kind(file), _size(file, messages)))


def _kind(file: FootageFile) -> str:
    suffix = splitext(file.file)[1].lower()
    return (file.measured and file.measured.container) or _KINDS.get(suffix, suffix.lstrip(".").upper())


def _size(file: FootageFile, messages: Messages) -> str:
    return messages.size(file.size) if file.size else ""


def _measured_facts(measured: Measured, messages: Messages) -> Iterator[str]:
    yield measured.codec
    if measured.width and measured.height:
        yield f"{measured.width} × {measured.height}"
    if measured.frame_rate:
        rate = messages.fill("frames", rate=messages.number(float(measured.frame_rate)))
        yield rate
        yield from [messages[measured.scan]] if measured.scan else []
    for (codec, channels, language), count in Counter(map(_sound, measured.audio)).items():
        track = f"{codec} {channels} ch" + (f" ({messages.translated_language(language)})" if language else "")
        yield f"{count} × {track}" if count > 1 else track
    if measured.duration:
        yield running_time(measured.duration)


def _sound(track: AudioTrack) -> tuple[str, int, str]:
    return track.codec, track.channels, track.language


def running_time(seconds: float) -> str:
    """Return a duration as players show it: ``2:10``, ``1:02:10``."""
    minutes, rest = divmod(max(1, round(seconds)), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"
