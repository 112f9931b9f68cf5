"""The embedded store starts, keeps running, keeps its data, and shows nobody what is not public."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipeline.model.errors import SettingError, StorageError
from pipeline.storage import ObjectStore, Put, embedded, open_store
from pipeline.storage.anonymous import AnonymousClient
from pipeline.storage.destination import Destination, destination
from pipeline.storage.embedded import configuration, server
from pipeline.storage.embedded.folder import BUCKET, PRIVATE_BUCKET, StoreFolder
from tests.support.stores import kill_store

SECRET_NAME, SECRET = "q7-secret-name", b"q7-secret-words"


def put(key: str, body: bytes = b"words") -> Put:
    return Put(key=key, body=body, media_type="text/plain")


# ── Anonymous access over S3 ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def secret(store: ObjectStore) -> str:
    """The key of an object in the private bucket."""
    key = f"waiting/{SECRET_NAME}.txt"
    store.put(put(key, SECRET), "private")
    return key


def test_anyone_can_get_public_objects_and_nobody_can_list_them(here: Destination, store: ObjectStore) -> None:
    store.put(put("page.html"))
    anonymous = AnonymousClient(here.address, {})
    assert anonymous.get("page.html").body == b"words"
    assert anonymous.get("no-page.html").status == 404
    for query in ("", "?list-type=2", "?versions", "?uploads", "?acl", "?policy", "?location", "?versioning"):
        assert anonymous.ask("GET", query).status == 403, query


def test_nobody_can_change_anything_without_credentials(here: Destination, store: ObjectStore) -> None:
    store.put(put("fixed.html"))
    anonymous = AnonymousClient(here.address, {})
    for method in ("PUT", "DELETE", "POST"):
        for query in ("fixed.html", "new.html", "", "?delete", "fixed.html?tagging", "fixed.html?uploads"):
            assert anonymous.ask(method, query).status in (400, 403, 405, 411), (method, query)
    assert anonymous.get("fixed.html").body == b"words"
    assert anonymous.get("new.html").status == 404


def test_a_private_object_gets_the_same_answer_as_a_missing_one(here: Destination, secret: str) -> None:
    anonymous = AnonymousClient(here.private_address, {})
    absent = secret.replace("q7", "z9")
    for query in ("", "?acl", "?tagging", "?attributes", "?versionId=null", "?uploadId=1", "?torrent"):
        there, not_there = anonymous.ask("GET", secret + query), anonymous.ask("GET", absent + query)
        assert there.status == not_there.status == 403
        assert SECRET not in there.body
        assert shape(there, secret) == shape(not_there, absent)
    assert anonymous.head(secret).status == anonymous.head(absent).status == 403


def shape(answer: Any, key: str) -> tuple[list[str], bytes]:
    """Return an answer without the parts that differ between any two requests."""
    body = answer.body.replace(key.encode(), b"KEY").replace(key.split("/")[-1].encode(), b"NAME")
    start, _, rest = body.partition(b"<RequestId>")
    return sorted(answer.headers), start + rest.partition(b"</RequestId>")[2]


def test_no_other_service_answers_at_the_s3_port(here: Destination, secret: str) -> None:
    anonymous = AnonymousClient(here.endpoint, {})
    for path in ("", "status", "?Action=ListUsers", "?Action=ListAccessKeys", "buckets/", ".system/", "metrics", "ui"):
        answer = anonymous.ask("GET", path)
        assert SECRET_NAME.encode() not in answer.body
        assert here.bucket.encode() not in answer.body.replace(path.encode(), b"")


# ── Other users of the machine ──────────────────────────────────────────────────────────────────────────────────────

NOBODY = 65534


def as_another_user(command: Sequence[str], words: str = "") -> str:
    """Run a program as ``nobody`` if possible, otherwise as the current user; return its output."""
    user: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    done = subprocess.run(
        command, input=words, capture_output=True, text=True, errors="replace", timeout=30, cwd="/", env={}, **user
    )
    return f"{done.stdout}{done.stderr}"


@pytest.fixture(scope="module")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """SeaweedFS' program, where every user can run it."""
    folder = Path("/tmp") / f"dateline-test-{os.getpid()}"
    folder.mkdir(mode=0o755)
    try:
        shutil.copy(server.program(), folder / "weed")
        (folder / "weed").chmod(0o755)
        yield str(folder / "weed")
    finally:
        shutil.rmtree(folder)


