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

from PIL import Image, ImageDraw

from tests.support.newsroom import SAMPLE

FIRST = datetime(1999, 1, 4, 9, tzinfo=UTC)
"""When the first release was published; each is some hours later than the one before, so that many fit."""
APART = timedelta(hours=20)


def _split(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_NAMES = _split("""
    archive agreement amnesty budget bridge campaign catalogue charter clinic commission committee community conference
    council court courtyard delegation department detention district documentary editor election embassy employment
    engineer exhibition factory family fellowship footage foundation frontier government harbour hearing hospital
    inquiry institute interview inspector journalist judgement laboratory language lawyer legislation library member
    minister monument museum neighbourhood newspaper observer office organisation parliament partner patient petition
    photograph police president prison programme project proposal province publisher railway recording reform refugee
    report researcher restoration school secretary settlement society station student survey teacher testimony theatre
    training translation tribunal university village visitor volunteer witness workshop
""")
_VERBS = _split("""
    accepted announced approved welcomed changed collected compared confirmed described discussed documented examined
    explained financed followed identified improved inspected joined measured opened organised planned prepared
    presented promised published questioned recorded rejected replaced restored returned reviewed signed studied
    supported translated visited
""")
_KINDS = _split("""
    annual available central combined complete detailed early eastern extraordinary former foreign general historical
    independent international joint large late legal local medical national new northern open permanent private public
    recent regional second separate serious small social southern special technical temporary western young
""")
_LINKS = _split("in after before during under because|of according|to together|with on|behalf|of near without against")
_PLACES = _split("London Geneva Seoul Lagos Warsaw Montevideo Nairobi Lisbon Toronto Marseille Kraków Malmö")
_PEOPLE = ("Ruth Okafor", "Pierre Lemaire", "Zofia Nowak", "Kim Min-seo", "Inês Duarte", "Amara Bello", "Jon Halvorsen")
_TITLES = ("Head of research", "Director", "Chief archivist", "Spokesperson", "Project manager")


def write(folder: Path, number: int, words: int = 653) -> None:
    """Write releases 0 to ``number`` − 1 with about ``words`` words each into ``folder``, with the sample newsroom."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("newsroom.toml", "mark.png"):
        shutil.copyfile(SAMPLE / name, folder / name)
    for place in range(number):
        random = Random(place)  # the same every time
        blocks = "\n\n".join(_blocks(random, place, words))
        (folder / f"{_slug(place)}.md").write_text(f"{_front_matter(random, place)}{blocks}\n", "utf-8")
        if _has_picture(place):
            (folder / _slug(place)).mkdir(exist_ok=True)
            (folder / _slug(place) / "scene.png").write_bytes(_picture(random))


def _slug(place: int) -> str:
    return f"release-{place:05}"


def _has_picture(place: int) -> bool:
    return place % 4 == 1


def _front_matter(random: Random, place: int) -> str:
    date = (FIRST + APART * place).isoformat(timespec="minutes")
    lines = [
        f'title: "Number {place}: {_phrase(random)} {random.choice(_VERBS)} {_phrase(random)}"',
        *([f"subtitle: {_sentence(random)[:-1]}"] if place % 3 else []),
        f"date: {date}",
        f"dateline: {random.choice(_PLACES)}",
        f"topics: [{random.choice(('archive', 'human-rights'))}]",
        f"summary: {_sentence(random)}",
    ]
    return "\n".join(("---", *lines, "---", ""))


def _blocks(random: Random, place: int, words: int) -> Iterator[str]:
    """Yield the paragraphs and what stands between them, until there are about as many ``words`` as wanted."""
    special = []
    if place % 2 == 0:
        special.append("\n".join(f"{mark} {_phrase(random)} {_ending(random)}" for mark in _marks(place)))
    if place % 3 == 0:
        said = " ".join(_sentence(random) for _ in range(3))
        special.append(f"> “{said}” – {random.choice(_PEOPLE)}, {random.choice(_TITLES)}")
    if place % 4 == 2:
        special.append(_table(random))
    if _has_picture(place):
        special.append(f'![{_phrase(random)}](scene.png "{_sentence(random)} | {random.choice(_PEOPLE)}")')
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
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}es" if name.endswith("s") else f"{name}s"


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
