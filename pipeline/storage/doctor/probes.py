"""The probes: each tests one thing about a storage and yields its findings, in the order of the report.

To add one, write a function with ``@probe``. Probes use random keys, in the private bucket where that is enough.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from threading import Barrier
from typing import Any
from urllib.parse import quote, urlsplit

from pipeline.model.errors import StorageError
from pipeline.storage import STAGED, Bucket
from pipeline.storage.doctor.findings import WRONG_CHECKSUM, Finding, Guarantee
from pipeline.storage.doctor.probe_context import BODY, BUCKETS, DAMAGED, UNKNOWN, ProbeContext, Reply
from pipeline.storage.s3.client import SOLE_PUBLISHER
from pipeline.storage.s3.setup import LISTING_QUERIES, expiry_days, unfinished_days
from pipeline.storage.s3.store import noted_digest

Probe = Callable[[ProbeContext], Iterator[Finding]]

PROBES: list[Probe] = []


def probe(function: Probe) -> Probe:
    """Add ``function`` to ``PROBES``."""
    PROBES.append(function)
    return function


# ── The publisher's keys ────────────────────────────────────────────────────────────────────────────────────────────

_NEEDED_RIGHTS: dict[tuple[Bucket, str], Guarantee] = {
    ("public", "put"): "publish",
    ("public", "get"): "publish",
    ("public", "list"): "publish",
    ("public", "delete"): "withdraw",
    ("public", "copy"): "release",
    ("private", "put"): "private",
    ("private", "get"): "private",
    ("private", "list"): "private",
    ("private", "copy"): "release",
    ("private", "delete"): "share",
}
"""The guarantee that needs a right; a copy is from the private to the public bucket."""


@probe
def keys(context: ProbeContext) -> Iterator[Finding]:
    """Use each right on both buckets."""
    for bucket in BUCKETS:
        refused = {right: why for right, why in _refusals(context, bucket) if why}
        what = f"keys, {bucket} bucket"
        if not refused:
            yield Finding(what, "may get, put, list, copy and delete", "enough to publish, schedule and withdraw")
            continue
        shown = ", ".join(f"{right} ({why})" for right, why in refused.items())
        against = tuple(dict.fromkeys(_NEEDED_RIGHTS[bucket, right] for right in refused))
        remedy = f"give these keys the right to {', '.join(refused)} on {context.name(bucket)} (docs/storage.md)"
        if not any(word in shown for word in ("AccessDenied", "403")):
            remedy = f"make doctor could not {', '.join(refused)} in {context.name(bucket)}: see what the storage says"
        yield Finding(what, f"refused: {shown}", "commands that need this right will fail", against, remedy)


def _refusals(context: ProbeContext, bucket: Bucket) -> Iterator[tuple[str, str]]:
    """Yield each right with what the storage says when it refuses it, empty if the keys have it."""
    key, name = context.key("rights.txt", bucket), context.name(bucket)
    yield "put", context.put(bucket, key).said
    reply, body = context.get(bucket, key)
    yield "get", reply.said or ("" if body == BODY else "other bytes")
    reply = context.ask(lambda: context.client.list_objects_v2(Bucket=name, Prefix=key, MaxKeys=2))
    listed = [row["Key"] for row in reply.answer.get("Contents", ())]
    yield "list", reply.said or ("" if listed == [key] else "not listed")
    copy: Any = {"Bucket": context.name("public"), "Key": context.key("copied.txt", "public")}
    copy["CopySource"] = {"Bucket": name, "Key": key}
    copied = context.ask(lambda: context.client.copy_object(**copy))
    yield "copy", copied.said if copied.code in ("AccessDenied", "403") else ""
    reply = context.ask(lambda: context.client.delete_object(Bucket=name, Key=key))
    yield "delete", reply.said or ("" if context.get(bucket, key)[0].code else "not removed")


@probe
def policies(context: ProbeContext) -> Iterator[Finding]:
    """Read what the bucket policies allow to everyone."""
    for bucket in BUCKETS:
        reply = context.ask(partial(context.client.get_bucket_policy, Bucket=context.name(bucket)))
        what = f"policy, {bucket} bucket"
        if reply.code in ("NoSuchBucketPolicy", "404"):
            yield Finding(what, "none", "access is set in another way; see the rows on anonymous access")
        elif reply.code in ("AccessDenied", "403"):
            yield Finding(what, "these keys may not read it", "see the rows on anonymous access")
        else:
            yield _find_policy(what, bucket, _anyones_actions(reply.answer.get("Policy", "")) if reply.ok else None)


def _find_policy(what: str, bucket: Bucket, actions: list[str] | None) -> Finding:
    if actions is None:
        return Finding(what, "this storage has no policies", "access is set with the storage's own tools")
    result = f"anyone may {', '.join(actions)}" if actions else "nothing for anyone"
    if set(actions) <= ({"s3:GetObject"} if bucket == "public" else set()):
        return Finding(what, result, "correct")
    against: Guarantee = "publish" if bucket == "public" else "private"
    return Finding(what, result, "anyone has more rights than needed", (against,), f"{what}: correct it: make storage")


def _anyones_actions(policy: str) -> list[str] | None:
    """Return the actions that a policy allows to everyone; None if it is not a policy."""
    try:
        statements = json.loads(policy)["Statement"]
        everyone = [each for each in statements if each["Effect"] == "Allow" and _is_everyone(each.get("Principal"))]
        actions = [each["Action"] for each in everyone if not each.get("Condition")]
    except (ValueError, TypeError, KeyError):
        return None
    return sorted({action for each in actions for action in ([each] if isinstance(each, str) else each)})


def _is_everyone(principal: object) -> bool:
    if isinstance(principal, dict):
        principal = principal.get("AWS")
    return principal in ("*", ["*"], None)  # SeaweedFS' own policy for everyone has no principal


# ── Anonymous access ────────────────────────────────────────────────────────────────────────────────────────────────


@probe
def anonymous_read(context: ProbeContext) -> Iterator[Finding]:
    """Get an object of each bucket without credentials."""
    key = context.key("read.txt")
    for bucket in BUCKETS:
        context.put(bucket, key)
    what, answer = "anonymous read, public", context.anonymous["public"].get(key)
    if answer.status == 200 and answer.body == BODY:
        yield Finding(what, "allowed (200)", "readers can get published files")
    else:
        result = "200 with other bytes" if answer.status == 200 else str(answer.status)
        remedy = (
            f"let anyone get the objects of {context.name('public')}: make storage; "
            "on AWS, also check the account's block on public access"
        )
        yield Finding(what, result, "nobody could read what is published", ("publish",), remedy)
    yield find_private_read(context, key)


def find_private_read(context: ProbeContext, key: str) -> Finding:
    """Get an object of the private bucket without credentials."""
    what, status = "anonymous read, private", context.anonymous["private"].get(key).status
    if status != 200:
        return Finding(what, f"refused ({status})", "only the publisher can read scheduled releases")
    means = "anyone who knows or guesses the name of an object can read it"
    remedy = f"block anonymous access to {context.name('private')}: make storage, if the storage has policies"
    return Finding(what, "allowed (200)", means, ("private", "share"), remedy)


@probe
def anonymous_listing(context: ProbeContext) -> Iterator[Finding]:
    """List both buckets without credentials."""
    for bucket in BUCKETS:
        yield find_anonymous_listing(context, bucket)


def find_anonymous_listing(context: ProbeContext, bucket: Bucket) -> Finding:
    """List one bucket without credentials, by every kind of request for it."""
    what = f"anonymous listing, {bucket}"
    listed = [query or "/" for query in LISTING_QUERIES if context.anonymous[bucket].ask("GET", query).status == 200]
    if not listed:
        return Finding(what, "refused", "file names are known only from the newsroom's own pages")
    result, remedy = (
        f"allowed (200 for {' '.join(listed)})",
        f"remove the right to list {context.name(bucket)} from anyone",
    )
    if bucket == "public":
        return Finding(what, result, "anyone can see a release before it is announced", ("publish",), remedy)
    return Finding(what, result, "anyone can see scheduled releases", ("private", "share"), remedy)


@probe
def anonymous_write(context: ProbeContext) -> Iterator[Finding]:
    """Write and remove objects without credentials."""
    for bucket in BUCKETS:
        what = f"anonymous write, {bucket}"
        new, present = context.key("theirs.txt", bucket), context.key("ours.txt", bucket)
        context.put(bucket, present)
        client = context.anonymous[bucket]
        statuses = [client.ask("PUT", new).status, client.ask("DELETE", present).status]
        # Some storages answer 200 or 204 to anything, so look at the objects.
        able = ["can write"] if context.get(bucket, new)[0].ok else []
        able += ["can remove"] if context.get(bucket, present)[0].status == 404 else []
        if able:
            means = "anyone can overwrite your published files"
            remedy = "start the storage with keys, and give anyone no other right than Get"
            yield Finding(what, " and ".join(able), means, ("publish", "private"), remedy)
        else:
            codes = "/".join(dict.fromkeys(map(str, statuses)))
            yield Finding(what, f"refused ({codes})", "only keys with rights can change objects")


@probe
def encryption(context: ProbeContext) -> Iterator[Finding]:
    """Look at the endpoint's scheme; sends no request."""
    what, parts = "encryption", urlsplit(context.client.meta.endpoint_url)
    host = parts.hostname or ""
    if parts.scheme == "https":
        yield Finding(what, "https", "nobody on the network can read the traffic")
    elif host == "localhost" or host.startswith("127.") or host == "::1":
        yield Finding(what, "none; only on this computer", "no traffic leaves it, so links do not work from elsewhere")
    else:
        means = "anyone on the network can read the traffic, and every link that is shared"
        yield Finding(what, "none (http)", means, ("share",), "use the storage's https address")


