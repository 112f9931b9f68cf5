"""Verification: reading published objects back without credentials, at the storage's own address.

Each object that is read must answer with 200, the right bytes (by SHA-256) and the right media type; links in pages
must not be broken. What the storage has proven during the upload is not read once more: docs/verification.md says what
proves what. Where readers use another address, it must show the same manifest.
"""

from __future__ import annotations

import posixpath
import re
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from functools import partial

import msgspec
from msgspec import Struct

from pipeline.build.context import CommandContext
from pipeline.model.errors import StorageError, printable
from pipeline.model.formats import FORMATS, formats_of, media_type
from pipeline.model.manifest import KEY, Manifest, Row
from pipeline.publish.parallel import in_parallel
from pipeline.publish.progress import Progress
from pipeline.site import listings
from pipeline.storage.anonymous import AnonymousClient, Answer
from pipeline.storage.transfers import transfer_all
from pipeline.writers.ninjs import digests

THREADS = 16
"""Objects that are read at a time."""
ENDING = 64 * 1024
"""Bytes at the end of a large file that are read."""
SHOWN = 5
"""Problems that a message lists."""
LONGEST_CACHE = 90
"""Seconds. Dateline asks caches to keep a manifest for no more than 60."""
CACHE_NAP = 2.0
"""Seconds between two questions to a cache."""
Expected = Mapping[str, tuple[str, ...]]
"""Key → the SHA-256 digests that are right there; none when the digest is not known."""


class Problem(Struct, frozen=True):
    """What is wrong with one public object."""

    key: str
    what: str


Answers = Iterator[tuple[tuple[str, tuple[str, ...]], tuple[list[Problem], set[str]]]]
"""Key and right digests of each object, with its problems and the keys that it links to."""


def proven(
    confirmed: Iterable[str], in_full: Container[str] = frozenset(), large: Container[str] = frozenset()
) -> frozenset[str]:
    """Return which uploaded files need not be read back, because the storage stated the SHA-256 of what it received.

    What that does not prove is read without credentials: that they are delivered, of one file of each kind; that the
    links in a page lead somewhere, of every page; and all of ``in_full``. ``large`` files are left to ``delivered``.
    """
    others = [key for key in confirmed if key not in large]
    kinds = {key.rpartition(".")[2]: key for key in sorted(others, reverse=True)}
    samples = set(kinds.values())
    read = {key for key in others if key in in_full or key in samples or key.endswith(".html")}
    return frozenset(confirmed) - read


def delivered(anonymous: AnonymousClient, files: Mapping[str, tuple[int, str]]) -> list[Problem]:
    """Ask for the end of each large file without credentials, and return the problems of all.

    ``files`` are size and SHA-256 by key. The storage has proven what it received; this shows that anyone gets it, as
    long as it should be, with the digest that was stored with it.
    """
    found = in_parallel(lambda key: list(_delivery(anonymous, key, *files[key])), sorted(files))
    return [Problem(key, what) for key, problems in found.items() for what in problems]


def _delivery(anonymous: AnonymousClient, key: str, size: int, sha256: str) -> Iterator[str]:
    answer = anonymous.get(key, keep=False, start=max(0, size - ENDING))
    whole = answer.headers.get("content-range", "").rpartition("/")[2] if answer.status == 206 else str(answer.size)
    noted = answer.headers.get("x-amz-meta-sha256") if answer.status == 206 else answer.sha256
    if answer.status not in (200, 206):
        yield f"answers {answer.status}"
    elif whole != str(size) or noted not in (None, sha256):
        yield "has other bytes than were published"
    elif wrong := wrong_type(key, answer):
        yield wrong


class Reading(Struct, frozen=True):
    """What was found in objects that were read back."""

    problems: dict[str, list[Problem]]
    """By key, of each object that was read."""
    links: set[str]
    """The keys that their pages link to."""


def ask(anonymous: AnonymousClient, expected: Expected, *, follow: bool = True) -> Answers:
    """Begin to get every expected object; ``read`` returns what the answers say, in this thread or in another."""
    return transfer_all(list(expected.items()), partial(_check, anonymous, follow), anonymous.disconnect, THREADS)


