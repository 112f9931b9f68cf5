"""The article: the text of all formats, and its order."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from pipeline.model.document import Figure
from pipeline.model.footage import Footage
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import Contact, Correction, Release, Withdrawal, tel_uri
from pipeline.typography.article import Article, Line, Notice, Party, compose, compose_footer
from pipeline.typography.messages import FOLDER, Messages, paragraphs
from tests.support import sample

DAY = datetime(2026, 3, 3, 23, 30, tzinfo=UTC)
WITHDRAWAL = Withdrawal(DAY, "The figures were wrong.", "better")
WORDS = Messages("en-GB", "Europe/London")


def article(newsroom: Newsroom = sample.NEWSROOM, embargoed: bool = False, **changes: object) -> Article:
    release = sample.release(**changes)
    messages = Messages(release.language, newsroom.time_zone)
    return compose(release, newsroom, messages, base_url=sample.BASE, embargoed=embargoed)


# ── Letterhead ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_letterhead_has_organisation_kind_reference_and_day() -> None:
    found = article()
    assert (found.organisation, found.kind) == ("Open Window Archive", "Press release")
    assert ([fact.text for fact in found.facts], found.date) == (["Reference: OW 12/2026"], "1 March 2026")
    assert found.datetime == "2026-03-01T09:30:00+00:00"
    assert article(facts={}).facts == ()


def test_fields_are_in_the_order_of_print() -> None:
    order = ["organisation", "kind", "facts", "date", "status", "notices", "title", "subtitle", "image", "dateline",
             "body", "ends", "about_heading", "boilerplate", "notes", "footer", "reuse", "current",
             "verification"]  # fmt: skip
    assert [name for name in Article.__struct_fields__ if name in order] == order


def test_a_release_is_for_immediate_use_unless_this_copy_is_under_embargo() -> None:
    assert article().status == "For immediate release"
    assert article(embargo=True).status == "For immediate release", "the embargo is over"
    under = article(embargoed=True)
    assert under.embargoed
    assert under.status == "Embargoed until Sunday, 1 March 2026, 09:30 Greenwich Mean Time (UTC+00:00; 09:30 UTC)"


def test_dateline_has_place_and_day_and_is_empty_without_a_place() -> None:
    assert article().dateline == "London, 1 March 2026"
    assert article(dateline="").dateline == ""
    assert article(dateline="{place}").dateline == "{place}, 1 March 2026", "braces of the author are only words"


def test_day_is_in_the_newsrooms_time_zone() -> None:
    there = msgspec.structs.replace(sample.NEWSROOM, time_zone="Pacific/Kiritimati")
    found = article(there, date=datetime(2026, 2, 28, 10, 30, tzinfo=UTC))
    assert found.date == "1 March 2026"
    assert found.dateline == "London, 1 March 2026"
    assert found.datetime == "2026-02-28T10:30:00+00:00"


# ── Notices ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_corrections_are_in_the_order_of_the_release() -> None:
    two = (Correction(DAY, "Second."), Correction(sample.release().date, "First."))
    assert article(corrections=two).notices == (
        Notice("Correction, 3 March 2026", "Second."),
        Notice("Correction, 1 March 2026", "First."),
    )
    assert article(corrections=()).notices == ()


def test_withdrawal_is_the_only_notice_and_links_to_the_replacement() -> None:
    """What was corrected tells of what is taken back."""
    (found,) = article(withdrawn=WITHDRAWAL).notices
    assert found == Notice("Withdrawn, 3 March 2026", WITHDRAWAL.reason, Line("Read instead", "better", "better.html"))
    assert article(withdrawn=Withdrawal(DAY, "Wrong.")).notices[0].link is None


def test_withdrawn_release_keeps_its_title_and_loses_its_text() -> None:
    found = article(withdrawn=WITHDRAWAL, image=Figure("tape.png", ""))
    assert found.title == sample.release().title
    assert (found.subtitle, found.image, found.dateline, found.body, found.notes) == ("", None, "", (), ())
    assert found.footer.contacts
    assert found.boilerplate


# ── Footer ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_boilerplate_is_in_the_language_else_in_the_primary_language_else_the_default() -> None:
    newsroom = msgspec.structs.replace(sample.NEWSROOM, boilerplates={"ar": "نص", "fr-CA": "Québec", "fr": "France"})
    assert article(newsroom, language="ar-EG").boilerplate == ("نص",)
    assert article(newsroom, language="fr-CA").boilerplate == ("Québec",)
    assert article(newsroom, language="fr-BE").boilerplate == ("France",)
    assert article(newsroom).boilerplate == (
        "Open Window Archive keeps releases and footage.",
        "It was made for journalists & editors.",
    )
    assert article(newsroom, language="ar").about_heading == "نبذة عن Open Window Archive"


def test_paragraphs_are_separated_by_empty_lines_and_lines_are_joined() -> None:
    assert paragraphs("\n one\n  two \n\n\n\nthree\n") == ("one two", "three")
    assert paragraphs(" \n ") == ()


def test_paper_states_the_address_that_the_newsroom_keeps_and_none_of_its_storage() -> None:
    stated = msgspec.structs.replace(sample.NEWSROOM, base_url="https://news.example.org/")
    current = article(stated).current
    assert current is not None
    assert (current.label, current.value) == (
        "Read the current version",
        "https://news.example.org/releases/sample.html",
    )
    assert article().current is None


@pytest.mark.parametrize("language", sorted(file.stem for file in FOLDER.glob("*.toml")))
def test_a_newsroom_that_signs_names_the_page_for_checking_in_each_language(language: str) -> None:
    signing = msgspec.structs.replace(sample.NEWSROOM, signs=True)
    found = sample.render_input(signing, language=language).article.verification
    assert found is not None
    assert found.href == found.value == f"{sample.BASE}verify.html"
    assert found.before
    assert language == "en" or found.before != sample.render_input(signing, language="en").article.verification.before  # type: ignore[union-attr]
    assert sample.render_input(language=language).article.verification is None


def test_a_withdrawn_release_names_neither() -> None:
    signing = msgspec.structs.replace(sample.NEWSROOM, signs=True, base_url=sample.BASE)
    gone = sample.render_input(signing, withdrawn=Withdrawal(datetime(2026, 4, 1, tzinfo=UTC), "Wrong.")).article
    assert (gone.current, gone.verification) == (None, None)


def test_terms_of_reuse_are_one_line() -> None:
    newsroom = msgspec.structs.replace(sample.NEWSROOM, reuse="Free\nto  reprint.\n")
    assert article(newsroom).reuse == "Reuse: Free to reprint."
    assert article().reuse == ""


def test_contacts_and_footage_have_links_to_call_and_write() -> None:
    footer = article().footer
    assert (footer.contacts_heading, footer.footage_heading) == ("Media contact", "Footage")
    assert footer.contacts == (
        Party(
            "Ruth Okafor",
            "Head of press",
            (
                Line("Telephone", "+44 20 7946 0312", "tel:+442079460312"),
                Line("Out of hours", "+44 7700 900417", "tel:+447700900417"),
                Line("E-mail", "press@example.org", "mailto:press@example.org"),
                Line("Languages", "English, Français"),
            ),
        ),
    )
    assert footer.footage[0].name == ""
    assert [line.label for line in footer.footage[0].lines] == [
        "Available on", "Duration", "Rights", "Copies from", "Telephone",
    ]  # fmt: skip


def test_footage_with_everything_offers_download_and_preview() -> None:
    full = Footage("Seen.", email="t@example.org", url="https://example.org/a", preview="https://example.org/b")
    (party,) = compose_footer((), (full,), WORDS).footage
    assert [(line.label, line.href) for line in party.lines] == [
        ("E-mail", "mailto:t@example.org"),
        ("Download", "https://example.org/a"),
        ("Preview", "https://example.org/b"),
    ]


def test_empty_value_has_no_line() -> None:
    footer = compose_footer((Contact("x", "Ada"),), (Footage("Seen."),), WORDS)
    assert footer.contacts == (Party("Ada", "", ()),)
    assert footer.footage == (Party("", "Seen.", ()),)


@pytest.mark.parametrize(
    ("number", "uri"),
    [
        ("+44 20 7946 0312", "tel:+442079460312"),
        ("+44 (0)20 7946 0312", "tel:+442079460312"),
        ("+44 (0) 20 7946-0312", "tel:+442079460312"),
        ("+1 (613) 555-0100", "tel:+16135550100"),
        ("+1 613 555 0100 ext. 12", "tel:+16135550100;ext=12"),
        ("+1 613 555 0100 ext 12", "tel:+16135550100;ext=12"),
        ("+1 613 555 0100 x12", "tel:+16135550100;ext=12"),
        ("+1.613.555.0100 EXT. 7", "tel:+16135550100;ext=7"),
        ("+49 30 123/456", "tel:+4930123456"),
        ("020 7946 0312", "tel:02079460312"),
    ],
)
def test_telephone_numbers_can_be_dialled_as_they_are_written(number: str, uri: str) -> None:
    assert tel_uri(number) == uri


# ── Revision and date of a release ────────────────────────────────────────────────────────────────────────────────────


def test_each_correction_is_a_revision_and_the_newest_change_is_the_date_of_the_release() -> None:
    release: Release = sample.release(corrections=())
    assert (release.revision, release.modified) == (1, release.date)
    release = sample.release(corrections=(Correction(DAY, "x"), Correction(release.date, "y")))
    assert (release.revision, release.modified) == (3, DAY)
    assert sample.release(withdrawn=WITHDRAWAL).modified == DAY


def test_article_is_the_same_for_every_format() -> None:
    assert article() == article()