def listening(root: Path) -> set[int]:
    """Return all TCP ports on which the store listens, from the kernel's tables."""
    pid = embedded.status(root).pid
    sockets = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    found = set()
    for line in [*Path("/proc/net/tcp").read_text().splitlines(), *Path("/proc/net/tcp6").read_text().splitlines()]:
        words = line.split()
        if words[3] == "0A" and f"socket:[{words[9]}]" in sockets:
            address, port = words[1].split(":")
            assert address == "0100007F", "listens beyond this machine"
            found.add(int(port, 16))
    return found


def test_only_chosen_ports_are_open_and_only_on_this_machine(embedded_root: Path, store: ObjectStore) -> None:
    assert listening(embedded_root) == set(StoreFolder(embedded_root).ports().every())


def test_no_port_reveals_names_or_contents_over_http(embedded_root: Path, secret: str) -> None:
    paths = [
        "/", "/?pretty=y", "/buckets/", "/buckets/press-private/", f"/buckets/press-private/{secret}", "/ui/index.html",
        "/dir/status", "/vol/status", "/cluster/status", "/dir/lookup?volumeId=1", "/dir/assign", "/status",
        "/stats/disk",         "/admin", "/api/files", "/debug/pprof/", "/metrics", "/healthz", "/.tus/",
        *(f"/{volume},{needle:02x}00000000" for volume in range(1, 16) for needle in range(1, 6)),
    ]  # fmt: skip
    code = (
        "import http.client, sys\n"
        "for port in sys.argv[1].split(','):\n"
        "    for path in sys.argv[2].split(' '):\n"
        "        try:\n"
        "            c = http.client.HTTPConnection('127.0.0.1', int(port), timeout=3)\n"
        "            c.request('GET', path, headers={'Accept': 'application/json'})\n"
        "            r = c.getresponse(); print(port, path, r.status, r.read())\n"
        "        except (OSError, http.client.HTTPException) as e:\n"
        "            print(port, path, repr(e))\n"
        "            if path == '/': break\n"
    )
    said = as_another_user(
        [python(), "-c", code, ",".join(map(str, sorted(listening(embedded_root)))), " ".join(paths)]
    )
    assert said.count("\n") > 100
    answers = said.replace(f"/buckets/press-private/{secret} ", "")
    assert SECRET.decode() not in answers
    assert [line for line in answers.splitlines() if SECRET_NAME in line and "AccessDenied" not in line] == []


def python() -> str:
    """Return an interpreter that every user can run."""
    for candidate in ("/usr/bin/python3", sys.executable):
        if Path(candidate).exists() and "usage" in as_another_user([candidate, "--help"]):
            return candidate
    pytest.skip("no interpreter that another user can run")


def test_no_port_reveals_names_or_contents_over_grpc(embedded_root: Path, secret: str, weed: str) -> None:
    ports = StoreFolder(embedded_root).ports()
    shell = [
        weed,
        "-logdir=/dev/null/none",
        "shell",
        f"-master=127.0.0.1:{ports.master}",
        f"-filer=127.0.0.1:{ports.filer}",
    ]
    asked = f"fs.ls /buckets\nfs.ls /buckets/press-private\nfs.cat /buckets/press-private/{secret}\nvolume.list\nexit\n"
    # The shell never ends, because the master does not let it in; look at its output after 3 seconds.
    said = as_another_user(["timeout", "-s", "KILL", "3", *shell], asked)
    assert SECRET.decode() not in said
    assert SECRET_NAME not in said.replace(secret, "")
    assert "press-private" not in said.replace("/buckets/press-private", "")


