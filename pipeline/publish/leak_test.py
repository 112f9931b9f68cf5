"""The leak test: whether somebody without keys can tell that what waits exists.

Every address that a waiting release will have, and every guess at where it may lie meanwhile, must answer as the same
guess at a name that never existed does. Of the private bucket nothing must answer at all.
"""

from __future__ import annotations

import posixpath
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, unquote

from msgspec import Struct

from pipeline.model.formats import FORMATS
from pipeline.storage.anonymous import AnonymousClient, Answer

THREADS = 8
LISTINGS = ("", "?list-type=2", "?list-type=2&prefix=staged/", "?versions", "?uploads")
"""What a bucket is asked for its keys by."""
_OWN = re.compile(rb"<(RequestId|HostId|RequestID|HostID)>[^<]*</\1>")
"""What differs between any two refusals."""


class HiddenRelease(Struct, frozen=True):
    """What may be guessed of a release: its slug, and what its pictures are called."""

    slug: str
    pictures: tuple[str, ...] = ()


def addresses(name: HiddenRelease) -> Iterator[str]:
    """Yield where ``name`` will stand, as a stranger types it below the public address."""
    yield from (row.key(name.slug) for row in FORMATS)
    yield from (f"releases/{name.slug}/{quote(picture)}" for picture in name.pictures)


def guesses(name: HiddenRelease) -> Iterator[str]:
    """Yield where somebody who guesses the slug may look besides."""
    slug = name.slug
    for suffix in (row.suffix for row in FORMATS):
        yield f"releases/{slug}/r1/{slug}{suffix}"
        yield f"releases/{slug.upper()}{suffix}"
        yield f"releases/{slug}%2e{suffix[1:]}"
        yield f"staged/{slug}{suffix}"
        yield f"{slug}{suffix}"
    yield from (f"releases/{slug}", f"releases/{slug}/", f"releases/{slug}/{slug}.pdf", f"releases/{slug}.md")
    yield from (f"waiting/releases/{slug}.html", f"waiting/due/releases/{slug}.html", f"content/{slug}.md")
    yield from (f"staged/{slug}/1", f"releases%2f{slug}.pdf", f"releases/%2e/{slug}.pdf", f"releases//{slug}.pdf")
    yield from (f"staged/%2e%2e/releases/{slug}.html", f"releases/.{slug}.html")
    yield from (f"releases/{slug}.pdf?{query}" for query in ("acl", "tagging", "attributes", "versionId=null"))
    yield from (f"staged/{slug}/{quote(picture)}" for picture in name.pictures)


def traces(anonymous: AnonymousClient, names: Iterable[HiddenRelease], *, guessing: bool = True) -> list[str]:
    """Return the slugs of those ``names``, all waiting, of which a stranger can tell that they exist.

    Without ``guessing`` they are asked for at their final addresses alone.
    """
    asked: list[tuple[str, str, str]] = []
    for name in names:
        nobody = HiddenRelease(secrets.token_hex(12), tuple(map(_unheard_of, name.pictures)))
        for kind in (addresses, guesses) if guessing else (addresses,):
            asked += [(name.slug, path, blank) for path, blank in zip(kind(name), kind(nobody), strict=True)]
    with ThreadPoolExecutor(THREADS) as pool:
        alike = pool.map(lambda one: _alike(anonymous, one[1], one[2]), asked)
        return sorted({slug for (slug, _, _), same in zip(asked, alike, strict=True) if not same})


def opened(anonymous: AnonymousClient, keys: Sequence[str]) -> str:
    """Return what of the private bucket answers a stranger, empty when nothing does."""
    with ThreadPoolExecutor(THREADS) as pool:
        answers = pool.map(lambda key: max(_succeeds(anonymous, method, key) for method in ("GET", "HEAD")), keys)
        if any(answers):
            return "anybody can read what lies there"
    if any(_succeeds(anonymous, "GET", query) for query in LISTINGS):
        return "anybody can list it"
    return ""


def mirrored(anonymous: AnonymousClient, keys: Sequence[str]) -> bool:
    """Whether the public bucket tells anything of keys that are in the private one alone."""
    return not all(
        _alike(anonymous, key, f"{posixpath.dirname(key)}/{secrets.token_hex(8)}".lstrip("/")) for key in keys
    )


def _succeeds(anonymous: AnonymousClient, method: str, path: str) -> bool:
    return 200 <= anonymous.ask(method, path).status < 300


def _unheard_of(picture: str) -> str:
    return f"{secrets.token_hex(8)}{posixpath.splitext(picture)[1]}"


def _alike(anonymous: AnonymousClient, path: str, blank: str) -> bool:
    """Whether ``path`` answers exactly as ``blank``, which nobody ever heard of, to GET and to HEAD."""
    for method in ("GET", "HEAD"):
        if _shape(anonymous.ask(method, path), path) != _shape(anonymous.ask(method, blank), blank):
            return False
    return True


def _shape(answer: Answer, path: str) -> tuple[object, ...]:
    """Return an answer without what differs between any two requests."""
    body = _OWN.sub(b"", answer.body)
    bare = path.split("?")[0]
    for form in sorted({bare, unquote(bare), posixpath.normpath(unquote(bare)), quote(unquote(bare))}, key=len)[::-1]:
        body = body.replace(form.encode(), b"KEY")
    told: Mapping[str, str] = answer.headers
    named = tuple(name for name in ("etag", "last-modified", "accept-ranges", "x-amz-version-id") if name in told)
    return answer.status, told.get("content-type", ""), named, body, answer.size > 0
