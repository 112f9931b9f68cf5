"""Made-up releases in any number, for measurements: ``write(folder, number)``.

Release 17 has the same bytes in a corpus of twenty and of ten thousand. Each has paragraphs with links and emphasis
under headings; of twelve in a row, six have a list, four a quotation, three a table, and three a picture.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from PIL import Image, ImageDraw

from tests.support.newsroom import SAMPLE

FIRST = datetime(1999, 1, 4, 9, tzinfo=UTC)
"""When the first release was published; each is some hours later than the one before, so that many fit."""
APART = timedelta(hours=20)
ZONE = ZoneInfo("Europe/London")
"""Of the sample newsroom."""
SHORT = 60
"""Words. A shorter release is text alone."""


def _split(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_NAMES = _split("""
    amnesty archive bank bridge budget camera campaign catalogue charter city clinic committee council country
    court door editor election engineer family film footage garden government harbour hearing home hospital
    house inquiry judge language law lawyer letter library member minister month museum newspaper office officer
    organisation paper parliament partner patient photograph plan port press prison programme project
    question record reform refugee report right road school secretary ship society station street student study
    survey tape teacher team test town train trial union university village visit voice volunteer vote week
    witness worker workshop year
""")
_VERBS = _split("""
    accepted agreed answered asked backed built called changed checked closed confirmed described filmed
    followed found gave heard held improved joined kept left made measured met moved named needed opened paid
    passed planned published read recorded rejected replaced sent showed signed supported took told translated
    used visited wanted won wrote
""")
_KINDS = _split("""
    big central early eastern first former free full general good great high independent international joint
    large last late legal local long medical national new next northern old only open own poor public recent
    second short small social southern special strong third whole young
""")
_LINKS = _split("in of for at to by with from after before during because|of together|with near without against")
_PLACES = _split("London Geneva Seoul Lagos Warsaw Montevideo Nairobi Lisbon Toronto Marseille Kraków Malmö")
_PEOPLE = ("Ruth Okafor", "Pierre Lemaire", "Zofia Nowak", "Kim Min-seo", "Inês Duarte", "Amara Bello", "Jon Halvorsen")
_TITLES = ("Head of research", "Director", "Chief archivist", "Spokesperson", "Project manager")


def write(folder: Path, number: int, words: int = 653, *, pictures: bool = True) -> None:
    """Write releases 0 to ``number`` − 1 into ``folder``, with the sample newsroom.

    They have ``words`` words on the average. Without ``pictures``, those that would have one have more text.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("newsroom.toml", "mark.png"):
        shutil.copyfile(SAMPLE / name, folder / name)
    for place in range(number):
        random = Random(place)  # the same every time
        has_picture = pictures and words >= SHORT and place % 4 == 1
        blocks = "\n\n".join(_blocks(random, place, round(words * random.uniform(0.6, 1.4)), has_picture))
        (folder / f"{_slug(place)}.md").write_text(f"{_front_matter(random, place)}{blocks}\n", "utf-8")
        if has_picture:
            (folder / _slug(place)).mkdir(exist_ok=True)
            (folder / _slug(place) / "scene.png").write_bytes(_picture(random))


def _slug(place: int) -> str:
    return f"release-{place:05}"


def _front_matter(random: Random, place: int) -> str:
    date = (FIRST + APART * place).astimezone(ZONE).isoformat(timespec="minutes")
    lines = [
        f'title: "Number {place}: {_phrase(random)} {random.choice(_VERBS)} {_phrase(random)}"',
        *([f"subtitle: {_sentence(random)[:-1]}"] if place % 3 else []),
        f"date: {date}",
        f"dateline: {random.choice(_PLACES)}",
        f"topics: [{random.choice(('archive', 'human-rights'))}]",
        f"summary: {_sentence(random)}",
    ]
    return "\n".join(("---", *lines, "---", ""))