def read(answers: Answers, done: Callable[[], None] = lambda: None) -> Reading:
    """Wait for all answers."""
    reading = Reading({}, set())
    for (key, _), (problems, links) in answers:
        reading.problems[key] = problems
        reading.links.update(links)
        done()
    return reading


def read_back(
    anonymous: AnonymousClient,
    expected: Expected,
    done: Callable[[], None] = lambda: None,
    *,
    follow: bool = True,
    known: Container[str] = frozenset(),
    early: Reading | None = None,
) -> list[Problem]:
    """Get every expected object that was not read ``early``, and return the problems of all.

    ``follow`` also asks for what the pages link to, except what is ``known`` to be there.
    """
    early = early or Reading({}, set())
    rest = {key: digests for key, digests in expected.items() if key not in early.problems}
    now = read(ask(anonymous, rest, follow=follow), done)
    found = early.problems | now.problems
    problems = [problem for key in expected for problem in found[key]]
    others = sorted(key for key in (early.links | now.links) - expected.keys() if key not in known)
    statuses = in_parallel(lambda key: anonymous.head(key).status, others)
    return problems + [
        Problem(key, f"is linked to, but answers {status}") for key, status in statuses.items() if status != 200
    ]


def read_gone(anonymous: AnonymousClient, manifest: Manifest) -> list[Problem]:
    """Return a problem for each file that is still public although it has expired or its release is withdrawn."""
    stays = formats_of(withdrawn=True, pictured=False, shots=False)
    gone = {key: "has expired" for row in manifest.rows for key in row.expired}
    for row in manifest.rows:
        if row.withdrawn:
            gone |= {form.key(row.slug): "is withdrawn" for form in FORMATS if form not in stays}
    statuses = in_parallel(lambda key: anonymous.head(key).status, sorted(gone))
    return [Problem(key, f"{gone[key]}, but is still public") for key, status in statuses.items() if status == 200]


def raise_problems(problems: list[Problem]) -> None:
    """Raise StorageError that names the first ``problems``; do nothing when there are none."""
    if problems:
        shown = "; ".join(f"{problem.key} {problem.what}" for problem in problems[:SHOWN])
        more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise StorageError(
            f"read back without credentials: {shown}{more}",
            "run make publish again; make storage sets the rights of the buckets",
        )


def require_shown(context: CommandContext, progress: Progress) -> None:
    """Raise StorageError when the address that is printed does not show the manifest that is in storage.

    A cache may show the one before for as long as it may keep it; that time is waited for.
    """
    address = context.destination.printed_url
    if address == context.destination.address:
        return
    reader = AnonymousClient(address, context.environ)
    deadline: float | None = None
    while True:
        try:
            answer = reader.get(KEY)
            stored = context.anonymous.get(KEY)
            problem, left = _unlike(answer, stored)
        except StorageError as error:
            problem, left = str(error), 0.0
        if not problem:
            return
        deadline = time.monotonic() + left if deadline is None else deadline
        if time.monotonic() >= deadline:
            raise StorageError(
                f"uploaded and verified at the storage; {address} does not show it yet: {problem}",
                f"check PRESS_BASE_URL (or base_url in newsroom.toml), and that it leads to the bucket "
                f"{context.destination.bucket}; then run make publish again",
            )
        progress.progress(0, 2, f"waiting for the cache of {address}")
        time.sleep(CACHE_NAP)


def _unlike(answer: Answer, stored: Answer) -> tuple[str, float]:
    """Return how a manifest differs from the one in storage, and for how many seconds a cache may keep it so."""
    if answer.status == 200 and answer.sha256 == stored.sha256:
        return "", 0
    if to := answer.headers.get("location"):
        return f"manifest.json is redirected to {printable(to)}: that is the address to set", 0
    if answer.status != 200:
        return f"{KEY} answers {answer.status}", 0
    try:
        theirs, ours = (msgspec.json.decode(each.body, type=Manifest).serial for each in (answer, stored))
    except (msgspec.DecodeError, UnicodeDecodeError):
        theirs = ours = 0
    if not 0 < theirs < ours:
        return f"{KEY} there is not the one of this newsroom", 0
    kept = re.search(r"(?:^|[\s,])max-age=(\d{1,9})", answer.headers.get("cache-control", ""))
    age = answer.headers.get("age", "")
    left = int(kept[1]) - (int(age) if age.isdecimal() else 0) if kept else 0
    return f"it still has the state before (serial {theirs}, not {ours})", min(max(left, 0), LONGEST_CACHE)


