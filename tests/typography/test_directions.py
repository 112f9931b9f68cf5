"""Numbers and addresses keep their direction in right-to-left text, wherever they stand."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from pipeline.typography.directions import isolate, isolate_plain


def marked(text: str, direction: str = "rtl") -> str:
    """Return ``text`` with ⟨ ⟩ around what is isolated."""
    html = isolate(f'<p dir="{direction}">{text}</p>')[len(f'<p dir="{direction}">') : -len("</p>")]
    return html.replace('<bdi class="tie" dir="ltr">', "⟨").replace('<bdi dir="ltr">', "⟨").replace("</bdi>", "⟩")


@pytest.mark.parametrize(
    "expected",
    [
        "התקשרו אל ⟨+972 3 123 4567⟩.",
        "מספר ⟨020 7946 0183⟩, ⟨(03) 123-4567⟩ או ⟨050-1234567⟩",
        "ירד ב ⟨−42⟩, ⟨-42⟩ או ⟨+3%⟩",
        "בין (⟨-42⟩) ל-⟨±5⟩ ו-⟨+1,234.5⟩",
        "الحرارة ⟨-5 °C⟩ و⟨+17.5%⟩",
        "يوم ⟨2026-11-12⟩",
        "اكتبوا إلى ⟨press@example.org⟩ أو ⟨https://example.org/ar/?a=1&amp;b=2⟩.",
        "«אתר ⟨www.example.org/ar/⟩»",
        "أرباح ⟨-$5⟩ و⟨+€1,000⟩",
        "ב-42 ימים, COVID-19, 1996-1999 ו-3-5",
        "50% من 100",
        "קוד ABC-42 וגם 10:30-12:00",
        "ביום ⟨05-12-2026⟩ 14:30",
    ],
)
def test_numbers_and_addresses_are_isolated_in_text_from_right_to_left(expected: str) -> None:
    assert marked(expected.replace("⟨", "").replace("⟩", "")) == expected


def test_only_telephone_numbers_are_marked_in_text_from_left_to_right() -> None:
    assert marked("Call +44 20 7946 0183, −42, https://example.org/", "ltr") == (
        "Call ⟨+44 20 7946 0183⟩, −42, https://example.org/"
    )


def test_parts_of_a_page_have_their_own_direction() -> None:
    source = '<body dir="rtl"><br/><p>א −4<div dir="ltr">a −4<i dir="rtl">א −4</i>a −4</div>א −4</p></body>'
    assert isolate(source).count("<bdi") == 3
    assert isolate(source.replace('"rtl"><br/>', '"ltr"><br/>')).count("<bdi") == 1


@pytest.mark.parametrize(
    "source",
    [
        '<p>א <bdi dir="ltr">−4</bdi> <a dir="ltr" href="tel:+442079460183">+44 20 7946 0183</a></p>',
        "<title>א −4</title><script>a < −4 > b</script><option>א −4</option><pre>א −4</pre>",
        '<p title="א −4">א</p><!-- א −4 -->',
        "<p>About Dateline</p><p>א, IBM.</p>",
    ],
)
def test_what_is_isolated_already_and_what_is_no_text_of_a_page_stays_as_it_is(source: str) -> None:
    assert isolate(source, "rtl") == source


@pytest.mark.parametrize(
    ("source", "isolated"),
    [
        ("<p>Ends here.</p>", '<p><bdi dir="ltr">Ends here.</bdi></p>'),
        ("<a><b>Word</b> 1 page, 151 KB</a>", '<a><b>Word</b> <bdi dir="ltr">1 page, 151 KB</bdi></a>'),
    ],
)
def test_english_words_that_stand_in_for_a_translation_are_isolated(source: str, isolated: str) -> None:
    assert isolate(source, "rtl") == isolated


def test_markup_stays_markup() -> None:
    assert isolate(Markup("<p>a, b.</p>"), "rtl") == '<p><bdi dir="ltr">a, b.</bdi></p>'


def test_running_titles_have_marks_instead() -> None:
    assert isolate_plain("טלפון +44 20 7946 0183, −42") == "טלפון \u2066+44 20 7946 0183\u2069, \u2066−42\u2069"
