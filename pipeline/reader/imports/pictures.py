"""The pictures of a foreign file, each once, under names that a source may use."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import re
import warnings
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from PIL import Image

BYTE_LIMIT = 64_000_000
TOTAL_LIMIT = 300_000_000
PIXEL_LIMIT = 40_000_000
COUNT_LIMIT = 100
_SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "GIF": ".gif"}
_CONVERTED = frozenset(("BMP", "TIFF", "PPM", "DIB"))


class Pictures:
    """Collects pictures; ``folder`` is where addresses of files lead to, None when no file may be read."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.files: dict[str, bytes] = {}
        self._names: dict[str, str] = {}

    def add(self, address: str) -> tuple[str, str]:
        """Return the name under which the picture at ``address`` is kept, or an empty one and a question."""
        if not address:
            return "", ""
        if address.startswith("data:"):
            return self.add_data(_decoded(address), "")
        parts = urlsplit(address)
        shown = address[:120]
        if parts.scheme or parts.netloc:
            return "", f"a picture stood here, {shown}: save it beside the release and name it, or delete this line"
        data = self._file(unquote(parts.path))
        if data is None:
            return "", f"a picture stood here, {shown}: it was not found beside the file"
        return self.add_data(data, Path(unquote(parts.path)).name)

    def add_data(self, data: bytes, name: str) -> tuple[str, str]:
        """The same for bytes; ``name`` is how the file calls them, if it does."""
        what = f"a picture stood here{f', {name}' if name else ''}"
        if len(self.files) >= COUNT_LIMIT or sum(map(len, self.files.values())) + len(data) > TOTAL_LIMIT:
            return "", f"{what}: there are too many, export it by itself"
        if len(data) > BYTE_LIMIT:
            return "", f"{what}: it is larger than {BYTE_LIMIT // 1_000_000} MB; save it smaller"
        digest = hashlib.sha256(data).hexdigest()
        if digest in self._names:
            return self._names[digest], ""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                image = Image.open(io.BytesIO(data))
                if image.width * image.height > PIXEL_LIMIT:
                    return "", f"{what}: it has more than {PIXEL_LIMIT // 1_000_000} megapixels; save it smaller"
                image.load()
                if image.format in _CONVERTED:
                    buffer = io.BytesIO()
                    image.convert("RGBA" if "A" in image.getbands() else "RGB").save(buffer, "PNG")
                    data, kind = buffer.getvalue(), "PNG"
                else:
                    kind = image.format or ""
        except Exception:  # Pillow raises many kinds for what it cannot read
            kind = ""
        if kind not in _SUFFIXES:
            return "", f"{what}: its format is none that browsers show; export it as PNG or JPEG and name it here"
        file = self._free(name, _SUFFIXES[kind])
        self.files[file] = data
        self._names[digest] = file
        return file, ""

    def _free(self, name: str, suffix: str) -> str:
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", name.rpartition(".")[0] or name).strip("-_").lower()[:60]
        stem = stem or "picture"
        number = len(self.files) + 1
        plain = stem if stem != "picture" else f"picture-{number}"
        taken = {file.rpartition(".")[0] for file in self.files}
        while plain in taken:
            number += 1
            plain = f"{stem}-{number}"
        return plain + suffix

    def _file(self, path: str) -> bytes | None:
        """Return the bytes of a file in the folder of the page, None for any other."""
        if self.folder is None or not path:
            return None
        try:
            folder = self.folder.resolve()
            file = (folder / path).resolve()
            if not file.is_relative_to(folder) or not file.is_file() or file.stat().st_size > BYTE_LIMIT:
                return None
            return file.read_bytes()
        except (OSError, ValueError):
            return None


def _decoded(address: str) -> bytes:
    """Return the bytes of a ``data:`` address; none when it is damaged."""
    head, _, body = address.partition(",")
    try:
        return base64.b64decode(unquote(body)) if head.endswith(";base64") else unquote_to_bytes(body)
    except (binascii.Error, ValueError):
        return b""