def test_with_the_stores_own_certificates_the_shell_does_reveal_them(
    embedded_root: Path, secret: str, weed: str
) -> None:
    """Otherwise the test above proves nothing."""
    folder, ports = embedded_root / ".store", StoreFolder(embedded_root).ports()
    done = subprocess.run(
        [weed, "-logdir=log", "shell", f"-master=127.0.0.1:{ports.master}", f"-filer=127.0.0.1:{ports.filer}"],
        input=f"fs.ls /buckets/press-private/waiting\nfs.cat /buckets/press-private/{secret}\nexit\n",
        capture_output=True, text=True, timeout=30, cwd=folder, env={"HOME": str(folder)}, check=False,
    )  # fmt: skip
    assert SECRET_NAME in done.stdout + done.stderr


def test_other_users_cannot_open_files_and_sockets(embedded_root: Path, secret: str) -> None:
    """Some of the server's own files have wider permissions, but other users cannot enter their folder."""
    ports = StoreFolder(embedded_root).ports().every()
    paths = [embedded_root / ".store", *(embedded_root / ".store").iterdir(), *(embedded_root / ".store/tls").iterdir()]
    begun = (embedded_root / ".store" / "ports.json").stat().st_mtime  # another server may have left a socket behind
    found = [path for path in Path("/tmp").glob("*seaweedfs*") if any(str(port) in path.name for port in ports)]
    sockets = [path for path in found if path.lstat().st_mtime >= begun]
    assert sockets
    assert [path for path in (*paths, *sockets) if stat.S_IMODE(path.lstat().st_mode) & 0o077] == []


def test_nothing_is_left_in_the_temporary_folder(root: Path) -> None:
    embedded.start(root)
    ports = StoreFolder(root).ports().every()
    embedded.stop(root)
    assert [path for path in Path("/tmp").glob("*seaweedfs*") if any(str(port) in path.name for port in ports)] == []


def test_no_log_is_in_the_temporary_folder(embedded_root: Path, secret: str) -> None:
    pid = embedded.status(embedded_root).pid
    assert list((embedded_root / ".store/log").glob(f"weed.*.{pid}"))
    assert list(Path("/tmp").glob(f"weed.*.{pid}")) == []


def test_the_command_line_contains_no_secret(embedded_root: Path) -> None:
    line = Path(f"/proc/{embedded.status(embedded_root).pid}/cmdline").read_bytes()
    keys = StoreFolder(embedded_root).keys()
    assert not [name for name in keys.__struct_fields__ if getattr(keys, name).encode() in line]


# ── Start and stop ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A newsroom for one test that starts and stops the store."""
    try:
        yield tmp_path
    finally:
        kill_store(tmp_path)


def opened(root: Path) -> ObjectStore:
    return open_store(destination({}, root), {})


def test_data_is_still_there_after_a_restart_and_after_a_kill(root: Path) -> None:
    endpoint = embedded.start(root)
    assert embedded.start(root) == endpoint
    pid = embedded.status(root).pid
    opened(root).put(put("kept", b"1"))
    assert embedded.stop(root)
    assert not embedded.stop(root)
    assert embedded.status(root) == embedded.ServerStatus(False, endpoint)
    assert not Path(f"/proc/{pid}").exists() or is_zombie(pid)

    assert embedded.start(root) == endpoint
    store = opened(root)
    store.put(put("kept", b"2"))
    os.kill(embedded.status(root).pid, signal.SIGKILL)
    assert embedded.start(root) == endpoint
    found = opened(root).get("kept")
    assert found is not None
    assert found.body == b"2"
    opened(root).put(put("kept", b"3"))


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_three_starts_at_once_end_with_one_server(root: Path) -> None:
    code = (
        "import pathlib, sys; from pipeline.storage import embedded; print(embedded.start(pathlib.Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", code, str(root)]
    starts = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert len({start.communicate(timeout=60)[0] for start in starts}) == 1
    assert [start.returncode for start in starts] == [0, 0, 0]
    assert embedded.status(root).running
    assert len(servers(root)) == 1