# ── Writes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

ROUNDS = 8
WRITERS = (2, 4)
_OTHER_ETAG = '"0123456789abcdef0123456789abcdef"'
_OVERWRITTEN = "of two publishers at the same time, one may undo the other's changes"
_CREATE, _REPLACE = "write if absent", "write if unchanged"


@probe
def conditions(context: ProbeContext) -> Iterator[Finding]:
    """Write with conditions that hold and conditions that do not."""
    if context.destination.sole_publisher:
        yield from (_find_none_sent(what) for what in (_CREATE, _REPLACE))
        return
    key = context.key("condition.txt", "private")
    etag = context.put("private", key).answer.get("ETag", "")
    again = context.put("private", key, b"again", IfNoneMatch="*")
    other = context.put("private", key, b"other", IfMatch=_OTHER_ETAG)
    same = context.put("private", key, b"same", IfMatch=etag)
    yield find_create_condition(context, again)
    if not other.ok and same.ok:
        result = f"supported; otherwise refused ({other.code})"
        yield Finding(_REPLACE, result, "shared files are changed by one publisher at a time")
    else:
        refused = f"If-Match is refused even when it matches ({same.said})"
        result = "not supported: the storage ignores If-Match" if other.ok else refused
        yield Finding(_REPLACE, result, _OVERWRITTEN, ("together",), SOLE_PUBLISHER)


