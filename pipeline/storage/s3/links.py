"""Presigned links: an address that carries the right to get one object, and its own end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from pipeline.storage import PresignedLink, disposition

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

LONGEST = 7 * 24 * 3600
"""Seconds. AWS refuses more; others would take it, and nobody could end such a link but by removing the object."""


def sign(client: S3Client, bucket: str, key: str, seconds: int, download: str = "") -> PresignedLink:
    """Return a link that opens ``key`` for ``seconds``, cut to a week; ``download`` names the file it is kept as."""
    what: dict[str, Any] = {"Bucket": bucket, "Key": key}
    if download:
        what["ResponseContentDisposition"] = disposition(download)
    if seconds < 1:
        raise ValueError("a link must live for a second at least")
    address = client.generate_presigned_url("get_object", Params=what, ExpiresIn=min(seconds, LONGEST))
    # What was signed counts, not what was asked for: the second may have changed in between.
    signed = parse_qs(urlsplit(address).query)
    begun = datetime.strptime(signed["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    until = begun + timedelta(seconds=int(signed["X-Amz-Expires"][0]))
    return PresignedLink(address, until, "X-Amz-Security-Token" in signed)