def servers(root: Path) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if (
                entry.name.isdigit()
                and (entry / "cwd").readlink() == root / ".store"
                and not is_zombie(int(entry.name))
            ):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def test_the_environment_does_not_reach_the_server(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take AWS keys that it finds there as its administrator's."""
    foreign = {
        "AWS_ACCESS_KEY_ID": "FOREIGN", "AWS_SECRET_ACCESS_KEY": "foreign-secret", "AWS_PROFILE": "nobody",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "WEED_JWT_SIGNING_KEY": "x",
        "S3_BUCKET": "foreign",
    }  # fmt: skip
    for name, value in foreign.items():
        monkeypatch.setenv(name, value)
    asked = {**foreign, "PRESS_STORE": "embedded"}
    embedded.start(root)
    names = {
        entry.split(b"=")[0] for entry in Path(f"/proc/{embedded.status(root).pid}/environ").read_bytes().split(b"\0")
    }
    assert not names & {name.encode() for name in foreign}
    here = destination(asked, root)
    open_store(here, asked).put(put("untouched"))
    theirs = {**foreign, "PRESS_BUCKET": here.bucket, "AWS_ENDPOINT_URL_S3": here.endpoint, "AWS_PROFILE": ""}
    theirs = {name: value for name, value in theirs.items() if value and "PROXY" not in name}
    with pytest.raises(StorageError, match="does not know the access key"):
        open_store(destination(theirs, root), theirs).check()


def test_a_port_that_is_in_use_is_named(root: Path) -> None:
    ports = StoreFolder(root).ports()
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", ports.s3))
        other.listen()
        with pytest.raises(StorageError, match=f"another program listens on port {ports.s3}") as caught:
            embedded.start(root)
        assert "ports.json" in caught.value.hint
        assert not embedded.status(root).running
    embedded.start(root)


def test_data_is_still_there_with_new_ports(root: Path) -> None:
    """As the hint says when another program keeps using a port."""
    embedded.start(root)
    opened(root).put(put("moved"))
    embedded.stop(root)
    (root / ".store/ports.json").unlink()
    embedded.start(root)
    assert opened(root).get("moved") is not None
    opened(root).put(put("moved/on"))


def test_the_message_says_why_a_server_does_not_start(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration, "_options", lambda ports, keys: "volume.max=many\n")
    with pytest.raises(StorageError, match=r"the embedded store ended at once: .+") as caught:
        embedded.start(root)
    assert "\n" not in str(caught.value)
    assert not embedded.status(root).running


def test_a_server_that_does_not_get_ready_is_stopped(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "START_SECONDS", 0.3)
    with pytest.raises(StorageError, match="the embedded store is not ready after"):
        embedded.start(root)
    assert servers(root) == []


def test_a_process_with_a_stale_id_is_not_killed(root: Path) -> None:
    """After a restart of the machine the id may belong to another process."""
    StoreFolder(root).ports()
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        (root / ".store/server.pid").write_text(str(bystander.pid))
        (root / ".store/server.lock").touch()
        assert not embedded.status(root).running
        assert not embedded.stop(root)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_asking_for_the_status_creates_nothing(root: Path) -> None:
    assert embedded.status(root) == embedded.ServerStatus(False, "")
    assert not embedded.stop(root)
    assert list(root.iterdir()) == []


def test_the_folder_may_have_a_long_path(tmp_path: Path) -> None:
    """Although the path of a Unix socket may have only about 100 characters."""
    root = tmp_path / ("long " * 20).strip() / ("longer-" * 10)
    root.mkdir(parents=True)
    try:
        embedded.start(root)
        opened(root).put(put("far/away"))
    finally:
        kill_store(root)


def test_without_the_program_the_message_has_a_hint(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.files", lambda name: None)
    with pytest.raises(SettingError, match="is not installed") as caught:
        embedded.start(root)
    assert caught.value.hint


def test_a_small_newsroom_needs_little_disk_space(embedded_root: Path, secret: str) -> None:
    used = sum(path.stat().st_blocks * 512 for path in (embedded_root / ".store").rglob("*") if path.is_file())
    assert used < 100_000_000
    assert json.loads((embedded_root / ".store/ports.json").read_text())


def test_the_first_objects_find_a_volume_for_each_bucket(root: Path) -> None:
    for _ in range(2):
        embedded.start(root)
        assert {path.stem.rpartition("_")[0] for path in (root / ".store/data").glob("press*.dat")} == {
            BUCKET,
            PRIVATE_BUCKET,
        }
        opened(root).put(put("first"))
        assert len(list((root / ".store/data").glob(f"{BUCKET}_*.dat"))) == 1
        embedded.stop(root)
