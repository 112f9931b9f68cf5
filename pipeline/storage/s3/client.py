"""The boto3 client: whose keys, which endpoint, which limits."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.utils import determine_content_length

from pipeline.model.errors import SettingError
from pipeline.storage.destination import Destination
from pipeline.storage.embedded.folder import StoreFolder
from pipeline.storage.s3 import faults as s3_faults

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

CONNECT_SECONDS, READ_SECONDS = 5, 15
CONNECTIONS = 64
AT_ONCE = 1024 * 1024
"""Bytes."""
_environment = threading.Lock()


def make(destination: Destination, environ: Mapping[str, str]) -> S3Client:
    """Return a client for ``destination``, its keys from boto3's standard chain over ``environ``.

    The embedded store's keys come from its folder, and nothing of ``environ`` reaches it: no profile, no proxy.
    Raises SettingError where keys, profile or address are not whole.
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
                region_name=_region(destination, environ),
                endpoint_url=destination.endpoint or None,
                config=_config(destination),
                **settings,
            )
    except (BotoCoreError, ValueError) as error:
        raise s3_faults.explain(
            error, "cannot reach the storage", destination.bucket, destination.endpoint
        ).error from None
    _refuse_other_place(client, destination)
    client.meta.events.register("before-sign.s3.PutObject", _send_at_once)
    return client


def _send_at_once(request: AWSRequest, **_: object) -> None:
    """Do without "Expect: 100-continue" for small bodies: waiting for leave doubles the time that a put takes."""
    length = determine_content_length(request.body)
    if length is not None and length <= AT_ONCE:
        del request.headers["Expect"]


def _config(destination: Destination) -> Config:
    limits: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": READ_SECONDS,
        # S3Store tries again on its own, by one rule for all that may help, and with a deadline.
        "retries": {"mode": "standard", "total_max_attempts": 1},
        "max_pool_connections": CONNECTIONS,
        # Requests are signed so anyway; a presigned link would be by the old version, which some storages refuse.
        "signature_version": "s3v4",
        "s3": {"addressing_style": "path" if destination.endpoint else "auto"},
        # SHA-256 is sent with every object; CRC32 beside it is more than some stores understand.
        "request_checksum_calculation": "when_required",
    }
    if destination.embedded:
        limits["proxies"] = {}
    return Config(**limits)


def _region(destination: Destination, environ: Mapping[str, str]) -> str | None:
    """Return the region to insist on; None leaves the word to the profile."""
    named = destination.embedded or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    return destination.region if named or destination.endpoint else None


def _refuse_other_place(client: S3Client, destination: Destination) -> None:
    """Raise SettingError where a profile leads elsewhere: the public address would be wrong."""
    endpoint, region = client.meta.endpoint_url, client.meta.region_name
    if not destination.endpoint and "amazonaws.com" not in endpoint:
        raise SettingError(f"the profile names the endpoint {endpoint}", f"set AWS_ENDPOINT_URL_S3={endpoint} too")
    if not destination.endpoint and region not in (destination.region, "aws-global"):
        raise SettingError(f"the profile names the region {region}", f"set AWS_REGION={region} too")


@contextmanager
def _as_environment(environ: Mapping[str, str]) -> Iterator[None]:
    """Let boto3, which asks the process' environment alone, see ``environ`` instead."""
    with _environment:
        kept = dict(os.environ)
        if kept == dict(environ):
            yield
            return
        os.environ.clear()
        os.environ.update(environ)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(kept)
