"""What the publisher's keys may do, and how the buckets are set up."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from functools import partial
from typing import Any

from pipeline.storage import Bucket
from pipeline.storage.doctor.findings import Finding, Guarantee
from pipeline.storage.doctor.probe_context import BODY, BUCKETS, UNKNOWN, ProbeContext
from pipeline.storage.s3.lifecycle import STAGED, expiry_days

_NEEDED: dict[tuple[Bucket, str], Guarantee] = {
    ("public", "put"): "publish",
    ("public", "get"): "publish",
    ("public", "list"): "publish",
    ("public", "delete"): "withdraw",
    ("public", "copy"): "lift",
    ("private", "put"): "wait",
    ("private", "get"): "wait",
    ("private", "list"): "wait",
    ("private", "copy"): "lift",
    ("private", "delete"): "share",
}
"""What a right is needed for; a copy goes from the private bucket to the public one."""


def keys(probe_context: ProbeContext) -> Iterator[Finding]:
    """Try each right on both buckets."""
    for bucket in BUCKETS:
        lacking = {right: reply for right, reply in _rights(probe_context, bucket) if reply}
        name = probe_context.name(bucket)
        if not lacking:
            means = "all that publishing, withdrawing and embargoes need"
            yield Finding(f"keys, {bucket} bucket", "may get, put, list, copy and delete", means)
            continue
        refused = ", ".join(f"{right} ({code})" for right, code in lacking.items())
        against = tuple(dict.fromkeys(_NEEDED[bucket, right] for right in lacking))
        remedy = f"give these keys the right to {', '.join(lacking)} on {name}"
        yield Finding(f"keys, {bucket} bucket", f"refused: {refused}", "what needs it fails", against, remedy)


def _rights(probe_context: ProbeContext, bucket: Bucket) -> Iterator[tuple[str, str]]:
    """Yield each right with the code of its refusal, empty where it is given."""
    key, name = probe_context.key("rights.txt", bucket), probe_context.name(bucket)
    copy = probe_context.key("copied.txt", "public")
    source: Any = {"Bucket": name, "Key": key}
    yield "put", probe_context.put(bucket, key).code
    reply, body = probe_context.get(bucket, key)
    yield "get", reply.code or ("" if body == BODY else "other bytes")
    found = probe_context.ask(lambda: probe_context.client.list_objects_v2(Bucket=name, Prefix=key, MaxKeys=2))
    listed = [row["Key"] for row in found.answer.get("Contents", ())]
    yield "list", found.code or ("" if listed == [key] else "not listed")
    public = probe_context.name("public")
    yield (
        "copy",
        probe_context.ask(lambda: probe_context.client.copy_object(Bucket=public, Key=copy, CopySource=source)).code,
    )
    removed = probe_context.ask(lambda: probe_context.client.delete_object(Bucket=name, Key=key)).code
    yield "delete", removed or ("" if probe_context.get(bucket, key)[0].code else "still there")


def policies(probe_context: ProbeContext) -> Iterator[Finding]:
    """Read who else may do what, as far as the storage has such a thing."""
    for bucket in BUCKETS:
        reply = probe_context.ask(partial(probe_context.client.get_bucket_policy, Bucket=probe_context.name(bucket)))
        what = f"policy, {bucket} bucket"
        if reply.code in ("NoSuchBucketPolicy", "404"):
            yield Finding(what, "none", "what strangers may do is decided elsewhere; see what they were answered")
        elif reply.code in ("AccessDenied", "403"):
            yield Finding(what, "these keys may not read it", "see what strangers were answered")
        else:
            yield _policy(what, bucket, _anyones(reply.answer.get("Policy", "")) if reply.well else None)


def _policy(what: str, bucket: Bucket, granted: list[str] | None) -> Finding:
    if granted is None:
        return Finding(what, "this storage has none", "what strangers may do is set in its own way")
    said = f"anyone may {', '.join(granted)}" if granted else "nothing for anyone"
    allowed = ["s3:GetObject"] if bucket == "public" else []
    if set(granted) <= set(allowed):
        return Finding(what, said, "as it has to be")
    guarantee: Guarantee = "publish" if bucket == "public" else "wait"
    return Finding(
        what, said, "more than strangers should be given", (guarantee,), f"{what}: make storage sets it right"
    )


def _anyones(policy: str) -> list[str] | None:
    """Return the actions that a policy gives to everybody, None for what is no policy."""
    try:
        statements = json.loads(policy)["Statement"]
        everybody = [each for each in statements if each["Effect"] == "Allow" and _is_anyone(each.get("Principal"))]
        found = [each["Action"] for each in everybody if not each.get("Condition")]
    except (ValueError, TypeError, KeyError):
        return None
    return sorted({action for each in found for action in ([each] if isinstance(each, str) else each)})


def _is_anyone(principal: object) -> bool:
    if isinstance(principal, dict):
        principal = principal.get("AWS")
    return principal in ("*", ["*"], None)  # SeaweedFS' own policy for everybody names nobody


def missing_key(probe_context: ProbeContext) -> Iterator[Finding]:
    """See how a key answers that never existed: to our keys, and to strangers, who have no right to list."""
    key = f"releases/{secrets.token_hex(12)}.html"
    ours, theirs = probe_context.get("public", key)[0], probe_context.anonymous["public"].get(key).status
    found = f"{ours.status} to these keys, {theirs} to strangers"
    if ours.status == 404:
        means = "what is missing can be told from what is refused"
        yield Finding("missing key", found, means)
        return
    means = "missing cannot be told from forbidden, so a first publishing cannot begin"
    yield Finding("missing key", found, means, ("publish",), "give these keys the right to list the public bucket")


def missing_bucket(probe_context: ProbeContext) -> Iterator[Finding]:
    """Put into a bucket that is not there; one that comes into being by it is removed again."""
    name = f"{probe_context.destination.bucket[:40].rstrip('.-')}-{secrets.token_hex(6)}"
    reply = probe_context.ask(lambda: probe_context.client.put_object(Bucket=name, Key="probe.txt", Body=BODY))
    if not reply.well:
        yield Finding("put to a missing bucket", f"refused ({reply.code})", "a mistyped name is noticed")
        return
    probe_context.ask(lambda: probe_context.client.delete_object(Bucket=name, Key="probe.txt"))
    probe_context.ask(lambda: probe_context.client.delete_bucket(Bucket=name))
    means = "a mistyped PRESS_BUCKET is noticed only because Dateline asks for the bucket first"
    yield Finding("put to a missing bucket", "makes the bucket", means, ("name",), "use keys that are no operator's")


def lifecycle(probe_context: ProbeContext) -> Iterator[Finding]:
    """See whether what is staged and forgotten goes by itself."""
    what = "lifecycle rule"
    name = probe_context.name("private")
    reply = probe_context.ask(lambda: probe_context.client.get_bucket_lifecycle_configuration(Bucket=name))
    lost = "what is staged and never cleared away stays in the private bucket"
    if reply.code in ("AccessDenied", "403"):
        yield Finding(what, "these keys may not read it", "make storage, with the operator's, says so", ("forget",))
    elif reply.code in UNKNOWN:
        yield Finding(what, "this storage knows none", lost, ("forget",), "empty staged/ there now and then by hand")
    elif days := expiry_days(reply.answer.get("Rules", ()), STAGED):
        yield Finding(what, f"{STAGED} goes after {days} days", "what is forgotten there does not stay for ever")
    else:
        yield Finding(what, "none", lost, ("forget",), "make storage sets lifecycle rules, where the storage keeps any")
