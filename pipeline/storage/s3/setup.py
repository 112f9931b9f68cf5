"""``make storage``: two buckets, the public one open to be read and closed to be listed, the private one closed."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.model.errors import StorageError
from pipeline.storage import Bucket, ObjectStore, Put, open_store
from pipeline.storage.anonymous import AnonymousClient
from pipeline.storage.destination import Destination
from pipeline.storage.s3 import client as s3_client
from pipeline.storage.s3 import faults as s3_faults
from pipeline.storage.s3 import lifecycle

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import CreateBucketRequestTypeDef

SETTLE_SECONDS = 20.0
"""How long a storage may take until a new policy holds everywhere."""
_OPERATOR = "set the storage up with the keys of its operator; `make publish` needs less"
_UNKNOWN = frozenset({"NotImplemented", "MethodNotAllowed", "XNotImplemented", "MalformedXML", "501", "405"})
"""What storages answer that have no such switch."""


def prepare(destination: Destination, environ: Mapping[str, str]) -> Iterator[str]:
    """Set both buckets up, try them as a stranger, and yield a line for each thing that is so now.

    May be called again and again. Raises StorageError when rights are lacking, or when a stranger sees too little or
    too much.
    """
    client = s3_client.make(destination, environ)
    if destination.embedded:
        yield f"buckets {destination.bucket} and {destination.private_bucket}: set up by the embedded store itself"
    else:
        for name in (destination.bucket, destination.private_bucket):
            yield f"bucket {name}: {'created' if _create(client, destination, name) else 'is there'}"
        yield f"bucket {destination.bucket}: {_open(client, destination)}"
        yield f"bucket {destination.private_bucket}: {_close(client, destination)}"
    yield f"bucket {destination.private_bucket}: {_expire(client, destination.private_bucket)}"
    _probe(open_store(destination, environ), destination, environ)
    yield f"tried as a stranger: objects at {destination.address} can be read and not listed, waiting ones neither"


def _create(client: S3Client, destination: Destination, name: str) -> bool:
    try:
        client.head_bucket(Bucket=name)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise s3_faults.explain(error, f"cannot use the bucket {name}", name, destination.endpoint).error from None
    except s3_faults.FAILURES as error:
        raise s3_faults.explain(error, f"cannot use the bucket {name}", name, destination.endpoint).error from None
    else:
        return False
    request: CreateBucketRequestTypeDef = {"Bucket": name}
    if not destination.endpoint and destination.region != "us-east-1":
        place: Any = destination.region
        request["CreateBucketConfiguration"] = {"LocationConstraint": place}
    _do(f"cannot create the bucket {name}", destination, name, lambda: client.create_bucket(**request))
    return True


def _open(client: S3Client, destination: Destination) -> str:
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
    if _do(action, destination, name, lambda: client.put_bucket_policy(Bucket=name, Policy=policy)):
        return "anyone may read its objects, nobody may list them"
    return "this storage has no bucket policies: make its objects public in its own way"


def _close(client: S3Client, destination: Destination) -> str:
    name = destination.private_bucket
    if _block(client, destination, name, policies=True):
        return "public access is blocked"
    return "nothing opens it"


def _block(client: S3Client, destination: Destination, name: str, *, policies: bool) -> bool:
    """Switch AWS' block on public access: always for access lists, for policies where nothing shall be public."""
    return _do(
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


def _expire(client: S3Client, name: str) -> str:
    """Let what is forgotten in the private bucket go by itself, beside whatever rules there are; it is no failure
    where a storage cannot."""
    lost = "this storage keeps no lifecycle rules: clear staged/ and shared/ by hand now and then"
    try:
        try:
            there = client.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
        except ClientError as error:
            if "NoSuchLifecycleConfiguration" not in str(error):
                return lost
            there = []
        ours: Any = lifecycle.rules()
        others = [rule for rule in there if rule.get("ID") not in {rule["ID"] for rule in ours}]
        client.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [*others, *ours]})
        kept = client.get_bucket_lifecycle_configuration(Bucket=name).get("Rules", [])
    except s3_faults.FAILURES:
        return lost
    days = {prefix: lifecycle.expiry_days(kept, prefix) for prefix in lifecycle.DAYS}
    return f"{', '.join(f'{prefix} goes after {n} days' for prefix, n in days.items())}" if all(days.values()) else lost


def _do(action: str, destination: Destination, bucket: str, call: Callable[[], object]) -> bool:
    """Call, and return False where the storage has no such thing. Raises StorageError."""
    try:
        call()
    except s3_faults.FAILURES as error:
        failure = s3_faults.explain(error, action, bucket, destination.endpoint)
        if failure.code in _UNKNOWN:
            return False
        if failure.code in ("AccessDenied", "403"):
            raise StorageError(str(failure.error), _OPERATOR) from None
        raise failure.error from None
    return True


def _partition(destination: Destination) -> str:
    if destination.endpoint:
        return "aws"
    return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(destination.region.rpartition("-")[0].rpartition("-")[0], "aws")


def _probe(store: ObjectStore, destination: Destination, environ: Mapping[str, str]) -> None:
    """Try as a stranger what a stranger may and may not. Raises StorageError."""
    key = f"probe-{secrets.token_hex(8)}.txt"
    buckets: tuple[Bucket, ...] = ("public", "private")
    try:
        for bucket in buckets:
            store.put(Put(key=key, body=key.encode(), media_type="text/plain; charset=utf-8"), bucket)
        public = AnonymousClient(destination.address, environ)
        deadline = time.monotonic() + SETTLE_SECONDS
        while (answer := public.get(key)).status != 200 and time.monotonic() < deadline and not destination.embedded:
            time.sleep(1)
        if answer.body != key.encode():
            raise StorageError(
                f"{destination.address}: a stranger cannot read an object that was put there ({answer.status})",
                "let anyone get the objects of this bucket; on AWS the account's block on public access stands above",
            )
        _refuse_listing(public, destination.bucket)
        private = AnonymousClient(destination.private_address, environ)
        if private.get(key).status == 200:
            raise StorageError(f"{destination.private_address}: a stranger can read what waits there", "close it")
        _refuse_listing(private, destination.private_bucket)
    finally:
        for bucket in buckets:
            store.delete(key, bucket)


def _refuse_listing(anonymous: AnonymousClient, bucket: str) -> None:
    for query in ("", "?list-type=2", "?versions", "?uploads"):
        if anonymous.ask("GET", query).status == 200:
            raise StorageError(f"the bucket {bucket} can be listed by anyone", "take that right away")
