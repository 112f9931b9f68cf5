"""What need not be touched: a release whose fingerprint is public is neither read, rendered nor uploaded again."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from pipeline.build.context import CommandContext
from pipeline.model.formats import FORMATS
from pipeline.model.manifest import EMPTY, Manifest
from pipeline.publish import up_to_date
from pipeline.publish.candidates import Classified, classify
from tests.support import reading as texts
from tests.support.formats import NAMES
from tests.support.in_process import (
    AHEAD,
    ProbeContext,
    change_address,
    change_mark,
    change_newsroom,
    change_source,
    elsewhere,
    publish,
    sorted_now,
    up_to_date_slugs,
)
from tests.support.newsroom import NEWSROOM

ADDRESS = "http://127.0.0.1:9/press/"


def changed_sources(probe_context: ProbeContext) -> list[str]:
    return up_to_date.changed_sources(
        probe_context.state, probe_context.published, up_to_date.source_digests(probe_context.state)
    )


# ── Ready, held, broken ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_release_is_ready_when_every_rendition_is_at_hand(probe_context: ProbeContext) -> None:
    probe_context.write(topics="[archive]")
    probe_context.run(NAMES)
    (ready,) = sorted_now(probe_context).candidates
    assert [file.key for file in ready.files] == [row.key("probe") for row in FORMATS]
    assert ready.row.sizes == {row.name: file.size for row, file in zip(FORMATS, ready.files, strict=True)}
    assert ready.row.record == ready.files[-1].sha256
    assert (ready.row.title, ready.row.topics, ready.row.revision, ready.row.withdrawn) == (
        "Probe",
        ("archive",),
        1,
        False,
    )
    for file in ready.files:
        assert isinstance(file.source, Path)
        assert file.source.stat().st_size == file.size


def test_pictures_go_up_with_their_release(probe_context: ProbeContext) -> None:
    (probe_context.content / "probe").mkdir()
    (probe_context.content / "probe" / "tape.png").write_bytes(texts.picture())
    probe_context.write(body="![A tape](probe/tape.png)")
    probe_context.run(NAMES)
    (ready,) = sorted_now(probe_context).candidates
    assert ready.files[-1].key == "releases/probe/tape.png"


@pytest.mark.parametrize("name", NAMES)
def test_a_release_that_lacks_a_rendition_is_broken_not_half_published(probe_context: ProbeContext, name: str) -> None:
    probe_context.write()
    probe_context.run(NAMES)
    file = probe_context.state.rendered(name)["probe"]
    probe_context.state.forget_rendered(name, "probe")
    assert sorted_now(probe_context).failed == ("probe",)
    probe_context.state.note_rendered(name, "probe", file)
    assert sorted_now(probe_context).failed == ()


def test_a_release_that_was_read_and_not_rendered_since_is_broken(probe_context: ProbeContext) -> None:
    probe_context.write()
    probe_context.run(NAMES)
    change_source(probe_context)
    probe_context.read()
    assert sorted_now(probe_context).failed == ("probe",)


def test_a_refused_release_is_broken_and_the_others_are_ready(probe_context: ProbeContext) -> None:
    probe_context.write(colour="blue")
    probe_context.write("whole")
    probe_context.run(NAMES)
    found = sorted_now(probe_context)
    assert (found.failed, [ready.row.slug for ready in found.candidates]) == (("probe",), ["whole"])


@pytest.mark.parametrize("keys", [{"date": AHEAD}, {"draft": "true"}])
def test_what_waits_is_held(probe_context: ProbeContext, keys: dict[str, str]) -> None:
    probe_context.write(**keys)
    probe_context.run(NAMES)
    assert sorted_now(probe_context) == Classified((), ("probe",), ())


def test_by_the_storages_clock_it_is_held_though_ours_says_it_is_time(probe_context: ProbeContext) -> None:
    probe_context.write()
    probe_context.run(NAMES)
    early = probe_context.now - timedelta(milliseconds=1)
    assert classify(probe_context.state, probe_context.render_context, ["probe"], early).scheduled == ("probe",)


def test_what_was_rendered_while_it_waited_is_not_published_as_it_is(probe_context: ProbeContext) -> None:
    """It may say that it is under embargo, and it lies in the other tree."""
    probe_context.write(date=AHEAD, embargo="true")
    probe_context.run(NAMES)
    probe_context.now += timedelta(seconds=1)
    assert sorted_now(probe_context).candidates == ()
    probe_context.run(NAMES)
    assert [ready.row.slug for ready in sorted_now(probe_context).candidates] == ["probe"]


# ── Settled ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_public_as_it_would_be_made_is_settled(probe_context: ProbeContext) -> None:
    probe_context.write()
    probe_context.write("draft", draft="true")
    publish(probe_context)
    assert up_to_date_slugs(probe_context) == {"probe"}
    assert changed_sources(probe_context) == []


def test_a_fresh_clone_reads_and_renders_nothing_that_is_public(probe_context: ProbeContext, tmp_path: Path) -> None:
    probe_context.write()
    publish(probe_context)
    other = elsewhere(probe_context, tmp_path / "clone")
    assert up_to_date_slugs(other) == {"probe"}
    assert changed_sources(other) == []
    other.write("new")
    assert up_to_date_slugs(other) == {"probe"}
    assert changed_sources(other) == ["new"]


@pytest.mark.parametrize("change", [change_source, change_newsroom, change_mark, change_address])
def test_whatever_changes_a_rendition_unsettles_it(probe_context: ProbeContext, change: object) -> None:
    probe_context.write()
    publish(probe_context)
    assert callable(change)
    change(probe_context)
    assert up_to_date_slugs(probe_context) == set()
    publish(probe_context)
    assert up_to_date_slugs(probe_context) == {"probe"}


def test_a_new_translation_unsettles_the_pages_that_must_name_it(probe_context: ProbeContext) -> None:
    probe_context.write()
    probe_context.write("alone")
    publish(probe_context)
    probe_context.write("probe-ar", language="ar", translation_of="probe")
    probe_context.read()
    assert up_to_date_slugs(probe_context) == {"alone"}
    publish(probe_context)
    assert up_to_date_slugs(probe_context) == {"alone", "probe", "probe-ar"}


def test_a_withdrawn_translation_unsettles_the_pages_that_named_it_and_all_come_to_rest(
    probe_context: ProbeContext,
) -> None:
    probe_context.write()
    probe_context.write("probe-ar", date="2026-05-01T09:00Z", language="ar", translation_of="probe")
    publish(probe_context)
    probe_context.write(
        "probe-ar",
        date="2026-05-01T09:00Z",
        language="ar",
        translation_of="probe",
        withdrawn="{date: 2026-06-01T12:00Z, reason: No}",
    )
    probe_context.read()
    assert up_to_date_slugs(probe_context) == set()
    for name in NAMES:  # as make does: it knows of the changed one only
        probe_context.render([name], ["probe-ar"])
    assert sorted_now(probe_context).failed == ()
    publish(probe_context)
    assert up_to_date_slugs(probe_context) == {"probe", "probe-ar"}


def test_a_notice_names_what_replaces_it_by_its_title_while_that_is_public(
    probe_context: ProbeContext, tmp_path: Path
) -> None:
    def notice() -> str:
        return (probe_context.state.public / "releases" / "old.html").read_text("utf-8")

    probe_context.write("old", withdrawn="{date: 2026-06-01T12:00Z, reason: No, replaced_by: probe-ar}")
    probe_context.write("probe-ar", date="2026-05-01T09:00Z", language="ar", title="Before")
    publish(probe_context)
    assert "instead=Before" in notice()
    assert probe_context.published.by_slug()["old"].replaced_by == "probe-ar"
    assert (
        up_to_date_slugs(probe_context)
        == up_to_date_slugs(elsewhere(probe_context, tmp_path / "clone"))
        == {"old", "probe-ar"}
    )
    probe_context.write("probe-ar", date="2026-05-01T09:00Z", language="ar", title="After")
    probe_context.read()
    assert up_to_date_slugs(probe_context) == set()
    for name in NAMES:  # as make does: it knows of the changed one only
        probe_context.render([name], ["probe-ar"])
    assert "instead=After" in notice()
    assert sorted_now(probe_context).failed == ()
    publish(probe_context)
    assert (
        up_to_date_slugs(probe_context)
        == up_to_date_slugs(elsewhere(probe_context, tmp_path / "later"))
        == {"old", "probe-ar"}
    )
    probe_context.write(
        "probe-ar",
        date="2026-05-01T09:00Z",
        language="ar",
        title="After",
        withdrawn="{date: 2026-06-01T12:00Z, reason: No}",
    )
    publish(probe_context)
    assert "instead=probe-ar" in notice()
    assert up_to_date_slugs(probe_context) == {"old", "probe-ar"}


def test_files_on_their_way_are_never_settled(probe_context: ProbeContext) -> None:
    """A run was killed while it replaced them: what lies there now may be either."""
    probe_context.write()
    (row,) = publish(probe_context)
    half = msgspec.structs.replace(row, replacing={"releases/probe.pdf": "a" * 64})
    probe_context.published = Manifest(2, (half,))
    assert up_to_date_slugs(probe_context) == set()


def test_what_is_public_and_no_longer_here_is_not_settled_and_not_lost(probe_context: ProbeContext) -> None:
    probe_context.write()
    publish(probe_context)
    (probe_context.content / "probe.md").unlink()
    assert up_to_date_slugs(probe_context) == set()
    assert probe_context.published.by_slug()["probe"]


def test_a_source_is_read_once_here_and_not_at_all_when_storage_knows_it(probe_context: ProbeContext) -> None:
    probe_context.write()
    assert changed_sources(probe_context) == ["probe"]
    probe_context.read()
    assert changed_sources(probe_context) == []
    change_source(probe_context)
    assert changed_sources(probe_context) == ["probe"]


def test_the_manifest_is_remembered_with_its_address(tmp_path: Path) -> None:
    """Another storage knows nothing of it: nothing may seem settled there."""
    (tmp_path / "content").mkdir()
    (tmp_path / "content/newsroom.toml").write_text(NEWSROOM)

    def context(bucket: str) -> CommandContext:
        return CommandContext(tmp_path / "content", tmp_path / "output", {"PRESS_BUCKET": bucket}, tmp_path)

    manifest = Manifest(serial=3, assets=("assets/page.1.css",))
    assert context("press").published == EMPTY
    context("press").remember_published(manifest)
    assert context("press").published == manifest
    assert context("elsewhere").published == EMPTY


def test_a_manuscript_that_was_never_judged_is_read_again(probe_context: ProbeContext) -> None:
    """A run killed between reading and judging must not let a release through that names one that waits."""
    probe_context.write()
    probe_context.read()
    assert changed_sources(probe_context) == []
    os.utime(probe_context.state.work / "read" / "probe.json", (0, 0))
    assert changed_sources(probe_context) == ["probe"]
