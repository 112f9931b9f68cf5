"""The newsroom page, the contacts as three files, and the assets with a digest in their names."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.manifest import Row
from pipeline.model.release import PictureSize
from pipeline.model.render_context import RenderContext
from pipeline.model.revision import RevisionRecord
from pipeline.model.statement import Signer, Signers
from pipeline.site.assets import DARK, asset_names, assets, contrast, on_dark
from pipeline.site.contact import contact_files
from pipeline.typography.contact_cards import CARDS, escaped, folded
from tests.support import sample
from tests.support.fontcache import FONTS
from tests.support.html_pages import HOSTILE, Reader, front
from tests.support.rows import BASE, DAY, row

CONTEXT = RenderContext(sample.NEWSROOM, b"", BASE, DAY)


def words(found: Reader) -> str:
    return " ".join("".join(found.text).split())


# --- Front page ------------------------------------------------------------------------------------------------------


def test_newest_release_comes_first() -> None:
    found = front(row("old"), row("new", 9), row("middle", 3))
    assert [a["href"] for a in found.all("a") if re.fullmatch(r"releases/\w+\.html", a["href"])] == [
        "releases/new.html",
        "releases/middle.html",
        "releases/old.html",
    ]


@pytest.mark.parametrize(
    ("rows", "order"),
    [
        ((row("a"), row("b", 3, withdrawn=True)), ["a", "b"]),
        ((row("a"), row("b", 3), row("c", 5, withdrawn=True), row("d", 9, withdrawn=True)), ["b", "d", "c", "a"]),
        ((row("a"), row("b", 3, withdrawn=True), row("c", 5)), ["c", "b", "a"]),
        ((row("a", withdrawn=True), row("b", 3, withdrawn=True)), ["b", "a"]),
        ((row("a"), *(row(f"w{day}", day, withdrawn=True) for day in range(1, 120))), ["a", "w119", "w118"]),
    ],
)
def test_a_withdrawn_release_does_not_lead(rows: tuple[Row, ...], order: list[str]) -> None:
    links = (a["href"] for a in front(*rows).all("a") if re.fullmatch(r"releases/\w+\.html", a["href"]))
    assert [link[9:-5] for link in links][: len(order)] == order


def test_newsroom_page_lists_the_newest_hundred_releases() -> None:
    found = front(*(row(f"r{day}", day) for day in range(120)))
    listed = [a["href"] for a in found.all("a") if re.fullmatch(r"releases/\w+\.html", a["href"])]
    assert len(listed) == 100
    assert listed[0] == "releases/r119.html"


def test_entry_shows_date_summary_and_files_with_their_sizes() -> None:
    text = " ".join("".join(front(row("one")).text).split())
    assert "1 March 2026" in text
    assert "Summary of one." in text
    assert "PDF 2 pages, 26 KB" in text
    assert "Word 14 KB" in text
    assert front(row("one")).all("a", href="releases/one.pdf")


def test_language_is_named_if_it_differs_from_that_of_the_page() -> None:
    found = front(row("here"), row("there", language="ar", title="عنوان"))
    assert found.all("div", lang="ar", dir="rtl")
    assert "العربية" in "".join(found.text)
    assert "English" not in "".join(front(row("here")).text).split("Media contact")[0]


def test_withdrawn_release_offers_no_files() -> None:
    found = front(row("gone", withdrawn=True))
    assert "Withdrawn, 1 March 2026" in "".join(found.text)
    assert not found.all("a", href="releases/gone.pdf")


def test_corrected_release_is_marked_and_a_withdrawn_one_only_as_such() -> None:
    fixed: dict[str, Any] = {"revision": 2, "words": "d" * 64, "modified": DAY + timedelta(days=2)}
    assert "1 March 2026 · Corrected, 3 March 2026 Title of one" in words(front(row("one", **fixed)))
    assert "Corrected" not in words(front(row("one", **(fixed | {"revision": 3}), withdrawn=True)))
    minor = RevisionRecord(1, DAY, "e" * 64, minor="2026-03-02")
    assert "Corrected" not in words(front(row("one", past=(minor,))))


def test_small_picture_stands_beside_the_headline_of_a_release_that_has_one() -> None:
    small = PictureSize("a b.jpg.list.webp", 240, 160, 4000, "f" * 64)
    found = front(row("one", thumbnail=small), row("two"), row("gone", thumbnail=small, withdrawn=True))
    assert [image for image in found.all("img") if "src" in image and "list" in image["src"]] == [
        {
            "class": "thumbnail", "src": "releases/one/a%20b.jpg.list.webp", "alt": "", "width": "120", "height": "80",
            "loading": "lazy", "decoding": "async",
        }
    ]  # fmt: skip


def test_long_summaries_are_cut_between_words() -> None:
    text = "".join(front(row("long", summary="word " * 200)).text)
    assert "word…" in text


def test_empty_newsroom_says_so_and_still_names_its_contacts() -> None:
    text = "".join(front().text)
    assert "There are no releases yet." in text
    assert "Ruth Okafor" in text


def test_page_links_to_feed_and_contacts() -> None:
    found = front(row("one"))
    assert found.all("a", href="feed.xml")
    assert found.all("link", rel="alternate", href="feed.xml")
    assert found.all("a", href="media-contact.html")
    assert found.all("a", href="media-contact.vcf")


def test_markup_in_titles_is_escaped() -> None:
    found = front(row("bad", title=HOSTILE, summary=HOSTILE))
    assert len(found.all("script")) == 1
    assert HOSTILE in " ".join("".join(found.text).split())


def test_links_of_the_newsroom_page_are_relative() -> None:
    found = front(row("one"))
    assert not [a for a in found.all("a") if a["href"].startswith(("http", "/"))]
    assert found.all("link", rel="canonical", href=f"{BASE}index.html")


# --- Contacts --------------------------------------------------------------------------------------------------------


def test_page_text_and_cards_have_the_same_contacts() -> None:
    files = {key: data.decode() for key, data in contact_files(CONTEXT).items()}
    assert sorted(files) == ["media-contact.html", "media-contact.txt", "media-contact.vcf"]
    for known in ("Ruth Okafor", "World Images", "Beta SP"):
        assert all(known in text for text in files.values()), known
    assert "+44 20 7946 0312" in files["media-contact.html"]
    assert "+44 20 7946 0312" in files["media-contact.txt"]
    assert "tel:+442079460312" in files["media-contact.vcf"]


def test_there_is_a_card_for_each_contact_and_for_the_footage() -> None:
    cards = contact_files(CONTEXT)[CARDS].decode()
    assert cards.count("BEGIN:VCARD\r\nVERSION:4.0\r\n") == cards.count("END:VCARD\r\n") == 2
    assert "FN:Ruth Okafor\r\n" in cards
    assert "FN:World Images\r\n" in cards


def test_keys_that_sign_are_named_with_their_fingerprints_and_in_what_time_they_are_valid() -> None:
    old = Signer(("press@example.org",), b"old", None, datetime(2027, 12, 31, tzinfo=UTC), ("press-release",))
    new = Signer(("desk@example.org", "press@example.org"), b"new", datetime(2027, 12, 30, 8, 30, tzinfo=UTC))
    mail = Signer(("mail@example.org",), b"mail", namespaces=("email",))
    signing = msgspec.structs.replace(CONTEXT, signers=Signers(b"...", (old, new, mail)))
    files = {key: data.decode() for key, data in contact_files(signing).items()}
    files[CARDS] = files[CARDS].replace("\r\n ", "")
    for text in files.values():
        assert old.fingerprint in text
        assert new.fingerprint in text
        assert mail.fingerprint not in text, "it signs something else"
    assert files["media-contact.txt"].endswith(
        f"KEYS THAT SIGN THE RELEASES\n\npress@example.org\n{old.fingerprint}\nValid before: 2027-12-31 UTC\n\n"
        f"desk@example.org\n{new.fingerprint}\nValid from: 2027-12-30 08:30:00 UTC\n"
    )
    people, suppliers = len(sample.NEWSROOM.default_contacts), len(sample.NEWSROOM.default_footage)
    assert files[CARDS].count(old.fingerprint) == people
    assert files[CARDS].count("BEGIN:VCARD") == people + suppliers
    assert all(data.decode().find("SHA256:") < 0 for data in contact_files(CONTEXT).values())


def test_newsroom_without_contacts_has_empty_cards() -> None:
    newsroom = msgspec.structs.replace(sample.NEWSROOM, default_contacts=(), default_footage=())
    bare = RenderContext(newsroom, b"", BASE, DAY)
    assert contact_files(bare)[CARDS] == b""
    assert contact_files(bare)["media-contact.txt"] == b"OPEN WINDOW ARCHIVE\n"


def test_card_values_are_escaped() -> None:
    assert escaped("a, b; c\\d\ne") == "a\\, b\\; c\\\\d\\ne"


@given(st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=400))
def test_card_lines_have_at_most_75_octets_and_unfold_to_the_same(line: str) -> None:
    data = folded(line)
    assert all(len(part) <= 75 for part in data[:-2].split(b"\r\n"))
    assert all(part.decode() is not None for part in data.split(b"\r\n"))
    assert data[:-2].replace(b"\r\n ", b"").decode() == line


# --- Shared files ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shared() -> dict[str, bytes]:
    return dict(assets(sample.NEWSROOM, sample.picture_bytes(), FONTS))


def test_names_of_assets_have_a_digest(shared: dict[str, bytes]) -> None:
    names = asset_names(shared)
    assert {"page.css", "mark.png", "spectral-regular-latin.woff2"} <= set(names)
    assert all(re.fullmatch(r"assets/[a-z0-9-]+\.[0-9a-f]{8}\.(css|png|woff2)", key) for key in shared)


def test_style_sheet_names_only_assets_that_exist(shared: dict[str, bytes]) -> None:
    sheet = shared[asset_names(shared)["page.css"]].decode()
    named = re.findall(r'url\("([^"]+)"\)', sheet)
    assert named
    assert {f"assets/{name}" for name in named} <= set(shared)
    assert "http" not in sheet
    assert DARK in sheet


def test_other_accent_makes_another_style_sheet(shared: dict[str, bytes]) -> None:
    blue = msgspec.structs.replace(sample.NEWSROOM, accent="#003366")
    sheets = {asset_names(found)["page.css"] for found in (shared, assets(blue, b"", FONTS))}
    assert len(sheets) == 2


@given(st.integers(0, 0xFFFFFF))
def test_accent_has_enough_contrast_in_the_dark_scheme(colour: int) -> None:
    assert contrast(on_dark(f"#{colour:06x}"), DARK) >= 4.5


def test_contrast_is_computed_as_in_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_accent_with_enough_contrast_is_unchanged() -> None:
    assert on_dark("#ffcc00") == "#ffcc00"
