"""Sets up the two buckets (``make storage``): anyone can read the public one, nobody can list either."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pipeline.model.errors import StorageError
from pipeline.storage import SHARED, STAGED, UPLOADS, Bucket, ObjectStore, Put, open_store
from pipeline.storage.anonymous import AnonymousClient
from pipeline.storage.destination import Destination
from pipeline.storage.s3.client import FAILURES, UNSUPPORTED, create_client, error_code, error_status, explain, said
from pipeline.storage.s3.store import is_of_s3, retried

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import CreateBucketRequestTypeDef

POLICY_SECONDS = 20.0
"""How long a storage may take to apply a new policy everywhere."""
LISTING_QUERIES = ("", "?list-type=2", "?versions", "?uploads")
"""Each asks a bucket for a list of names."""
UNFINISHED = 2
"""Days after which the storage removes the parts of an upload that was begun and not completed, in both buckets."""
DAYS = {STAGED: 400, SHARED: 8, UPLOADS: UNFINISHED}
"""Prefix in the private bucket → days after which the storage removes objects there.

These lifecycle rules only clear away what an interrupted run has left behind; nothing depends on them. 400 days is
longer than an embargo of a year; a release that is scheduled later still is staged again when its files are gone. A
shared copy is useless once its link has expired, after seven days at most.
"""
_UNKNOWN = UNSUPPORTED | {"MalformedXML", "MalformedPolicy", "NoSuchKey", "InvalidArgument", "InvalidRequest", "400"}
"""Answers of storages that do not have the feature, or that take its request for another one."""
_OPERATOR = (
    "set up the storage with the keys of its operator (docs/storage.md has their rights); `make publish` needs fewer"
)
_OPEN_BY_HAND = "with the storage's own tools, let anyone get the objects of {bucket} and nobody list them"
_CLEAR_BY_HAND = "with the storage's own tools, delete {}"


def prepare(destination: Destination, environ: Mapping[str, str]) -> Iterator[str]:
    """Set up both buckets, test them without credentials, and yield a line about each step.

    Where the storage does not have a feature, the line says so, and the next one how to do it by hand. It may be called
    again at any time. Raises StorageError when the keys lack rights, or when anyone without credentials can read too
    little or too much.
    """
    client = create_client(destination, environ)
    store = open_store(destination, environ)
    if destination.embedded:
        yield f"buckets {destination.bucket} and {destination.private_bucket}: set up by the embedded store itself"
    else:
        for name in (destination.bucket, destination.private_bucket):
            yield f"bucket {name}: {'created' if _create(client, destination, name) else 'exists already'}"
        yield from _open(client, destination)
        yield _close(client, destination)
    yield from _set_lifecycle(client, destination.bucket, {})
    yield from _set_lifecycle(client, destination.private_bucket, DAYS)
    _test_access(store, destination, environ)
    yield (
        f"tested without credentials: anyone can read objects at {destination.address}, nobody can list them "
        f"or read the private bucket"
    )


def _create(client: S3Client, destination: Destination, name: str) -> bool:
    """Create the bucket if there is none, and return whether it was created."""
    action = f"cannot use the bucket {name}"
    try:
        if not is_of_s3(retried(lambda: client.head_bucket(Bucket=name))):
            _list(client, action, name)
    except FAILURES as error:
        if not error_code(error):
            raise explain(error, action, name, client.meta.endpoint_url).error from None
        if error_status(error) != 404:
            # The answer to HEAD has no body that could state the reason; a listing's answer has.
            _list(client, action, name)
            return False
    else:
        return False
    request: CreateBucketRequestTypeDef = {"Bucket": name}
    if not destination.endpoint and destination.region != "us-east-1":
        place: Any = destination.region
        request["CreateBucketConfiguration"] = {"LocationConstraint": place}
    if lacking := _call(f"cannot create the bucket {name}", destination, name, lambda: _make(client, request)):
        raise StorageError(
            f"the bucket {name} does not exist, and this storage creates none over S3 ({lacking})",
            "create it with the storage's own tools, then run make storage again",
        )
    return True


def _list(client: S3Client, action: str, name: str) -> None:
    """List the bucket, as far as that is needed to know that it answers. Raises StorageError."""
    try:
        retried(lambda: client.list_objects_v2(Bucket=name, MaxKeys=1))
    except FAILURES as error:
        failure = explain(error, action, name, client.meta.endpoint_url)
        hint = _OPERATOR if failure.code in ("AccessDenied", "403") else failure.error.hint
        raise StorageError(str(failure.error), hint) from None


def _make(client: S3Client, request: CreateBucketRequestTypeDef) -> None:
    try:
        client.create_bucket(**request)
    except FAILURES as error:
        if error_code(error) != "BucketAlreadyOwnedByYou":  # an answer was lost, or it was created meanwhile
            raise


def _open(client: S3Client, destination: Destination) -> Iterator[str]:
    name = destination.bucket
    _block(client, destination, name, policies=False)
    statement = {
        "Sid": "AnyoneMayRead",
        "Effect": "Allow",
        "Principal": {"AWS": ["*"]},
        "Action": ["s3:GetObject"],
        "Resource": [f"arn:{_partition(destination)}:s3:::{name}/*"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    action = f"cannot let anyone read the bucket {name}"
    lacking = _call(action, destination, name, lambda: client.put_bucket_policy(Bucket=name, Policy=policy))
    if lacking:
        yield f"bucket {name}: rights of readers not set: this storage has no bucket policies ({lacking})"
        yield f"  by hand, unless it is so already: {_OPEN_BY_HAND.format(bucket=name)}"
    else:
        yield f"bucket {name}: anyone can read its objects, nobody can list them"


def _close(client: S3Client, destination: Destination) -> str:
    lacking = _block(client, destination, destination.private_bucket, policies=True)
    done = f"left as it is: this storage has no block on public access ({lacking})" if lacking else ""
    return f"bucket {destination.private_bucket}: {done or 'public access is blocked'}"


def _block(client: S3Client, destination: Destination, name: str, *, policies: bool) -> str:
    """Set AWS' block on public access: always for access lists, for policies only where nothing shall be public."""
    return _call(
        f"cannot set who may read the bucket {name}",
        destination,
        name,
        lambda: client.put_public_access_block(
            Bucket=name,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "IgnorePublicAcls": True,
                "BlockPublicPolicy": policies,
                "RestrictPublicBuckets": policies,
            },
        ),
    )


