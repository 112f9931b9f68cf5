"""Embargoed copies that were shared by link: what ``make share`` prints, and what the links open."""

from __future__ import annotations

import io
import re
import zipfile

from tests.support.newsroom import Result
from tests.support.public_http import get

LINK = re.compile(r"^(.+), \d\S* [KM]B\n(http\S+)$", re.MULTILINE)


def links(result: Result) -> dict[str, str]:
    """Return the links by label."""
    assert result.status == 0, result.text
    return dict(LINK.findall(result.out))


def opened(result: Result) -> dict[str, bytes]:
    """Return what the links open, by label."""
    found = {}
    for label, address in links(result).items():
        status, _, body = get(address)
        assert status == 200, label
        found[label] = body
    return found


def docx_parts(data: bytes) -> dict[str, str]:
    """Return the text of each part of a Word file that is printed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [name for name in archive.namelist() if re.fullmatch(r"word/(document|header\d)\.xml", name)]
        return {name: re.sub(r"<[^>]+>", "", archive.read(name).decode()) for name in names}
