"""The record: its shape, which is what IPTC ninjs 3.1 allows and nothing else, and its facts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.build.parity.content import folded
from pipeline.build.parity.expected import article_words
from pipeline.model.document import CodeBlock, Figure, Link, Paragraph, Text
from pipeline.model.footage import FOOTAGE, Footage, Missing
from pipeline.model.formats import by_name
from pipeline.model.release import Correction, Withdrawal
from pipeline.validators import ninjs as standard
from pipeline.writers import RenderInput, ninjs
from tests.support import sample
from tests.support.formats import STATED
from tests.support.records import RECORDS, everything, in_languages, plain, render_input
from tests.support.renditions import of_json

NESTED = {
    "standard", "headlines", "descriptions", "bodies", "people", "organisations", "infoSources", "places", "subjects",
    "genres", "altIds", "renditions", "associations",
}  # fmt: skip
"""Parts of a record that have parts of their own."""
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)\Z")
NOWHERE = Path("/nonexistent")
"""A folder without validators, and so without IPTC's own schema file."""


def record(found: RenderInput | None = None) -> dict[str, Any]:
    decoded = json.loads(ninjs.write(found or render_input()).data)
    assert isinstance(decoded, dict)
    return decoded


def associated(written: dict[str, Any], rel: str) -> list[dict[str, Any]]:
    """Return what a record says of other things that are related to it in one way."""
    return [part for part in written.get("associations", []) if part["rel"] == rel]


SHAPES = pytest.mark.parametrize("found", RECORDS.values(), ids=RECORDS)


def film_of(**changes: Any) -> dict[str, Any]:
    """Return what a record says of the sample's film."""
    (found,) = associated(record(render_input(footage=(sample.FILM,), **changes)), "footage")
    return found


def test_a_film_is_a_video_with_its_files_terms_and_texts() -> None:
    found = film_of()
    assert found["type"] == "video"
    assert found["usageTerms"] == "Free for news use\nNo archive use after 2027. No use in advertising."
    assert found["expires"] == "2027-01-31T00:00:00+00:00"
    assert [each["format"] for each in found["renditions"] if each["name"] == "carrier"] == ["Beta SP", "Betacam SX"]
    (preview,) = [each for each in found["renditions"] if each["name"] == "preview: preview.mp4"]
    assert preview == {
        "name": "preview: preview.mp4",
        "href": f"{sample.BASE}releases/sample/preview.mp4",
        "contentType": "video/mp4",
        "title": "preview.mp4",
        "sizeInBytes": 32_400_000,
        "format": "MP4",
        "videoCodec": "H.264",
        "width": 1280,
        "height": 720,
        "duration": 130.2,
        "frameRate": 25.0,
        "scanType": "progressive",
    }
    bodies = {each["role"]: each["value"] for each in found["bodies"]}
    assert "3. 00:00:21 Interview at a desk\n    SOUND BITE (Korean) Kim Seo-yeon" in bodies["shot list"]
    assert bodies["transcript"] == sample.FILM.transcript


def test_record_states_every_file_of_a_film_with_its_digest_and_can_be_read_back() -> None:
    data = ninjs.write(render_input(footage=(sample.FILM,))).data
    wanted = {f"releases/sample/{file.file}": (file.size, file.sha256) for file in sample.FILM.files}
    found = ninjs.files_of(data, "sample")
    assert {each.key: (each.size, each.sha256) for each in found if each.format == FOOTAGE} == wanted
    assert [each.key for each in found if each.format == "picture"] == ["releases/sample/tape.png"]


def test_files_that_are_not_there_are_in_no_record() -> None:
    missing: dict[str, Missing] = {file.file: "coming" for file in sample.FILM.files}
    written = json.dumps(record(render_input(footage=(sample.FILM,), missing=missing)))
    assert not [file.file for file in sample.FILM.files if f"/{file.file}" in written]
    assert [each["name"] for each in film_of(missing=missing)["renditions"]] == ["carrier", "carrier"]


