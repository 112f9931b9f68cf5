"""Translations that are out of date: they lack a correction, or the withdrawal, of their original."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pipeline.build.reading import listed_around, translations_of_changed
from pipeline.build.state import BuildState
from pipeline.model.errors import Fault
from pipeline.model.manifest import PublicReleases
from pipeline.model.newsroom import Newsroom


def outdated_translations(
    state: BuildState, newsroom: Newsroom, published: PublicReleases, now: datetime
) -> Iterator[Fault]:
    """Yield a warning for each translation in content/ that is older than the newest change of its original.

    It is out of date when the newest correction of the original, or its withdrawal, is later than the translation's own
    newest correction or, without one, its date. Both must be public: nothing is said of an unpublished release. The
    manifest serves as well as the source, so that it does not matter on which machine the original was read.
    """
    from pipeline.typography.messages import Messages

    if "outdated-translation" in newsroom.warnings_off:
        return
    index = listed_around(state, published, translations_of_changed(state, published), now)
    messages = Messages("en-GB", newsroom.time_zone)  # for the press officer, not for readers
    for slug, entry in sorted(index.items()):
        original = index.get(entry.translation_of)
        if original is None or entry.gone or not entry.is_public(now) or original.is_hidden(now):
            continue
        changed = original.modified if original.corrected or original.withdrawn else None
        if changed is None or entry.modified is None or changed <= entry.modified:
            continue
        exact = "auto" if changed.second or changed.microsecond else "minutes"
        dated = f"dated {messages.local(changed).isoformat(timespec=exact)} or later"
        if original.withdrawn:
            what, hint = (
                "withdrawn",
                f"withdraw it too, or add an entry to corrections, {dated}, that says why it stays",
            )
        else:
            what, hint = "corrected", f"translate the correction and add it to corrections, {dated}"
        name = original.slug if original.gone else str(state.source(original.slug))
        message = f"out of date: its original {name} was {what} on {messages.date(changed)}"
        yield Fault(str(state.source(slug)), 0, message, hint, "outdated-translation").as_warning()
