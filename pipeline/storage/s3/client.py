"""The boto3 client, and what its errors mean. No other module imports boto3 or botocore.

Storages that speak S3 differ. An error is explained by what the storage says, shortened, and never by a guess; an
answer that no S3 storage gives (a web page, JSON, a put without ETag) is said to be none.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from io import BufferedReader
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import botocore
import botocore.handlers
import botocore.session
from botocore import exceptions as boto
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.loaders import JSONFileLoader, Loader
from botocore.model import OperationModel
from botocore.parsers import ResponseParserError
from botocore.utils import determine_content_length
from msgspec import Struct

from pipeline.model.errors import DatelineError, SettingError, StorageError
from pipeline.start.quick_start import kept
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
            client: S3Client = boto3.session.Session(botocore_session=_session()).client(
                "s3",
                region_name=_required_region(destination, environ),
                endpoint_url=destination.endpoint or None,
                config=_config(destination, is_asked=bool(destination.embedded or environ.get("PRESS_ADDRESSING"))),
                **settings,
            )
    except (boto.BotoCoreError, ValueError) as error:
        raise explain(error, "cannot reach the storage", destination.bucket, destination.endpoint).error from None
    _refuse_other_address(client, destination)
    events = client.meta.events
    events.register("before-sign.s3.PutObject", _send_small_bodies_at_once)
    events.register("before-sign.s3.UploadPart", _send_small_bodies_at_once)
    events.register("before-parameter-build.s3", _stay_in_region)
    events.register("before-call.s3", _send_md5_where_a_checksum_is_required)
    events.register("before-parse.s3", _refuse_what_is_not_s3)
    if late_errors := getattr(botocore.handlers, "_handle_200_error", None):
        # It takes a web page for an error of S3 that comes late; ours knows both.
        events.unregister("before-parse.s3.*", late_errors)
    return client


class _QuickLoader(JSONFileLoader):
    """Reads the descriptions of S3 that come with botocore: a megabyte, whose parsing is half the cost of a client."""

    def load_file(self, file_path: str) -> Any:
        """Return what the file says, None if there is none; a description of the user's own is read each time."""
        inside = os.path.relpath(file_path, Loader.BUILTIN_DATA_PATH)
        if inside.startswith(os.pardir):
            return super().load_file(file_path)
        read = super().load_file
        # Through JSON once more, because Python keeps plain dictionaries, and botocore makes ordered ones
        return kept(
            f"botocore-{inside.replace(os.sep, '-')}",
            botocore.__version__,
            lambda: json.loads(json.dumps(read(file_path))),
        )


def _session() -> botocore.session.Session:
    """Return the session that boto3 would make, which looks at no service but S3: there are four hundred."""
    session = botocore.session.get_session()
    loader: Any = session.get_component("data_loader")
    loader.file_loader = _QuickLoader()
    loader.list_available_services = lambda type_name: ["s3"]
    return session


def _send_small_bodies_at_once(request: AWSRequest, **_: object) -> None:
    """Leave out "Expect: 100-continue" for small bodies: waiting for the answer doubles the time of a put."""
    length = determine_content_length(request.body)
    if length is not None and length <= SMALL_BODY:
        del request.headers["Expect"]


def _stay_in_region(context: dict[str, Any], **_: object) -> None:
    """Keep boto3 from following a bucket to another region: presigned links and public addresses would be wrong."""
    context.get("s3_redirect", {})["redirected"] = True


def _send_md5_where_a_checksum_is_required(params: dict[str, Any], **_: object) -> None:
    """Send Content-MD5, as S3 defined it, instead of the CRC32 of new versions: every storage knows it."""
    if params["context"].pop("checksum", {}).get("request_algorithm"):
        params["headers"]["Content-MD5"] = content_md5(params["body"])


def content_md5(body: bytes | BufferedReader) -> str:
    """Return the value of Content-MD5 (RFC 1864), which is for damage and not for secrecy."""
    md5 = partial(hashlib.md5, usedforsecurity=False)
    return checksum_of((md5(body) if isinstance(body, bytes) else hashlib.file_digest(body, md5)).digest())


