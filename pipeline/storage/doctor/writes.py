"""What the storage does with a condition, a checksum, and two who write at once."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from pipeline.storage.doctor.findings import Finding
from pipeline.storage.doctor.probe_context import BODY, ProbeContext

ROUNDS = 8
WRITERS = (2, 4)
_ALONE = (
    "use a storage with conditional writes; or, where nobody else ever publishes there and no two runs overlap, "
    "set PRESS_SOLE_PUBLISHER=1"
)
_OVERWRITTEN = "of two who publish at once, one may undo what the other did"


def conditions(probe_context: ProbeContext) -> Iterator[Finding]:
    """Try once, one after the other: a condition that does not hold must be refused."""
    key = probe_context.key("condition.txt", "private")
    etag = probe_context.put("private", key).answer.get("ETag", "")
    again = probe_context.put("private", key, b"again", IfNoneMatch="*")
    other = probe_context.put("private", key, b"other", IfMatch='"0123456789abcdef0123456789abcdef"')
    fits = probe_context.put("private", key, b"fits", IfMatch=etag)
    yield create_once("refused" if not again.well else "written", again.code)
    what = "write while unchanged"
    if not other.well and fits.well:
        yield Finding(what, f"kept (else {other.code})", "what is shared is changed by one at a time")
    else:
        found = "ignored: If-Match is no condition there" if other.well else f"refused even when it holds ({fits.code})"
        yield Finding(what, found, _OVERWRITTEN, ("together",), _ALONE)


def create_once(became: str, code: str) -> Finding:
    """Return what it means that a second create was ``refused`` or ``written``."""
    what = "write if there is none"
    if became == "refused" and code in ("PreconditionFailed", "412"):
        return Finding(what, f"kept (else {code})", "nobody overwrites what he has not seen")
    found = "ignored: If-None-Match is no condition there" if became == "written" else f"not understood ({code})"
    return Finding(what, found, _OVERWRITTEN, ("together",), _ALONE)


def races(probe_context: ProbeContext) -> Iterator[Finding]:
    """Let several write at the same moment, round after round: one must win each."""
    for kind, what in (("create", "races to create"), ("replace", "races to replace")):
        won = [_race(probe_context, kind, turn, writers) for writers in WRITERS for turn in range(ROUNDS)]
        rounds, doubled, nobody = len(won), sum(count > 1 for count in won), won.count(0)
        if not doubled and not nobody:
            found = f"{rounds} rounds of {' and '.join(map(str, WRITERS))} writers, one winner each"
            yield Finding(what, found, "two publishers at once are safe, as far as trying can tell")
        elif doubled:
            yield Finding(what, f"several winners in {doubled} of {rounds} rounds", _OVERWRITTEN, ("together",), _ALONE)
        else:
            means = "two publishers at once may stop each other; a second try helps"
            yield Finding(what, f"no winner in {nobody} of {rounds} rounds", means)


def _race(probe_context: ProbeContext, kind: str, turn: int, writers: int) -> int:
    """Return how many of the writers were told that they have written."""
    key = probe_context.key(f"{kind}-{writers}-{turn}.txt", "private")
    condition: dict[str, Any] = {"IfNoneMatch": "*"}
    if kind == "replace":
        condition = {"IfMatch": probe_context.put("private", key).answer.get("ETag", "")}
    start = Barrier(writers)

    def write(number: int) -> bool:
        start.wait()
        return probe_context.put("private", key, f"writer {number}".encode(), **condition).well

    with ThreadPoolExecutor(writers) as pool:
        return sum(pool.map(write, range(writers)))


def checksums(probe_context: ProbeContext) -> Iterator[Finding]:
    """Send a checksum of other bytes."""
    key = probe_context.key("checksum.txt", "private")
    wrong = base64.b64encode(hashlib.sha256(b"other bytes").digest()).decode()
    reply = probe_context.put("private", key, ChecksumSHA256=wrong)
    if not reply.well:
        means = "damage on the way up is noticed at once"
        yield Finding("checksum that does not fit", f"refused ({reply.code})", means)
        return
    means = "damage on the way up is noticed only when Dateline reads back what it wrote"
    yield Finding("checksum that does not fit", "accepted", means, ("damage",))


def copies(probe_context: ProbeContext) -> Iterator[Finding]:
    """Copy from the private bucket to the public one, on condition that the source is what it was."""
    source, target = probe_context.key("source.txt", "private"), probe_context.key("target.txt", "public")
    noted = hashlib.sha256(BODY).hexdigest()
    etag = probe_context.put("private", source, Metadata={"sha256": noted}).answer.get("ETag", "")
    place: Any = {"Bucket": probe_context.name("private"), "Key": source}

    def copy(condition: str) -> Any:
        return probe_context.client.copy_object(
            Bucket=probe_context.name("public"), Key=target, CopySource=place, CopySourceIfMatch=condition
        )

    other, fits = (
        probe_context.ask(lambda: copy('"0123456789abcdef0123456789abcdef"')),
        probe_context.ask(lambda: copy(etag)),
    )
    what = "copy while unchanged"
    reply, body = probe_context.get("public", target)
    if not fits.well or body != BODY:
        found = f"does not copy ({fits.code or reply.code})"
        yield Finding(what, found, "at the instant nothing could be copied", ("lift",), "give these keys both rights")
    elif reply.answer.get("Metadata", {}).get("sha256") != noted:
        remedy = "use a storage that keeps an object's metadata when it is copied"
        yield Finding(what, "loses what was noted of the object", "a copy could not prove its bytes", ("lift",), remedy)
    elif other.well:
        means = "what was staged anew meanwhile is told by its random name alone"
        yield Finding(what, "copies whatever is there", means)
    else:
        yield Finding(what, f"kept (else {other.code})", "what goes public is what was staged, or nothing")