def find_create_condition(context: ProbeContext, again: Reply) -> Finding:
    """Evaluate the reply to a write with If-None-Match to an object that exists."""
    if context.destination.sole_publisher:
        return _find_none_sent(_CREATE)
    if again.code in ("PreconditionFailed", "412"):
        result = f"supported; otherwise refused ({again.code})"
        return Finding(_CREATE, result, "a publisher cannot overwrite a file that it has not read")
    result = (
        "not supported: the storage ignores If-None-Match"
        if again.ok
        else f"not supported: If-None-Match is refused ({again.said})"
    )
    return Finding(_CREATE, result, _OVERWRITTEN, ("together",), SOLE_PUBLISHER)


def _find_none_sent(what: str) -> Finding:
    """State what a sole publisher gives up."""
    remedy = "let no two runs overlap; if the storage has conditional writes, unset PRESS_SOLE_PUBLISHER"
    return Finding(what, "not sent: PRESS_SOLE_PUBLISHER is set", _OVERWRITTEN, ("together",), remedy)


@probe
def simultaneous_writes(context: ProbeContext) -> Iterator[Finding]:
    """Let several write at the same moment, many times: one must succeed each time."""
    for kind in ("create", "replace"):
        what = f"simultaneous writes, {kind}"
        if context.destination.sole_publisher:
            yield _find_none_sent(what)
            continue
        won = [_count_winners(context, kind, turn, writers) for writers in WRITERS for turn in range(ROUNDS)]
        several, nobody = sum(count > 1 for count in won), won.count(0)
        if several:
            result = f"several succeeded in {several} of {len(won)} rounds"
            yield Finding(what, result, _OVERWRITTEN, ("together",), SOLE_PUBLISHER)
        elif nobody == len(won):
            means = "no shared file could ever be written with a condition"
            yield Finding(what, f"none succeeded in {nobody} rounds", means, ("together",), SOLE_PUBLISHER)
        elif nobody:
            means = "two publishers at the same time may stop each other; then try again"
            yield Finding(what, f"none succeeded in {nobody} of {len(won)} rounds", means)
        else:
            result = f"{len(won)} rounds of {' and '.join(map(str, WRITERS))} writers, one succeeded in each"
            yield Finding(what, result, "two publishers at the same time are safe, as far as a test can show")


