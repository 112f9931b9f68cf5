"""The assets: style sheet, logo and web fonts. Their names have a digest, so that caches can keep them forever."""

from __future__ import annotations

import colorsys
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.model.newsroom import Newsroom
from pipeline.typography import fonts
from pipeline.typography.templates import text_of

FOLDER = "assets/"
DARK = "#16181b"
"""Background of the dark scheme, the same as in page.css."""
CONTRAST = 5.0
"""Contrast of the accent colour in the dark scheme; WCAG 2.2 AA requires 4.5."""


def assets(newsroom: Newsroom, mark: bytes, font_cache: Path) -> Mapping[str, bytes]:
    """Return the assets, key (``assets/NAME.HASH.ext``) → bytes.

    The web fonts are made once, which takes seconds, and cached in ``font_cache``. Raises ``SettingError`` if a font is
    not installed.
    """
    chosen = fonts.page_faces(newsroom.languages)
    faces = {_key(name, data): data for name, data in fonts.web_fonts(font_cache, chosen).items()}
    names = asset_names(faces)
    rules = fonts.web_rules({name: key.removeprefix(FOLDER) for name, key in names.items()}, chosen)
    sheet = f"{rules}\n{_palette(newsroom.accent)}\n{text_of('page.css')}".encode()
    logo = {_key("mark.png", mark): mark} if mark else {}
    return {_key("page.css", sheet): sheet, **faces, **logo}


def asset_names(keys: Iterable[str]) -> Mapping[str, str]:
    """Return logical name → key: ``page.css`` → ``assets/page.1a2b3c4d.css``."""
    names = {}
    for key in keys:
        stem, _digest, suffix = key.removeprefix(FOLDER).rsplit(".", 2)
        names[f"{stem}.{suffix}"] = key
    return names


def _key(name: str, data: bytes) -> str:
    stem, _, suffix = name.rpartition(".")
    return f"{FOLDER}{stem}.{hashlib.sha256(data).hexdigest()[:8]}.{suffix}"


def _palette(accent: str) -> str:
    return f":root {{ --accent-light: {accent}; --accent-dark: {on_dark(accent)}; }}"


# --- Colour ----------------------------------------------------------------------------------------------------------


def on_dark(accent: str, background: str = DARK) -> str:
    """Return ``accent`` as light as ``CONTRAST`` requires, with the same hue; both colours are ``#rrggbb``."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*(value / 255 for value in _channels(accent)))
    for step in range(101):
        lighter = colorsys.hls_to_rgb(hue, lightness + (1 - lightness) * step / 100, saturation)
        colour = "#" + "".join(f"{round(value * 255):02x}" for value in lighter)
        if contrast(colour, background) >= CONTRAST:
            return colour
    return "#ffffff"


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours as WCAG 2.2 defines it, 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))


def _luminance(colour: str) -> float:
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (c / 255 for c in _channels(colour))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
