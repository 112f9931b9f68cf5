"""The press kit: one zip file with everything that a newsroom would otherwise fetch file by file.

It holds the renditions that the table of formats says are packed, the pictures at full resolution and the contacts.
A withdrawn release has no kit.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from pipeline.typography.contact_cards import CARDS, TEXT, contact_cards, contact_text
from pipeline.writers import Output, RenderInput

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file can state: the kit must not depend on the clock."""
_UNIX, _READABLE = 3, 0o100644 << 16
"""The same on every system, and readable by everybody once it is unpacked."""


def write(render_input: RenderInput) -> Output:
    """Pack ``render_input.files``, the pictures and the contacts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in _files(render_input):
            entry = zipfile.ZipInfo(f"{render_input.release.slug}/{name}", _EPOCH)
            entry.create_system, entry.external_attr = _UNIX, _READABLE
            compressed_already = name in render_input.pictures
            archive.writestr(entry, data, zipfile.ZIP_STORED if compressed_already else zipfile.ZIP_DEFLATED)
    return Output(buffer.getvalue())


def _files(render_input: RenderInput) -> Iterator[tuple[str, bytes]]:
    for key, data in render_input.files.items():
        yield key.rpartition("/")[2], data
    release = render_input.release
    for picture in release.pictures:
        yield picture.file, render_input.pictures[picture.file]
    if release.contacts or release.footage:
        newsroom, messages = render_input.newsroom, render_input.messages
        yield TEXT, contact_text(newsroom, render_input.article.footer)
        yield CARDS, contact_cards(release.contacts, release.footage, newsroom, messages)