def checksum_of(digest: bytes) -> str:
    """Return a digest as S3 writes it."""
    return base64.b64encode(digest).decode()


def _config(destination: Destination, *, is_asked: bool) -> Config:
    """Return boto3's settings; unless the addressing ``is_asked`` for, the profile decides."""
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
        "s3": {"addressing_style": destination.addressing} if is_asked else None,
        # SHA-256 is sent with every object and compared with every answer; some storages refuse more headers than that.
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
    }
    if destination.embedded:
        limits["proxies"] = {}
    return Config(**limits)


def _required_region(destination: Destination, environ: Mapping[str, str]) -> str | None:
    """Return the region to use; None lets the profile decide."""
    named = destination.embedded or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    return destination.region if named or destination.endpoint else None


def _refuse_other_address(client: S3Client, destination: Destination) -> None:
    """Raise SettingError if the profile names another endpoint, region or addressing than the public address has."""
    endpoint, region = client.meta.endpoint_url, client.meta.region_name
    config: Any = client.meta.config
    style = (config.s3 or {}).get("addressing_style")
    if style not in (None, "auto", destination.addressing):
        raise SettingError(f"the profile names the addressing style {style}", f"set PRESS_ADDRESSING={style} too")
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


class Failed(Exception):  # noqa: N818 -- carries a failure
    """A request failed. Never leaves ``pipeline.storage.s3``."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.code)
        self.failure = failure


class NotS3Error(boto.BotoCoreError):
    """An answer that no S3 storage gives."""

    fmt = "{what}"

    def __init__(self, what: str, hint: str, status: int) -> None:
        super().__init__(what=what)
        self.hint, self.status = hint, status


FAILURES = (boto.BotoCoreError, boto.ClientError, ResponseParserError)
"""What the calls of a client raise."""
DamagedError = boto.FlexibleChecksumError
"""The bytes that arrived are not those that were sent."""
UNSUPPORTED = frozenset({"NotImplemented", "XNotImplemented", "MethodNotAllowed", "501", "405"})
"""Answers of storages that do not have the feature."""
HEADER_REFUSED = (
    UNSUPPORTED
    | {"InvalidArgument", "InvalidRequest", "UnsupportedArgument", "BadRequest", "400"}
    | {
        "SignatureDoesNotMatch"  # of a storage that leaves unknown headers out of the signature
    }
)
"""Answers that may mean that the storage does not know one of the request's headers."""
SOLE_PUBLISHER = (
    "use a storage with conditional writes; or, if nobody else publishes there and no two runs overlap, "
    "set PRESS_SOLE_PUBLISHER=1"
)
SHOWN = 200
"""Characters of the storage's own words."""

_KEYS = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile"
_RIGHTS = (
    "check that {bucket} is your bucket, and give these keys the rights of docs/storage.md (Get, Put and List on both "
    "buckets), or use other keys"
)
_REGION = "set AWS_REGION{region}"
_FULL = "free some space in the storage, or raise its quota"
_LATER = "try again later; what is already published stays as it is"
_CLOCK = "set the clock that is wrong (timedatectl status shows this computer's)"
_ADDRESS = "check AWS_ENDPOINT_URL_S3: it must be the address of the S3 service, not of its console or of a website"
_ELSEWHERE = ("the bucket {bucket} is in another region", _REGION)
_BY_HOST = ("this storage wants the bucket in the host's name", "set PRESS_ADDRESSING=virtual")
_FULL_STORAGE = ("the storage is full", _FULL)
_NO_KEY = ("the storage does not accept the access key", _KEYS)
_DENIED = ("the storage refuses it", _RIGHTS)
_NOT_SUPPORTED = (
    "the storage does not support this request",
    "`make doctor` shows what this storage supports; docs/storage.md tells what Dateline needs",
)

