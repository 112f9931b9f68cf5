"""Asks whether the links of the releases answer, without credentials, a few servers at a time (``make check LINKS=1``).

It asks with HEAD, then with GET where that is not answered well, one address after the other on each server.
"""

from __future__ import annotations

import http
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin, urlsplit

from pipeline.build.context import CommandContext
from pipeline.model.document import Inline, Link, inlines_of, walk
from pipeline.model.errors import Fault, StorageError, WarningName
from pipeline.model.release import FACTS, Release
from pipeline.publish.progress import Progress
from pipeline.storage.anonymous import AnonymousClient, Answer

SERVERS = 4
"""Asked at the same time."""
SECONDS = 10.0
"""For one answer."""
PAUSE = 0.2
"""Seconds between two requests to one server."""
HOPS = 5
"""Redirects that are followed."""
_ONLY_PEOPLE = (401, 403, 405, 407, 418, 429, 451, 503, 999)
"""Answers of servers that do not talk to programs."""


def check_links(context: CommandContext, progress: Progress) -> Iterator[Fault]:
    """Yield a fault for each link that does not answer, or leads elsewhere, at every release that has it."""
    slugs = context.state.summaries().keys() & set(context.state.slugs())
    used: dict[str, list[str]] = {}
    for slug in sorted(slugs):
        if parsed := context.state.parsed_release(slug):
            for address in dict.fromkeys(links_of(parsed.release)):
                used.setdefault(address, []).append(slug)
    servers: dict[tuple[str, str], list[str]] = {}
    for address in used:
        servers.setdefault(urlsplit(address)[:2], []).append(address)
    done = 0
    with ThreadPoolExecutor(SERVERS) as pool:
        for answers in pool.map(lambda addresses: [*_ask_all(addresses, context)], servers.values()):
            for address, problem in answers:
                done += 1
                progress.progress(done, len(used), "links")
                for slug in used[address] if problem else ():
                    source = context.state.source(slug)
                    yield Fault(str(source), _line(source.read_text("utf-8-sig"), address), *(problem or ("", "", "")))


def links_of(release: Release) -> Iterator[str]:
    """Yield the web addresses that a release names."""
    blocks = (*([release.image] if release.image else []), *release.body, *release.notes)
    hrefs = [href for block in walk(blocks) for words in inlines_of(block) for href in _hrefs(words)]
    hrefs += [address for footage in release.footage for address in (footage.url, footage.preview)]
    hrefs += [release.facts.get(fact.key, "") for fact in FACTS if fact.kind == "address"]
    yield from (href.partition("#")[0] for href in hrefs if href.lower().startswith(("https://", "http://")))


def _hrefs(words: Iterable[Inline]) -> Iterator[str]:
    for word in words:
        if isinstance(word, Link):
            yield word.href
        yield from _hrefs(getattr(word, "children", ()))


def _line(text: str, address: str) -> int:
    return text.count("\n", 0, text.index(address)) + 1 if address in text else 0


Problem = tuple[str, str, WarningName]
"""Message, hint and name of a warning."""


def _ask_all(addresses: Iterable[str], context: CommandContext) -> Iterator[tuple[str, Problem | None]]:
    for number, address in enumerate(addresses):
        if number:
            time.sleep(PAUSE)
        yield address, _ask(address, context)


def _ask(address: str, context: CommandContext) -> Problem | None:
    """Return what is wrong with one address."""
    there, statuses = address, []
    try:
        while True:
            answer = _answer(there, context)
            target = urljoin(there, answer.headers.get("location", ""))
            if answer.status not in (301, 302, 303, 307, 308) or not target.startswith(("https://", "http://")):
                break
            statuses.append(answer.status)
            there = target
            if len(statuses) > HOPS:
                return (
                    f"{address}: more than {HOPS} redirects",
                    "open it in a browser, and write where it leads",
                    "dead-link",
                )
    except StorageError as error:
        reason = str(error).removeprefix(f"cannot read {there}: ")
        return f"{address}: no answer: {reason}", "open it in a browser, and correct or delete it", "dead-link"
    if answer.status in _ONLY_PEOPLE:
        return f"{address}: refuses to answer programs ({_named(answer.status)})", "open it in a browser", "dead-link"
    if answer.status >= 400:
        return f"{address}: {_named(answer.status)}", "open it in a browser, and correct or delete it", "dead-link"
    if there != address:
        kind = "permanently" if statuses[0] in (301, 308) else "for now"
        return (
            f"{address}: leads {kind} to {there}",
            "write the new address, if it is the one that is meant",
            "moved-link",
        )
    return None


def _answer(address: str, context: CommandContext) -> Answer:
    """Ask with HEAD; with GET when the server does not know that or answers with an error."""
    try:
        client = AnonymousClient(address, context.environ, SECONDS)
        answer = client.visit("HEAD", address)
        return client.visit("GET", address) if answer.status >= 400 else answer
    except ValueError as error:
        raise StorageError(f"not an address: {error}") from error


def _named(status: int) -> str:
    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