def test_withdrawn_film_has_neither_shots_nor_transcript() -> None:
    withdrawal = Withdrawal(datetime(2026, 3, 3, tzinfo=UTC), "It was wrong.")
    assert "bodies" not in film_of(withdrawn=withdrawal)


def test_a_picture_with_rights_of_its_own_is_an_item_of_its_own() -> None:
    written = record(everything())
    (found,) = associated(written, "picture")
    assert found["type"] == "picture"
    assert found["uri"].startswith(f"{written['uri']}#")
    assert (found["copyrightNotice"], found["usageTerms"]) == ("© 2026 Ann Lee", "Free for news use")
    assert found["rightsInfo"] == {"linkedRights": "https://example.org/vid%C3%A9o?a=%20%7C"}
    assert found["digitalSourceType"]["uri"].endswith("/digitalsourcetype/trainedAlgorithmicMedia")
    (file,) = found["renditions"]
    assert file in written["renditions"]
    assert associated(record(render_input()), "picture") == [], "of others, the article says all there is to say"


# ── Shape ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@SHAPES
def test_record_keeps_the_standard(found: RenderInput) -> None:
    assert standard.load_validator(NOWHERE)(ninjs.write(found).data) == []


def test_everything_has_every_part() -> None:
    """Else the test above would pass for want of anything to look at."""
    assert {name for name, value in record(everything()).items() if isinstance(value, (list, dict))} == NESTED


@SHAPES
def test_what_a_newswire_cannot_do_without_is_there(found: RenderInput) -> None:
    written = record(found)
    assert written["standard"] == {
        "name": "ninjs",
        "version": "3.1",
        "schema": "http://www.iptc.org/std/ninjs/ninjs-schema_3.1.json#",
    }
    assert written["type"] == "text"
    assert written["representationType"] == "full"
    assert written["pubStatus"] == ("canceled" if found.release.withdrawn else "usable")
    assert written["genres"] == [{"name": "Press Release", "uri": "http://cv.iptc.org/newscodes/genre/Press_Release"}]
    names = [part["uri"] for part in written.get("associations", [])]
    assert len({written["uri"], *names}) == 1 + len(names)
    assert urlsplit(written["uri"]).scheme in ("tag", "urn")


@SHAPES
def test_nothing_is_empty(found: RenderInput) -> None:
    def parts(value: Any) -> Iterator[Any]:
        yield value
        for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from parts(part)

    assert [part for part in parts(record(found)) if part in ("", [], {})] == []


@SHAPES
def test_dates_are_rfc_3339(found: RenderInput) -> None:
    written = record(found)
    dates = [written[name] for name in ("firstCreated", "versionCreated", "embargoedUntil") if name in written]
    assert len(dates) >= 2
    assert all(RFC3339.match(date) for date in dates)


@SHAPES
def test_addresses_are_absolute(found: RenderInput) -> None:
    written = record(found)
    addresses = [part["href"] for part in written["renditions"]]
    films = associated(written, "footage")
    addresses += [part["href"] for film in films for part in film.get("renditions", []) if "href" in part]
    addresses += [written["uri"], *(part["uri"] for part in written.get("associations", []))]
    assert all(re.match(r"(https?|tag|urn):[\x21-\x7e]+\Z", address) for address in addresses)


def test_same_job_gives_the_same_bytes_that_people_can_read() -> None:
    assert ninjs.write(render_input()) == ninjs.write(render_input())
    data = ninjs.write(everything()).data
    assert data.endswith(b"\n}\n")
    assert "عنوان" in data.decode()


# ── Facts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_permanent_name_does_not_know_the_address() -> None:
    moved = msgspec.structs.replace(render_input(), base_url="https://elsewhere.example.net/")
    assert record(moved)["uri"] == record()["uri"] == "tag:example.org,2026:releases/sample"


