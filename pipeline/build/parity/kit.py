"""What a press kit holds, against what page and record state of the same files."""

from __future__ import annotations

import hashlib
import io
import zipfile

from pipeline.model.formats import by_name
from pipeline.typography.contact_cards import CARDS, TEXT
from pipeline.writers import RenderInput


def kit_differs(render_input: RenderInput, data: bytes) -> str:
    """Return the first file that is missing, of no account, or not the one that is offered by itself; else nothing."""
    folder = f"{render_input.release.slug}/"
    packed = (*by_name("kit").after, "picture")
    wanted = {folder + made.key.rpartition("/")[2]: made.sha256 for made in render_input.made if made.format in packed}
    unstated = [folder + TEXT, folder + CARDS] if render_input.release.contacts or render_input.release.footage else []
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        found = {name: hashlib.sha256(archive.read(name)).hexdigest() for name in names}
    for name in [*wanted, *unstated]:
        if names.count(name) != 1:
            return f"it has {name} {names.count(name)} times"
        if found[name] != wanted.get(name, found[name]):
            return f"its {name} is not the one that was made"
    return next((f"nobody asked for its {name}" for name in names if name not in (*wanted, *unstated)), "")
