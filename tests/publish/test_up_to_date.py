"""What need not be touched: a release whose fingerprint is public is neither read, rendered nor uploaded again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from pipeline.build import stored_index
from pipeline.build.context import CommandContext
from pipeline.model.manifest import EMPTY, Manifest
from pipeline.publish import up_to_date
from pipeline.publish.candidates import Classified, classify
from tests.support import reading as texts
from tests.support.formats import NAMES, ROWS
from tests.support.in_process import (
    AHEAD,
    Sandbox,
    change_address,
    change_mark,
    change_newsroom,
    change_source,
    changed_sources,
    elsewhere,
    fetched,
    publish,
    sorted_now,
    up_to_date_slugs,
)
from tests.support.newsroom import NEWSROOM

ADDRESS = "http://127.0.0.1:9/press/"


# ── Classified ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_release_is_ready_when_every_rendition_is_at_hand(sandbox: Sandbox) -> None:
    sandbox.write(topics="[archive]")
    sandbox.run(NAMES)
    (ready,) = sorted_now(sandbox).candidates
    assert [file.key for file in ready.files] == [row.key("probe") for row in ROWS]
    assert ready.row.sizes == {row.name: file.size for row, file in zip(ROWS, ready.files, strict=True)}
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


def test_pictures_go_up_with_their_release(sandbox: Sandbox) -> None:
    (sandbox.content / "probe").mkdir()
    (sandbox.content / "probe" / "tape.png").write_bytes(texts.picture())
    sandbox.write(body="![A tape](probe/tape.png)")
    sandbox.run(NAMES)
    (ready,) = sorted_now(sandbox).candidates
    assert ready.files[-1].key == "releases/probe/tape.png"


@pytest.mark.parametrize("name", NAMES)
def test_a_release_that_lacks_a_rendition_is_broken_not_half_published(sandbox: Sandbox, name: str) -> None:
    sandbox.write()
    sandbox.run(NAMES)
    file = sandbox.state.rendered(name)["probe"]
    sandbox.state.forget_rendered(name, "probe")
    assert sorted_now(sandbox).failed == ("probe",)
    sandbox.state.note_rendered(name, "probe", file)
    assert sorted_now(sandbox).failed == ()


def test_a_release_that_was_read_and_not_rendered_since_is_broken(sandbox: Sandbox) -> None:
    sandbox.write()
    sandbox.run(NAMES)
    change_source(sandbox)
    sandbox.read()
    assert sorted_now(sandbox).failed == ("probe",)


def test_a_refused_release_has_failed_and_the_others_are_candidates(sandbox: Sandbox) -> None:
    sandbox.write(colour="blue")
    sandbox.write("whole")
    sandbox.run(NAMES)
    found = sorted_now(sandbox)
    assert (found.failed, [ready.row.slug for ready in found.candidates]) == (("probe",), ["whole"])


@pytest.mark.parametrize("keys", [{"date": AHEAD}, {"draft": "true"}])
def test_drafts_and_later_dates_are_scheduled(sandbox: Sandbox, keys: dict[str, str]) -> None:
    sandbox.write(**keys)
    sandbox.run(NAMES)
    assert sorted_now(sandbox) == Classified((), ("probe",), ())


def test_by_the_storages_clock_it_is_scheduled_though_ours_says_it_is_time(sandbox: Sandbox) -> None:
    sandbox.write()
    sandbox.run(NAMES)
    early = sandbox.now - timedelta(milliseconds=1)
    assert classify(sandbox.state, sandbox.render_context, ["probe"], early).scheduled == ("probe",)


def test_what_was_rendered_while_it_waited_is_not_published_as_it_is(sandbox: Sandbox) -> None:
    """It may say that it is under embargo, and it lies in the other tree."""
    sandbox.write(date=AHEAD, embargo="true")
    sandbox.run(NAMES)
    sandbox.now += timedelta(seconds=1)
    assert sorted_now(sandbox).candidates == ()
    sandbox.run(NAMES)
    assert [ready.row.slug for ready in sorted_now(sandbox).candidates] == ["probe"]


# ── Up to date ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_public_as_it_would_be_rendered_is_up_to_date(sandbox: Sandbox) -> None:
    sandbox.write()
    sandbox.write("draft", draft="true")
    publish(sandbox)
    assert up_to_date_slugs(sandbox) == {"probe"}
    assert changed_sources(sandbox) == []


def test_a_fresh_clone_reads_and_renders_nothing_that_is_public(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.write()
    publish(sandbox)
    other = elsewhere(sandbox, tmp_path / "clone")
    assert up_to_date_slugs(other) == {"probe"}
    assert changed_sources(other) == []
    other.write("new")
    assert up_to_date_slugs(other) == {"probe"}
    assert changed_sources(other) == ["new"]


@pytest.mark.parametrize("change", [change_source, change_newsroom, change_mark, change_address])
def test_whatever_changes_a_rendition_makes_it_out_of_date(sandbox: Sandbox, change: object) -> None:
    sandbox.write()
    publish(sandbox)
    assert callable(change)
    change(sandbox)
    assert up_to_date_slugs(sandbox) == set()
    publish(sandbox)
    assert up_to_date_slugs(sandbox) == {"probe"}


def test_a_new_translation_makes_the_pages_out_of_date_that_must_name_it(sandbox: Sandbox) -> None:
    sandbox.write()
    sandbox.write("alone")
    publish(sandbox)
    sandbox.write("probe-ar", language="ar", translation_of="probe")
    sandbox.read()
    assert up_to_date_slugs(sandbox) == {"alone"}
    publish(sandbox)
    assert up_to_date_slugs(sandbox) == {"alone", "probe", "probe-ar"}


def test_a_withdrawn_translation_makes_the_pages_out_of_date_that_named_it_and_all_come_to_rest(
    sandbox: Sandbox,
) -> None:
    sandbox.write()
    sandbox.write("probe-ar", date="2026-05-01T09:00Z", language="ar", translation_of="probe")
    publish(sandbox)
    sandbox.write(
        "probe-ar",
        date="2026-05-01T09:00Z",
        language="ar",
        translation_of="probe",
        withdrawn="{date: 2026-06-01T12:00Z, reason: No}",
    )
    sandbox.read()
    assert up_to_date_slugs(sandbox) == set()
    for name in NAMES:  # as make does: it knows of the changed one only
        sandbox.render([name], ["probe-ar"])
    assert sorted_now(sandbox).failed == ()
    publish(sandbox)
    assert up_to_date_slugs(sandbox) == {"probe", "probe-ar"}


def test_a_notice_names_what_replaces_it_by_its_title_while_that_is_public(sandbox: Sandbox, tmp_path: Path) -> None:
    def notice() -> str:
        return (sandbox.state.public / "releases" / "old.html").read_text("utf-8")

    sandbox.write("old", withdrawn="{date: 2026-06-01T12:00Z, reason: No, replaced_by: probe-ar}")
    sandbox.write("probe-ar", date="2026-05-01T09:00Z", language="ar", title="Before")
    publish(sandbox)
    assert "instead=Before" in notice()
    assert sandbox.published.by_slug()["old"].replaced_by == "probe-ar"
    assert up_to_date_slugs(sandbox) == up_to_date_slugs(elsewhere(sandbox, tmp_path / "clone")) == {"old", "probe-ar"}
    sandbox.write("probe-ar", date="2026-05-01T09:00Z", language="ar", title="After")
    sandbox.read()
    assert up_to_date_slugs(sandbox) == set()
    for name in NAMES:  # as make does: it knows of the changed one only
        sandbox.render([name], ["probe-ar"])
    assert "instead=After" in notice()
    assert sorted_now(sandbox).failed == ()
    publish(sandbox)
    assert up_to_date_slugs(sandbox) == up_to_date_slugs(elsewhere(sandbox, tmp_path / "later")) == {"old", "probe-ar"}
    sandbox.write(
        "probe-ar",
        date="2026-05-01T09:00Z",
        language="ar",
        title="After",
        withdrawn="{date: 2026-06-01T12:00Z, reason: No}",
    )
    publish(sandbox)
    assert "instead=probe-ar" in notice()
    assert up_to_date_slugs(sandbox) == {"old", "probe-ar"}


# ── What the last publisher found ───────────────────────────────────────────────────────────────────────────────────


def agree(sandbox: Sandbox) -> None:
    """Publish with the word of the publisher that all releases are up to date."""
    rows = publish(sandbox)
    facts = [(row.slug, row.source, row.fingerprint) for row in rows]
    said = up_to_date.agreed(sandbox.render_context, facts, [])
    sandbox.published = msgspec.structs.replace(sandbox.published, up_to_date=said)


def believed(clone: Sandbox) -> tuple[set[str], int]:
    """Fetch as a fresh clone does; return what is up to date, and of how many releases that had to be computed."""
    stored = fetched(clone)
    context = msgspec.structs.replace(clone.render_context, published=stored)
    up_to_date.believe(clone.state, stored, context)
    if changed := up_to_date.changed_sources(clone.state, stored):
        clone.read(changed)
        stored_index.refresh(clone.state, clone.now)
    computed = clone.state.database.rows("SELECT slug FROM published WHERE expected IS NULL")
    stale = up_to_date.stale_slugs(clone.state, stored, context)
    return {*clone.state.slugs()}.difference(stale), len(computed)


@pytest.fixture
def agreeing(sandbox: Sandbox) -> Sandbox:
    """Return a newsroom with three releases, a translation among them, that the publisher found up to date."""
    sandbox.write("first", date="2026-01-01T09:00Z", topics="[archive]")
    sandbox.write("second", date="2026-02-01T09:00Z")
    sandbox.write("third", date="2026-03-01T09:00Z", topics="[archive]")
    sandbox.write("third-ar", date="2026-03-01T09:00Z", language="ar", translation_of="third")
    agree(sandbox)
    return sandbox


def test_a_fresh_clone_computes_nothing_where_the_last_publisher_found_all_up_to_date(
    agreeing: Sandbox, tmp_path: Path
) -> None:
    assert believed(elsewhere(agreeing, tmp_path / "clone")) == ({"first", "second", "third", "third-ar"}, 0)


@pytest.mark.parametrize(
    ("slug", "keys", "same"),
    [
        ("new", {"date": "2026-02-15T09:00Z"}, {"first", "third-ar"}),
        ("new", {"date": "2025-02-15T09:00Z", "topics": "[archive]"}, {"second", "third-ar"}),
        ("new", {"date": "2026-02-15T09:00Z", "language": "pt-BR", "translation_of": "third"}, {"first", "second"}),
        ("new", {"date": AHEAD}, {"first", "second", "third", "third-ar"}),
        ("second", {"date": "2026-02-01T09:00Z", "draft": "true"}, {"third-ar"}),
        ("third", {"date": "2026-03-01T09:00Z", "title": "Another", "topics": "[archive]"}, {"first"}),
    ],
    ids=["between", "before", "translation", "scheduled", "draft", "title"],
)
def test_what_a_fresh_clone_finds_changed_is_computed_with_all_that_names_it(
    agreeing: Sandbox, tmp_path: Path, slug: str, keys: dict[str, str], same: set[str]
) -> None:
    agreeing.write(slug, **keys)
    clone, doubting = elsewhere(agreeing, tmp_path / "clone"), elsewhere(agreeing, tmp_path / "doubting")
    doubting.published = msgspec.structs.replace(doubting.published, up_to_date="")
    found, computed = believed(clone)
    assert (found, found - {slug}) == (believed(doubting)[0], same)
    assert computed < 4


def test_a_fresh_clone_with_other_code_or_settings_computes_all(agreeing: Sandbox, tmp_path: Path) -> None:
    clone = elsewhere(agreeing, tmp_path / "clone")
    change_address(clone)
    assert believed(clone) == (set(), 4)


def test_a_word_about_other_rows_counts_for_nothing(agreeing: Sandbox, tmp_path: Path) -> None:
    """Another publisher has replaced a release since, with code that knows nothing of this."""
    first, *others = agreeing.published.rows
    rows = (msgspec.structs.replace(first, fingerprint="0" * 64), *others)
    agreeing.published = msgspec.structs.replace(agreeing.published, rows=rows)
    found, computed = believed(elsewhere(agreeing, tmp_path / "clone"))
    assert (first.slug not in found, len(found), computed) == (True, 3, 4)


def test_a_fresh_clone_that_lacks_a_source_computes_all(agreeing: Sandbox, tmp_path: Path) -> None:
    clone = elsewhere(agreeing, tmp_path / "clone")
    (clone.content / "second.md").unlink()
    assert believed(clone) == ({"first", "third", "third-ar"}, 4)


# ── What is never up to date ────────────────────────────────────────────────────────────────────────────────────────


def test_files_on_their_way_are_never_up_to_date(sandbox: Sandbox) -> None:
    """A run was killed while it replaced them: what lies there now may be either."""
    sandbox.write()
    (row,) = publish(sandbox)
    half = msgspec.structs.replace(row, replacing={"releases/probe.pdf": "a" * 64})
    sandbox.published = Manifest(2, (half,))
    assert up_to_date_slugs(sandbox) == set()


def test_what_is_public_and_no_longer_here_is_not_up_to_date_and_not_lost(sandbox: Sandbox) -> None:
    sandbox.write()
    publish(sandbox)
    (sandbox.content / "probe.md").unlink()
    assert up_to_date_slugs(sandbox) == set()
    assert sandbox.published.by_slug()["probe"]


def test_a_source_is_read_once_here_and_not_at_all_when_storage_knows_it(sandbox: Sandbox) -> None:
    sandbox.write()
    assert changed_sources(sandbox) == ["probe"]
    sandbox.read()
    assert changed_sources(sandbox) == []
    change_source(sandbox)
    assert changed_sources(sandbox) == ["probe"]


def test_the_manifest_is_remembered_with_its_address(tmp_path: Path) -> None:
    """Another storage knows nothing of it: nothing may count as uploaded there."""
    (tmp_path / "content").mkdir()
    (tmp_path / "content/newsroom.toml").write_text(NEWSROOM)

    def context(bucket: str) -> CommandContext:
        return CommandContext(tmp_path / "content", tmp_path / "output", {"PRESS_BUCKET": bucket}, tmp_path)

    manifest = Manifest(serial=3, assets=("assets/page.1.css",))
    assert context("press").published == EMPTY
    context("press").remember_published(manifest)
    assert context("press").published.whole() == manifest
    assert context("elsewhere").published == EMPTY


def test_a_release_that_was_never_compared_with_the_others_is_read_again(sandbox: Sandbox) -> None:
    """A run killed between reading and comparing must not let a release through that names a scheduled one."""
    sandbox.write()
    sandbox.read()
    assert changed_sources(sandbox) == []
    read, summary = sandbox.state.parsed_release("probe"), sandbox.state.summaries()["probe"]
    assert read is not None
    sandbox.state.store_release(read, summary, {})  # without mark_checked, as the killed run leaves it
    assert changed_sources(sandbox) == ["probe"]