def _blocks(random: Random, place: int, words: int, has_picture: bool) -> Iterator[str]:
    """Yield the paragraphs and what stands between them, until there are about as many ``words`` as wanted."""
    special = []
    if place % 2 == 0:
        special.append("\n".join(f"{mark} {_phrase(random)} {_ending(random)}" for mark in _marks(place)))
    if place % 3 == 0:
        said = " ".join(_sentence(random) for _ in range(3))
        special.append(f"> “{said}” – {random.choice(_PEOPLE)}, {random.choice(_TITLES)}")
    if place % 4 == 2:
        special.append(_table(random))
    if has_picture:
        special.append(f'![{_phrase(random)}](scene.png "{_sentence(random)} | {random.choice(_PEOPLE)}")')
    if words < SHORT:
        special.clear()
    left, number = words - sum(len(block.split()) for block in special), 0
    while left > 0:
        if number and number % 3 == 0:
            heading = f"{random.choice(_KINDS)} {_several(random)}".capitalize()
            yield f"## {heading}"
            left -= 3
        paragraph = _paragraph(random, min(left, random.randrange(35, 85)))
        yield paragraph
        left -= len(paragraph.split())
        number += 1
        if special and number % 2 == 0:
            yield special.pop(0)
    yield from special


def _marks(place: int) -> tuple[str, ...]:
    return ("-",) * 4 if place % 4 else ("1.", "2.", "3.")


def _paragraph(random: Random, words: int) -> str:
    sentences: list[str] = []
    while sum(len(sentence.split()) for sentence in sentences) < words:
        sentences.append(_sentence(random))
    return " ".join(sentences)


def _sentence(random: Random) -> str:
    text = f"{_phrase(random)} {random.choice(_VERBS)} {_phrase(random)} {_ending(random)}"
    if random.random() < 0.3:
        text += f", and {_phrase(random)} {random.choice(_VERBS)} {random.randrange(2, 980)} {_several(random)}"
    if random.random() < 0.1:
        text += f", said {random.choice(_PEOPLE)} in {random.choice(_PLACES)}"
    if random.random() < 0.08:
        text += f" ([{_several(random)}](https://example.org/{random.choice(_NAMES)}/{random.randrange(9999)}))"
    return f"{text[0].upper()}{text[1:]}."


def _phrase(random: Random) -> str:
    name = random.choice(_NAMES)
    if random.random() < 0.03:
        name = f"*{name}*"
    elif random.random() < 0.03:
        name = f"**{name}**"
    kind = f" {random.choice(_KINDS)}" if random.random() < 0.6 else ""
    return f"the{kind} {name}"


def _several(random: Random) -> str:
    name = random.choice(_NAMES)
    return (
        f"{name[:-1]}ies"
        if name.endswith("y") and name[-2] not in "aeiou"
        else f"{name}es"
        if name.endswith("s")
        else f"{name}s"
    )


def _ending(random: Random) -> str:
    return f"{random.choice(_LINKS).replace('|', ' ')} {_phrase(random)}"


def _table(random: Random) -> str:
    """Return a table of three to six columns: names, figures, and sometimes a column of running text."""
    columns, rows = random.randrange(3, 7), random.randrange(4, 9)
    talk = random.random() < 0.5
    lines = [["Place", *(random.choice(_NAMES).capitalize() for _ in range(columns - 1))], ["---"] * columns]
    for _ in range(rows):
        figures = [f"{random.randrange(1, 90_000):,}" for _ in range(columns - 1)]
        if talk:
            figures[-1] = f"{_phrase(random)} {_ending(random)}"
        lines.append([random.choice(_PLACES), *figures])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _picture(random: Random) -> bytes:
    """Return a picture of coloured shapes, which compresses as a drawing does."""
    image = Image.new("RGB", (1200, 800), (random.randrange(200, 256),) * 3)
    draw = ImageDraw.Draw(image)
    for _ in range(40):
        x, y, width = random.randrange(1200), random.randrange(800), random.randrange(20, 300)
        colour = tuple(random.randrange(256) for _ in range(3))
        draw.ellipse((x, y, x + width, y + width), fill=colour)
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