def _count_winners(context: ProbeContext, kind: str, turn: int, writers: int) -> int:
    key = context.key(f"{kind}-{writers}-{turn}.txt", "private")
    condition: dict[str, Any] = {"IfNoneMatch": "*"}
    if kind == "replace":
        condition = {"IfMatch": context.put("private", key).answer.get("ETag", "")}
    start = Barrier(writers)

    def write(number: int) -> bool:
        start.wait()
        return context.put("private", key, f"writer {number}".encode(), **condition).ok

    with ThreadPoolExecutor(writers) as pool:
        return sum(pool.map(write, range(writers)))


@probe
def copies(context: ProbeContext) -> Iterator[Finding]:
    """Copy from the private to the public bucket, if the source is unchanged."""
    source, target = context.key("source.txt", "private"), context.key("target.txt", "public")
    sha256 = hashlib.sha256(BODY).hexdigest()
    etag = context.put("private", source, Metadata={"sha256": sha256}).answer.get("ETag", "")
    place: Any = {"Bucket": context.name("private"), "Key": source}

    def copy(etag: str) -> Reply:
        condition: Any = {} if context.destination.sole_publisher else {"CopySourceIfMatch": etag}
        return context.ask(
            lambda: context.client.copy_object(Bucket=context.name("public"), Key=target, CopySource=place, **condition)
        )

    other, same = copy(_OTHER_ETAG), copy(etag)
    what = "copy if unchanged"
    reply, body = context.get("public", target)
    if not same.ok and same.code not in ("AccessDenied", "403"):
        means = "Dateline reads and writes each file instead: a scheduled release is public some seconds later"
        yield Finding(what, f"does not copy ({same.said})", means)
    elif not same.ok or body != BODY:
        remedy = "give these keys the right to read the private bucket and to write to the public one"
        result = f"does not copy ({same.said or reply.said or 'other bytes'})"
        yield Finding(what, result, "scheduled releases could not be released", ("release",), remedy)
    elif noted_digest(reply.answer) != sha256:
        remedy = "use a storage that copies an object's metadata too"
        yield Finding(what, "loses the metadata", "copies could not be verified", ("release",), remedy)
    elif context.destination.sole_publisher:
        means = "the ETag is compared before the copy, not by the storage"
        yield Finding(what, "copies; no condition is sent: PRESS_SOLE_PUBLISHER is set", means)
    elif other.ok:
        yield Finding(what, "the storage ignores the condition", "only the random names of staged files protect them")
    else:
        yield Finding(what, f"supported; otherwise refused ({other.code})", "exactly what was staged is released")


@probe
def checksums(context: ProbeContext) -> Iterator[Finding]:
    """Test which checksums the storage compares."""
    yield find_checksum(context, context.key("checksum.txt", "private"))


