"""Tests a storage and reports its guarantees (``make doctor``).

Storages differ: some ignore conditions, some have no policies, some let anyone in. ``examine`` runs every probe in
``probes`` and returns ``Findings``; each ``Finding`` names the ``GUARANTEES`` that it rules out. ``quick_check`` tests
in a dozen requests whether publishing is safe. Both import boto3.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from pipeline.model.errors import StorageError
from pipeline.storage import open_store
from pipeline.storage.destination import Destination
from pipeline.storage.doctor.findings import FRESH, GUARANTEES, NEEDED, Finding, Findings, Guarantee, refuse

__all__ = ["FRESH", "GUARANTEES", "NEEDED", "Finding", "Findings", "Guarantee", "examine", "quick_check", "refuse"]

QUICK_CHECK_KEY = "condition.txt"
"""Key in the private bucket of the object that ``quick_check`` writes. It stays: publishers may lack Delete."""


def examine(destination: Destination, environ: Mapping[str, str], done: Callable[[int, int], None]) -> Findings:
    """Run every probe; ``done`` is called with how many of how many were run.

    Raises DatelineError when a bucket is missing, or when the storage or the keys do not work at all.
    """
    from pipeline.storage.doctor.probe_context import BUCKETS, ProbeContext
    from pipeline.storage.doctor.probes import PROBES

    store = open_store(destination, environ)
    for bucket in BUCKETS:
        store.check(bucket)
    context = ProbeContext(destination, environ)
    context.remove_old_probes()
    findings: list[Finding] = []
    try:
        for number, probe in enumerate(PROBES):
            done(number, len(PROBES))
            findings += probe(context)
    finally:
        context.remove_probes()
    done(len(PROBES), len(PROBES))
    return Findings(datetime.now(UTC), tuple(findings))


def quick_check(destination: Destination, environ: Mapping[str, str]) -> Findings:
    """Test conditional writes, anonymous listing, anonymous access to the private bucket, and checksums.

    Raises DatelineError as ``examine`` does.
    """
    from pipeline.storage.doctor import probes
    from pipeline.storage.doctor.probe_context import ProbeContext

    open_store(destination, environ).check("private")
    context = ProbeContext(destination, environ)
    condition = {} if destination.sole_publisher else {"IfNoneMatch": "*"}
    reply = context.put("private", QUICK_CHECK_KEY, _random_text(), **condition)
    if reply.ok and condition:  # the object did not exist, or the storage ignores the condition: a second write shows
        reply = context.put("private", QUICK_CHECK_KEY, _random_text(), **condition)
    if reply.code in ("AccessDenied", "403"):
        raise StorageError(
            f"these keys may not write to the bucket {context.name('private')} ({reply.said})",
            "give them the rights of docs/storage.md: Get, Put and List on both buckets",
        )
    return Findings(
        datetime.now(UTC),
        (
            probes.find_create_condition(context, reply),
            probes.find_anonymous_listing(context, "public"),
            probes.find_anonymous_listing(context, "private"),
            probes.find_private_read(context, QUICK_CHECK_KEY),
            probes.find_checksum(context, QUICK_CHECK_KEY),
        ),
    )


def _random_text() -> bytes:
    return f"Dateline tests here whether this storage supports conditional writes. {secrets.token_hex(8)}\n".encode()
