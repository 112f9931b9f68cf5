"""Pictures as paper takes them: sRGB, which an archival file says once, and no more pixels than a printer shows."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from pipeline.typography import image_sizes
from pipeline.writers import RenderInput
from pipeline.writers.pdf import layout as pdf_layout

POINTS = 72
"""In an inch."""


def for_paper(render_input: RenderInput, scheme: str) -> Iterator[tuple[str, bytes]]:
    """Yield address and bytes of each picture, with the pixels that it needs where it is set widest."""
    for picture in render_input.release.pictures:
        room = pdf_layout.picture_room(render_input.newsroom.paper, 0, broad=picture.stretch > 1)
        points = picture.width * pdf_layout.LayoutPlan().picture(picture.width, picture.height, room)
        width = round(points / POINTS * image_sizes.DPI)
        shown = picture.at(width)
        if shown.file in render_input.pictures:
            yield scheme + quote(picture.file), image_sizes.for_paper(render_input.pictures[shown.file], width)[0]
