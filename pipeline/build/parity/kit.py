"""Reading a press kit back: it must hold the very files that the page and the record state."""

from __future__ import annotations

import hashlib
import io
import zipfile

from pipeline.model.formats import Format
from pipeline.typography.contact_cards import CARDS, TEXT
from pipeline.writers import RenderInput


def kit_differs(row: Format, render_input: RenderInput, data: bytes) -> str:
    """Return the first file that is missing, changed or unexpected; empty when there is none."""
    release = render_input.release
    folder = f"{release.slug}/"
    stated = {
        folder + each.key.rpartition("/")[2]: each.sha256
        for each in render_input.renditions
        if each.format in (*row.after, "picture")
    }
    contacts = [folder + TEXT, folder + CARDS] if release.contacts or release.footage else []
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        found = {name: hashlib.sha256(archive.read(name)).hexdigest() for name in names}
    for name in (*stated, *contacts):
        if names.count(name) != 1:
            return f"{name} is in it {names.count(name)} times"
        if found[name] != stated.get(name, found[name]):
            return f"{name} is not the file that was rendered"
    return next((f"{name} does not belong in it" for name in names if name not in (*stated, *contacts)), "")