def served_digests(anonymous: AnonymousClient, keys: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 that is served at each key; empty where it has the wrong media type.

    Keys that do not answer with 200 are left out.
    """
    answers = in_parallel(lambda key: anonymous.get(key, keep=False), sorted(keys))
    there = {key: answer for key, answer in answers.items() if answer.status == 200}
    return {key: "" if wrong_type(key, answer) else answer.sha256 for key, answer in there.items()}


def _check(
    anonymous: AnonymousClient, follow: bool, expected: tuple[str, tuple[str, ...]]
) -> tuple[list[Problem], set[str]]:
    """Return what is wrong with one object, and the keys that it links to when it is a page and links are followed."""
    key, sha256 = expected
    page = follow and key.endswith(".html")
    answer = anonymous.get(key, keep=page)
    if answer.status != 200:
        return [Problem(key, f"answers {answer.status}")], set()
    problems = []
    if sha256 and answer.sha256 not in sha256:
        problems.append(Problem(key, "has other bytes than were published"))
    if wrong := wrong_type(key, answer):
        problems.append(Problem(key, wrong))
    return problems, set(local_links(key, answer.body)) if page else set()


def wrong_type(key: str, answer: Answer) -> str:
    """Return how an answer's media type differs from the right one; empty when it does not."""
    actual, right = answer.headers.get("content-type", ""), media_type(key)
    same = actual.replace(" ", "").lower() == right.replace(" ", "").lower()
    return "" if same else f"is served as {actual or 'nothing'}, not as {right}"


def local_links(key: str, page: bytes) -> Iterator[str]:
    """Yield the keys within the newsroom that an HTML page at ``key`` links to."""
    for href in dict.fromkeys(_hrefs(page)):
        path = href.split("#")[0].split("?")[0]
        if path and ":" not in path.split("/")[0] and not path.startswith("/"):
            yield posixpath.normpath(posixpath.join(posixpath.dirname(key), path))


def _hrefs(page: bytes) -> Iterator[str]:
    from lxml import etree  # here, because most commands read no page; Python's own parser takes five times as long

    text = page.decode("utf-8", "replace").encode()
    # With a tag in front, an empty page has a root too. A huge tree may be 2,048 elements deep, others 256.
    root = etree.fromstring(b"<html>" + text, etree.HTMLParser(encoding="utf-8", huge_tree=True))
    for element in root.iter("a", "link", "img", "source", "script"):
        attributes = {str(name): str(value) for name, value in element.attrib.items()}
        yield from (attributes[name] for name in ("href", "src") if name in attributes)
        yield from (each.split()[0] for each in attributes.get("srcset", "").split(",") if each.strip())


def expected_files(digests_by_key: Mapping[str, str]) -> Expected:
    """Return what is expected of files whose digests are known."""
    return {key: (sha256,) for key, sha256 in sorted(digests_by_key.items())}


def expected_newsroom(manifest: Manifest, record: Callable[[Row], bytes]) -> Expected:
    """Return everything that must be public by the manifest; while a file is replaced either digest is right."""
    expected: dict[str, tuple[str, ...]] = {KEY: ()}
    expected |= {page.name: (page.sha256,) for page in manifest.years.values()}
    expected |= dict.fromkeys((*manifest.assets, *listings.keys(manifest)), ())
    for row in manifest.rows:
        recorded = {f"releases/{row.slug}.json": row.record, **digests(record(row))}
        for key in row.expired:
            recorded.pop(key, None)
        for key, sha256 in {**recorded, **row.statement_files()}.items():
            coming = row.replacing.get(key)
            expected[key] = (sha256, coming) if coming else (sha256,)
    return expected
