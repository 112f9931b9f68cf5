"""``make doctor``: what a storage really keeps of what S3 promises, by trying it.

Storages differ: some ignore conditions, some know no policies, some let anyone in. Every probe works under a random
name, in the private bucket wherever that will do, and is removed in the end. Imports boto3.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from pipeline.model.errors import StorageError
from pipeline.storage import open_store
from pipeline.storage.destination import Destination
from pipeline.storage.doctor import access, rights, writes
from pipeline.storage.doctor import clock_and_links as hours
from pipeline.storage.doctor.findings import Finding, Findings
from pipeline.storage.doctor.probe_context import BUCKETS, ProbeContext

_PROBES: tuple[Callable[[ProbeContext], Iterator[Finding]], ...] = (
    rights.keys,
    rights.policies,
    access.reading,
    access.listing,
    access.writing,
    access.transport,
    writes.conditions,
    writes.races,
    writes.copies,
    writes.checksums,
    hours.clock,
    hours.links,
    rights.missing_key,
    rights.missing_bucket,
    rights.lifecycle,
)
KEPT = "condition.txt"
"""Key in the private bucket of what ``glance`` writes: one object, which stays, for publishers may lack Delete."""


def examine(destination: Destination, environ: Mapping[str, str], done: Callable[[int, int], None]) -> Findings:
    """Try everything. Raises DatelineError when a bucket is missing, or the storage or the keys fail altogether."""
    store = open_store(destination, environ)
    for bucket in BUCKETS:
        store.check(bucket)
    probe_context = ProbeContext(destination, environ)
    probe_context.sweep()
    found: list[Finding] = []
    try:
        for number, probe in enumerate(_PROBES):
            done(number, len(_PROBES))
            found += probe(probe_context)
    finally:
        probe_context.clear()
    done(len(_PROBES), len(_PROBES))
    return Findings(datetime.now(UTC), tuple(found))


def quick_check(destination: Destination, environ: Mapping[str, str]) -> Findings:
    """Try in a dozen requests what would harm at once: no conditions, names that anyone lists, what waits in the open.

    Raises DatelineError as ``examine`` does.
    """
    open_store(destination, environ).check("private")
    probe_context = ProbeContext(destination, environ)
    reply = probe_context.put("private", KEPT, _random(), IfNoneMatch="*")
    if reply.well:  # there was none yet, or the condition is ignored: a second time tells
        reply = probe_context.put("private", KEPT, _random(), IfNoneMatch="*")
    if reply.code in ("AccessDenied", "403"):
        raise StorageError(
            f"these keys may not write to the bucket {probe_context.name('private')}",
            "give them Get, Put and List on both buckets",
        )
    found = [writes.create_once("written" if reply.well else "refused", reply.code)]
    found += [
        access.listed(probe_context, "public"),
        access.listed(probe_context, "private"),
        access.private_read(probe_context, KEPT),
    ]
    return Findings(datetime.now(UTC), tuple(found))


def _random() -> bytes:
    return f"Dateline tries here whether this storage keeps conditions. {secrets.token_hex(8)}\n".encode()
