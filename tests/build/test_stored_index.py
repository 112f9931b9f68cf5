"""The index in the build state answers as one of all releases would, and costs what is asked for."""

from __future__ import annotations

import random
from collections.abc import Iterable, MutableMapping
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from pipeline.build import fingerprint, reading, stored_index
from pipeline.build.reading import all_listed, listed_around
from pipeline.model.footage import Film
from pipeline.model.manifest import Manifest, Row, newest_first
from pipeline.model.release_index import ReleaseIndex
from pipeline.publish import up_to_date
from tests.support.in_process import NOW, Sandbox, changed_sources, fetched, up_to_date_slugs
from tests.support.rows import row

TOPICS = ("archive", "human-rights")
LANGUAGES = ("ar", "en-GB", "pt-BR")


def date_of(days: int) -> str:
    return (NOW + timedelta(days=days)).isoformat()


def change(sandbox: Sandbox, chance: random.Random) -> None:
    """Do what a newsroom does in a day: write, edit, rename, delete, publish, or nothing but wait."""
    slugs = list(sandbox.state.slugs())
    deed = chance.choice(("write", "write", "edit", "rename", "delete", "public", "public", "wait"))
    if deed == "write" or not slugs:
        slug = f"r{chance.randrange(1000)}"
        keys = {"language": chance.choice(LANGUAGES), "date": date_of(chance.randrange(-9, 3))}
        original = chance.choice(slugs) if slugs and chance.random() < 0.4 else ""
        if original and original != slug:
            keys["translation_of"] = original
        if chance.random() < 0.1:
            keys["draft"] = "true"
        keys["topics"] = f"[{', '.join(chance.sample(TOPICS, chance.randrange(3)))}]"
        sandbox.write(slug, **keys)
    elif deed == "edit":
        sandbox.write(chance.choice(slugs), date=date_of(chance.randrange(-9, 3)), body=f"{chance.random()}")
    elif deed == "rename":
        slug = chance.choice(slugs)
        sandbox.state.source(slug).rename(sandbox.state.source(f"{slug}x"))
    elif deed == "delete":
        sandbox.state.source(chance.choice(slugs)).unlink()
    elif deed == "public":
        public = ReleaseIndex(all_listed(sandbox.state, sandbox.published), sandbox.now)
        rows = sandbox.published.by_slug()
        for slug in chance.sample(slugs, min(3, len(slugs))):
            if (summary := sandbox.state.summaries([slug]).get(slug)) and summary.entry.is_public(sandbox.now):
                rows[slug] = row_of(sandbox, slug, public, chance)
        sandbox.published = Manifest(sandbox.published.serial + 1, newest_first(rows.values()))
    else:
        sandbox.now += timedelta(days=1)


def row_of(sandbox: Sandbox, slug: str, public: ReleaseIndex, chance: random.Random) -> Row:
    """Return the row of a release as it would be published now."""
    summary, newsroom = sandbox.state.summaries([slug])[slug], sandbox.render_context.newsroom
    entry = summary.entry
    known = row(slug, language=entry.language, translation_of=entry.translation_of, source=summary.source)
    known = msgspec.structs.replace(known, date=entry.date, title=entry.title, modified=entry.date, topics=entry.topics)
    stamp = fingerprint.of_release(
        summary.source, fingerprint.of_newsroom(newsroom, b""), sandbox.base, public.related(entry)
    )
    replaced = entry.slug if chance.random() < 0.1 else ""
    return msgspec.structs.replace(known, fingerprint=stamp, withdrawn=bool(replaced))


@pytest.mark.parametrize("seed", range(6))
def test_index_in_the_build_state_answers_as_one_of_all_releases(sandbox: Sandbox, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(40):
        change(sandbox, chance)
        list(reading.read(sandbox.state, sandbox.newsroom, sandbox.published, changed_sources(sandbox), sandbox.now))
        stored = fetched(sandbox)
        listed = all_listed(sandbox.state, sandbox.published)
        whole = ReleaseIndex(listed, sandbox.now)
        for slug in listed:
            few = ReleaseIndex(listed_around(sandbox.state, stored, [slug], sandbox.now), sandbox.now)
            pages = few.with_related([slug])
            assert pages == whole.with_related([slug])
            assert [few.related(few.known[page]) for page in pages] == [whole.related(listed[page]) for page in pages]
        kept = up_to_date_slugs(sandbox)
        sandbox.state.database.write("UPDATE published SET expected = NULL")
        sandbox.state.database.write("DELETE FROM entries")
        sandbox.state.database.write("INSERT INTO touched SELECT slug FROM published UNION SELECT slug FROM releases")
        assert kept == up_to_date_slugs(sandbox), "what was kept from day to day is what is found anew"


# ── What a new release costs ────────────────────────────────────────────────────────────────────────────────────────


def archive_of(sandbox: Sandbox, number: int) -> None:
    """Make ``number`` releases public whose sources are here and were not read here, as on a fresh clone."""
    rows = []
    for at in range(number):
        slug = f"old-{at:04}"
        sandbox.write(slug, date=date_of(-at - 1))
        rows.append(row(slug, -at, language="en-GB", source=fingerprint.of_source(sandbox.state, slug)))
    sandbox.published = Manifest(1, newest_first(rows))
    up_to_date_slugs(sandbox)


@pytest.mark.parametrize("number", [30, 120])
def test_new_release_reads_as_many_sources_and_entries_in_a_large_archive(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(up_to_date, "RECENT", 0)  # else what was written just now is read once more
    archive_of(sandbox, number)
    sandbox.write("new", language="en-GB")
    asked: list[str] = []
    of_files, of_release = fingerprint.of_files, fingerprint.of_release

    def counted_files(files: Iterable[str | Path], films: MutableMapping[str, Film]) -> str:
        source, *pictures = files
        asked.append(f"source {Path(source).stem}")
        return of_files([source, *pictures], films)

    def counted_release(*facts: object) -> str:
        asked.append("fingerprint")
        return of_release(*facts)  # type: ignore[arg-type]

    monkeypatch.setattr(fingerprint, "of_files", counted_files)
    monkeypatch.setattr(fingerprint, "of_release", counted_release)
    assert changed_sources(sandbox) == ["new"]
    assert asked == ["source new"]
    asked.clear()
    stored = fetched(sandbox)
    found = {item.slug for item in reading.read(sandbox.state, sandbox.newsroom, stored, ["new"], sandbox.now)}
    assert found == {"new"}
    assert len(stored_index.around(sandbox.state, ["new"], sandbox.now)) <= 4
    assert "new" in {*sandbox.state.slugs()} - up_to_date_slugs(sandbox)
    assert asked.count("fingerprint") <= 2, "of the release before it"
    assert sandbox.state.summaries().keys() == {"new"}
