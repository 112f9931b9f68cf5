"""``make publish`` as a whole: fetch, publish, and with WAIT stay until what is due in time was lifted."""

from __future__ import annotations

import re
import time
from argparse import Namespace
from datetime import UTC, datetime, timedelta

from pipeline.build import fingerprint
from pipeline.build.context import CommandContext, ExitStatus, exit_status
from pipeline.cli.console import Console, count
from pipeline.cli.rendering import REFUSED, read_and_tell, steps
from pipeline.cli.staging import remembered, stage_all
from pipeline.model.errors import ConflictError, DatelineError, SettingError, StorageError
from pipeline.model.formats import FORMATS
from pipeline.publish import fetch as fetching
from pipeline.publish.commits import look
from pipeline.publish.release_at_instant import PreparedRelease, await_instant, lift, prepare, release_overdue
from pipeline.publish.staging import Releases, Staged, StagedSnapshot
from pipeline.publish.up_to_date import UP_TO_DATE
from pipeline.publish.upload import publish_all
from pipeline.storage.embedded import server as embedded

LONGEST = timedelta(days=7)
AHEAD = timedelta(seconds=20)
"""How long before an instant a lift is prepared: as late as is safe, for what others publish meanwhile counts."""
NAP = timedelta(seconds=5)
"""How often it is looked for an earlier instant, and for a storage that did not answer."""
PAUSE = timedelta(minutes=2)
"""Between two instants that are closer than this there is no time for an ordinary round."""
_WAIT = re.compile(r"(?=\d)(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", re.ASCII)


def patience(text: str) -> timedelta:
    """Return how long WAIT says to stay. Raises SettingError."""
    found = _WAIT.fullmatch(text.strip()) if text.strip() else None
    if text.strip() and not found:
        raise SettingError(f"WAIT: {text!r} is not a length of time", "write WAIT=30m, 45s, 2h or 1h30m")
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    wait = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if wait > LONGEST:
        raise SettingError(f"WAIT: {text!r} is more than {LONGEST.days} days", "run make publish again later")
    return wait


def fetch(context: CommandContext, options: Namespace, console: Console) -> None:
    """Learn what is public, read what is new, lift what is overdue, and note the releases that need not be touched."""
    patience(options.wait)
    digests = fetching.learn(context, console)
    if not options.dry_run:
        for conflict in release_overdue(context, console):
            console.fault(f"{conflict}\n  hint: {conflict.hint}")
    fetching.note_up_to_date(context, digests)


class Outcome:
    """The worst of what a run met."""

    def __init__(self, console: Console) -> None:
        self.exit_status: ExitStatus | None = None
        self._console = console

    def add(self, found: ExitStatus | None) -> None:
        """Count a verdict in."""
        if found and (self.exit_status is None or found.status > self.exit_status.status):
            self.exit_status = found

    def tell(self, error: DatelineError) -> None:
        """Tell an error that does not end the run, and count it in."""
        self._console.fault(f"{error}" + (f"\n  hint: {error.hint}" if error.hint else ""))
        self.add(exit_status(type(error)))


def publish(context: CommandContext, options: Namespace, console: Console) -> ExitStatus | None:
    """Publish what is ready, stage what waits, and stay for what becomes due within WAIT."""
    wait = patience(options.wait)
    outcome = Outcome(console)
    try:
        outcome.add(publish_all(context, options, console))
    except DatelineError as error:
        # What waits is at no fault of it; but without WAIT there is nothing that storage could be asked for again.
        if options.dry_run or not (wait or isinstance(error, ConflictError)):
            raise
        outcome.tell(error)
        outcome.add(stage_all(context, console))
    if wait and not options.dry_run:
        Watch(context, options, console, outcome).keep(context.now + wait)
    return outcome.exit_status


def _instant(waiting: Releases) -> datetime:
    """Return the instant that these have in common."""
    return next(iter(waiting.values())).instant


