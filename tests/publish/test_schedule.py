"""What waits, set ahead as it will be public: the bytes that a run after the instant would make."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from pipeline.build import stages
from pipeline.model.manifest import Manifest, newest_first
from pipeline.publish import schedule as due
from pipeline.publish.candidates import classify
from tests.support.formats import NAMES, SUFFIXES
from tests.support.in_process import NOW, Sandbox, elsewhere

SOON, LATER = NOW + timedelta(hours=1), NOW + timedelta(hours=2)


def at(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds")


def set_ahead(sandbox: Sandbox) -> None:
    """Set what waits as make does: as it waits, then as it will be."""
    sandbox.run(NAMES)
    for name in NAMES:
        for then, group in due.contexts_by_instant(sandbox.state, sandbox.render_context, sandbox.state.slugs()):
            list(stages.render(name, sandbox.state.final(), then, group))


def tree(folder: Path, slug: str) -> dict[str, bytes]:
    found = (path for path in folder.rglob(f"{slug}*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """A newsroom with the real writers, for its bytes are what is looked at."""
    return Sandbox(tmp_path)


@pytest.fixture
def two(sandbox: Sandbox) -> Sandbox:
    """One that is public, and two that wait, one of them for journalists to have before."""
    sandbox.write("first", date=at(NOW - timedelta(hours=1)))
    sandbox.write("soon", date=at(SOON), embargo="true", body="See [the first](first.md).")
    sandbox.write("later", date=at(LATER), language="en-GB")
    sandbox.run(NAMES)
    rows = tuple(found.row for found in classify(sandbox.state, sandbox.render_context, ["first"], NOW).candidates)
    sandbox.published = Manifest(1, newest_first(rows))
    set_ahead(sandbox)
    return sandbox


@pytest.mark.parametrize(("slug", "instant"), [("soon", SOON), ("later", LATER)])
def test_what_is_set_ahead_is_what_a_run_at_the_instant_makes(
    two: Sandbox, tmp_path: Path, slug: str, instant: datetime
) -> None:
    other = elsewhere(two, tmp_path / "elsewhere")
    other.now = instant
    other.run(NAMES)
    ahead, made = tree(two.state.final().public, slug), tree(other.state.public, slug)
    assert len(ahead) == len(SUFFIXES)
    assert ahead == made
    ahead_of_time = due.classify_scheduled(two.state, two.render_context, [slug])
    (later,) = classify(other.state, other.render_context, [slug], instant).candidates
    (candidate,) = ahead_of_time.candidates
    assert (candidate.row, candidate.row.date, ahead_of_time.failed) == (later.row, instant, ())
    assert candidate.neighbours == (("soon",) if slug == "later" else ("first",))


def test_what_is_set_ahead_leaves_alone_what_waits_and_what_is_public(two: Sandbox) -> None:
    assert b"EMBARGOED UNTIL" in tree(two.state.waiting / "releases", "soon")["soon.txt"]
    ahead = tree(two.state.final().public, "soon")
    assert b"EMBARGOED" not in ahead["releases/soon.txt"]
    assert b"FOR IMMEDIATE RELEASE" in ahead["releases/soon.txt"]
    assert b"soon" not in tree(two.state.public, "first")["releases/first.html"]
    assert b"later.html" not in ahead["releases/soon.html"], "at its instant, the later one is not public"
    assert b"soon.html" in tree(two.state.final().public, "later")["releases/later.html"]
    assert not tree(two.state.public, "soon")
    assert not tree(two.state.final().public, "first")


def test_nothing_is_set_twice(two: Sandbox) -> None:
    (group,) = [group for then, group in due.contexts_by_instant(two.state, two.render_context, ["soon"])]
    (then,) = [then for then, _ in due.contexts_by_instant(two.state, two.render_context, ["soon"])]
    for name in NAMES:
        steps = list(stages.render(name, two.state.final(), then, group))
        assert [step.verb for step in steps] == ["unchanged"], name


def test_a_changed_neighbour_or_date_makes_it_undone(two: Sandbox) -> None:
    found = due.classify_scheduled(two.state, two.render_context, two.state.slugs())
    assert (sorted(each.row.slug for each in found.candidates), found.failed) == (["later", "soon"], ())
    two.write("between", date=at(NOW - timedelta(minutes=1)))
    two.run(NAMES)
    found = due.classify_scheduled(two.state, two.render_context, two.state.slugs())
    assert found.failed == ("soon",), "its page names the one before"


def test_drafts_and_what_is_public_are_due_at_no_instant(sandbox: Sandbox) -> None:
    sandbox.write("sketch", draft="true", date=at(SOON))
    sandbox.write("old")
    sandbox.write("edge", date=at(NOW))
    sandbox.write("ahead", date=at(NOW + timedelta(milliseconds=1)))
    zoned = (NOW + timedelta(days=1)).astimezone(UTC)
    sandbox.write("zoned", date=zoned.isoformat(timespec="seconds"))
    sandbox.read()
    found = due.by_instant(sandbox.state, sandbox.state.slugs(), NOW)
    assert list(found.values())[-1] == ["zoned"]
    assert "sketch" not in str(found)
    assert "edge" not in str(found)
    assert msgspec.json.encode(list(found)) == msgspec.json.encode(sorted(found))
