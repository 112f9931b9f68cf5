"""The boto3 client, and what its errors mean. No other module imports boto3 or botocore."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from botocore import exceptions as boto
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.utils import determine_content_length
from msgspec import Struct

from pipeline.model.errors import DatelineError, SettingError, StorageError
from pipeline.storage.destination import Destination
from pipeline.storage.embedded.folder import StoreFolder

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

CONNECT_SECONDS, READ_SECONDS = 5, 15
CONNECTIONS = 64
SMALL_BODY = 1024 * 1024
"""Bytes."""
_environment_lock = threading.Lock()


def create_client(destination: Destination, environ: Mapping[str, str]) -> S3Client:
    """Return a client for ``destination``, with keys from boto3's standard chain over ``environ``.

    The keys of the embedded store come from its folder, and ``environ`` does not affect it: no profile, no proxy.
    Raises SettingError when keys, profile or address are incomplete.
    """
    # At DEBUG it would log signatures and bodies.
    logging.getLogger("botocore").setLevel(logging.WARNING)
    settings: dict[str, Any] = {}
    if destination.embedded:
        keys = StoreFolder(destination.root).keys()
        settings = {"aws_access_key_id": keys.access_key, "aws_secret_access_key": keys.secret_key}
        environ = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    try:
        with _as_environment(environ):
            client: S3Client = boto3.session.Session().client(
                "s3",
                region_name=_required_region(destination, environ),
                endpoint_url=destination.endpoint or None,
                config=_config(destination),
                **settings,
            )
    except (boto.BotoCoreError, ValueError) as error:
        raise explain(error, "cannot reach the storage", destination.bucket, destination.endpoint).error from None
    _refuse_other_address(client, destination)
    client.meta.events.register("before-sign.s3.PutObject", _send_small_bodies_at_once)
    return client


def _send_small_bodies_at_once(request: AWSRequest, **_: object) -> None:
    """Leave out "Expect: 100-continue" for small bodies: waiting for the answer doubles the time of a put."""
    length = determine_content_length(request.body)
    if length is not None and length <= SMALL_BODY:
        del request.headers["Expect"]


def _config(destination: Destination) -> Config:
    limits: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": READ_SECONDS,
        # S3Store retries by itself, with one rule for all errors and with a deadline.
        "retries": {"mode": "standard", "total_max_attempts": 1},
        "max_pool_connections": CONNECTIONS,
        # For requests this is the default, but presigned links would use the old version, which some storages refuse.
        "signature_version": "s3v4",
        # One string: boto3 puts its own together from a dozen parts, twice for each request.
        "user_agent": f"Dateline boto3/{boto3.__version__}",
        "s3": {"addressing_style": "path" if destination.endpoint else "auto"},
        # SHA-256 is sent with every object; some storages do not understand an additional CRC32.
        "request_checksum_calculation": "when_required",
    }
    if destination.embedded:
        limits["proxies"] = {}
    return Config(**limits)


def _required_region(destination: Destination, environ: Mapping[str, str]) -> str | None:
    """Return the region to use; None lets the profile decide."""
    named = destination.embedded or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    return destination.region if named or destination.endpoint else None


def _refuse_other_address(client: S3Client, destination: Destination) -> None:
    """Raise SettingError if the profile names another endpoint or region: the public address would be wrong."""
    endpoint, region = client.meta.endpoint_url, client.meta.region_name
    if not destination.endpoint and "amazonaws.com" not in endpoint:
        raise SettingError(f"the profile names the endpoint {endpoint}", f"set AWS_ENDPOINT_URL_S3={endpoint} too")
    if not destination.endpoint and region not in (destination.region, "aws-global"):
        raise SettingError(f"the profile names the region {region}", f"set AWS_REGION={region} too")


@contextmanager
def _as_environment(environ: Mapping[str, str]) -> Iterator[None]:
    """Show ``environ`` to boto3, which reads nothing but the process' environment."""
    with _environment_lock:
        saved = dict(os.environ)
        if saved == dict(environ):
            yield
            return
        os.environ.clear()
        os.environ.update(environ)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(saved)


# ── Errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Failure(Struct, frozen=True):
    """A request that failed."""

    code: str
    """The S3 error code; for HEAD, whose answer has no body, the status. Empty when there was no answer."""
    error: DatelineError
    retryable: bool
    """Whether the same request may succeed in a moment."""


FAILURES = (boto.BotoCoreError, boto.ClientError)
"""What the calls of a client raise."""
DamagedError = boto.FlexibleChecksumError
"""The bytes that arrived are not those that were sent."""

_KEYS = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile"
_RIGHTS = "give these keys the right to do this (Get, Put and List on both buckets), or use other keys"
_REGION = "set AWS_REGION to the bucket's region"
_FULL = "free some space in the storage, or raise its quota"
_LATER = "try again later; what is already published stays as it is"

