"""Reading everything back as a stranger would: without credentials, at the storage's own address.

Each object must answer with 200, the right bytes (by SHA-256) and the right media type; links of pages must lead
somewhere.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser

from msgspec import Struct

from pipeline.model.formats import media_type
from pipeline.model.manifest import KEY, Manifest, Row
from pipeline.site import listings
from pipeline.storage.anonymous import AnonymousClient, Answer
from pipeline.writers.ninjs import digests

THREADS = 8


class ExpectedObject(Struct, frozen=True):
    """What a stranger must find at a key."""

    key: str
    sha256: tuple[str, ...] = ()
    """Any of these digests; empty when the digest is not known."""


class Problem(Struct, frozen=True):
    """What a stranger found instead."""

    key: str
    what: str


def of_files(digests_by_key: Mapping[str, str]) -> list[ExpectedObject]:
    """Return what must be found for files of known digest."""
    return [ExpectedObject(key, (sha256,)) for key, sha256 in sorted(digests_by_key.items())]


def read_back(
    anonymous: AnonymousClient,
    wanted: Iterable[ExpectedObject],
    done: Callable[[], None] = lambda: None,
    *,
    follow: bool = True,
) -> list[Problem]:
    """Get every wanted object and return what is wrong; ``follow`` asks for what its pages link to as well."""
    todo = list(wanted)
    links: set[str] = set()
    found: list[Problem] = []
    with ThreadPoolExecutor(THREADS) as pool:
        for _, (problems, led) in zip(todo, pool.map(lambda want: _one(anonymous, want), todo), strict=True):
            found += problems
            links |= led
            done()
        rest = sorted(links - {want.key for want in todo}) if follow else []
        for key, status in zip(rest, pool.map(lambda key: anonymous.head(key).status, rest), strict=True):
            if status != 200:
                found.append(Problem(key, f"is linked to, but answers {status}"))
    return found


def in_doubt(anonymous: AnonymousClient, keys: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of what a stranger is given at each key; empty where it is not served as it should be.

    Keys that nobody answers for are left out.
    """
    todo = sorted(keys)
    with ThreadPoolExecutor(THREADS) as pool:
        answers = dict(zip(todo, pool.map(lambda key: anonymous.get(key, keep=False), todo), strict=True))
    there = {key: answer for key, answer in answers.items() if answer.status == 200}
    return {key: "" if _wrong_type(key, answer) else answer.sha256 for key, answer in there.items()}


def _one(anonymous: AnonymousClient, want: ExpectedObject) -> tuple[list[Problem], set[str]]:
    page = want.key.endswith(".html")
    answer = anonymous.get(want.key, keep=page)
    if answer.status != 200:
        return [Problem(want.key, f"answers {answer.status}")], set()
    problems = []
    if want.sha256 and answer.sha256 not in want.sha256:
        problems.append(Problem(want.key, "has other bytes than were published"))
    if wrong := _wrong_type(want.key, answer):
        problems.append(Problem(want.key, wrong))
    return problems, set(local_links(want.key, answer.body)) if page else set()


def _wrong_type(key: str, answer: Answer) -> str:
    """Return in what an answer's media type differs from the one it should have; nothing when it does not."""
    stated, due = answer.headers.get("content-type", ""), media_type(key)
    same = stated.replace(" ", "").lower() == due.replace(" ", "").lower()
    return "" if same else f"is served as {stated or 'nothing'}, not as {due}"


def local_links(key: str, page: bytes) -> Iterator[str]:
    """Yield the keys that an HTML page at ``key`` leads to within the newsroom."""
    parser = _Links()
    parser.feed(page.decode("utf-8", "replace"))
    for href in parser.found:
        path = href.split("#")[0].split("?")[0]
        if path and ":" not in path.split("/")[0] and not path.startswith("/"):
            yield posixpath.normpath(posixpath.join(posixpath.dirname(key), path))


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("a", "link", "img", "source", "script"):
            self.found += [value for name, value in attrs if name in ("href", "src") and value]
            sets = (value for name, value in attrs if name == "srcset" and value)
            self.found += [each.split()[0] for value in sets for each in value.split(",") if each.strip()]


def of_newsroom(manifest: Manifest, record: Callable[[Row], bytes]) -> Iterator[ExpectedObject]:
    """Yield everything that the manifest proves, files on their way with either digest."""
    yield ExpectedObject(KEY)
    for page in manifest.years.values():
        yield ExpectedObject(page.name, (page.sha256,))
    for key in (*manifest.assets, *listings.keys(manifest)):
        yield ExpectedObject(key)
    for row in manifest.rows:
        yield _wanted(row, f"releases/{row.slug}.json", row.record)
        for key, sha256 in digests(record(row)).items():
            yield _wanted(row, key, sha256)


def _wanted(row: Row, key: str, sha256: str) -> ExpectedObject:
    coming = row.replacing.get(key)
    return ExpectedObject(key, (sha256, coming) if coming else (sha256,))