def _partition(destination: Destination) -> str:
    if destination.endpoint:
        return "aws"
    return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(destination.region.rpartition("-")[0].rpartition("-")[0], "aws")


def _call(action: str, destination: Destination, bucket: str, call: Callable[[], object]) -> str:
    """Call, and return what the storage says if it does not have the feature. Raises StorageError."""
    try:
        retried(call)
    except FAILURES as error:
        failure = explain(error, action, bucket, destination.endpoint)
        if failure.code in _UNKNOWN:
            return said(error)
        if failure.code in ("AccessDenied", "403"):
            raise StorageError(str(failure.error), _OPERATOR) from None
        raise failure.error from None
    return ""


# ── Lifecycle rules ─────────────────────────────────────────────────────────────────────────────────────────────────


def _set_lifecycle(client: S3Client, name: str, days: Mapping[str, int]) -> Iterator[str]:
    """Add our lifecycle rules to the bucket's others; it is no error if the storage does not set them."""
    ours = lifecycle_rules(days)
    try:
        stored = _set_rules(client, name, ours)
    except FAILURES as error:
        reason = said(error) or "no answer"
    else:
        are_kept = unfinished_days(stored) and all(expiry_days(stored, prefix) for prefix in days)
        reason = "" if are_kept else "the storage does not keep them"
    if reason:
        objects = "".join(f"objects in {prefix} after {number} days, " for prefix, number in days.items())
        yield f"bucket {name}: lifecycle rules not set ({reason})"
        yield f"  by hand, now and then: {_CLEAR_BY_HAND.format(f'{objects}unfinished uploads after {UNFINISHED}')}"
    else:
        expiries = {f"objects in {prefix}": expiry_days(stored, prefix) for prefix in days}
        expiries["parts of unfinished uploads"] = unfinished_days(stored)
        rules = ", ".join(f"{what} are removed after {number} days" for what, number in expiries.items())
        yield f"bucket {name}: {rules}"


