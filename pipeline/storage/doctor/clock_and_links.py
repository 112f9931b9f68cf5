"""The storage's clock, and links that end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from pipeline.storage.doctor.findings import Finding
from pipeline.storage.doctor.probe_context import BODY, ProbeContext

APART = timedelta(seconds=2)
"""What the two clocks may differ by."""
SAMPLES, _PAUSE = 6, 0.15
_WHOLE = timedelta(seconds=1)
LIFE = 2
"""Seconds that the link lives which is tried after its end."""


def clock(probe_context: ProbeContext) -> Iterator[Finding]:
    """Ask for the time several times within a second: whole seconds, narrowed down."""
    samples = []
    for _ in range(SAMPLES):
        begun = datetime.now(UTC)
        reply = probe_context.ask(lambda: probe_context.client.head_bucket(Bucket=probe_context.name("public")))
        ended = datetime.now(UTC)
        stated = reply.answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
        if stated:
            samples.append((begun, parsedate_to_datetime(stated), ended))
        time.sleep(_PAUSE)
    yield compared(samples)


def compared(samples: Iterable[tuple[datetime, datetime, datetime]]) -> Finding:
    """Return how far the storage's clock is from ours; a sample is when we asked, what it said, when we were told."""
    found = list(samples)
    remedy = "set the clock of the one that is wrong (timedatectl status)"
    if not found:
        return Finding("clock", "the storage states no time", "no instant could be kept", ("lift",), remedy)
    # Each answer was true at some moment between asking and being told; together they leave little room.
    lowest = max(stated - ended for _, stated, ended in found)
    highest = min(stated + _WHOLE - begun for begun, stated, _ in found)
    middle = (lowest + highest) / 2
    shown = f"{abs(middle.total_seconds()):.1f} s {'ahead' if middle > timedelta() else 'behind'}"
    if abs(middle) <= APART:
        return Finding("clock", shown, "an instant is the same here and there (2 s are allowed)")
    means = "an embargo would end at the wrong instant"
    return Finding("clock", shown, means, ("publish", "lift", "share"), remedy)


def links(probe_context: ProbeContext) -> Iterator[Finding]:
    """Sign links and use them as a stranger: whole, forged, and after their end."""
    key = probe_context.key("link.txt", "private")
    probe_context.put("private", key)
    anonymous = probe_context.anonymous["private"]

    def sign(seconds: int) -> str:
        place = {"Bucket": probe_context.name("private"), "Key": key}
        return probe_context.client.generate_presigned_url("get_object", Params=place, ExpiresIn=seconds)

    def opened(address: str) -> bool:
        answer = anonymous.open(address)
        return answer.status == 200 and answer.body == BODY

    short, begun = sign(LIFE), time.monotonic()
    works = opened(short)
    forged = opened(_forged(sign(60)))
    long = opened(sign(8 * 24 * 3600))
    time.sleep(max(0.0, LIFE + 1.5 - (time.monotonic() - begun)))
    ended = not opened(short)
    yield _signed(works, forged)
    if works and not ended:
        means = "a link would outlive its end"
        yield Finding(
            "a link after its end", "still opens", means, ("share",), "share embargoed copies by another way than links"
        )
    elif works:
        means = "a link ends by itself; whoever kept the file keeps it"
        more = "eight days are allowed too, so Dateline itself stops at seven" if long else "seven days at most"
        yield Finding("a link after its end", "refused", f"{means} ({more})")


def _signed(works: bool, forged: bool) -> Finding:
    what = "signed link"
    if forged:
        means = "whoever has a link to one file can make links to all"
        remedy = "use a storage that checks signatures, and start it with keys"
        return Finding(what, "opens with a forged signature", means, ("share", "wait"), remedy)
    if not works:
        return Finding(what, "does not open", "embargoed copies cannot be shared by link", ("share",))
    return Finding(what, "opens; forged it does not", "one link opens one file")


def _forged(address: str) -> str:
    """Return the link with the last letters of its signature changed."""
    return "".join((address[:-4], *("0" if letter != "0" else "1" for letter in address[-4:])))
