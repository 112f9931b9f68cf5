"""What boto3 raises, said as what it means, what to do about it, and whether trying again may help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore import exceptions as boto
from msgspec import Struct

from pipeline.model.errors import DatelineError, SettingError, StorageError


class Failure(Struct, frozen=True):
    """One request that failed."""

    code: str
    """The S3 error code; for HEAD, which has no body, the status."""
    error: DatelineError
    again: bool
    """Whether the same request may well succeed in a moment."""


_KEYS = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile"
_RIGHTS = "give these keys the right to do this (Get, Put and List on both buckets), or use other keys"
_REGION = "set AWS_REGION to the bucket's region"
_FULL = "make room in the storage, or raise its quota"
_LATER = "try again later; what is published already stays as it is"

_CODES: dict[str, tuple[str, str]] = {
    "NoSuchBucket": ("the bucket {bucket} does not exist", "check PRESS_BUCKET, or create it: `make storage`"),
    "AccessDenied": ("the storage refuses it (access denied)", _RIGHTS),
    "403": ("the storage refuses it (403)", _RIGHTS),
    "AllAccessDisabled": ("the storage has locked the bucket {bucket}", "ask its operator"),
    "InvalidAccessKeyId": ("the storage does not know the access key", _KEYS),
    "SignatureDoesNotMatch": ("the secret key does not fit the access key", _KEYS),
    "ExpiredToken": ("the temporary keys have expired", "get new ones (AWS_SESSION_TOKEN), e.g. sign in again"),
    "InvalidToken": ("the session token is not valid", "get a new AWS_SESSION_TOKEN, or unset it"),
    "RequestTimeTooSkewed": ("this machine's clock is wrong{clock}", "set the clock (NTP)"),
    "PermanentRedirect": ("the bucket {bucket} is in another region{region}", _REGION),
    "301": ("the bucket {bucket} is in another region{region}", _REGION),
    "AuthorizationHeaderMalformed": ("the bucket {bucket} is in another region{region}", _REGION),
    "IllegalLocationConstraintException": ("the bucket {bucket} is in another region{region}", _REGION),
    "InvalidBucketName": ("{bucket} is not a bucket's name", "check PRESS_BUCKET"),
    "XMinioStorageFull": ("the storage is full", _FULL),
    "InsufficientStorage": ("the storage is full", _FULL),
    "507": ("the storage is full", _FULL),
    "QuotaExceeded": ("the storage's quota is used up", _FULL),
    "EntityTooLarge": ("the storage takes no files of this size", "make the file smaller"),
    "SlowDown": ("the storage is overloaded", _LATER),
    "InternalError": (
        "the storage has a fault of its own (500): its disk may be full",
        "make room there, or try again later",
    ),
    "BadDigest": ("the bytes were damaged on their way up", _LATER),
}
_AGAIN = frozenset(
    {"BadDigest", "IncompleteBody", "RequestTimeout", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"}
)
_STATUSES_AGAIN = frozenset({408, 409, 429, 500, 502, 503, 504})
_NEVER = frozenset({"XMinioStorageFull", "InsufficientStorage", "QuotaExceeded"})
_SETTINGS = (boto.NoCredentialsError, boto.PartialCredentialsError, boto.ProfileNotFound, boto.NoRegionError)
_CREDENTIALS = (boto.CredentialRetrievalError, boto.UnauthorizedSSOTokenError, boto.TokenRetrievalError, boto.SSOError)

# The first that fits counts: some are kinds of others.
_CONNECTIONS: tuple[tuple[type[Exception], str, str], ...] = (
    (boto.ProxyConnectionError, "the proxy does not answer", "check HTTPS_PROXY and NO_PROXY"),
    (boto.SSLError, "the storage's certificate is not trusted", "check AWS_ENDPOINT_URL_S3, or set AWS_CA_BUNDLE"),
    (boto.ConnectTimeoutError, "no connection to {endpoint} (timed out)", "check AWS_ENDPOINT_URL_S3 and the network"),
    (boto.EndpointConnectionError, "no connection to {endpoint}", "check AWS_ENDPOINT_URL_S3 and the network"),
    (boto.ReadTimeoutError, "{endpoint} does not answer (timed out)", _LATER),
    (boto.FlexibleChecksumError, "the bytes were damaged on their way down", _LATER),
    (boto.HTTPClientError, "the connection to {endpoint} broke", _LATER),
    (boto.IncompleteReadError, "the connection to {endpoint} broke", _LATER),
)
FAILURES = (boto.BotoCoreError, boto.ClientError)
"""What the calls of a client raise."""


def explain(error: Exception, action: str, bucket: str, endpoint: str) -> Failure:
    """Return what ``error`` means for ``action``, e.g. ``cannot write feed.xml``."""
    if isinstance(error, boto.ClientError):
        return _refusal(error, action, bucket)
    if isinstance(error, _SETTINGS):
        return Failure("", SettingError(f"{action}: no keys for the storage: {_one_line(error)}", _KEYS), False)
    if isinstance(error, _CREDENTIALS):
        return Failure("", StorageError(f"{action}: no keys: {_one_line(error)}", "sign in again"), False)
    for kind, message, hint in _CONNECTIONS:
        if isinstance(error, kind):
            again = not isinstance(error, boto.SSLError)
            return Failure("", StorageError(f"{action}: {message.format(endpoint=endpoint)}", hint), again)
    return Failure("", StorageError(f"{action}: {_one_line(error)}"), False)


def _refusal(error: boto.ClientError, action: str, bucket: str) -> Failure:
    answer: Mapping[str, Any] = error.response
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = str(answer.get("Error", {}).get("Code") or status)
    known = _CODES.get(code) or _CODES.get(str(status))
    if known is None and status >= 500:
        known = _CODES["SlowDown" if status == 503 else "InternalError"]
    words, hint = known or (f"{_one_line(answer.get('Error', {}).get('Message') or code)} ({code})", "")
    text = words.format(bucket=bucket, clock=_clock(answer), region=_region(answer))
    again = (code in _AGAIN or status in _STATUSES_AGAIN) and code not in _NEVER
    return Failure(code, StorageError(f"{action}: {text}", hint), again)


def _clock(answer: Mapping[str, Any]) -> str:
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    return f": the storage's says {date}" if date else ""


def _region(answer: Mapping[str, Any]) -> str:
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    region = headers.get("x-amz-bucket-region") or answer.get("Error", {}).get("Region")
    return f": {region}" if region else ""


def _one_line(words: object) -> str:
    return " ".join(str(words).split())[:300]
