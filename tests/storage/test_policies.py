"""The policies of docs/storage.md are enough for each command, and no right in them is there for nothing."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from tests.support import faulty, manners
from tests.support.newsroom import ROOT, Office

Right = tuple[str, str]
"""An action, and the resource that it is for."""
CONFIGURATIONS = {"policy": "BucketPolicy", "publicAccessBlock": "BucketPublicAccessBlock"}
CONFIGURATIONS |= {"lifecycle": "LifecycleConfiguration"}


def policy(name: str) -> set[Right]:
    """Return the rights of one of the document's policies."""
    text = (ROOT / "docs" / "storage.md").read_text("utf-8")
    found = re.search(rf"```json {name}\n(.*?)```", text, re.DOTALL)
    assert found, name
    rights: set[Right] = set()
    for each in json.loads(found[1])["Statement"]:
        actions, resources = (
            value if isinstance(value, list) else [value] for value in (each["Action"], each["Resource"])
        )
        rights |= {(action, resource.removeprefix("arn:aws:s3:::")) for action in actions for resource in resources}
    return rights


def rights_for(exchange: faulty.Exchange) -> set[Right]:
    """Return the rights that a signed request needs at AWS."""
    parts = urlsplit(exchange.path)
    bucket, _, key = parts.path.strip("/").partition("/")
    verb = {"GET": "Get", "HEAD": "Get", "PUT": "Put", "POST": "Put", "DELETE": "Delete"}[exchange.method]
    if "uploadId=" in parts.query and exchange.method in ("GET", "DELETE"):
        action = "ListMultipartUploadParts" if exchange.method == "GET" else "AbortMultipartUpload"
        return {(f"s3:{action}", f"{bucket}/*")}
    if key:
        source = exchange.headers.get("x-amz-copy-source", "").strip("/").partition("/")[0]
        return {(f"s3:{verb}Object", f"{bucket}/*")} | ({("s3:GetObject", f"{source}/*")} if source else set())
    query = parts.query.split("=")[0].split("&")[0]
    if query in CONFIGURATIONS:
        return {(f"s3:{verb}{CONFIGURATIONS[query]}", bucket)}
    return {("s3:CreateBucket" if exchange.method == "PUT" else "s3:ListBucket", bucket)}


def test_each_command_needs_the_rights_that_the_document_gives_it(
    second_server: dict[str, str], tmp_path: Path
) -> None:
    granted: set[Right] = set()
    used: set[Right] = set()

    def enforce(exchange: faulty.Exchange) -> bool:
        if not manners.is_signed(exchange):
            return False
        needed = rights_for(exchange)
        used.update(needed)
        return not needed <= granted and manners.error(exchange, 403, "AccessDenied", f"no {sorted(needed - granted)}")

    office = Office(tmp_path / "office")
    office.write("today")
    ahead = (datetime.now(UTC) + timedelta(days=3)).isoformat(timespec="minutes")
    office.write("later", date=ahead, embargo="true")
    with faulty.proxy(second_server["AWS_ENDPOINT_URL_S3"], enforce) as proxy:
        environ = second_server | {"AWS_ENDPOINT_URL_S3": proxy.endpoint, "PRESS_BUCKET": "press"}

        def succeeds(*command: str) -> None:
            result = office.make(*command, **environ)
            assert result.status == 0, result.text

        granted |= policy("storage")
        succeeds("storage")
        assert used == policy("storage")

        used.clear()
        granted.clear()
        granted |= policy("publish") | {each for each in policy("films") if each[1] == "press-private/*"}
        succeeds("publish")
        succeeds("share", "RELEASE=later")
        succeeds("share", "RELEASE=later", "REVOKE=1")
        succeeds("verify")
        succeeds("doctor")
        succeeds("withdraw", "RELEASE=today", "REASON=A mistake.")
        refused = office.make("publish", **environ)
        assert "the storage refuses it (AccessDenied: no [('s3:DeleteObject', 'press/*')])" in refused.err

        granted |= policy("withdraw")
        succeeds("publish")
        assert granted <= used
