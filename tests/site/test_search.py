"""The files for the search of the whole archive: what they have of a release, and when they change."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from pipeline.model.document import Paragraph, Subscript, Text
from pipeline.model.formats import media_type
from pipeline.model.manifest import EMPTY, Manifest, Row, with_rows
from pipeline.model.render_context import RenderContext
from pipeline.model.revision import RevisionRecord
from pipeline.publish.plan import group_of
from pipeline.site import archive, listings, search
from pipeline.writers import ninjs
from tests.support import sample
from tests.support.rows import BASE, DAY, row

CONTEXT = RenderContext(sample.NEWSROOM, b"", BASE, DAY)


def of(*rows: Row, known: Manifest = EMPTY) -> Manifest:
    return archive.remember(known, with_rows(known, rows))


def record(listed: Row, **changes: Any) -> bytes:
    return ninjs.write(sample.render_input(title=listed.title, language=listed.language, **changes)).data


def built(
    manifest: Manifest, read: Callable[[Row], bytes] = record, before: search.Before = lambda _: b""
) -> dict[str, list[list[Any]]]:
    """Return the releases of each file by its key."""
    made = search.files(manifest, sample.NEWSROOM, read, before)
    return {key: json.loads(data)["releases"] for key, data in made.items()}


def words(**changes: Any) -> list[str]:
    language = changes.pop("language", "en-GB")
    (entry,) = built(of(row("one", language=language)), lambda each: record(each, **changes))[
        "archive/2026.search.json"
    ]
    found: str = entry[8]
    return found.split()


def test_each_page_of_a_year_has_a_file_with_its_releases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "PAGE_ROWS", 2)
    rows = (*(row(f"r{at}", at, topics=("archive",)) for at in range(3)), row("old", -300))
    found = {key: [entry[0] for entry in entries] for key, entries in built(of(*rows)).items()}
    assert found == {
        "archive/2026.search.json": ["r2"],
        "archive/2026/1.search.json": ["r1", "r0"],
        "archive/2025.search.json": ["old"],
    }
    assert search.parts(of(*rows).rows) == ["2026", "2026/1", "2025"]
    assert found.keys() <= {*listings.keys(of(*rows))}
    assert {(media_type(key), group_of(key)) for key in found} == {("application/json", "listings")}


def test_entry_has_each_word_of_the_text_once_and_in_small_letters() -> None:
    said = (Text("“Größer als CO"), Subscript((Text("2"),)), Text(",” said ASA 25/001/1999; said (e-mail) & x."))
    found = words(body=(Paragraph(said),), subtitle="A deck")
    assert len(found) == len(set(found))
    assert {"größer", "co2", "said", "25/001/1999", "e-mail", "x", "deck", "title", "one", "summary"} <= set(found)


@pytest.mark.parametrize("language", ["en-GB", "de", "ar"])
def test_words_that_every_release_has_are_left_out(language: str) -> None:
    body, facts = (Paragraph((Text("Only this."),)),), {"reference": "A/7"}
    found = set(words(language=language, body=body, subtitle="", facts=facts))
    assert {"only", "this", "a/7"} <= found
    common = {"okafor", "ruth", "immediate", "ampersand", "journalists", "betacam", "broadcasters", "press@example.org"}
    assert not common & found
    assert "another" in found, "the notes are the release's own"


def test_corrected_and_withdrawn_releases_say_so_and_a_withdrawn_one_has_only_its_notice() -> None:
    fixed = row("fixed", 1, revision=2, words="d" * 64, modified=DAY + timedelta(days=2))
    gone = row("gone", words="d" * 64, revision=2, withdrawn=True, past=(RevisionRecord(1, DAY, "e" * 64),))

    def read(listed: Row) -> bytes:
        assert listed.slug != "gone", "its record is not asked for"
        return record(listed)

    first, second = built(of(fixed, gone), read)["archive/2026.search.json"]
    assert first[6] == "Corrected, 3 March 2026"
    assert (second[6], second[8]) == ("Withdrawn, 1 March 2026", "title of gone summary")


def test_only_records_that_are_new_are_read() -> None:
    one, two = row("one"), row("two", 1, source="d" * 64)
    first = search.files(of(one), sample.NEWSROOM, record, lambda _: b"")
    assert [each.slug for each in search.unknown(of(one, two), first.__getitem__)] == ["two"]

    def read(listed: Row) -> bytes:
        assert listed.slug == "two"
        return record(listed)

    after = search.files(of(one, two), sample.NEWSROOM, read, first.__getitem__)
    assert after == search.files(of(one, two), sample.NEWSROOM, record, lambda _: b"")
    for broken in (b"", b"{", b"[]", b'{"releases": [[1]]}', b"\xff"):
        assert [each.slug for each in search.unknown(of(one), lambda _, data=broken: data)] == ["one"]  # type: ignore[misc]


def test_file_changes_with_its_releases_alone() -> None:
    rows = (row("new", 300), row("one"), row("old", -300))
    stamps = listings.stamps(of(*rows), CONTEXT)

    def changed(*others: Row) -> set[str]:
        after = listings.stamps(of(*others), CONTEXT)
        return {key for key in after if key.endswith("search.json") and after[key] != stamps.get(key)}

    linked = msgspec.structs.replace(rows[1], record="9" * 64, fingerprint="8" * 64, sizes={"html": 1})
    assert changed(rows[0], linked, rows[2]) == set(), "a page that links to another release says the same words"
    assert changed(rows[0], row("one", title="Other"), rows[2]) == {"archive/2026.search.json"}
    assert changed(*rows, row("more", 1)) == {"archive/2026.search.json"}


def test_file_of_a_year_without_releases_stays_and_is_empty() -> None:
    before = of(row("one", -300))
    after = of(row("one", 0), known=before)
    assert built(after)["archive/2025.search.json"] == []
    assert search.parts(after.rows) == ["2026"]
