"""What the release page promises: the article's words, facts for machines, relative links, nothing from elsewhere."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from pipeline.build.parity.content import folded
from pipeline.build.parity.expected import article_words
from pipeline.model.document import Figure, Heading, Link, Paragraph, Table, Text
from pipeline.model.footage import Missing
from pipeline.model.formats import Rendition
from pipeline.model.release import Picture, PictureSize, Related, Rights, Withdrawal
from pipeline.publish.single_file_page import page as single_file_page
from pipeline.writers import RenderInput, html
from tests.support import sample
from tests.support.html_pages import HOSTILE, Reader, page, written
from tests.writers import cases

ASSETS = {"page.css": "assets/page.12345678.css", "mark.png": "assets/mark.12345678.png"}


def json_ld(source: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', source, re.DOTALL)
    assert found
    facts = json.loads(found[1])
    assert isinstance(facts, dict)
    return facts


def filmed(**changes: Any) -> str:
    """Return the page of a release with a film."""
    return html.write(sample.render_input(**{"footage": (sample.FILM,), **changes})).data.decode()


def test_film_is_a_video_for_search_engines() -> None:
    (video,) = json_ld(filmed())["video"]
    folder = f"{sample.BASE}releases/sample/"
    assert {name: video[name] for name in video if name not in ("caption", "encoding", "description")} == {
        "@type": "VideoObject",
        "name": sample.release().title,
        "contentUrl": f"{folder}preview.mp4",
        "encodingFormat": "video/mp4",
        "contentSize": "32400000 B",
        "sha256": "c" * 64,
        "duration": "PT2M10S",
        "width": 1280,
        "height": 720,
        "uploadDate": "2026-03-01T09:30:00+00:00",
        "thumbnailUrl": [f"{folder}still.jpg"],
        "transcript": sample.FILM.transcript,
        "conditionsOfAccess": "Free for news use\nNo archive use after 2027. No use in advertising.",
        "expires": "2027-01-31T00:00:00+00:00",
    }
    assert [each["contentUrl"] for each in video["caption"]] == [f"{folder}captions.vtt"]
    assert [(each["@type"], each["contentUrl"]) for each in video["encoding"]] == [
        ("VideoObject", f"{folder}seoul-master.mov"),
        ("AudioObject", f"{folder}sound.wav"),
    ]


@pytest.mark.parametrize("state", ["coming", "gone"])
def test_film_that_is_not_there_is_no_video(state: Missing) -> None:
    source = filmed(missing=dict.fromkeys((file.file for file in sample.FILM.files), state))
    assert "video" not in json_ld(source)
    assert "<video" not in source
    assert "preview.mp4" not in source


def test_page_without_shots_has_no_script_for_them() -> None:
    assert filmed().count("<script>") == 2
    assert filmed(footage=(sample.FOOTAGE,)).count("<script>") == 1


def test_shared_page_of_a_film_has_its_shots_and_no_player() -> None:
    missing: dict[str, Missing] = dict.fromkeys((file.file for file in sample.FILM.files), "coming")
    source = filmed(missing=missing, embargoed=True)
    shared = single_file_page(source.encode(), "releases/sample.html", lambda key: b"").decode()
    assert "available when the embargo ends" in shared
    assert "We counted every tape, and nobody" in shared
    assert "<script" not in shared
    there = single_file_page(filmed().encode(), "releases/sample.html", lambda key: b"").decode()
    assert "<video" not in there
    assert there.count("<section") == there.count("</section")


def in_order(wanted: list[str], found: list[str]) -> list[str]:
    """Return what of ``wanted`` does not stand in ``found`` in the same order."""
    rest = iter(found)
    return [word for word in wanted if not any(word == other for other in rest)]


def test_every_word_of_the_article_stands_on_the_page_in_order() -> None:
    render_input = sample.render_input()
    masthead = [
        render_input.article.organisation,
        render_input.article.kind,
        *(fact.text for fact in render_input.article.facts),
        render_input.article.date,
    ]
    wanted = article_words(render_input.article, render_input.messages)
    assert in_order(folded(" ".join(masthead)), page(render_input).words()) == []
    assert in_order(wanted[len(folded(" ".join(masthead))) :], page(render_input).words()) == []


def test_language_and_direction_are_the_releases() -> None:
    assert page().all("html", lang="en-GB", dir="ltr")
    assert page(sample.render_input(language="ar")).all("html", lang="ar", dir="rtl")


def test_canonical_is_the_public_address_and_every_other_link_is_relative() -> None:
    found = page()
    address = "https://press.example.org/releases/sample.html"
    assert found.all("link", rel="canonical", href=address)
    hrefs = [a["href"] for a in found.all("a")]
    assert not [href for href in hrefs if href.startswith(("/", "https://press"))]
    assert {"sample.pdf", "sample.docx", "sample.txt", "sample.json", "../index.html"} <= set(hrefs)
    assert found.all("link", rel="alternate", type="application/rss+xml", href="../feed.xml")


def test_from_a_copy_of_the_page_too_the_link_for_checking_leads_to_the_newsroom() -> None:
    signing = page(sample.render_input(msgspec.structs.replace(sample.NEWSROOM, signs=True)))
    assert signing.all("a", href=f"{sample.BASE}verify.html")
    assert not page().all("a", href=f"{sample.BASE}verify.html")


def test_nothing_is_loaded_from_elsewhere() -> None:
    found = page(msgspec.structs.replace(sample.render_input(), assets=ASSETS))
    loaded = [tag["href"] for tag in found.all("link", rel="stylesheet")] + [tag["src"] for tag in found.all("img")]
    assert loaded
    assert not [address for address in loaded if ":" in address or address.startswith("/")]
    assert not [tag for tag in found.all("script") if "src" in tag]
    assert not [
        found for _, found in found.elements if "style" in found or any(name.startswith("on") for name in found)
    ]


@pytest.mark.parametrize("name", ["everything", "arabic", "plain"])
def test_record_is_offered_with_its_size_although_it_states_that_of_the_page(name: str) -> None:
    render_input, made = cases.written(cases.FOLDER / name / f"{name}.md")
    facts = f"<b>{render_input.messages['json']}</b> {render_input.messages.size(len(made['json']))}"
    assert facts in re.sub(r"</?bdi[^>]*>", "", made["html"].decode())


def test_preview_is_the_social_card_for_a_release_without_a_picture() -> None:
    card = Rendition("card", "releases/sample.png", 20_000, "c" * 64)
    bare = sample.render_input(body=(sample.para("Words."),), pictures=())
    found = page(msgspec.structs.replace(bare, renditions=(*bare.renditions, card)))
    stated = {tag["property"]: tag["content"] for tag in found.all("meta") if "property" in tag}
    assert {name: value for name, value in stated.items() if name.startswith("og:image")} == {
        "og:image": "https://press.example.org/releases/sample.png",
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": f"{bare.release.title} – Open Window Archive",
    }
    assert not found.all("a", href="sample.png")
    assert not page(bare).all("meta", property="og:image")


def test_contact_card_stands_beside_the_contacts_that_it_has() -> None:
    assert page().all("a", href="../media-contact.vcf")
    other = msgspec.structs.replace(sample.CONTACT, id="other", name="Ann Lee")
    assert not page(sample.render_input(contacts=(other,))).all("a", href="../media-contact.vcf")


def test_earlier_releases_on_the_same_topics_are_named_with_their_dates() -> None:
    earlier = Related("old", "en-GB", "An old <one>", "same_topic", datetime(2026, 2, 1, tzinfo=UTC))
    source = written(msgspec.structs.replace(sample.render_input(), same_topic=(earlier,)))
    section = source.split('<section class="related">')[1].split("</section>")[0]
    assert " ".join(re.sub("<[^>]+>", " ", section).split()) == "Related releases 1 February 2026 An old &lt;one&gt;"
    assert 'href="old.html"' in section
    assert "Related releases" not in written(sample.render_input())


def test_shared_files_are_named_by_their_digest() -> None:
    found = page(msgspec.structs.replace(sample.render_input(), assets=ASSETS))
    assert found.all("link", rel="stylesheet", href="../assets/page.12345678.css")
    assert found.all("img", src="../assets/mark.12345678.png", alt="")


def test_downloads_state_format_pages_and_size_at_the_top_and_at_the_end() -> None:
    text = " ".join("".join(page().text).split())
    assert text.count("PDF 2 pages, 26 KB") == 2
    assert text.count("Word 14 KB") == 2
    assert text.index("PDF 2 pages") < text.index("Word 14 KB") < text.index("Text 3 KB")


def test_release_without_translations_has_no_alternates() -> None:
    assert not [link for link in page().all("link") if "hreflang" in link]


def test_translations_name_each_other_and_the_original() -> None:
    render_input = sample.render_input(slug="probe-ar", language="ar", translation_of="probe")
    render_input = msgspec.structs.replace(render_input, related=(Related("probe", "en-GB", "Probe"),))
    found = {link["hreflang"]: link["href"] for link in page(render_input).all("link") if "hreflang" in link}
    base = "https://press.example.org/releases/"
    assert found == {"ar": f"{base}probe-ar.html", "en-GB": f"{base}probe.html", "x-default": f"{base}probe.html"}
    assert page(render_input).all("a", href="probe.html", lang="en-GB")


FRENCH, ARABIC = Related("probe-fr", "fr", "Sonde"), Related("probe-ar", "ar", "مسبار")
PROBE = Related("probe", "en-GB", "Probe")
GONE = Withdrawal(datetime(2026, 3, 3, tzinfo=UTC), "It was wrong.")


def one_of(*related: Related, **changes: object) -> RenderInput:
    return msgspec.structs.replace(sample.render_input(**changes), related=related)  # type: ignore[arg-type]


def family() -> dict[str, RenderInput]:
    """One release in three languages."""
    return {
        "en-GB": one_of(ARABIC, FRENCH, slug="probe"),
        "fr": one_of(ARABIC, PROBE, slug="probe-fr", language="fr", translation_of="probe"),
        "ar": one_of(PROBE, FRENCH, slug="probe-ar", language="ar", translation_of="probe"),
    }


def alternates(render_input: RenderInput) -> dict[str, str]:
    links = [link for link in page(render_input).all("link", rel="alternate") if "hreflang" in link]
    found = {link["hreflang"]: link["href"].removeprefix("https://press.example.org/releases/") for link in links}
    assert len(found) == len(links), "each language once"
    return found


def test_every_page_of_a_release_names_the_same_alternates_and_itself_as_canonical() -> None:
    """Search engines believe an alternate only when it names the page in return."""
    every = {"ar": "probe-ar.html", "en-GB": "probe.html", "fr": "probe-fr.html", "x-default": "probe.html"}
    for render_input in family().values():
        assert alternates(render_input) == every
        own = f"https://press.example.org/releases/{every[render_input.release.language]}"
        assert [link["href"] for link in page(render_input).all("link", rel="canonical")] == [own]


@pytest.mark.parametrize(("own_language", "default"), [("fr", "probe-fr.html"), ("ko", "probe-ar.html")])
def test_translations_whose_original_was_withdrawn_agree_on_another_default(own_language: str, default: str) -> None:
    newsroom = msgspec.structs.replace(sample.NEWSROOM, language=own_language)
    for slug, language, other in (("probe-fr", "fr", ARABIC), ("probe-ar", "ar", FRENCH)):
        render_input = one_of(other, slug=slug, language=language, translation_of="probe", newsroom=newsroom)
        assert alternates(render_input) == {"ar": "probe-ar.html", "fr": "probe-fr.html", "x-default": default}


def test_a_withdrawn_release_still_leads_to_the_others_but_claims_to_be_none_of_them() -> None:
    render_input = one_of(PROBE, ARABIC, slug="probe-fr", language="fr", translation_of="probe", withdrawn=GONE)
    assert alternates(render_input) == {}
    assert not page(render_input).all("meta", property="og:locale:alternate")
    assert not {"translationOfWork", "workTranslation"} & json_ld(written(render_input)).keys()
    assert page(render_input).all("a", href="probe.html", hreflang="en-GB")


def test_others_stand_in_their_own_names_letters_and_direction() -> None:
    for render_input in family().values():
        links = [a for a in page(render_input).all("a") if "hreflang" in a]
        assert [(a["href"], a["hreflang"], a["lang"], a["dir"]) for a in links] == [
            (f"{r.slug}.html", r.language, r.language, "rtl" if r.language == "ar" else "ltr")
            for r in render_input.related
        ]
    line = written(family()["ar"]).split('<p class="others">')[1].split("</p>")[0]
    assert re.sub("<[^>]+>", "", line) == "متوفر أيضًا بـ English Français"


def test_varieties_of_one_language_are_told_apart() -> None:
    newsroom = msgspec.structs.replace(sample.NEWSROOM, languages=("en-GB", "en-US", "ar"))
    source = written(one_of(Related("probe-us", "en-US", "Probe"), ARABIC, newsroom=newsroom))
    assert ">English (United States)</a>" in source
    assert ">العربية</a>" in source


def test_open_graph_names_the_language_and_the_others() -> None:
    found = page(family()["ar"])
    assert [meta["content"] for meta in found.all("meta", property="og:locale")] == ["ar_EG"]
    assert [meta["content"] for meta in found.all("meta", property="og:locale:alternate")] == ["en_GB", "fr_FR"]
    assert not page().all("meta", property="og:locale:alternate")
    serbian = one_of(Related("probe-sr", "sr-Cyrl", "Сонда"), FRENCH, language="sr-Latn", translation_of="probe")
    others = page(serbian).all("meta", property="og:locale:alternate")
    assert [meta["content"] for meta in others] == ["fr_FR"], "it knows no scripts"


def test_original_and_translations_lead_machines_to_each_other() -> None:
    base = "https://press.example.org/releases/"
    facts = {language: json_ld(written(render_input)) for language, render_input in family().items()}
    assert [(work["@id"], work["inLanguage"]) for work in facts["en-GB"]["workTranslation"]] == [
        (f"{base}probe-ar.html", "ar"), (f"{base}probe-fr.html", "fr")]  # fmt: skip
    assert "translationOfWork" not in facts["en-GB"]
    for language in ("fr", "ar"):
        assert facts[language]["translationOfWork"]["@id"] == f"{base}probe.html"
        assert "workTranslation" not in facts[language]
    assert "workTranslation" not in json_ld(written(sample.render_input()))


def test_page_offers_the_feed_of_its_language_first_and_that_of_all() -> None:
    found = page(family()["ar"]).all("link", type="application/rss+xml")
    assert [(link["href"], link["title"]) for link in found] == [
        ("../feeds/lang/ar.xml", "Open Window Archive – العربية"),
        ("../feed.xml", "Open Window Archive"),
    ]


def test_original_that_is_not_public_yet_is_not_named() -> None:
    source = written(sample.render_input(slug="probe-ar", translation_of="secret-original"))
    assert "secret-original" not in source


def test_facts_for_machines() -> None:
    facts = json_ld(written(sample.render_input()))
    assert facts["@type"] == "NewsArticle"
    assert facts["genre"] == "Press Release"
    assert facts["headline"] == sample.release().title
    assert facts["datePublished"] == "2026-03-01T09:30:00+00:00"
    assert facts["dateModified"] == "2026-03-02T00:00:00+00:00"
    assert facts["inLanguage"] == "en-GB"
    assert facts["dateline"] == "London"
    assert facts["publisher"]["name"] == "Open Window Archive"


def test_files_are_described_for_machines() -> None:
    files = {found["encodingFormat"]: found for found in json_ld(written(sample.render_input()))["encoding"]}
    pdf = files["application/pdf"]
    assert pdf["contentUrl"] == "https://press.example.org/releases/sample.pdf"
    assert pdf["sha256"] == "a" * 64
    assert "26400" in pdf["contentSize"]
    assert "text/html" not in files


def test_pictures_are_described_for_machines() -> None:
    whole = Picture(
        "a.jpg", "image/jpeg", 3000, 2000, 900_000, "0" * 64, (PictureSize("a.1440.jpg", 1440, 960, 1, ""),)
    )
    stated = Rights("© Ann", "Free", "https://example.org/rights")
    pictures = (
        msgspec.structs.replace(whole, rights=stated, source="trainedAlgorithmicMedia", shown=False),
        Picture("b.png", "image/png", 300, 200, 1, ""),
    )
    lead = Figure("a.jpg", "A ship", (Text("At sea"),), "Photo: Ann")
    body = (Figure("b.png", ""), Figure("a.jpg", "Again"))
    found = json_ld(written(sample.render_input(image=lead, body=body, notes=(), pictures=pictures)))["image"]
    assert found == [
        {
            "@type": "ImageObject",
            "contentUrl": "https://press.example.org/releases/sample/a.1440.jpg",
            "width": 1440,
            "height": 960,
            "caption": "At sea",
            "description": "A ship",
            "creditText": "Ann",
            "copyrightNotice": "© Ann",
            "license": "https://example.org/rights",
            "acquireLicensePage": "https://example.org/rights",
            "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
        },
        {
            "@type": "ImageObject",
            "contentUrl": "https://press.example.org/releases/sample/b.png",
            "width": 300,
            "height": 200,
        },
    ]


def test_open_graph() -> None:
    found = {tag["property"]: tag["content"] for tag in page().all("meta") if "property" in tag}
    assert found["og:title"] == sample.release().title
    assert found["og:url"] == "https://press.example.org/releases/sample.html"
    assert found["og:image"] == "https://press.example.org/releases/sample/tape.png"


@pytest.mark.parametrize("field", ["title", "subtitle", "summary", "dateline", "facts"])
def test_hostile_text_is_only_words(field: str) -> None:
    source = written(sample.render_input(**{field: {"reference": HOSTILE} if field == "facts" else HOSTILE}))  # type: ignore[arg-type]  # one of the release's own keywords
    found = Reader(source)
    assert "alert('x')" not in source.replace("alert(&#39;x&#39;)", "").replace("alert('x')\\u003c", "")
    assert len(found.all("script")) == 2
    json_ld(source)


def test_hostile_title_survives_whole() -> None:
    source = written(sample.render_input(title=HOSTILE))
    assert json_ld(source)["headline"] == HOSTILE
    assert HOSTILE in " ".join("".join(Reader(source).text).split())


def test_hostile_body_is_only_words() -> None:
    body = (sample.para(HOSTILE), Table(sample.cells(HOSTILE), (), ("",)), Figure("tape.png", HOSTILE))
    found = page(sample.render_input(body=body))
    assert len(found.all("script")) == 2
    assert found.all("img", alt=HOSTILE)


def test_pictures_state_their_size_and_stand_in_the_releases_folder() -> None:
    assert page().all("img", src="sample/tape.png", width="900", height="600", alt="A cassette on a desk")


@pytest.mark.parametrize("transparent", [True, False])
def test_only_a_transparent_picture_gets_a_light_ground(*, transparent: bool) -> None:
    picture = Picture("tape.png", "image/png", 900, 600, 1, "0", transparent=transparent)
    assert bool(page(sample.render_input(pictures=(picture,))).all("img", **{"class": "transparent"})) is transparent


LARGE = Picture(
    *("tape.png", "image/jpeg", 4000, 3000, 3_200_000, "0"),
    copies=tuple(PictureSize(f"tape.{width}.png", width, width * 3 // 4, width, "1") for width in (480, 960, 1440)),
    shown=False,
)


def test_of_a_large_picture_the_page_shows_copies_and_offers_the_original() -> None:
    found = page(sample.render_input(pictures=(LARGE,)))
    (image,) = found.all("img", alt="A cassette on a desk")
    assert image["src"] == "sample/tape.960.png"
    assert image["srcset"] == "sample/tape.480.png 480w, sample/tape.960.png 960w, sample/tape.1440.png 1440w"
    assert image["sizes"]
    assert (image["loading"], image["decoding"]) == ("lazy", "async")
    (link,) = found.all("a", href="sample/tape.png")
    assert link["aria-label"] == "Download JPEG, 4,000 × 3,000 px, 3.2 MB: A cassette on a desk"
    assert link["download"] == "tape.png"
    assert "Download JPEG, 4,000 × 3,000 px, 3.2 MB" in " ".join("".join(found.text).split())


def test_lead_picture_is_there_at_once_and_shared_at_a_fitting_size() -> None:
    found = page(sample.render_input(pictures=(LARGE,), image=Figure("tape.png", "The lead")))
    (lead,) = found.all("img", alt="The lead")
    assert "loading" not in lead
    assert found.all("meta", property="og:image", content="https://press.example.org/releases/sample/tape.1440.png")


def test_decorative_picture_has_no_words_but_may_be_had() -> None:
    found = page(sample.render_input(body=(Figure("tape.png", ""),), pictures=(LARGE,)))
    assert found.all("img", alt="")
    assert found.all("a", **{"aria-label": "Download JPEG, 4,000 × 3,000 px, 3.2 MB: tape.png"})


def test_panorama_is_moved_sideways_and_a_tall_one_has_an_end() -> None:
    def shown(width: int, height: int, alt: str = "Words") -> Reader:
        return page(sample.render_input(pictures=(Picture("tape.png", "image/png", width, height, 1, "0"),),
                               body=(Figure("tape.png", alt, (Text("A caption"),)),)))  # fmt: skip

    assert shown(4000, 400).all("div", role="group", tabindex="0", **{"aria-label": "Words"})
    assert shown(4000, 400).all("img", width="1350", height="135")
    assert not shown(4000, 400, "").all("div", role="group", **{"class": "scroll"})
    assert shown(800, 2400).all("img", width="400", height="1200")
    assert shown(400, 4000).all("img", width="320", height="3200")


def test_tables_scroll_in_a_box_of_their_own_that_the_keyboard_reaches() -> None:
    table = next(block for block in sample.BODY if isinstance(block, Table))
    found = page(sample.render_input(body=(table, table), notes=(table,))).all("div", role="region", tabindex="0")
    assert [box["aria-label"] for box in found] == [
        "Table: Tape, Subject, Minutes",
        "Table: Tape, Subject, Minutes (2)",
        "Notes to editors: Table: Tape, Subject, Minutes",
    ], "regions are told apart by their names"


def test_headings_get_an_address_only_where_a_link_leads_there() -> None:
    body = (Paragraph((Link("#what-was-done", (Text("below"),)),)), Heading(2, (Text("What was done"),)), *sample.BODY)
    assert [heading.get("id") for heading in page(sample.render_input(body=body)).all("h2")][:2] == [
        "what-was-done",
        None,
    ]
    arabic = (
        Paragraph((Link("#%D9%85%D8%A7-%D8%AA%D8%AD%D9%82%D9%82", (Text("x"),)),)),
        Heading(2, (Text("ما تحقق"),)),
    )
    assert page(sample.render_input(body=arabic)).all("h2", id="ما-تحقق")


def test_there_is_one_headline_and_a_way_past_the_masthead() -> None:
    found = page()
    assert len(found.all("h1")) == 1
    assert len(found.all("main", id="TEXT")) == 1
    assert found.all("a", href="#TEXT")


def test_copy_button_is_hidden_until_the_script_runs() -> None:
    assert page().all("button", hidden="hidden")


def test_withdrawn_release_says_why_and_shows_no_picture() -> None:
    render_input = sample.render_input(
        withdrawn=Withdrawal(datetime(2026, 3, 3, tzinfo=UTC), "It was wrong.", "better")
    )
    source = written(render_input)
    assert "It was wrong." in source
    assert "The last paragraph." not in source
    assert "og:image" not in source
    assert Reader(source).all("a", href="better.html")


def test_embargoed_copy_is_marked() -> None:
    assert page(sample.render_input(embargoed=True)).all("p", **{"class": "status embargo"})


def test_unknown_files_and_pictures_are_no_downloads() -> None:
    render_input = msgspec.structs.replace(
        sample.render_input(), renditions=(Rendition("picture", "releases/sample/tape.png", 1, "a"),)
    )
    found = {a["href"]: a for a in page(render_input).all("a") if "type" in a and "media-contact" not in a["href"]}
    assert found.keys() == {"sample.json", "sample/tape.png"}
    assert "download" in found.pop("sample/tape.png")


def test_numbers_and_addresses_in_the_text_stand_in_lines_of_their_own_direction() -> None:
    """In Arabic the plus would end up behind its number, the last stroke of an address before it."""
    address = "https://example.org/"
    messages = (Text("اتصل +44 20 7946 0999 أو "), Link(address, (Text(address),)), Link(address, (Text("هنا"),)))
    source = html.write(sample.render_input(language="ar", body=(Paragraph(messages),))).data.decode()
    assert '<bdi class="tie" dir="ltr">+44 20 7946 0999</bdi>' in source
    assert f'<a href="{address}" dir="ltr">{address}</a><a href="{address}">هنا</a>' in source


@pytest.mark.parametrize(
    ("language", "classes"), [("en-GB", "latn"), ("ar", "arab unspaced"), ("zh-TW", "hant unspaced upright")]
)
def test_page_says_which_script_it_is_set_in(language: str, classes: str) -> None:
    source = html.write(sample.render_input(language=language)).data.decode()
    assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}" class="{classes}">' in source


def test_same_job_gives_the_same_bytes() -> None:
    assert html.write(sample.render_input()).data == html.write(sample.render_input()).data
