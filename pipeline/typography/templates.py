"""The Jinja templates, style sheets and scripts in ``templates/``, and what every HTML page needs of them.

Jinja escapes everything, and an undefined name is an error. Jinja is imported when the first template is rendered.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from pipeline.start import quick_start
from pipeline.typography.directions import isolate

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

FOLDER = Path(__file__).parents[2] / "templates"

POLICY = "connect-src 'none'; object-src 'none'; frame-src 'none'; base-uri 'none'; form-action 'none'"
"""Content Security Policy of pages with a script.

Styles, fonts and pictures are not limited to ``'self'``, because a page that is opened from disk has none. The script
is not limited to a digest, because the Nu Html Checker cannot verify one.
"""
FETCHING = POLICY.replace("connect-src 'none'", "connect-src 'self'")
"""Content Security Policy of a page whose script reads other files of the newsroom."""
SCRIPTLESS = f"script-src 'none'; {POLICY}"
"""Content Security Policy of pages without a script."""


class PreviewImage(Struct, frozen=True):
    """The picture that programs show with a link to a page (Open Graph, https://ogp.me/)."""

    href: str
    """Absolute."""
    width: int
    """Pixels."""
    height: int
    alt: str


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined

    class ByteCode(FileSystemBytecodeCache):
        """The byte code of templates, which is the same in every clone, wherever it lies."""

        def get_cache_key(self, name: str, filename: str | None = None) -> str:
            return super().get_cache_key(name, made_by)

    # Compiling a page's templates takes longer than rendering it.
    made_by = Path(__file__).read_text("utf-8")
    writable = os.access(quick_start.FOLDER, os.W_OK) and not sys.dont_write_bytecode
    # ``select_autoescape`` goes by the suffix and would not escape *.html.j2, so escaping is always on.
    return Environment(
        loader=FileSystemLoader(FOLDER),
        bytecode_cache=ByteCode(str(quick_start.FOLDER), ".%s.jinja") if writable else None,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(template: str, **values: Any) -> str:
    """Render ``template``, a file name in ``templates/``. Raises ``jinja2.UndefinedError`` for a missing value.

    In HTML, numbers and addresses are isolated wherever they stand.
    """
    text = _environment().get_template(template).render(values)
    return isolate(text) if template.endswith(".html.j2") else text


def text_of(name: str) -> str:
    """Return the text of a file in ``templates/``, for example a style sheet."""
    return (FOLDER / name).read_text("utf-8")


@cache
def script(name: str) -> Markup:
    """Return the script file ``name`` for a ``<script>`` element. Every page works without its script too."""
    from markupsafe import Markup

    return Markup(text_of(name))  # noqa: S704  # a file of ours


def asset_href(assets: Mapping[str, str], name: str, root: str = "") -> str:
    """Return the relative address of the shared file ``name``, or an empty string if there is none.

    ``root`` leads from the page to the public root, for example ``../``.
    """
    return f"{root}{assets[name]}" if name in assets else ""
