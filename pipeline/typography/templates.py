"""The one template environment: everything is escaped, and an undefined name is an error."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).parents[2] / "templates"


@cache
def _environment() -> Environment:
    # ``select_autoescape`` goes by the suffix and leaves *.html.j2 unescaped, so escaping is simply on.
    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(template: str, **values: Any) -> str:
    """Fill ``template``, a name below ``templates/``. Raises ``jinja2.UndefinedError`` for a name nobody gave."""
    return _environment().get_template(template).render(values)


def text_of(name: str) -> str:
    """Return the text of a file below ``templates/`` as it stands, e.g. a style sheet."""
    return (FOLDER / name).read_text("utf-8")
