"""Imports: a release of another program → the Markdown source of a draft, with its pictures.

In: a DOCX, HTML, text, Markdown or PDF file. Out: ``ImportedDraft``, or a ``SettingError`` that says why the file
cannot be used and what to do. The way: file → ``Foreign`` (our own document tree, with its questions in place:
``word``, ``html``, ``text``, ``pdf``, ``markup``) → ``Recognised`` (``recognition``: headline, date, contacts …) →
Markdown (``draft``, ``markdown_source``). What is uncertain carries a mark, ``check: …``, which the reader refuses
until somebody has deleted it. mammoth is imported by this package alone, and only for a file that needs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from pipeline.model.newsroom import Newsroom


class ImportedDraft(Struct, frozen=True):
    """A release as it was imported; nothing is written yet."""

    title: str
    source: str
    """The text of its Markdown file."""
    pictures: Mapping[str, bytes]
    """By the name under which the source shows them."""
    remarks: tuple[str, ...] = ()
    """What was assumed or left out, in sentences."""


def import_release(file: Path, newsroom: Newsroom, now: datetime) -> ImportedDraft:
    """Return the release in ``file`` as a draft. Raises ``SettingError`` for a file that cannot be imported."""
    from pipeline.reader.imports.draft import draft_of
    from pipeline.reader.imports.files import read_foreign

    return draft_of(read_foreign(file), file.name, newsroom, now)