def find_checksum(context: ProbeContext, key: str) -> Finding:
    """Return whether the storage refuses to write an object of the private bucket with a checksum of other bytes.

    That is SHA-256 or, where the storage does not take it, MD5.
    """
    lacking, means = "", "Dateline finds damage only when it reads the files back"
    for name, header, function in (
        ("SHA-256", "ChecksumSHA256", hashlib.sha256),
        ("Content-MD5", "ContentMD5", partial(hashlib.md5, usedforsecurity=False)),
    ):
        right: dict[str, Any] = {header: base64.b64encode(function(BODY).digest()).decode()}
        wrong: dict[str, Any] = {header: base64.b64encode(function(b"other bytes").digest()).decode()}
        taken = context.put("private", key, **right)
        if not taken.ok:
            lacking += f"{name} is not supported ({taken.said}); "
            continue
        refused = context.put("private", key, expected=DAMAGED, **wrong)
        if refused.ok:
            return Finding(WRONG_CHECKSUM, f"{lacking}{name} is accepted unseen", means, ("damage",))
        if refused.status >= 500:  # an error of its own is no refusal
            return Finding(WRONG_CHECKSUM, f"{lacking}{name} failed ({refused.said})", means, ("damage",))
        result = f"{lacking}{name} is compared: refused ({refused.code})"
        return Finding(WRONG_CHECKSUM, result, "damage during the upload is found at once")
    return Finding(WRONG_CHECKSUM, lacking.removesuffix("; "), means, ("damage",))


@probe
def parts(context: ProbeContext) -> Iterator[Finding]:
    """Write an object in parts, and list them before they are put together, as for an upload that was interrupted."""
    what, client = "large files", context.client
    place: dict[str, Any] = {"Bucket": context.name("private"), "Key": context.key("parts.txt", "private")}
    sha256 = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    begun = context.ask(lambda: client.create_multipart_upload(**place, ChecksumAlgorithm="SHA256"))
    stated: dict[str, Any] = {"ChecksumSHA256": sha256} if begun.ok else {}
    if not begun.ok:
        begun = context.ask(lambda: client.create_multipart_upload(**place))
    if not begun.ok:
        means = "a film is sent as a whole, up to 5 GB; after an interruption its upload begins anew"
        yield Finding(what, f"not taken in parts ({begun.said})", means)
        return
    place["UploadId"] = begun.answer["UploadId"]
    part = context.ask(lambda: client.upload_part(**place, PartNumber=1, Body=BODY, **stated))
    listed = context.ask(lambda: client.list_parts(**place))
    rows: Any = [{"PartNumber": 1, "ETag": part.answer.get("ETag", ""), **stated}]
    ended = context.ask(lambda: client.complete_multipart_upload(**place, MultipartUpload={"Parts": rows}))
    reply, body = context.get("private", place["Key"])
    context.ask(lambda: client.abort_multipart_upload(**place))  # nothing may stay of what could not be completed
    if body != BODY:
        result = f"not put together ({part.said or ended.said or reply.said or 'other bytes'})"
        yield Finding(what, result, "files of more than 16 MB cannot be published", ("publish",))
        return
    is_listed = [each["ETag"] for each in listed.answer.get("Parts", ())] == [part.answer["ETag"]]
    goes_on = "goes on" if is_listed else f"begins anew ({listed.said or 'no parts are listed'})"
    if part.answer.get("ChecksumSHA256") == sha256:
        result, proof = "sent in parts, with the SHA-256 of each", "films are proven part by part"
    else:
        result, proof = "sent in parts", "films are read back as a whole"
    yield Finding(what, result, f"{proof}; an interrupted upload {goes_on}")