_NO_BUCKET = (
    "the bucket {bucket} does not exist",
    "check PRESS_BUCKET and PRESS_PRIVATE_BUCKET, or create it: `make storage`",
)

_CODES: dict[str, tuple[str, str]] = {
    "NoSuchBucket": _NO_BUCKET,
    "404": _NO_BUCKET,
    "BucketAlreadyExists": ("the bucket {bucket} belongs to somebody else", "choose another name (PRESS_BUCKET)"),
    "AccessDenied": _DENIED,
    "Forbidden": _DENIED,
    "403": _DENIED,
    "AllAccessDisabled": ("the storage has locked the bucket {bucket}", "ask its operator"),
    "AccountProblem": ("the storage has locked the account", "ask its operator"),
    "InvalidAccessKeyId": ("the storage does not know the access key", _KEYS),
    "Unauthorized": _NO_KEY,
    "InvalidSecurity": _NO_KEY,
    "401": _NO_KEY,
    "SignatureDoesNotMatch": ("the secret key does not match the access key", _KEYS),
    "ExpiredToken": ("the temporary keys have expired", "get new ones (AWS_SESSION_TOKEN), e.g. sign in again"),
    "InvalidToken": ("the session token is not valid", "get a new AWS_SESSION_TOKEN, or unset it"),
    "RequestTimeTooSkewed": ("this computer's clock and the storage's differ too much{clock}", _CLOCK),
    "RequestExpired": ("this computer's clock and the storage's differ too much{clock}", _CLOCK),
    "PermanentRedirect": _ELSEWHERE,
    "TemporaryRedirect": _ELSEWHERE,
    "301": _ELSEWHERE,
    "AuthorizationHeaderMalformed": _ELSEWHERE,
    "IllegalLocationConstraintException": _ELSEWHERE,
    "InvalidLocationConstraint": ("the storage does not know the region", _REGION),
    "InvalidRegionName": ("the storage does not know the region", _REGION),
    "SecondLevelDomainForbidden": _BY_HOST,
    "VirtualHostDomainRequired": _BY_HOST,
    "InvalidBucketName": ("{bucket} is not a valid bucket name", "check PRESS_BUCKET"),
    "XMinioStorageFull": _FULL_STORAGE,
    "InsufficientStorage": _FULL_STORAGE,
    "507": _FULL_STORAGE,
    "QuotaExceeded": ("the storage's quota is used up", _FULL),
    "EntityTooLarge": ("the storage does not accept files of this size", "make the file smaller"),
    "NotImplemented": _NOT_SUPPORTED,
    "XNotImplemented": _NOT_SUPPORTED,
    "MethodNotAllowed": _NOT_SUPPORTED,
    "501": _NOT_SUPPORTED,
    "405": _NOT_SUPPORTED,
    "SlowDown": ("the storage is overloaded", _LATER),
    "InternalError": (
        "the storage has an internal error",
        f"{_LATER}; if it stays, ask its operator: its log says why",
    ),
    "BadDigest": ("the data was damaged during the upload", _LATER),
    "XAmzContentSHA256Mismatch": ("the data was damaged during the upload", _LATER),
}
_CODES |= dict.fromkeys(
    ("NoSuchUpload", "InvalidPart"),
    ("parts of it are no longer there; another run may send the same file", "run the same command again"),
)
_OTHER = ("the storage refuses it", _NOT_SUPPORTED[1])
_RETRYABLE_CODES = frozenset(
    {"BadDigest", "IncompleteBody", "RequestTimeout", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"}
    | {"SlowDown", "ServiceUnavailable", "Throttling", "ThrottlingException", "TooManyRequests", "RequestLimitExceeded"}
)
_RETRYABLE_STATUSES = frozenset({408, 409, 429, 500, 502, 503, 504})
# An error in the body of a 200 has the status 500 here.
_FINAL_CODES = _CODES.keys() - _RETRYABLE_CODES - {"InternalError"}
_SETTINGS = (boto.NoCredentialsError, boto.PartialCredentialsError, boto.ProfileNotFound, boto.NoRegionError)
_CREDENTIALS = (boto.CredentialRetrievalError, boto.UnauthorizedSSOTokenError, boto.TokenRetrievalError, boto.SSOError)


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


def said(error: Exception) -> str:
    """Return the storage's error code and its words, shortened and safe to print: ``SlowDown: Please wait``."""
    code, words = _safe(error_code(error)), ""
    if isinstance(error, boto.ClientError):
        words = _safe(error.response.get("Error", {}).get("Message") or "")
    return f"{code}: {words}" if words and words != code else code


def explain(error: Exception, action: str, bucket: str, endpoint: str) -> Failure:
    """Return what ``error`` means for ``action``, e.g. ``cannot write feed.xml``."""
    if isinstance(error, boto.ClientError):
        return _explain_refusal(error, action, bucket)
    if isinstance(error, _SETTINGS):
        return Failure("", SettingError(f"{action}: no keys for the storage: {_safe(error)}", _KEYS), False)
    if isinstance(error, _CREDENTIALS):
        return Failure("", StorageError(f"{action}: no keys: {_safe(error)}", "sign in again"), False)
    message, hint, retryable = _explain_connection(error, endpoint)
    return Failure("", StorageError(f"{action}: {message}", hint), retryable)


def _explain_refusal(error: boto.ClientError, action: str, bucket: str) -> Failure:
    answer: Mapping[str, Any] = error.response
    status, code = error_status(error), error_code(error)
    known = _CODES.get(code) or _CODES.get(str(status))
    if known is None and (status in (429, 503) or code in _RETRYABLE_CODES):
        known = _CODES["SlowDown"]
    if known is None and status >= 500:
        known = _CODES["InternalError"]
    message, hint = known or _OTHER
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    region = _region_of(answer)
    facts = {
        "bucket": bucket,
        "clock": f"; the storage's clock says {_safe(date)}" if date else "",
        "region": f"={region}" if region else " to the bucket's region",
    }
    retryable = (code in _RETRYABLE_CODES or status in _RETRYABLE_STATUSES) and code not in _FINAL_CODES
    return Failure(
        code, StorageError(f"{action}: {message.format(**facts)} ({said(error)})", hint.format(**facts)), retryable
    )


def _region_of(answer: Mapping[str, Any]) -> str:
    """Return the region that an error names; empty when it names none."""
    error = answer.get("Error", {})
    told = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("x-amz-bucket-region") or error.get("Region")
    if not told and (found := re.search(r"expecting '([\w-]+)'", str(error.get("Message", "")))):
        told = found[1]
    return _safe(told or "")


def _explain_connection(error: Exception, endpoint: str) -> tuple[str, str, bool]:
    """Return message, hint and whether a retry is worth it, for a request that got no S3 answer."""
    facts: Mapping[str, Any] = getattr(error, "kwargs", {})
    # The address of the request has the bucket's name in the host where PRESS_ADDRESSING says so; without the key.
    parts = urlsplit(str(facts.get("endpoint_url") or endpoint))
    where, cause = f"{parts.scheme}://{parts.netloc}", str(facts.get("error", ""))
    by_host = "" if where == endpoint.rstrip("/") else "; PRESS_ADDRESSING=path puts the bucket into the path"
    if isinstance(error, NotS3Error):
        # A proxy in front of the storage answers with a page of its own when the storage does not.
        return f"{endpoint} does not answer as an S3 storage: {error}", error.hint, error.status in _RETRYABLE_STATUSES
    if isinstance(error, ResponseParserError):
        return f"{endpoint} does not answer as an S3 storage: it sent no XML", _ADDRESS, False
    if isinstance(error, boto.ProxyConnectionError):
        proxy = _safe(facts.get("proxy_url") or "")
        return f"the proxy {proxy} does not answer", "check HTTP_PROXY, HTTPS_PROXY and NO_PROXY", True
    if isinstance(error, boto.SSLError):
        return _explain_tls(cause, where, by_host)
    if isinstance(error, boto.EndpointConnectionError) and re.search("(?i)resol|getaddrinfo|not known", cause):
        name = f"no connection to {where}: the name {parts.hostname} is not known (DNS)"
        return name, f"check the spelling of AWS_ENDPOINT_URL_S3, and the network{by_host}", True
    if isinstance(error, boto.EndpointConnectionError):
        refused = ": connection refused" if "refused" in cause.lower() else ""
        return f"no connection to {where}{refused}", "check host and port in AWS_ENDPOINT_URL_S3, and the network", True
    if isinstance(error, boto.ConnectTimeoutError):
        return f"no connection to {where} (timed out)", "check AWS_ENDPOINT_URL_S3 and the network", True
    if isinstance(error, boto.ReadTimeoutError):
        return f"{where} does not answer (timed out)", _LATER, True
    if isinstance(error, DamagedError):
        return "the data was damaged on the way", _LATER, True
    if isinstance(error, boto.ConnectionClosedError) and parts.scheme == "http" and r"\x15\x03" in repr(cause):
        return f"{where} expects encrypted connections", "write https:// in AWS_ENDPOINT_URL_S3", False
    if isinstance(error, (boto.HTTPClientError, boto.IncompleteReadError)):
        is_plain = parts.scheme == "http" and isinstance(error, boto.ConnectionClosedError)
        hint = "; if this storage expects https, write https:// in AWS_ENDPOINT_URL_S3" if is_plain else ""
        return f"the connection to {where} broke", f"{_LATER}{hint}", True
    return _safe(error), "", False


def _explain_tls(cause: str, where: str, by_host: str) -> tuple[str, str, bool]:
    """Return message, hint and whether a retry is worth it, for a connection that could not be encrypted."""
    if re.search("(?i)wrong.version|record layer|unknown.protocol|packet length|http request", cause):
        hint = "write http:// in AWS_ENDPOINT_URL_S3 if this storage has no https, or check the port"
        return f"{where} does not answer with https", hint, False
    if re.search("(?i)hostname mismatch|doesn't match|not valid for", cause):
        return f"the certificate of {where} is for another name", f"check AWS_ENDPOINT_URL_S3{by_host}", False
    if "expired" in cause or "not yet valid" in cause:
        hint = "renew the storage's certificate, or set this computer's clock"
        return f"the certificate of {where} is not valid today", hint, False
    if "CERTIFICATE_VERIFY_FAILED" in cause or "certificate verify failed" in cause:
        found = re.search(r"verify failed: (.*?)\s*\(", cause)
        reason = f" ({_safe(found[1])})" if found else ""
        hint = "set AWS_CA_BUNDLE to the file with the certificate of its issuer, or check AWS_ENDPOINT_URL_S3"
        return f"the certificate of {where} is not trusted{reason}", hint, False
    return f"no encrypted connection to {where}: {_safe(cause)}", "check AWS_ENDPOINT_URL_S3 and the network", True


def _safe(text: object) -> str:
    """Return text of the storage in one short line, without control characters and signatures."""
    plain = "".join(sign if sign.isprintable() else " " for sign in str(text))
    plain = re.sub(r"(?i)\b(X-Amz-)?(Signature|Credential|Security-Token)=[^\s,&\"']+", r"\1\2=…", plain)
    plain = " ".join(plain.split())
    return plain if len(plain) <= SHOWN else f"{plain[: SHOWN - 1].rstrip()}…"


# ── Answers that are not S3's ───────────────────────────────────────────────────────────────────────────────────────

_ROOTS = {"ListObjectsV2": b"ListBucketResult", "ListObjects": b"ListBucketResult", "CopyObject": b"CopyObjectResult"}
_ROOTS |= {"CreateMultipartUpload": b"InitiateMultipartUpload", "UploadPartCopy": b"CopyPartResult"}
_ROOTS |= {"CompleteMultipartUpload": b"CompleteMultipartUploadResult"}
"""Operation → the element that its answer consists of. botocore reads any other as an empty answer."""
_LATE = frozenset({"CopyObject", "UploadPartCopy", "CompleteMultipartUpload"})
"""Operations of which the status is sent before they are carried out."""
_WITH_ETAG = frozenset({"PutObject", "UploadPart", "GetObject", "HeadObject"})
_PROLOGUE = 100
"""Bytes before the first element of an answer."""
_LOOKED_AT = 4000
"""Bytes of an answer."""


def _refuse_what_is_not_s3(operation_model: OperationModel, response_dict: dict[str, Any], **_: object) -> None:
    """Raise NotS3Error for a web page, for JSON and for an answer that lacks what S3 always sends."""
    status, headers, body = response_dict["status_code"], response_dict["headers"], response_dict["body"]
    operation, is_done = operation_model.name, 200 <= status < 300
    lacks_etag = is_done and operation in _WITH_ETAG and not headers.get("etag")
    begin = body.lstrip()[:_LOOKED_AT] if isinstance(body, bytes) else b""
    if lacks_etag and not isinstance(body, bytes):  # the bytes of an object are read later, by whom they are for
        begin = body.read(_LOOKED_AT).lstrip()
        body.close()
    if begin and (what := _strange_body(operation, begin, is_done=is_done)):
        reason = f" ({status})" if not is_done else ""
        raise NotS3Error(f"it sent {what}{reason}{_redirected(headers)}", _hint_for(headers, begin, status), status)
    if lacks_etag:
        raise NotS3Error(f"it sent no ETag ({status})", _ADDRESS, status)
    root = _ROOTS.get(operation, b"")
    if is_done and (b"<Error" in begin[:_PROLOGUE] or (operation in _LATE and not begin)):
        response_dict["status_code"] = 500  # it failed, or was cut short, after the status had been sent
    elif is_done and root not in begin:
        if b"ListAllMyBucketsResult" in begin:
            hint = "this storage wants the bucket in the path: set PRESS_ADDRESSING=path"
            raise NotS3Error("it lists all buckets instead of this one", hint, status)
        what = f"its answer has no {root.decode()}" if begin else f"it sent an empty answer ({status})"
        raise NotS3Error(what, _ADDRESS, status)
    is_s3 = any(name.lower().startswith("x-amz-") for name in headers)
    if 300 <= status < 400 and not begin and headers.get("location") and not is_s3:
        raise NotS3Error(
            f"it sent a redirect ({status}){_redirected(headers)}", _hint_for(headers, begin, status), status
        )


def _strange_body(operation: str, begin: bytes, *, is_done: bool) -> str:
    """Return what a body is that no S3 storage sends; empty for XML."""
    if re.match(rb"(?is)(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*(<!doctype html|<html|<head|<body)", begin):
        found = re.search(rb"(?is)<title[^>]*>(.*?)</title>", begin)
        title = _safe(found[1].decode("utf-8", "replace")) if found else ""
        return f"a web page, “{title}”" if title else "a web page"
    if begin.startswith((b"{", b"[")) and not (operation == "GetBucketPolicy" and is_done):
        return f"JSON, {_safe(begin.decode('utf-8', 'replace'))}"
    if not begin.startswith((b"<", b"\xef\xbb\xbf<", b"{")) and (not is_done or operation in _ROOTS):
        return f"text, “{_safe(begin.decode('utf-8', 'replace'))}”"
    return ""


def _redirected(headers: Mapping[str, str]) -> str:
    return f"; it leads to {_safe(headers['location'])}" if headers.get("location") else ""


def _hint_for(headers: Mapping[str, str], begin: bytes, status: int) -> str:
    if headers.get("location", "").startswith("https://") or b"HTTPS" in begin:
        return f"{_ADDRESS}; if it begins with http://, write https://"
    if status in _RETRYABLE_STATUSES:
        return f"a proxy or a web server answered, the storage did not: {_LATER}, or check AWS_ENDPOINT_URL_S3"
    return f"{_ADDRESS}; a proxy, or the login page of a network, may have answered instead"
