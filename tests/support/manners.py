"""Storages that differ from AWS, as manners of a proxy in front of a real one; some storage is known for each."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from itertools import count
from urllib.parse import urlsplit

from tests.support.faulty import Exchange, Manner

HOST = "s3.test"
"""The name that the real server has for buckets in the host; requests come to it through the proxy variables."""


def error(exchange: Exchange, status: int, code: str, words: str = "of its own", more: str = "") -> bool:
    """Answer as S3 does when it refuses."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{words}</Message>{more}</Error>"
    return answer(exchange, status, "application/xml", body)


def answer(exchange: Exchange, status: int, kind: str, body: str, **more: str) -> bool:
    """Answer with a body of any kind."""
    data = body.encode()
    headers = [("Content-Type", kind), ("Content-Length", str(len(data))), ("Date", formatdate(usegmt=True))]
    exchange.answer(status, [*headers, *more.items()], data)
    return True


def is_signed(exchange: Exchange) -> bool:
    """Whether the publisher sends the request, and not an anonymous client."""
    return "Authorization" in exchange.headers or "X-Amz-Signature" in exchange.path


def asks_for(exchange: Exchange, *queries: str) -> bool:
    return urlsplit(exchange.path).query.split("=")[0] in queries


# ── Storages that lack something ────────────────────────────────────────────────────────────────────────────────────


def refuses_headers(*beginnings: str, status: int = 400, code: str = "InvalidArgument") -> Manner:
    """A storage that refuses a signed request with one of these headers."""

    def manner(exchange: Exchange) -> bool:
        names = [name for name in exchange.headers if name.lower().startswith(beginnings)]
        return bool(names and is_signed(exchange)) and error(
            exchange, status, code, f"the header {names[0]} is unknown"
        )

    return manner


no_checksums = refuses_headers("x-amz-checksum", "x-amz-sdk-checksum", "x-amz-trailer")
no_checksums_at_all = refuses_headers("x-amz-checksum", "x-amz-sdk-checksum", "x-amz-trailer", "content-md5")
no_conditions = refuses_headers("if-match", "if-none-match", "x-amz-copy-source-if", status=501, code="NotImplemented")


def no_configuration(exchange: Exchange) -> bool:
    """No policies, lifecycle rules and the like."""
    queries = ("policy", "lifecycle", "acl", "publicAccessBlock", "ownershipControls", "versioning")
    return asks_for(exchange, *queries) and error(exchange, 501, "NotImplemented", "no such thing here")


def md5_for_configuration(exchange: Exchange) -> bool:
    """Content-MD5 is required where a configuration is written, and where many objects are deleted."""
    is_meant = exchange.method in ("PUT", "POST") and asks_for(exchange, "policy", "lifecycle", "delete")
    return is_meant and "Content-MD5" not in exchange.headers and error(exchange, 400, "InvalidRequest", "Content-MD5?")


def no_copies(exchange: Exchange) -> bool:
    return "x-amz-copy-source" in exchange.headers and error(exchange, 501, "NotImplemented", "no copies")


def copies_that_fail_late(exchange: Exchange) -> bool:
    """The status of a copy is sent before the copy is made, so that an error comes in the body of a 200."""
    return "x-amz-copy-source" in exchange.headers and error(exchange, 200, "InternalError", "failed half way")


# ── Storages that want something ────────────────────────────────────────────────────────────────────────────────────


def elsewhere(exchange: Exchange) -> bool:
    """The bucket is in the region north-7."""
    is_wrong = is_signed(exchange) and "/north-7/" not in exchange.headers.get("Authorization", "")
    return is_wrong and error(exchange, 400, "AuthorizationHeaderMalformed", "not here", "<Region>north-7</Region>")


def bucket_in_the_host(exchange: Exchange) -> bool:
    """Addresses are https://bucket.host/key. Serves as an HTTP proxy too: there is no such name."""
    parts = urlsplit(exchange.path)
    exchange.path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if exchange.headers["Host"].endswith(f".{HOST}"):
        return False
    return error(exchange, 403, "SecondLevelDomainForbidden", "put the bucket into the host name")


def somebody_elses(exchange: Exchange) -> bool:
    """The answer to HEAD has no body, as always."""
    return error(exchange, 403, "AllAccessDisabled", "not yours")


def busy(every: int) -> Callable[[], Manner]:
    """A storage that answers every n-th request, signed or not, with 503."""

    def make() -> Manner:
        numbers = count(1)
        return lambda exchange: not next(numbers) % every and error(exchange, 503, "SlowDown", "not so fast")

    return make


# ── No storage ──────────────────────────────────────────────────────────────────────────────────────────────────────

LOGIN = "<!DOCTYPE html>\n<html><head><title>Sign in\x07 to the guest network</title></head><body>…</body></html>"


def a_login_page(exchange: Exchange) -> bool:
    return answer(exchange, 200, "text/html", LOGIN)


def a_login_page_elsewhere(exchange: Exchange) -> bool:
    return answer(exchange, 302, "text/html", "<html>moved</html>", Location="https://portal.example/login?next=1")


def a_page_that_is_xml(exchange: Exchange) -> bool:
    return answer(exchange, 200, "application/xhtml+xml", "<?xml version='1.0'?><html><title>Welcome</title></html>")


def a_json_service(exchange: Exchange) -> bool:
    return answer(exchange, 200, "application/json", '{"status": "ok", "version": 3}')


def a_json_error(exchange: Exchange) -> bool:
    return answer(exchange, 404, "application/json", '{"error": "no route"}')


def a_proxy_without_its_storage(exchange: Exchange) -> bool:
    return answer(exchange, 502, "text/html", "<html><head><title>502 Bad Gateway</title></head></html>")


def a_missing_page(exchange: Exchange) -> bool:
    return answer(exchange, 404, "text/plain", "404 page not found")


def nothing_at_all(exchange: Exchange) -> bool:
    return answer(exchange, 200, "text/plain", "")


def a_port_for_https(exchange: Exchange) -> bool:
    return answer(exchange, 400, "text/plain", "Client sent an HTTP request to an HTTPS server.")
