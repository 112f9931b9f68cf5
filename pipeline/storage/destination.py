"""Decides from the environment which storage a run publishes to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct

from pipeline.model.errors import SettingError
from pipeline.model.newsroom import read_address
from pipeline.storage.embedded import folder

EMBEDDED = "embedded"
_BUCKET = re.compile(r"(?!xn--|sthree-)[a-z0-9](?:[a-z0-9-]|\.(?=[a-z0-9])){1,61}[a-z0-9]", re.ASCII)
Addressing = Literal["path", "virtual"]
"""Where an address has the bucket: in the path (https://host/bucket/) or in the host (https://bucket.host/)."""
_AWS_REGION = "us-east-1"
"""The default of AWS and boto3."""
_ONLY_EMBEDDED = "write PRESS_STORE=embedded, or set PRESS_BUCKET and unset PRESS_STORE"


class Destination(Struct, frozen=True, kw_only=True):
    """The two buckets and their addresses."""

    bucket: str
    """Name of the public bucket: anyone can get its objects, nobody can list them."""
    private_bucket: str
    """Name of the private bucket, for what is not public yet: only the publisher can read it."""
    endpoint: str
    """Address of the S3 service; empty for AWS."""
    region: str
    addressing: Addressing
    sole_publisher: bool
    """A person states that two runs never publish there at once: then no request has a condition."""
    embedded: bool
    root: Path
    """The newsroom's folder; the embedded store is in ``root/.store``."""
    address: str
    """The public bucket's own address for anonymous requests, ending in a slash; nothing is cached there."""
    base_url: str
    """The address that readers see, ending in a slash; another one than ``address`` behind a CDN."""

    @property
    def printed_url(self) -> str:
        """The address to print: that of the embedded store, whatever address pages are rendered for."""
        return self.address if self.embedded else self.base_url

    @property
    def private_address(self) -> str:
        """The private bucket's own address, where anonymous requests must be refused."""
        return _address(self.endpoint, self.private_bucket, self.region, self.addressing)


def destination(
    environ: Mapping[str, str], root: Path, newsroom_base_url: str = "", *, publishing: bool = True
) -> Destination:
    """Return the destination that ``environ`` asks for; empty variables count as unset.

    Without a bucket, ``PRESS_BASE_URL`` alone is enough to render pages for that address, but not for ``publishing``.
    The first call for an embedded store chooses its ports and saves them in ``root/.store``. Raises SettingError.
    """
    bucket, store = environ.get("PRESS_BUCKET", ""), environ.get("PRESS_STORE", "")
    if store not in ("", EMBEDDED):
        raise SettingError(f"PRESS_STORE: {store!r} is not valid", _ONLY_EMBEDDED)
    if bucket and store:
        raise SettingError("PRESS_STORE=embedded and PRESS_BUCKET are both set", "unset one of them")
    if not bucket:
        if not store:
            _refuse_incomplete(environ, publishing=publishing)
        return _embedded(environ, root, newsroom_base_url)
    return _own(environ, root, newsroom_base_url)


def _own(environ: Mapping[str, str], root: Path, newsroom_base_url: str) -> Destination:
    bucket = _bucket(environ, "PRESS_BUCKET", "")
    private = _bucket(environ, "PRESS_PRIVATE_BUCKET", f"{bucket}-private")
    if private == bucket:
        raise SettingError(
            f"PRESS_PRIVATE_BUCKET: {private!r} is also the public bucket",
            "name another bucket: scheduled releases in it must not be public",
        )
    variable = _endpoint_variable(environ)
    endpoint = _http(environ[variable], variable).rstrip("/") if variable else ""
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or _AWS_REGION
    addressing = _addressing(environ, endpoint, bucket)
    address = _address(endpoint, bucket, region, addressing)
    if environ.get("PRESS_PUBLIC_URL"):  # some storages show public objects at another host than that of their S3
        address = _http(environ["PRESS_PUBLIC_URL"], "PRESS_PUBLIC_URL")
    return Destination(
        bucket=bucket,
        private_bucket=private,
        endpoint=endpoint,
        region=region,
        addressing=addressing,
        sole_publisher=environ.get("PRESS_SOLE_PUBLISHER", "").lower() not in ("", "0", "no", "false"),
        embedded=False,
        root=root,
        address=address,
        base_url=_base_url(environ, newsroom_base_url, address),
    )


def _embedded(environ: Mapping[str, str], root: Path, newsroom_base_url: str) -> Destination:
    endpoint = f"http://{folder.HOST}:{folder.StoreFolder(root).ports().s3}"
    address = _address(endpoint, folder.BUCKET, folder.REGION, "path")
    return Destination(
        bucket=folder.BUCKET,
        private_bucket=folder.PRIVATE_BUCKET,
        endpoint=endpoint,
        region=folder.REGION,
        addressing="path",
        sole_publisher=False,
        embedded=True,
        root=root,
        address=address,
        base_url=_base_url(environ, newsroom_base_url, address),
    )


def _refuse_incomplete(environ: Mapping[str, str], *, publishing: bool) -> None:
    if variable := _endpoint_variable(environ):
        raise SettingError(
            f"{variable} is set, but PRESS_BUCKET is not",
            "set PRESS_BUCKET too, or set PRESS_STORE=embedded to use the embedded store",
        )
    if environ.get("PRESS_PRIVATE_BUCKET"):
        raise SettingError("PRESS_PRIVATE_BUCKET is set, but PRESS_BUCKET is not", "set PRESS_BUCKET too")
    if publishing and environ.get("PRESS_BASE_URL"):
        _http(environ["PRESS_BASE_URL"], "PRESS_BASE_URL")
        raise SettingError(
            "PRESS_BASE_URL is set, but PRESS_BUCKET is not: nothing would be published at that address",
            "set PRESS_BUCKET too, or unset PRESS_BASE_URL to use the embedded store",
        )
    if publishing and environ.get("CI", "").lower() not in ("", "0", "false", "no"):
        raise SettingError(
            "PRESS_BUCKET is not set in this CI job",
            "set it, or set PRESS_STORE=embedded to publish to a store that ends with the job",
        )


def _endpoint_variable(environ: Mapping[str, str]) -> str:
    """Return the variable that names the S3 service, or an empty string. The first one wins, as in boto3."""
    return next((name for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL") if environ.get(name)), "")


def _bucket(environ: Mapping[str, str], variable: str, default: str) -> str:
    name = environ.get(variable) or default
    if not _BUCKET.fullmatch(name) or re.fullmatch(r"\d+(\.\d+){3}", name):
        raise SettingError(
            f"{variable}: {name!r} is not a valid bucket name",
            "use 3 to 63 lower-case letters, digits and hyphens, without s3:// and without a path",
        )
    return name


def _addressing(environ: Mapping[str, str], endpoint: str, bucket: str) -> Addressing:
    """Return what ``PRESS_ADDRESSING`` says; by default the same as boto3: the path, but the host at AWS."""
    asked, host = environ.get("PRESS_ADDRESSING", ""), urlsplit(endpoint).hostname or ""
    if asked not in ("", *get_args(Addressing)):
        raise SettingError(
            f"PRESS_ADDRESSING: {asked!r} is not valid",
            "write path (https://host/bucket/) or virtual (https://bucket.host/), or unset it",
        )
    if asked == "virtual" and _is_ip_address(host):
        raise SettingError(
            f"PRESS_ADDRESSING=virtual needs a host with a name, and {host} is a number",
            "write the name of the storage's host in AWS_ENDPOINT_URL_S3, or unset PRESS_ADDRESSING",
        )
    for addressing in get_args(Addressing):
        if asked == addressing:
            return addressing  # type: ignore[no-any-return]
    # The certificate of *.s3.REGION.amazonaws.com does not cover names with dots.
    return "path" if endpoint or "." in bucket else "virtual"


def _is_ip_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _address(endpoint: str, bucket: str, region: str, addressing: Addressing) -> str:
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    parts = urlsplit(endpoint or f"https://s3.{region}.{suffix}")
    if addressing == "virtual":
        parts = parts._replace(netloc=f"{bucket}.{parts.netloc}", path=f"{parts.path}/")
    else:
        parts = parts._replace(path=f"{parts.path}/{bucket}/")
    return urlunsplit(parts)


def _base_url(environ: Mapping[str, str], newsroom_base_url: str, address: str) -> str:
    if environ.get("PRESS_BASE_URL"):
        return _http(environ["PRESS_BASE_URL"], "PRESS_BASE_URL")
    return _http(newsroom_base_url, "newsroom.toml: base_url") if newsroom_base_url else address


def _http(text: str, source: str) -> str:
    """Return an address with a slash at its end. Raises SettingError, which does not repeat a password."""
    address, problem, hint = read_address(text)
    if problem:
        raise SettingError(f"{source}: {problem}" if "@" in text else f"{source}: {text!r} {problem}", hint)
    return address
