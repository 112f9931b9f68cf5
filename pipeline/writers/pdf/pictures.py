"""Pictures as paper takes them: sRGB, which an archival file says once, and no more pixels than a printer shows."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from pipeline.typography import image_sizes as darkroom
from pipeline.writers import Job
from pipeline.writers.pdf import layout as pdf_layout

POINTS = 72
"""In an inch."""


def for_paper(job: Job, scheme: str) -> Iterator[tuple[str, bytes]]:
    """Yield address and bytes of each picture, with the pixels that it needs where it is set widest."""
    for picture in job.release.pictures:
        room = pdf_layout.picture_room(job.newsroom.paper, 0, broad=picture.stretch > 1)
        points = picture.width * pdf_layout.Plan().picture(picture.width, picture.height, room)
        width = round(points / POINTS * darkroom.DPI)
        shown = picture.at(width)
        if shown.file in job.pictures:
            yield scheme + quote(picture.file), darkroom.for_paper(job.pictures[shown.file], width)[0]