def test_without_an_authority_the_permanent_name_is_a_uuid_of_organisation_and_slug() -> None:
    name = record(plain())["uri"]
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", name)
    assert record(plain())["uri"] == name
    bare = msgspec.structs.replace(sample.NEWSROOM, tag_authority="")
    assert len({name, bare.guid("other"), msgspec.structs.replace(bare, name="Other").guid("sample")}) == 3


def test_headline_deck_summary_and_language_are_the_authors() -> None:
    written = record()
    assert written["title"] == sample.release().title
    assert [(part["role"], part["value"]) for part in written["headlines"]] == [
        ("headline", sample.release().title),
        ("subtitle", "A second deck"),
    ]
    assert written["descriptions"][0]["value"] == sample.release().summary
    assert written["language"] == "en-GB"
    assert written["slugline"] == "sample"


def test_dates_keep_the_offset_that_the_author_wrote() -> None:
    moment = datetime(2026, 3, 1, 9, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))
    written = record(render_input(date=moment, corrections=()))
    assert written["firstCreated"] == written["versionCreated"] == "2026-03-01T09:00:00-03:30"


def test_a_correction_is_a_new_version() -> None:
    two = tuple(Correction(datetime(2026, 3, day, tzinfo=UTC), "Note.") for day in (4, 2))
    written = record(render_input(corrections=two))
    assert (written["version"], written["versionCreated"]) == ("3", "2026-03-04T00:00:00+00:00")
    assert (written["firstCreated"], record(plain())["version"]) == ("2026-03-01T09:30:00+00:00", "1")


def test_an_embargo_is_stated_only_while_it_holds() -> None:
    assert record(render_input(embargoed=True))["embargoedUntil"] == "2026-03-01T09:30:00+00:00"
    assert "embargoedUntil" not in record()


def test_a_withdrawn_release_is_canceled_and_its_words_are_gone() -> None:
    withdrawal = Withdrawal(datetime(2026, 3, 3, tzinfo=UTC), "It was wrong.", "better")
    written = record(render_input(withdrawn=withdrawal))
    assert written["pubStatus"] == "canceled"
    assert written["versionCreated"] == "2026-03-03T00:00:00+00:00"
    body = written["bodies"][0]["value"]
    assert "It was wrong." in body
    assert 'href="https://press.example.org/releases/better.html"' in body
    assert "The last paragraph." not in body
    assert "A second deck" not in body


def test_translations_are_named_by_their_permanent_names() -> None:
    assert associated(record(everything()), "translation") == [
        {"name": "عنوان", "rel": "translation", "uri": "tag:example.org,2026:releases/sample-ar", "language": "ar"}
    ]
    assert associated(record(), "translation") == []
    assert "associations" not in record(plain())


def test_translations_come_in_every_language() -> None:
    written = record(in_languages())
    assert [each["language"] for each in associated(written, "translation")] == ["ar", "fr", "zh-Hant-TW"]


def test_topics_are_named_in_the_language_of_the_release() -> None:
    assert record()["subjects"] == [{"name": "Archive", "literal": "archive"}]


def test_contacts_can_be_called() -> None:
    (person,) = record()["people"]
    assert (person["name"], person["rel"], person["literal"]) == ("Ruth Okafor", "media contact", "desk")
    assert person["contactInfo"] == [
        {"type": "phone", "role": "office", "value": "+44 20 7946 0312"},
        {"type": "phone", "role": "out-of-hours", "value": "+44 7700 900417"},
        {"type": "email", "role": "office", "value": "press@example.org"},
    ]


def test_footage_says_who_supplies_it() -> None:
    (source,) = record()["infoSources"]
    assert (source["name"], source["role"]) == ("World Images", "footage, Beta SP, 42 minutes")
    assert source["literal"] == sample.FOOTAGE.notice
    (nameless,) = record(render_input(footage=(Footage("Seen."),)))["infoSources"]
    assert (nameless["name"], nameless["role"]) == ("footage", "footage")


