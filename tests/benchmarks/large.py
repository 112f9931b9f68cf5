"""A film: its upload beside that of boto3's transfer manager, and what is sent again after a kill."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from pipeline.storage import embedded
from tests.benchmarks.measure import Cost, note, run, table
from tests.support.newsroom import ROOT

ROUNDS = 2
_BEGIN = """
import os, sys
from pathlib import Path
from pipeline.storage import CopyRequest, Put, open_store
from pipeline.storage.destination import destination
root, film, key = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
place = destination({}, root)
"""
_OURS = f"""{_BEGIN}
store, calls = open_store(place, {{}}), []
store.client.meta.events.register("before-send.s3.UploadPart", lambda **_: calls.append(1))
put = Put(key=key, body=film, media_type="video/quicktime", sha256=sys.argv[4])
assert store.put_all([put], sent=lambda key, size: print(size, flush=True)) == {{key}}
print("sent", len(calls))
"""
_BOTO3 = f"""{_BEGIN}
import boto3
from pipeline.storage.embedded.folder import StoreFolder
keys = StoreFolder(root).keys()
client = boto3.client(
    "s3",
    endpoint_url=place.endpoint,
    region_name=place.region,
    aws_access_key_id=keys.access_key,
    aws_secret_access_key=keys.secret_key,
)
client.upload_file(str(film), place.bucket, key)
"""
_READ = f"""{_BEGIN}
from pipeline.storage.anonymous import AnonymousClient
assert AnonymousClient(place.address, {{}}).get(key, keep=False).sha256 == sys.argv[4]
"""
_COPY = f"""{_BEGIN}
copy = CopyRequest(key=key + ".copy", source=key, bucket="public", size=film.stat().st_size)
open_store(place, {{}}).copy_all([copy])
open_store(place, {{}}).delete(key + ".copy")
"""


def large(folder: Path, megabytes: int) -> None:
    """Print what an upload of a film costs, and what is sent again after a kill in the middle of a quarter of it."""
    root, film = folder / "store", folder / "film.mov"
    root.mkdir()
    embedded.start(root)
    try:
        sha256 = _write(film, megabytes)
        costs: dict[str, list[Cost]] = {}
        for number in range(ROUNDS):
            for name, script in (("Dateline, every part proven", _OURS), ("boto3 upload_file", _BOTO3)):
                note(f"{name}, {number + 1} of {ROUNDS}")
                key = "ours.mov" if script is _OURS else "theirs.mov"
                costs.setdefault(name, []).append(_run(script, root, film, key, sha256))
            note(f"copy and anonymous reading, {number + 1} of {ROUNDS}")
            costs.setdefault("copy inside the storage", []).append(_run(_COPY, root, film, "ours.mov", sha256))
            costs.setdefault("anonymous reading", []).append(_run(_READ, root, film, "ours.mov", sha256))
        best = {name: min(found, key=lambda cost: cost.wall) for name, found in costs.items()}
        ours = best["Dateline, every part proven"].wall
        rows = [(name, megabytes / cost.wall, cost.cpu, cost.peak, ours / cost.wall) for name, cost in best.items()]
        table((f"a film of {megabytes:,} MB", "MB/s", "CPU s", "peak MB", "rate beside Dateline's upload"), rows)
        print(_killed(root, film, _write(film, megabytes // 4)), flush=True)
    finally:
        embedded.stop(root)


def _killed(root: Path, film: Path, sha256: str) -> str:
    """Kill an upload with SIGKILL when half of its parts are there; return what the next run sends."""
    size = film.stat().st_size
    command: list[str | Path] = [sys.executable, "-c", _OURS, root, film, "killed.mov", sha256]
    there = 0
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as publisher:
        assert publisher.stdout
        for line in publisher.stdout:
            there += int(line)
            if there >= size // 2:
                break
        os.kill(publisher.pid, signal.SIGKILL)
    cost = _run(_OURS, root, film, "killed.mov", sha256)
    again = int(cost.out.rpartition("sent ")[2])
    parts = len(cost.out.splitlines()) - 1
    known = f"Killed (SIGKILL) when {there / 1e6:.0f} of {size / 1e6:.0f} MB were known to be there"
    return f"{known}; the next run sent {again} of {parts} parts, in {cost.wall:.1f} s."


def _run(script: str, root: Path, film: Path, key: str, sha256: str) -> Cost:
    return run([sys.executable, "-c", script, root, film, key, sha256], root, {"PYTHONPATH": str(ROOT)})


def _write(film: Path, megabytes: int) -> str:
    """Write random bytes and return their SHA-256."""
    whole = hashlib.sha256()
    with film.open("wb") as file:
        for _ in range(megabytes):
            block = os.urandom(1_000_000)
            whole.update(block)
            file.write(block)
    return whole.hexdigest()
