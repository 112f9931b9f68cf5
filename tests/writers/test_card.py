"""The social card: one picture of 1200 × 630 pixels with the words of the headline, in every script."""

from __future__ import annotations

import io

import msgspec
import pytest
from PIL import Image, ImageChops, ImageStat

from pipeline.model.formats import CARD_SIZE
from pipeline.typography import fonts
from pipeline.writers import card
from tests.support import sample
from tests.writers import cases

LONG = "Archive opens its catalogue of news tapes to every newsroom, and lends machines that can still play them "


def drawn(title: str, **changes: object) -> Image.Image:
    data = card.write(sample.render_input(title=title, **changes)).data  # type: ignore[arg-type]
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size) == ("PNG", CARD_SIZE)
        assert len(data) < 60_000
        return image.convert("L")


def ink(image: Image.Image) -> tuple[int, int, int, int]:
    """Return the edges of what is drawn below the coloured bar: left, top, right, bottom."""
    below = image.crop((0, 20, *CARD_SIZE)).point(lambda level: 255 if level < 200 else 0)
    found = below.getbbox()
    assert found
    return found


@pytest.mark.parametrize(
    "title", ["Short", LONG.strip(), LONG * 2, "LONG WORDS " * 20, "W" * 60, "W" * 230, "한국의 " * 30, "标题" * 60]
)
def test_headline_of_any_length_has_room(title: str) -> None:
    if fonts.coverage(title, "en").lacking:
        pytest.skip("no faces for it here")
    image = drawn(title)
    assert image.crop((0, 509, CARD_SIZE[0], 514)).getextrema() == (255, 255)  # above the rule
    left, top, right, bottom = ink(image)
    assert left >= 60
    assert top >= 40
    assert right <= CARD_SIZE[0] - 60
    assert bottom <= CARD_SIZE[1] - 20 - 30


def test_name_that_is_too_long_ends_at_the_end_of_its_line() -> None:
    bare = sample.render_input()
    names = ("Open Window " * 9, "Open Window " * 12)
    articles = [msgspec.structs.replace(bare.article, organisation=name) for name in names]
    pictures = {card.write(msgspec.structs.replace(bare, article=article)).data for article in articles}
    assert len(pictures) == 1


def test_same_release_gives_the_same_bytes_and_another_headline_others() -> None:
    one, same, other = (card.write(sample.render_input(title=title)).data for title in ("One", "One", "Two"))
    assert one == same != other


def test_mark_and_accent_are_on_it() -> None:
    bare = sample.render_input()
    marked = msgspec.structs.replace(bare, mark=sample.picture_bytes())
    blue = msgspec.structs.replace(bare, newsroom=msgspec.structs.replace(bare.newsroom, accent="#003366"))
    assert len({card.write(each).data for each in (bare, marked, blue)}) == 3
    with Image.open(io.BytesIO(card.write(blue).data)) as image:
        red, green, dark = image.convert("RGB").getpixel((600, 5))  # type: ignore[misc]
    assert abs(red) + abs(green - 0x33) + abs(dark - 0x66) < 30


def test_mark_keeps_its_colours_and_the_paper_stays_white() -> None:
    wheel = Image.radial_gradient("L")
    turned = wheel.rotate(90).point(lambda level: 255 - level)
    mark = Image.merge("RGBA", (wheel, turned, Image.new("L", wheel.size, 40), wheel))
    buffer = io.BytesIO()
    mark.save(buffer, "PNG")
    marked = msgspec.structs.replace(sample.render_input(), mark=buffer.getvalue())
    with Image.open(io.BytesIO(card.write(marked).data)) as image:
        shown = image.convert("RGB")
    small = Image.new("RGB", (60, 60), "white")
    fitting = mark.resize((60, 60), Image.Resampling.LANCZOS)
    small.paste(fitting, (0, 0), fitting)
    difference = ImageChops.difference(shown.crop((72, 86, 132, 146)), small)
    assert max(ImageStat.Stat(difference).mean) < 8
    assert shown.getpixel((40, 300)) == (255, 255, 255)


@pytest.mark.parametrize("name", ["arabic", "japanese", "thai", "devanagari", "emoji"])
def test_every_script_has_a_card(name: str) -> None:
    _, made = cases.written(cases.FOLDER / name / f"{name}.md")
    assert made["card"].startswith(b"\x89PNG")