def test_footage_is_a_film_with_terms_of_its_own() -> None:
    footage = msgspec.structs.replace(
        sample.FOOTAGE, rights="News use only", url="https://example.org/tape", preview="https://example.org/look"
    )
    (film,) = associated(record(render_input(footage=(footage,))), "footage")
    assert (film["type"], film["usageTerms"], film["language"]) == ("video", "News use only", "en-GB")
    assert film["descriptions"] == [
        {"role": "notice", "contentType": "text/plain", "value": sample.FOOTAGE.notice},
    ]
    assert film["renditions"] == [
        {"name": "carrier", "format": "Beta SP", "title": "Beta SP, 42 minutes"},
        {"name": "preview", "href": "https://example.org/look"},
        {"name": "copy", "href": "https://example.org/tape"},
    ]
    (source,) = film["infoSources"]
    assert source["name"] == "World Images"
    assert {"type": "phone", "value": sample.FOOTAGE.telephone} in source["contactInfo"]
    (bare,) = associated(record(render_input(footage=(Footage("Seen."),))), "footage")
    assert set(bare) == {"name", "uri", "rel", "type", "language", "descriptions"}


def test_footage_and_earlier_revisions_are_named_below_the_release() -> None:
    written = record(everything())
    films, revisions = associated(written, "footage"), associated(written, ninjs.EARLIER)
    assert [part["uri"] for part in films] == [f"{written['uri']}#footage-{n}" for n in (1, 2, 3)]
    assert [part["uri"] for part in revisions] == [f"{written['uri']}#record-{n * 64}" for n in "123"]


@pytest.mark.parametrize(
    ("typed", "stated"),
    [
        ("https://example.org/vidéo?a=%20|", "https://example.org/vid%C3%A9o?a=%20%7C"),
        ("https://example.org/100%", "https://example.org/100%25"),
        ("https://example.org/a[1]?q[]=1", "https://example.org/a%5B1%5D?q%5B%5D=1"),
        ("https://example.org/a#b#c", "https://example.org/a#b%23c"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
        ("https://example.org/a?b=c/d?e&f=(g)", "https://example.org/a?b=c/d?e&f=(g)"),
    ],
)
def test_addresses_of_footage_are_written_as_the_standard_demands(typed: str, stated: str) -> None:
    footage = msgspec.structs.replace(sample.FOOTAGE, url=typed)
    (film,) = associated(record(render_input(footage=(footage,))), "footage")
    assert film["renditions"][-1]["href"] == stated
    assert standard.is_uri(stated)


def test_the_record_says_whose_the_text_is() -> None:
    written = record(everything())
    assert written["copyrightHolder"] == "Open Window Archive"
    assert written["copyrightNotice"] == "© 2026 Open Window Archive"
    assert written["usageTerms"] == "Free to reprint."


# ── Files and digests ───────────────────────────────────────────────────────────────────────────────────────────────


def test_every_file_of_the_release_is_listed_but_the_record_itself() -> None:
    files = {part["name"]: part for part in record()["renditions"]}
    assert list(files) == [*(name for name in STATED if not by_name(name).preview), "tape.png"]
    assert files["pdf"] == {
        "name": "pdf",
        "href": "https://press.example.org/releases/sample.pdf",
        "contentType": "application/pdf",
        "title": "PDF",
        "sizeInBytes": 26_400,
    }
    assert files["tape.png"]["contentType"] == "image/png"
    assert (files["tape.png"]["width"], files["tape.png"]["height"]) == (900, 600)
    assert files["text"]["contentType"] == "text/plain; charset=utf-8"


def test_every_listed_file_has_its_digest_and_digests_reads_them_back() -> None:
    data = ninjs.write(render_input()).data
    found = ninjs.digests(data)
    hrefs = [part["href"].removeprefix("https://press.example.org/") for part in json.loads(data)["renditions"]]
    assert list(found) == hrefs
    assert found["releases/sample/tape.png"] == "b" * 64
    assert found["releases/sample.pdf"] == "a" * 64


def test_the_reference_is_an_id_and_no_digest() -> None:
    written = record()
    assert written["altIds"][0] == {"role": "reference", "value": "OW 12/2026"}
    assert "OW 12/2026" not in ninjs.digests(ninjs.write(render_input()).data).values()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"<html>", b"\xff", b'"\xff"', b"null", b"7", b"[]", b"[1]", b'"words"', b"{}",
        b'{"altIds": null}', b'{"altIds": 5}', b'{"altIds": "words"}', b'{"altIds": {"role": "x"}}',
        b'{"altIds": [5]}', b'{"altIds": [null]}', b'{"altIds": ["sha256:x"]}', b'{"altIds": [{}]}',
        b'{"altIds": [{"role": "sha256:x"}]}', b'{"altIds": [{"role": 5, "value": "y"}]}',
        b'{"altIds": [{"role": "sha256:x", "value": 5}]}', b'{"altIds": [{"role": "other", "value": "y"}]}',
    ],
)  # fmt: skip
def test_what_is_no_record_has_no_digests(data: bytes) -> None:
    assert ninjs.digests(data) == {}