@probe
def versions(context: ProbeContext) -> Iterator[Finding]:
    """Replace and delete an object, and look for its older version without credentials."""
    for bucket in BUCKETS:
        what, key, name = f"older versions, {bucket}", context.key("version.txt", bucket), context.name(bucket)
        version = context.put(bucket, key).answer.get("VersionId", "null")
        if version == "null":
            yield Finding(what, "none are kept", "what is replaced or deleted is gone")
            continue
        deleted = context.ask(partial(context.client.delete_object, Bucket=name, Key=key))
        seen = context.anonymous[bucket].ask("GET", f"{key}?versionId={quote(version)}").body == BODY
        for each in (version, deleted.answer.get("VersionId")):
            if each:
                context.ask(partial(context.client.delete_object, Bucket=name, Key=key, VersionId=each))
        remedy = f"switch versioning of {name} off, or let a lifecycle rule delete older versions (docs/storage.md)"
        if seen:
            against: tuple[Guarantee, ...] = ("withdraw",) if bucket == "public" else ("private", "share")
            yield Finding(what, "kept, and anyone can read them", "what is deleted can still be read", against, remedy)
        else:
            means = "what is replaced or deleted stays for those with the right to read versions"
            lost: Guarantee = "withdraw" if bucket == "public" else "clean"
            yield Finding(what, "kept; only keys can read them", means, (lost,), remedy)


# ── Clock and links ─────────────────────────────────────────────────────────────────────────────────────────────────

MAX_DIFFERENCE = timedelta(seconds=2)
"""Between the two clocks."""
SAMPLES, _PAUSE = 6, 0.15
_RESOLUTION = timedelta(seconds=1)
LINK_SECONDS = 2
"""Lifetime of the link that is opened after it has expired."""


@probe
def clock(context: ProbeContext) -> Iterator[Finding]:
    """Read the storage's clock several times within a second, because it states whole seconds only."""
    samples = []
    for _ in range(SAMPLES):
        begun = datetime.now(UTC)
        reply = context.ask(lambda: context.client.head_bucket(Bucket=context.name("public")))
        ended = datetime.now(UTC)
        date = reply.answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
        if date:
            samples.append((begun, parsedate_to_datetime(date), ended))
        time.sleep(_PAUSE)
    yield compare_clocks(samples)


def compare_clocks(samples: Iterable[tuple[datetime, datetime, datetime]]) -> Finding:
    """Compare the storage's clock with ours; a sample is: request sent, the storage's time, answer received."""
    read = list(samples)
    remedy = "set the clock that is wrong (timedatectl status)"
    if not read:
        means = "releases cannot be released at their date"
        return Finding("clock", "the storage does not state its time", means, ("release",), remedy)
    # Each stated time was right at some moment between request and answer; together they narrow the difference down.
    lowest = max(stated - ended for _, stated, ended in read)
    highest = min(stated + _RESOLUTION - begun for begun, stated, _ in read)
    difference = (lowest + highest) / 2
    result = f"{abs(difference.total_seconds()):.1f} s {'ahead' if difference > timedelta() else 'behind'}"
    if abs(difference) <= MAX_DIFFERENCE:
        return Finding("clock", result, "accurate enough (at most 2 s are allowed)")
    means = "an embargo would end at the wrong time"
    return Finding("clock", result, means, ("publish", "release", "share"), remedy)


@probe
def links(context: ProbeContext) -> Iterator[Finding]:
    """Open presigned links without credentials: a valid one, a forged one, and an expired one."""
    key = context.key("link.txt", "private")
    context.put("private", key)

    def sign(seconds: int) -> str:
        place = {"Bucket": context.name("private"), "Key": key}
        return context.client.generate_presigned_url("get_object", Params=place, ExpiresIn=seconds)

    def opens(address: str) -> bool:
        answer = context.anonymous["private"].open(address)
        return answer.status == 200 and answer.body == BODY

    short, begun = sign(LINK_SECONDS), time.monotonic()
    works, forged, long = opens(short), opens(_forge(sign(60))), opens(sign(8 * 24 * 3600))
    time.sleep(max(0.0, LINK_SECONDS + 1.5 - (time.monotonic() - begun)))
    expired = not opens(short)
    what = "presigned link"
    if forged:
        means = "anyone who has a link to one file can make links to all files"
        remedy = "use a storage that checks signatures, and start it with keys"
        yield Finding(what, "opens with a forged signature", means, ("share", "private"), remedy)
    elif not works:
        yield Finding(what, "does not open", "embargoed copies cannot be shared by link", ("share",))
    else:
        yield Finding(what, "opens; a forged one does not", "a link opens one file only")
    if works and not expired:
        remedy = "do not share embargoed copies by link"
        yield Finding("expired link", "still opens", "links do not expire", ("share",), remedy)
    elif works:
        more = "the storage accepts eight days too, but Dateline uses at most seven" if long else "at most seven days"
        yield Finding("expired link", "refused", f"links expire ({more}); saved copies of the file remain")


