"""Read a published newsroom over plain HTTP, without credentials."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

from tests.support.newsroom import Office

NOBODY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get(address: str) -> tuple[int, dict[str, str], bytes]:
    """Ask without credentials; return status, headers by name in small letters, and body."""
    try:
        with NOBODY.open(address, timeout=20) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def address_of(text: str) -> str:
    """Return the newsroom's address from the last line of a run, without ``index.html``."""
    last = text.strip().splitlines()[-1]
    assert last.endswith("index.html"), text
    return last.removesuffix("index.html")


def manifest(base: str) -> dict[str, object]:
    found = json.loads(get(f"{base}manifest.json")[2])
    assert isinstance(found, dict)
    return found


def last_written(office: Office, base: str) -> dict[str, str]:
    keys = [*office.files(), "manifest.json"]
    return {key: get(base + key)[1]["last-modified"] for key in keys}


def written_since(before: dict[str, str], office: Office, base: str) -> set[str]:
    """Return the names of releases, and the keys of listings, that were written after ``last_written`` was read."""
    now = last_written(office, base)
    keys = {key for key, date in now.items() if before.get(key) != date and not key.startswith(("manifest", "assets/"))}
    return {key.split("/")[1].split(".")[0] if key.startswith("releases/") else key for key in keys}
