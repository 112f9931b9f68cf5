"""What every page of the site has: its one script, its security policy, and the way to shared files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from markupsafe import Markup

from pipeline.typography.templates import text_of


@cache
def script(name: str = "page.js") -> Markup:
    """Return a page's only script, by default the release page's; the page works without it."""
    return Markup(text_of(name))  # noqa: S704  # a file of ours


POLICY = "connect-src 'none'; object-src 'none'; frame-src 'none'; base-uri 'none'; form-action 'none'"
"""Content Security Policy of pages with a script. Styles, fonts and pictures are not bound to ``'self'``, which a page
opened from disk does not have; its script is not bound to a digest, which the Nu Html Checker cannot verify."""
SCRIPTLESS = f"script-src 'none'; {POLICY}"
"""The same for pages without a script."""


def way_to(assets: Mapping[str, str], name: str, root: str = "") -> str:
    """Return the relative address of the shared file ``name``, or nothing; ``root`` leads to the public root."""
    return f"{root}{assets[name]}" if name in assets else ""
