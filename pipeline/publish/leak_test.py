"""The leak test: whether anybody without credentials can tell that a scheduled release exists.

Every public address that the release will have must answer exactly as an address that never existed. The private bucket
must neither be readable nor listable, and the public bucket must not answer for its keys.
"""

from __future__ import annotations

import posixpath
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote, unquote

from pipeline.build.context import CommandContext
from pipeline.model.errors import LeakError, StorageError
from pipeline.model.formats import FORMATS
from pipeline.publish.parallel import in_parallel
from pipeline.storage.anonymous import AnonymousClient, Answer

LISTINGS = ("", "?list-type=2", "?list-type=2&prefix=staged/", "?versions", "?uploads")
"""Requests that list the keys of a bucket."""
_OWN = re.compile(rb"<(RequestId|HostId|RequestID|HostID)>[^<]*</\1>")
"""What differs between any two refusals."""


def require_hidden(context: CommandContext, slugs: Iterable[str]) -> None:
    """Raise StorageError when the public bucket shows that one of these scheduled releases exists."""
    public = context.published.by_slug()
    releases = [
        parsed_release.release
        for slug in slugs
        if slug not in public and (parsed_release := context.state.parsed_release(slug))
    ]
    try:
        visible = visible_releases(
            context.anonymous,
            {each.slug: (*each.picture_files, *(file.file for file in each.footage_files)) for each in releases},
        )
    except StorageError as error:  # its message has the address that was asked for, and so the slug
        raise StorageError(
            "the leak test cannot be made: the storage does not answer for the addresses of scheduled releases",
            error.hint,
        ) from None
    for slug in visible:
        raise StorageError(
            f"{context.state.opaque(slug)} is not public yet, but the public bucket answers for it",
            "delete its files from the public bucket by hand: anybody who guesses the address can read them",
        )


def require_closed(context: CommandContext, keys: Sequence[str]) -> None:
    """Raise LeakError when anybody can read or list the private bucket, which holds ``keys``."""
    name = context.destination.private_bucket
    private = AnonymousClient(context.destination.private_address, context.environ)
    if leak := private_leak(private, keys):
        raise LeakError(
            f"the private bucket {name}: {leak}, so nothing can be staged there",
            "close it (make storage does, with the operator's rights), then run make publish again",
        )
    if is_mirrored(context.anonymous, keys):
        raise LeakError(
            f"the public bucket answers for objects in {name}, so nothing can be staged there",
            "use two separate buckets: PRESS_BUCKET and PRESS_PRIVATE_BUCKET",
        )


def visible_releases(anonymous: AnonymousClient, pictures: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the slugs whose existence shows at one of their final addresses.

    ``pictures`` has the names of each release's pictures and footage files by slug.
    """
    asked: list[tuple[str, str, str]] = []
    for slug, names in pictures.items():
        unused = secrets.token_hex(12)
        asked += [(slug, row.key(slug), row.key(unused)) for row in FORMATS]
        for name in names:
            blank = f"{secrets.token_hex(8)}{posixpath.splitext(name)[1]}"
            asked.append((slug, f"releases/{slug}/{quote(name)}", f"releases/{unused}/{quote(blank)}"))
    alike = in_parallel(lambda one: _alike(anonymous, one[1], one[2]), asked)
    return sorted({slug for (slug, _, _), same in alike.items() if not same})


def private_leak(anonymous: AnonymousClient, keys: Sequence[str]) -> str:
    """Return what anybody can do with the private bucket; empty when it answers nobody."""
    requests = [(method, key) for key in keys for method in ("GET", "HEAD")]
    if any(in_parallel(lambda request: _succeeds(anonymous, *request), requests).values()):
        return "anybody can read its objects"
    if any(_succeeds(anonymous, "GET", query) for query in LISTINGS):
        return "anybody can list it"
    return ""


def is_mirrored(anonymous: AnonymousClient, keys: Sequence[str]) -> bool:
    """Whether the public bucket answers differently for keys that exist in the private bucket only."""
    return not all(
        _alike(anonymous, key, f"{posixpath.dirname(key)}/{secrets.token_hex(8)}".lstrip("/")) for key in keys
    )


def _succeeds(anonymous: AnonymousClient, method: str, path: str) -> bool:
    return 200 <= anonymous.ask(method, path).status < 300


def _alike(anonymous: AnonymousClient, path: str, blank: str) -> bool:
    """Whether ``path`` answers GET and HEAD exactly as ``blank`` does, which never existed."""
    return all(
        _shape(anonymous.ask(method, path), path) == _shape(anonymous.ask(method, blank), blank)
        for method in ("GET", "HEAD")
    )


def _shape(answer: Answer, path: str) -> tuple[object, ...]:
    """Return an answer without what differs between any two requests."""
    body = _OWN.sub(b"", answer.body)
    bare = path.split("?")[0]
    for form in sorted({bare, unquote(bare), posixpath.normpath(unquote(bare)), quote(unquote(bare))}, key=len)[::-1]:
        body = body.replace(form.encode(), b"KEY")
    headers: Mapping[str, str] = answer.headers
    named = tuple(name for name in ("etag", "last-modified", "accept-ranges", "x-amz-version-id") if name in headers)
    return answer.status, headers.get("content-type", ""), named, body, answer.size > 0
