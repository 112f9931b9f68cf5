"""What strangers may do: read what is public, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from pipeline.storage import Bucket
from pipeline.storage.doctor.findings import Finding
from pipeline.storage.doctor.probe_context import BODY, BUCKETS, ProbeContext

LISTINGS = ("", "?list-type=2", "?versions", "?uploads")
_OPEN = "let anyone get the objects of {}: make storage; on AWS the account's block on public access stands above"


def reading(probe_context: ProbeContext) -> Iterator[Finding]:
    """Ask as a stranger for an object of each bucket."""
    key = probe_context.key("read.txt")
    for bucket in BUCKETS:
        probe_context.put(bucket, key)
    answer = probe_context.anonymous["public"].get(key)
    if answer.status == 200 and answer.body == BODY:
        yield Finding("a stranger reads, public", "200", "readers get what is published")
    else:
        found = "200 with other bytes" if answer.status == 200 else str(answer.status)
        means, remedy = "nobody could read what is published", _OPEN.format(probe_context.name("public"))
        yield Finding("a stranger reads, public", found, means, ("publish",), remedy)
    yield private_read(probe_context, key)


def private_read(probe_context: ProbeContext, key: str) -> Finding:
    """Ask as a stranger for an object that is in the private bucket."""
    status = probe_context.anonymous["private"].get(key).status
    what = "a stranger reads, private"
    if status != 200:
        return Finding(what, f"refused ({status})", "what waits there is for the publisher alone")
    means = "anyone who knows or guesses a name there reads what waits"
    bucket = probe_context.name("private")
    remedy = f"close the bucket {bucket} to strangers: make storage does where the storage has policies"
    return Finding(what, "200", means, ("wait", "share"), remedy)


def listing(probe_context: ProbeContext) -> Iterator[Finding]:
    """Ask as a stranger for the names in each bucket, in every way there is."""
    for bucket in BUCKETS:
        yield listed(probe_context, bucket)


def listed(probe_context: ProbeContext, bucket: Bucket) -> Finding:
    """Ask as a stranger for the names in one bucket."""
    what = f"a stranger lists, {bucket}"
    told = [way or "/" for way in LISTINGS if probe_context.anonymous[bucket].ask("GET", way).status == 200]
    if not told:
        return Finding(what, "refused", "names are learnt from the newsroom's own pages alone")
    remedy = f"take the right to list {probe_context.name(bucket)} from strangers"
    if bucket == "public":
        means = "whoever lists it sees each release before it is announced"
        return Finding(what, f"200 for {' '.join(told)}", means, ("publish",), remedy)
    return Finding(what, f"200 for {' '.join(told)}", "anyone sees what waits", ("wait", "share"), remedy)


def writing(probe_context: ProbeContext) -> Iterator[Finding]:
    """Try as a stranger to write and to remove."""
    for bucket in BUCKETS:
        key = probe_context.key("theirs.txt", bucket)
        anonymous, ours = probe_context.anonymous[bucket], probe_context.key("ours.txt", bucket)
        probe_context.put(bucket, ours)
        done = {"write": anonymous.ask("PUT", key).status, "remove": anonymous.ask("DELETE", ours).status}
        # Some answer 200 or 204 to anything: what counts is what is there afterwards.
        changed = {
            "write": probe_context.get(bucket, key)[0].well,
            "remove": probe_context.get(bucket, ours)[0].status == 404,
        }
        what = f"a stranger writes, {bucket}"
        able = [f"can {verb}" for verb in done if changed[verb]]
        if not able:
            refusals = "/".join(dict.fromkeys(str(status) for status in done.values()))
            yield Finding(what, f"refused ({refusals})", "only these keys and their like change what is there")
            continue
        remedy = "start the storage with keys, and give strangers no more than Get"
        yield Finding(what, " and ".join(able), "anyone can put words into your mouth", ("publish", "wait"), remedy)


def transport(probe_context: ProbeContext) -> Iterator[Finding]:
    """See whether what goes there can be read on its way."""
    parts = urlsplit(probe_context.client.meta.endpoint_url)
    host = parts.hostname or ""
    if parts.scheme == "https":
        yield Finding("on the way", "encrypted (https)", "nobody on the network reads along")
    elif host == "localhost" or host.startswith("127.") or host == "::1":
        yield Finding("on the way", "this machine alone", "nothing leaves it, so links lead nowhere from elsewhere")
    else:
        means = "whoever is on the network reads what goes by, and every link that is shared"
        yield Finding("on the way", "in the clear (http)", means, ("share",), "use the storage's https address")