class Watch:
    """Stays, and lifts each instant in its turn."""

    def __init__(self, context: CommandContext, options: Namespace, console: Console, outcome: Outcome) -> None:
        self.context, self.options, self.console, self.outcome = context, options, console, outcome
        self._tried: set[str] = set()
        self._overruled: set[str] = set()

    def keep(self, until: datetime) -> None:
        """Stay while any instant lies before ``until``."""
        waiting = self._next(until)
        if waiting:
            number = len({slug for slug, staged in self._ours().items() if staged.instant <= until})
            self.console.line(f"{count(number, 'release')} due before {until:%H:%M:%S} UTC: staying until then")
        lifted, said = False, True
        while waiting:
            waiting = self._sleep(waiting, until)
            self._tried |= waiting.keys()
            said = False
            try:
                lifted = bool(self._lift(waiting)) or lifted
            except DatelineError as error:
                self.outcome.tell(error)
                lifted = True  # what was begun is finished in the ordinary way
            waiting = self._next(until)
            soon = waiting and min(staged.instant for staged in waiting.values()) < datetime.now(UTC) + PAUSE
            if lifted and not soon:
                said = self._round()
                lifted = False
                waiting = self._next(until)
        if not said:
            self.console.heading(f"{self.context.destination.base_url}index.html")

    def _ours(self) -> dict[str, Staged]:
        """Return what is staged as this machine's sources say, and was not tried yet."""
        found: dict[str, Staged] = {}
        for slug, staged in (remembered(self.context) or {}).items():
            parsed_release = self.context.state.parsed_release(slug) if slug in self.context.state.slugs() else None
            stated = (
                parsed_release
                and not parsed_release.release.draft
                and (parsed_release.release.date, parsed_release.source)
            )
            if slug not in self._tried and stated == (staged.instant, staged.row.source):
                found[slug] = staged
        return found

    def _next(self, until: datetime) -> dict[str, Staged]:
        """Return what is due next, all of one instant; empty when nothing is before ``until``."""
        ours = {slug: staged for slug, staged in self._ours().items() if staged.instant <= until}
        first = min((staged.instant for staged in ours.values()), default=None)
        return {slug: staged for slug, staged in ours.items() if staged.instant == first}

    def _sleep(self, waiting: dict[str, Staged], until: datetime) -> dict[str, Staged]:
        """Stay until the next lift is to be prepared, and return it: another run here may move a date forward."""
        while (left := _instant(waiting) - AHEAD - datetime.now(UTC)) > timedelta(0):
            time.sleep(min(left, NAP).total_seconds())
            now = self._next(until)
            if now and _instant(now) < _instant(waiting):
                waiting = now
        return waiting

    def _prepare(self, waiting: dict[str, Staged]) -> PreparedRelease:
        """Do what can be done ahead, once more where storage did not answer and there is time yet."""
        while True:
            try:
                if self.context.destination.embedded:
                    embedded.start(self.context.root)
                await_instant(self.context, _instant(waiting) - AHEAD)
                return prepare(self.context, waiting)
            except StorageError as error:
                if datetime.now(UTC) + NAP > _instant(waiting):
                    raise
                self.console.fault(f"{error}: asked again in {NAP.seconds} seconds")
                time.sleep(NAP.total_seconds())

    def _lift(self, waiting: dict[str, Staged]) -> frozenset[str]:
        """Lift what is due at one instant, as far as nobody thought better of it; return what is public now."""
        instant = _instant(waiting)
        ready = self._prepare(waiting)
        found = await_instant(self.context, instant)
        agreed = self._agreed(waiting, found)
        there = frozenset(waiting) - agreed.keys() - self._overruled
        if agreed != ready.releases:
            ready = prepare(self.context, agreed)
        if not ready.releases:
            return there
        done = lift(self.context, ready, self.console)
        for conflict in done.conflicts:
            self.outcome.tell(conflict)
        return there | done.there

    def _agreed(self, waiting: Releases, found: StagedSnapshot) -> dict[str, Staged]:
        """Return what of ``waiting`` is still wanted, as it is staged now: others may have moved or cancelled it."""
        agreed: dict[str, Staged] = {}
        rows = {} if waiting.keys() <= found.releases.keys() else look(self.context.store).manifest.by_slug()
        for slug, staged in waiting.items():
            now = found.releases.get(slug)
            if now is None and slug in rows and rows[slug].record == staged.row.record:
                continue  # another run with the same sources was first
            if fingerprint.of_source(self.context.state, slug) != staged.row.source:
                self.console.fault(
                    f"{self.context.state.opaque(slug)} was edited since it was staged: not lifted as it was"
                )
                continue
            if now is None or now.instant != staged.instant or now.row.source != staged.row.source:
                self._overruled.add(slug)
            if now is not None and now.instant <= staged.instant:
                agreed[slug] = now
        return agreed

    def _round(self) -> bool:
        """Bring what stands beside the new releases in line, and finish what was left: fetch, render, publish.

        Return whether it came to the end, and so has told the address.
        """
        if self._overruled:
            # This run's sources are not the newest: what they say of the others is for the run that changed it.
            number = count(len(self._overruled), "release")
            self.console.line(f"{number} changed by another run meanwhile: the rest is left to it")
            return False
        self.context = CommandContext(
            self.options.content, self.options.output, self.context.environ, self.context.root
        )
        try:
            fetching.note_up_to_date(self.context, fetching.learn(self.context, self.console, again=True))
            self._render()
            self.outcome.add(publish_all(self.context, self.options, self.console))
        except DatelineError as error:
            self.outcome.tell(error)
            return False
        return True

    def _render(self) -> None:
        context = self.context
        up_to_date_slugs = set((context.state.work / UP_TO_DATE).read_text("utf-8").split())
        todo = [slug for slug in context.state.slugs() if slug not in up_to_date_slugs]
        # On a fresh clone what stands beside the new releases was not read yet: it was public, and whole.
        changed_sources = [slug for slug in todo if context.state.parsed_release(slug) is None]
        read_and_tell(context, changed_sources, self.console, context.state.recall(REFUSED, dict[str, str], {}))
        ordinary = context.state
        for state in (ordinary, ordinary.due()):
            context.state = state
            for row in FORMATS:
                for step in steps(context, row.name, context.render_context(shared=row.name == "html"), todo):
                    if step.fault:
                        self.console.fault(str(step.fault))
        context.state = ordinary