def _forge(address: str) -> str:
    """Return the link with the last letters of its signature changed."""
    return "".join((address[:-4], *("0" if letter != "0" else "1" for letter in address[-4:])))


# ── The buckets ─────────────────────────────────────────────────────────────────────────────────────────────────────


@probe
def missing_object(context: ProbeContext) -> Iterator[Finding]:
    """Get an object that never existed, with our keys and without credentials."""
    key = f"releases/{secrets.token_hex(12)}.html"
    status, anonymous = context.get("public", key)[0].status, context.anonymous["public"].get(key).status
    what, result = "missing object", f"{status} with these keys, {anonymous} without credentials"
    if status == 404:
        yield Finding(what, result, "missing and forbidden files get different answers")
        return
    means = "missing and forbidden files get the same answer, so a first publication cannot start"
    yield Finding(what, result, means, ("publish",), "give these keys the right to list the public bucket")


@probe
def missing_bucket(context: ProbeContext) -> Iterator[Finding]:
    """Write to a bucket that does not exist; remove it if this creates it."""
    what, name = "write to a missing bucket", f"{context.destination.bucket[:40].rstrip('.-')}-{secrets.token_hex(6)}"
    try:
        reply = context.ask(lambda: context.client.put_object(Bucket=name, Key="probe.txt", Body=BODY))
    except StorageError:
        if context.destination.addressing == "path":
            raise
        reply = Reply("no such host", 0, {})  # where the bucket is in the host's name, there may be no such name
    if not reply.ok:
        yield Finding(what, f"refused ({reply.code})", "a mistyped PRESS_BUCKET is noticed")
        return
    context.ask(lambda: context.client.delete_object(Bucket=name, Key="probe.txt"))
    context.ask(lambda: context.client.delete_bucket(Bucket=name))
    means = "a mistyped PRESS_BUCKET is noticed only because Dateline checks the bucket first"
    yield Finding(what, "creates the bucket", means, ("name",), "use keys without an operator's rights")


@probe
def lifecycle(context: ProbeContext) -> Iterator[Finding]:
    """Read whether old staged files, and parts of uploads that were not completed, are removed automatically."""
    for bucket in reversed(BUCKETS):
        name = context.name(bucket)
        reply = context.ask(partial(context.client.get_bucket_lifecycle_configuration, Bucket=name))
        rules = reply.answer.get("Rules", ())
        if bucket == "private":
            days, means = (
                expiry_days(rules, STAGED),
                "files that interrupted runs have staged stay in the private bucket",
            )
            yield _find_rule("lifecycle rules", reply, f"{STAGED} is removed", days, means, "objects in staged/")
        means = "parts of large files, of which the upload was interrupted, stay and cost space"
        what = f"unfinished uploads, {bucket}"
        yield _find_rule(what, reply, "their parts are removed", unfinished_days(rules), means, "unfinished uploads")


def _find_rule(what: str, reply: Reply, removed: str, days: int, means: str, old: str) -> Finding:
    """Return whether a rule removes something after some ``days``; 0 for never. ``old`` says what."""
    if reply.code in ("AccessDenied", "403"):
        unknown = "make storage, with the operator's keys, reports them"
        return Finding(what, "these keys may not read them", unknown, ("clean",))
    if reply.code in UNKNOWN:
        return Finding(what, "this storage has none", means, ("clean",), f"remove old {old} by hand")
    if days:
        return Finding(what, f"{removed} after {days} days", "what interrupted runs leave does not stay for ever")
    return Finding(what, "none", means, ("clean",), "run make storage, which sets lifecycle rules if possible")