@given(st.binary(max_size=60))
def test_no_bytes_whatever_are_an_error(data: bytes) -> None:
    assert ninjs.digests(data) == {}


# ── The article ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_article_is_whole_and_in_order() -> None:
    """Below the headline, which a record has apart, every word stands where paper has it, but for the status line."""
    found = render_input()
    headline = folded(found.article.title)
    wanted = [word.strip(":") for word in article_words(found.article, found.messages) if word not in headline]
    written = iter(word.strip(":") for word in folded(of_json(ninjs.write(found).data)) if word not in headline)
    status = folded(found.article.status)
    assert [next(written) for _ in status] == status
    facts = len(folded(f"{found.article.organisation} {found.article.kind} Reference: OW 12/2026 1 March 2026"))
    assert list(written) == [*wanted[:facts], *wanted[facts + len(status) :]]


def test_words_are_counted() -> None:
    body = record(plain())["bodies"][0]
    assert (body["role"], body["contentType"]) == ("article", "text/html")
    assert body["wordCount"] == len(re.sub(r"<[^>]+>", " ", body["value"]).split())


def test_links_and_pictures_lead_back_to_the_newsroom() -> None:
    body = (
        Paragraph((Link("other.html", (Text("other"),)), Link("#below", (Text("below"),)))),
        Figure("tape.png", "A cassette", (), "J. Doe"),
    )
    html = record(render_input(body=body))["bodies"][0]["value"]
    assert 'href="https://press.example.org/releases/other.html"' in html
    assert 'src="https://press.example.org/releases/sample/tape.png"' in html
    assert 'href="#below"' in html
    assert "Photo: J. Doe" in html


def test_a_link_to_a_release_called_as_a_picture_is_still_a_link() -> None:
    html = record(render_input(body=(Paragraph((Link("tape.html", (Text("other"),)),)),)))["bodies"][0]["value"]
    assert 'href="https://press.example.org/releases/tape.html"' in html


def test_hostile_words_are_only_words() -> None:
    hostile = "</p><script>alert(1)</script>]]>"
    html = record(render_input(subtitle=hostile, body=(sample.para(hostile),), dateline=hostile))["bodies"][0]["value"]
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 3


def test_blank_lines_of_code_stay() -> None:
    made = sample.render_input(body=(CodeBlock("one\n\n\ntwo"), sample.para("After it.")))
    assert "<code>one\n\n\ntwo</code>" in ninjs.fragment(made)


def test_withdrawn_release_keeps_its_deck_and_its_place_to_itself() -> None:
    gone = ninjs.record(sample.render_input(withdrawn=Withdrawal(datetime(2026, 3, 5, tzinfo=UTC), "It was wrong.")))
    assert "second deck" not in str(gone)
    assert "located" not in gone
    assert "places" not in gone