def _set_rules(client: S3Client, name: str, ours: list[Any]) -> list[Any]:
    """Set the rules, and return all rules as the storage has kept them. Raises FAILURES."""
    try:
        present = retried(lambda: client.get_bucket_lifecycle_configuration(Bucket=name))["Rules"]
    except FAILURES as error:
        if error_code(error) != "NoSuchLifecycleConfiguration":
            raise
        present = []
    rules: Any = [*(rule for rule in present if rule.get("ID") not in {rule["ID"] for rule in ours}), *ours]
    retried(lambda: client.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules}))
    stored = retried(lambda: client.get_bucket_lifecycle_configuration(Bucket=name))
    return list(stored.get("Rules", []))


def lifecycle_rules(days: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return in S3's format the rules of a bucket in which objects have so many days by their prefix."""
    unfinished = {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": UNFINISHED}}
    return [
        {"ID": "dateline-unfinished", "Status": "Enabled", "Filter": {"Prefix": ""}} | unfinished,
        *(
            {"ID": f"dateline-{prefix.rstrip('/')}", "Status": "Enabled", "Filter": {"Prefix": prefix}}
            | {"Expiration": {"Days": number}}
            for prefix, number in days.items()
        ),
    ]


def unfinished_days(rules: Iterable[Mapping[str, Any]]) -> int:
    """Return after how many days ``rules`` remove the parts of any upload that was not completed; 0 for never."""
    found = [
        rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation", 0)
        for rule in rules
        if rule.get("Status") == "Enabled" and not _prefix(rule)
    ]
    return min(filter(None, found), default=0)


def expiry_days(rules: Iterable[Mapping[str, Any]], prefix: str) -> int:
    """Return after how many days ``rules`` remove the objects below ``prefix``; 0 for never."""
    days = [
        rule["Expiration"]["Days"]
        for rule in rules
        if rule.get("Status") == "Enabled"
        and prefix.startswith(_prefix(rule))
        and rule.get("Expiration", {}).get("Days")
    ]
    return min(days, default=0)


def _prefix(rule: Mapping[str, Any]) -> str:
    """Return the prefix that a rule applies to; one with a filter by size or tag does not apply to our objects."""
    chosen = rule.get("Filter", {"Prefix": rule.get("Prefix", "")})
    return str(chosen.get("Prefix", "")) if set(chosen) <= {"Prefix"} else "?"


# ── Test ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _test_access(store: ObjectStore, destination: Destination, environ: Mapping[str, str]) -> None:
    """Test without credentials what can be read and listed. Raises StorageError."""
    key = f"probe-{secrets.token_hex(8)}.txt"
    buckets: tuple[Bucket, ...] = ("public", "private")
    try:
        for bucket in buckets:
            store.put(Put(key=key, body=key.encode(), media_type="text/plain; charset=utf-8"), bucket)
        public = AnonymousClient(destination.address, environ)
        deadline = time.monotonic() + POLICY_SECONDS
        while (answer := public.get(key)).status != 200 and time.monotonic() < deadline and not destination.embedded:
            time.sleep(1)
        if answer.body != key.encode():
            raise StorageError(
                f"{destination.address}: objects cannot be read without credentials ({answer.status})",
                f"{_OPEN_BY_HAND.format(bucket=destination.bucket)}; on AWS, also check the account's block on public "
                "access; if readers have another address (R2), set PRESS_PUBLIC_URL",
            )
        _refuse_listing(public, destination.bucket)
        private = AnonymousClient(destination.private_address, environ)
        if private.get(key).status == 200:
            raise StorageError(
                f"{destination.private_address}: anyone can read the private bucket",
                "block public access to this bucket",
            )
        _refuse_listing(private, destination.private_bucket)
    except StorageError:
        with suppress(StorageError):  # the first error is the one to tell
            _remove(store, key, buckets)
        raise
    _remove(store, key, buckets)


def _remove(store: ObjectStore, key: str, buckets: Iterable[Bucket]) -> None:
    for bucket in buckets:
        store.delete(key, bucket)


def _refuse_listing(anonymous: AnonymousClient, bucket: str) -> None:
    for query in LISTING_QUERIES:
        if anonymous.ask("GET", query).status == 200:
            raise StorageError(
                f"anyone can list the bucket {bucket}", "remove the right to list it from anonymous users"
            )
