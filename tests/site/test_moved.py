"""Old addresses of a release lead to it once it is public, and to nothing else of the newsroom."""

from __future__ import annotations

import msgspec
import pytest

from pipeline.model.formats import FORMATS, is_old_address, media_type
from pipeline.model.manifest import Manifest, Row, with_rows
from pipeline.model.render_context import RenderContext
from pipeline.publish.plan import group_of
from pipeline.publish.verification import local_links
from pipeline.site import listings, moved, sitemap
from tests.support import sample
from tests.support.rows import BASE, DAY, row

CONTEXT = RenderContext(sample.NEWSROOM, b"", BASE, DAY)
OLD = "press/1999/tapes.html"


def of(*rows: Row) -> Manifest:
    return with_rows(Manifest(1), rows)


def old(slug: str = "one", *addresses: str, **changes: object) -> Row:
    return msgspec.structs.replace(row(slug), was=addresses or (OLD,), **changes)


def test_an_old_address_leads_to_the_release() -> None:
    page = moved.files(of(old()), CONTEXT)[OLD].decode()
    assert 'content="0; url=../../releases/one.html"' in page
    assert f'<link rel="canonical" href="{BASE}releases/one.html">' in page
    assert [*local_links(OLD, page.encode())] == ["releases/one.html"]


def test_it_says_nothing_that_a_correction_or_withdrawal_could_change() -> None:
    first = moved.files(of(old()), CONTEXT)
    later = moved.files(of(old(title="Other words", withdrawn=True, summary="Gone")), CONTEXT)
    assert first == later


def test_it_is_a_listing_that_is_uploaded_and_verified_but_not_in_the_sitemap() -> None:
    manifest = of(old("one", OLD, "a.htm"))
    assert {OLD, "a.htm"} <= {*listings.keys(manifest)}
    assert {OLD, "a.htm"} <= listings.pages(manifest, CONTEXT).keys()
    assert media_type(OLD) == media_type("a.htm") == "text/html; charset=utf-8"
    assert group_of(OLD) == "listings"
    assert OLD not in sitemap.files(manifest, CONTEXT)["sitemap.xml"].decode()


def test_no_address_of_the_newsroom_can_be_an_old_one() -> None:
    manifest = of(row("one", topics=("archive",)))
    own = [
        *listings.keys(manifest),
        *(form.key("one") for form in FORMATS),
        "releases/one/r1/one.html",
        "manifest.json",
    ]
    assert [key for key in own if is_old_address(key)] == []


@pytest.mark.parametrize(
    "address", ["index.html", "releases/one.html", "../x.html", "/x.html", "a//b.html", "x.php", ""]
)
def test_what_a_manifest_in_storage_says_becomes_no_other_key(address: str) -> None:
    assert moved.keys(of(old("one", address))) == ()


def test_of_two_releases_the_older_has_the_address() -> None:
    newer = old("newer", date=DAY)
    older = old("older", date=DAY.replace(year=1999))
    assert b"older.html" in moved.files(of(newer, older), CONTEXT)[OLD]
