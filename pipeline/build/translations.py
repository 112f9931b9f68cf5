"""Translations that lag: what their original corrected, or took back, they say still."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pipeline.build.reading import all_listed
from pipeline.build.state import BuildState
from pipeline.model.errors import Fault
from pipeline.model.manifest import Manifest
from pipeline.model.newsroom import Newsroom
from pipeline.model.release_index import IndexEntry
from pipeline.typography.messages import Messages


def outdated_translations(state: BuildState, newsroom: Newsroom, published: Manifest, now: datetime) -> Iterator[Fault]:
    """Yield a warning for each translation whose source is here and which is behind its original.

    It is behind when the newest correction of the original, or its withdrawal, is later than the translation's own
    newest correction or, without one, its date; with a correction of the same instant it has caught up. Both must be
    public: of what waits nothing is told, and readers have neither. The manifest tells as much as the sources do, so
    that it does not matter on which machine they were read.
    """
    messages = Messages("en-GB", newsroom.time_zone)  # as a person at the desk reads it
    listed = all_listed(state, published)
    for slug, found in sorted(listed.items()):
        original = listed.get(found.translation_of)
        if original and not found.gone and found.is_public(now) and not original.is_hidden(now):
            changed = _changed(original)
            if changed and found.modified and changed > found.modified:
                name = original.slug if original.gone else str(state.source(original.slug))
                yield _warning(str(state.source(slug)), name, original.withdrawn, changed, messages)


def _changed(original: IndexEntry) -> datetime | None:
    return original.modified if original.corrected or original.withdrawn else None


def _warning(source: str, original: str, withdrawn: bool, changed: datetime, messages: Messages) -> Fault:
    exact = "auto" if changed.second or changed.microsecond else "minutes"
    dated = f"dated {messages.local(changed).isoformat(timespec=exact)} or later"
    if withdrawn:
        what, hint = "withdrawn", f"withdraw it too, or add to corrections, {dated}, why it stands"
    else:
        what, hint = "corrected", f"translate the correction and add it to corrections, {dated}"
    return Fault(
        source, 0, f"behind its original: {original} was {what} on {messages.date(changed)}", hint
    ).as_warning()
