"""What every page of the site has: its one script, its security policy, and the way to shared files."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache

from markupsafe import Markup

from pipeline.templating import text_of


@cache
def script() -> Markup:
    """Return the release page's only script; the page works without it."""
    return Markup(text_of("page.js"))  # noqa: S704  # a file of ours


@cache
def policy(*, scripted: bool = False) -> str:
    """Return a Content Security Policy: files of this site, with ``scripted`` the script above, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
    scripts = f" script-src 'sha256-{digest}';" if scripted else ""
    return (
        f"default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self';{scripts}"
        " base-uri 'none'; form-action 'none'"
    )


def way_to(assets: Mapping[str, str], name: str, root: str = "") -> str:
    """Return the relative address of the shared file ``name``, or nothing; ``root`` leads to the public root."""
    return f"{root}{assets[name]}" if name in assets else ""