_CODES: dict[str, tuple[str, str]] = {
    "NoSuchBucket": ("the bucket {bucket} does not exist", "check PRESS_BUCKET, or create it: `make storage`"),
    "AccessDenied": ("the storage refuses it (access denied)", _RIGHTS),
    "403": ("the storage refuses it (403)", _RIGHTS),
    "AllAccessDisabled": ("the storage has locked the bucket {bucket}", "ask its operator"),
    "InvalidAccessKeyId": ("the storage does not know the access key", _KEYS),
    "SignatureDoesNotMatch": ("the secret key does not match the access key", _KEYS),
    "ExpiredToken": ("the temporary keys have expired", "get new ones (AWS_SESSION_TOKEN), e.g. sign in again"),
    "InvalidToken": ("the session token is not valid", "get a new AWS_SESSION_TOKEN, or unset it"),
    "RequestTimeTooSkewed": ("this computer's clock is wrong{clock}", "set the clock (NTP)"),
    "PermanentRedirect": ("the bucket {bucket} is in another region{region}", _REGION),
    "301": ("the bucket {bucket} is in another region{region}", _REGION),
    "AuthorizationHeaderMalformed": ("the bucket {bucket} is in another region{region}", _REGION),
    "IllegalLocationConstraintException": ("the bucket {bucket} is in another region{region}", _REGION),
    "InvalidBucketName": ("{bucket} is not a valid bucket name", "check PRESS_BUCKET"),
    "XMinioStorageFull": ("the storage is full", _FULL),
    "InsufficientStorage": ("the storage is full", _FULL),
    "507": ("the storage is full", _FULL),
    "QuotaExceeded": ("the storage's quota is used up", _FULL),
    "EntityTooLarge": ("the storage does not accept files of this size", "make the file smaller"),
    "SlowDown": ("the storage is overloaded", _LATER),
    "InternalError": (
        "the storage has an internal error (500); its disk may be full",
        "free some space there, or try again later",
    ),
    "BadDigest": ("the data was damaged during the upload", _LATER),
}
_RETRYABLE_CODES = frozenset(
    {"BadDigest", "IncompleteBody", "RequestTimeout", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"}
)
_RETRYABLE_STATUSES = frozenset({408, 409, 429, 500, 502, 503, 504})
_FINAL_CODES = frozenset({"XMinioStorageFull", "InsufficientStorage", "QuotaExceeded"})
_SETTINGS = (boto.NoCredentialsError, boto.PartialCredentialsError, boto.ProfileNotFound, boto.NoRegionError)
_CREDENTIALS = (boto.CredentialRetrievalError, boto.UnauthorizedSSOTokenError, boto.TokenRetrievalError, boto.SSOError)

# Some are subclasses of others, so the order matters.
_CONNECTIONS: tuple[tuple[type[Exception], str, str], ...] = (
    (boto.ProxyConnectionError, "the proxy does not answer", "check HTTPS_PROXY and NO_PROXY"),
    (boto.SSLError, "the storage's certificate is not trusted", "check AWS_ENDPOINT_URL_S3, or set AWS_CA_BUNDLE"),
    (boto.ConnectTimeoutError, "no connection to {endpoint} (timed out)", "check AWS_ENDPOINT_URL_S3 and the network"),
    (boto.EndpointConnectionError, "no connection to {endpoint}", "check AWS_ENDPOINT_URL_S3 and the network"),
    (boto.ReadTimeoutError, "{endpoint} does not answer (timed out)", _LATER),
    (DamagedError, "the data was damaged on the way", _LATER),
    (boto.HTTPClientError, "the connection to {endpoint} broke", _LATER),
    (boto.IncompleteReadError, "the connection to {endpoint} broke", _LATER),
)


def error_code(error: Exception) -> str:
    """Return the S3 error code or, where the answer has no body, the status; empty when there was no answer."""
    if not isinstance(error, boto.ClientError):
        return ""
    return str(error.response.get("Error", {}).get("Code") or error_status(error))


def error_status(error: Exception) -> int:
    """Return the HTTP status; 0 when there was no answer."""
    if not isinstance(error, boto.ClientError):
        return 0
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def explain(error: Exception, action: str, bucket: str, endpoint: str) -> Failure:
    """Return what ``error`` means for ``action``, e.g. ``cannot write feed.xml``."""
    if isinstance(error, boto.ClientError):
        return _explain_refusal(error, action, bucket)
    if isinstance(error, _SETTINGS):
        return Failure("", SettingError(f"{action}: no keys for the storage: {_one_line(error)}", _KEYS), False)
    if isinstance(error, _CREDENTIALS):
        return Failure("", StorageError(f"{action}: no keys: {_one_line(error)}", "sign in again"), False)
    for kind, message, hint in _CONNECTIONS:
        if isinstance(error, kind):
            retryable = not isinstance(error, boto.SSLError)
            return Failure("", StorageError(f"{action}: {message.format(endpoint=endpoint)}", hint), retryable)
    return Failure("", StorageError(f"{action}: {_one_line(error)}"), False)


def _explain_refusal(error: boto.ClientError, action: str, bucket: str) -> Failure:
    answer: Mapping[str, Any] = error.response
    status, code = error_status(error), error_code(error)
    known = _CODES.get(code) or _CODES.get(str(status))
    if known is None and status >= 500:
        known = _CODES["SlowDown" if status == 503 else "InternalError"]
    message, hint = known or (f"{_one_line(answer.get('Error', {}).get('Message') or code)} ({code})", "")
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    date = headers.get("date")
    region = headers.get("x-amz-bucket-region") or answer.get("Error", {}).get("Region")
    text = message.format(
        bucket=bucket,
        clock=f"; the storage's clock says {date}" if date else "",
        region=f": {region}" if region else "",
    )
    retryable = (code in _RETRYABLE_CODES or status in _RETRYABLE_STATUSES) and code not in _FINAL_CODES
    return Failure(code, StorageError(f"{action}: {text}", hint), retryable)


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:300]
