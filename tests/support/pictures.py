"""Pictures as photographs have them, and releases that show them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cache
from typing import Any

from PIL import Image

from tests.support.in_process import Sandbox


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@cache
def scene(width: int, height: int) -> Image.Image:
    """A picture with much in it, as photographs have."""
    noise = Image.effect_noise((width // 4 + 1, height // 4 + 1), 60).resize((width, height))
    return Image.merge("RGB", (Image.linear_gradient("L").resize((width, height)), noise, noise.rotate(180)))


def lay(sandbox: Sandbox, files: Mapping[str, bytes], **keys: str) -> None:
    """Write a release that shows ``files``, each by itself."""
    folder = sandbox.content / "probe"
    folder.mkdir(exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    sandbox.write(body="Words.\n\n" + "\n\n".join(f'![A scene]({name} "{name} | Somebody")' for name in files), **keys)


def exif(orientation: int = 1) -> bytes:
    data = Image.Exif()
    data[0x0112] = orientation
    data[0x010E] = "SECRET description"
    data.get_ifd(0x8825)[1] = "N"
    return data.tobytes()
