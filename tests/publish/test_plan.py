"""What an upload would do, as a specification: one line a file."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.formats import FOREVER, FORMATS, GROUPS, MINUTES, Group
from pipeline.publish.plan import File, group_of, plan

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

# key, group, media type, may be kept by caches, name under which a browser saves it
SPECIFICATION: tuple[tuple[str, Group, str, str, str], ...] = (
    ("assets/page.1a2b3c4d.css", "assets", "text/css; charset=utf-8", FOREVER, ""),
    ("assets/mark.1a2b3c4d.png", "assets", "image/png", FOREVER, ""),
    ("assets/spectral-regular-latin.1a2b3c4d.woff2", "assets", "font/woff2", FOREVER, ""),
    ("releases/probe.txt", "files", "text/plain; charset=utf-8", MINUTES, "probe.txt"),
    ("releases/probe.pdf", "files", "application/pdf", MINUTES, ""),
    ("releases/probe.docx", "files", WORD, MINUTES, "probe.docx"),
    ("releases/probe.zip", "files", "application/zip", MINUTES, "probe.zip"),
    ("releases/probe.shots.txt", "files", "text/plain; charset=utf-8", MINUTES, "probe.shots.txt"),
    ("releases/probe/tape.png", "files", "image/png", MINUTES, ""),
    ("releases/probe/TAPE.JPG", "files", "image/jpeg", MINUTES, ""),
    ("releases/probe/moving.gif", "files", "image/gif", MINUTES, ""),
    ("releases/probe/tape.webp", "files", "image/webp", MINUTES, ""),
    ("releases/probe.html", "pages", "text/html; charset=utf-8", MINUTES, ""),
    ("releases/probe.png", "files", "image/png", MINUTES, ""),
    ("releases/probe.json", "records", "application/json", MINUTES, ""),
    ("manifest/1999.12.json", "manifest", "application/json", FOREVER, ""),
    ("manifest.json", "manifest", "application/json", MINUTES, ""),
    ("feed.xml", "listings", "application/rss+xml; charset=utf-8", MINUTES, ""),
    ("index.html", "listings", "text/html; charset=utf-8", MINUTES, ""),
    ("media-contact.html", "listings", "text/html; charset=utf-8", MINUTES, ""),
    ("media-contact.txt", "listings", "text/plain; charset=utf-8", MINUTES, "media-contact.txt"),
    ("media-contact.vcf", "listings", "text/vcard; charset=utf-8", MINUTES, "media-contact.vcf"),
)


def file(key: str, words: str = "") -> File:
    data = (words or key).encode()
    return File(key, hashlib.sha256(data).hexdigest(), len(data), data)


@pytest.mark.parametrize(("key", "group", "media_type", "cache", "download"), SPECIFICATION)
def test_each_kind_of_file_has_its_group_type_caching_and_name(
    key: str, group: Group, media_type: str, cache: str, download: str
) -> None:
    (upload,) = plan([file(key)], {}).uploads
    headers = (upload.file.media_type, upload.file.cache_control, upload.file.download)
    assert (upload.group, *headers) == (group, media_type, cache, download)


def test_every_format_is_in_the_specification() -> None:
    assert {row.key("probe") for row in FORMATS} <= {key for key, *_ in SPECIFICATION}


def test_what_is_public_with_the_same_digest_stays() -> None:
    known = file("releases/probe.pdf")
    assert plan([known], {known.key: known.sha256}).uploads == ()
    assert plan([known], {known.key: known.sha256}).unchanged == 1


def test_the_reason_is_new_or_changed() -> None:
    one, other = file("releases/one.pdf"), file("releases/other.pdf")
    found = plan([one, other], {other.key: "another digest"})
    assert {upload.file.key: upload.reason for upload in found.uploads} == {one.key: "new", other.key: "changed"}
    assert found.unchanged == 0


def test_a_file_that_may_be_half_replaced_goes_up_again() -> None:
    """An empty digest stands for not knowing what is there."""
    assert [upload.reason for upload in plan([file("releases/one.pdf")], {"releases/one.pdf": ""}).uploads] == [
        "changed"
    ]


def test_nothing_public_is_ever_taken_away() -> None:
    """A plan has uploads and no deletions: what is public and no longer wanted is left alone."""
    found = plan([], {"releases/old.pdf": "digest"})
    assert (found.uploads, found.unchanged) == ((), 0)


def test_nothing_is_named_before_it_is_there() -> None:
    keys = [key for key, *_ in SPECIFICATION]
    for order in (keys, keys[::-1]):
        found = plan(map(file, order), {})
        groups = [upload.group for upload in found.uploads]
        assert groups == sorted(groups, key=GROUPS.index)
    assert GROUPS == ("assets", "files", "pages", "records", "manifest", "listings")


def test_two_machines_plan_the_same_in_the_same_order() -> None:
    files = [file(key) for key, *_ in SPECIFICATION]
    assert plan(files, {}) == plan(files[::-1], {})


def test_a_group_of_the_plan_holds_its_own_and_all_groups_hold_everything() -> None:
    found = plan([file(key) for key, *_ in SPECIFICATION], {})
    assert tuple(upload for name in GROUPS for upload in found.group(name)) == found.uploads
    assert [upload.file.key for upload in found.group("pages")] == ["releases/probe.html"]


@pytest.mark.parametrize("name", ["tape.pdf", "page.html", "data.json", "notes.txt", "copy.docx"])
def test_a_file_in_a_releases_folder_is_never_its_page(name: str) -> None:
    assert group_of(f"releases/probe/{name}") == "files"


def test_a_suffix_that_nobody_knows_has_no_media_type() -> None:
    """Better an error here than a download of type application/octet-stream for ever."""
    with pytest.raises(KeyError):
        _ = file("releases/probe.exe").media_type


KEYS = st.sampled_from([key for key, *_ in SPECIFICATION])
DIGESTS = st.sampled_from(["one", "two", ""])


@given(st.dictionaries(KEYS, DIGESTS), st.dictionaries(KEYS, DIGESTS))
def test_a_plan_carried_out_leaves_nothing_to_do(wanted: dict[str, str], public: dict[str, str]) -> None:
    files = [File(key, sha256, 0, b"") for key, sha256 in wanted.items()]
    first = plan(files, public)
    assert first.unchanged + len(first.uploads) == len(files)
    after = public | {upload.file.key: upload.file.sha256 for upload in first.uploads}
    assert plan(files, after).uploads == ()
