"""The press kit: what a newsroom would fetch of a release one by one, in one folder of one zip file.

In it are the text, the PDF and the Word file as they are offered one by one, the pictures at full resolution, and whom
to call. What a withdrawn release said and showed is in none of these, and so not in the kit that takes the old one's
place.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from pipeline.typography.contact_cards import CARDS, TEXT, contact_cards, contact_text
from pipeline.writers import Output, RenderInput

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest moment that a zip file can state."""
_UNIX, _READABLE = 3, 0o100644 << 16
"""Else the file would tell on what system it was packed, and unpack without rights for anybody else."""


def write(render_input: RenderInput) -> Output:
    """Pack ``job.files``, the pictures and the contacts; pictures are compressed already and only stored."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in _files(render_input):
            entry = zipfile.ZipInfo(f"{render_input.release.slug}/{name}", _EPOCH)
            entry.create_system, entry.external_attr = _UNIX, _READABLE
            stored = name in render_input.pictures
            archive.writestr(entry, data, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)
    return Output(buffer.getvalue())


def _files(render_input: RenderInput) -> Iterator[tuple[str, bytes]]:
    for key, data in render_input.files.items():
        yield key.rpartition("/")[2], data
    for picture in render_input.release.pictures:
        yield picture.file, render_input.pictures[picture.file]
    if render_input.release.contacts or render_input.release.footage:
        yield TEXT, contact_text(render_input.newsroom, render_input.article.footer)
        yield (
            CARDS,
            contact_cards(
                render_input.release.contacts,
                render_input.release.footage,
                render_input.newsroom,
                render_input.messages,
            ),
        )
