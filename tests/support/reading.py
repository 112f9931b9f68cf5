"""Write releases into a folder, read them, and list their faults as lines."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image

from pipeline.model.errors import ReleaseError
from pipeline.model.footage import Footage
from pipeline.model.newsroom import Newsroom, Topic
from pipeline.model.release import Contact
from pipeline.reader import ReadRelease, read_newsroom, read_release

NEWSROOM = Newsroom(
    name="Open Window Archive",
    language="en-GB",
    time_zone="Europe/London",
    languages=("en-GB", "ar", "pt-BR"),
    contacts=(Contact("desk", "Press desk"), Contact("night", "Night desk")),
    default_contacts=("desk",),
    footage={"archive": Footage("Footage"), "seoul": Footage("Seoul")},
    default_footage=("archive",),
    topics=(Topic("archive", "Archive"), Topic("human-rights", "Human rights")),
)
FRONT = "title: A title\ndate: 2026-11-23T09:00+00:00\n"


def release(folder: Path, front: str = FRONT, body: str = "Words.\n", slug: str = "x") -> ReadRelease:
    """Write a release and read it."""
    file = folder / f"{slug}.md"
    file.write_text(f"---\n{front}---\n{body}", "utf-8")
    return read_release(file, NEWSROOM)


def faults(folder: Path, front: str = FRONT, body: str = "Words.\n", slug: str = "x") -> list[str]:
    """Return line, message and hint of each fault, as ``2 title: empty (write …)``."""
    try:
        release(folder, front, body, slug)
    except ReleaseError as error:
        return [f"{f.line} {f.message}" + (f" ({f.hint})" if f.hint else "") for f in error.faults]
    return []


def newsroom_faults(folder: Path, text: str) -> list[str]:
    """The same for newsroom.toml."""
    (folder / "newsroom.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        read_newsroom(folder)
    except ReleaseError as error:
        return [f"{f.line} {f.message}" + (f" ({f.hint})" if f.hint else "") for f in error.faults]
    return []


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    """Return the bytes of a small picture that is no single colour."""
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    image.putpixel((0, 0), (255, 0, 0))
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
