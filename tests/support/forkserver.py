"""Start ``python -m pipeline`` in milliseconds: fork it off an interpreter that has imported the libraries.

Most of a short command's time is importing libraries. ``venv`` gives a folder to use as ``VENV=``: its ``python`` hands
arguments, folder, environment and open files to a server, which forks a process that runs the command as usual. The
pipeline itself is imported anew in each of them, from the folder that it is started in. Whatever depends on how an
interpreter is started (another locale, ``PYTHON…`` variables, other modules) runs in a real one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

_LIBRARIES = (
    "asyncio babel.dates babel.lists babel.numbers boto3 botocore.client concurrent.futures docx email.utils "
    "feedgen.feed fontTools.subset fontTools.ttLib html.parser http.client http.server jinja2 lxml.etree markdown "
    "msgspec multiprocessing nh3 PIL.Image PIL.ImageCms PIL.JpegImagePlugin PIL.PngImagePlugin pypdfium2 sqlite3 ssl "
    "tomllib urllib.request weasyprint xml.etree.ElementTree yaml zoneinfo"
)
STARTED_BY = ("PYTHON", "LC_", "LD_", "LANG")
"""With what the variables begin that decide how an interpreter starts."""

_SERVER = """
import atexit, gc, importlib, marshal, os, runpy, select, shutil, signal, socket, sys, tempfile, threading, time
import traceback
folder, libraries = sys.argv[1:]
for name in libraries.split():
    importlib.import_module(name)

# WeasyPrint names C types by strings, and parsing one takes milliseconds: a quarter of what a short PDF takes.
ffi = importlib.import_module("weasyprint.text.ffi").ffi
types = "PangoFcFontMap *, FcChar8 **, PangoRectangle *, PangoLogAttr[], char[], char[4], unsigned int *, hb_tag_t[100]"
for name in types.split(", "):
    ffi.typeof(name)
pointer = ffi.typeof("hb_codepoint_t *")
for length in range(1, 4096):
    ffi._parsed_types[f"hb_codepoint_t[{length}]"] = ffi._backend.new_array_type(pointer, length), False

def receive(connection):
    data, ancillary, _, _ = connection.recvmsg(8, socket.CMSG_SPACE(12))
    files = list(memoryview(ancillary[0][2]).cast("i"))
    size, request = int.from_bytes(data, "little"), b""
    while len(request) < size:
        request += connection.recv(size - len(request))
    return *marshal.loads(request), files

def run(arguments, cwd, mask, environ, files):
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(cwd)
    os.umask(mask)
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    tempfile.tempdir = None
    sys.path[0] = cwd
    sys.argv = ["-m", *arguments]
    status = 0
    try:
        runpy.run_module("pipeline", run_name="__main__", alter_sys=True)
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
    except BaseException:
        status = 1
        traceback.print_exc()
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)

def serve(connection):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *request, files = receive(connection)
    pid = os.fork()
    if not pid:
        os.setsid()
        connection.close()
        run(*request, files)
    for file in files:
        os.close(file)
    ended = os.pidfd_open(pid)
    ready, _, _ = select.select([ended, connection], [], [])
    if ended not in ready:  # whoever asked was killed, so is the command
        os.killpg(pid, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:
        connection.sendall(status.to_bytes(4, "little", signed=True))
    except OSError:
        pass
    os._exit(0)

listening = socket.socket(socket.AF_UNIX)
listening.bind(folder + "/socket")
listening.listen(64)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
gc.collect()
gc.freeze()
print("ready", flush=True)
while True:
    ready, _, _ = select.select([listening, sys.stdin], [], [])
    if sys.stdin in ready:  # the tests are over
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)
    connection, _ = listening.accept()
    if not os.fork():
        listening.close()
        serve(connection)
    connection.close()
"""

_CLIENT = """#!{python} -IS
import _socket, marshal, os, sys
environ = dict(os.environ)
started_by = {{name: value for name, value in environ.items() if name.startswith({started_by!r})}}
if sys.argv[1:3] != ["-m", "pipeline"] or started_by != {known!r}:
    os.execv({real!r}, [{real!r}, *sys.argv[1:]])
connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
connection.connect({socket!r})
request = marshal.dumps((sys.argv[3:], os.getcwd(), os.umask(0), environ))
files = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
connection.sendmsg([len(request).to_bytes(8, "little")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
rest = memoryview(request)
while rest:
    rest = rest[connection.send(rest):]
status = int.from_bytes(connection.recv(4), "little", signed=True)
if status < 0:
    os.kill(os.getpid(), -status)
os._exit(status)
"""


@cache
def venv() -> str:
    """Return a virtual environment whose ``python -m pipeline`` is forked; it lasts as long as this process."""
    folder = Path(tempfile.mkdtemp(prefix="forks-"))
    (folder / "bin").mkdir()
    for source in Path(sys.prefix).iterdir():
        if source.name not in ("bin", ".ready", ".ready-for-tests"):
            (folder / source.name).symlink_to(source)
    for source in Path(sys.prefix, "bin").iterdir():
        if source.name != "python":
            (folder / "bin" / source.name).symlink_to(source)
    real = str(Path(sys.prefix, "bin", "python"))
    client = folder / "bin" / "python"
    client.write_text(
        _CLIENT.format(
            python=Path(real).resolve(),
            started_by=STARTED_BY,
            known={name: value for name, value in os.environ.items() if name.startswith(STARTED_BY)},
            real=real,
            socket=f"{folder}/socket",
        )
    )
    client.chmod(0o755)
    server = subprocess.Popen(
        [real, "-c", _SERVER, str(folder), _LIBRARIES],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    _servers.append(server)
    assert server.stdout
    assert server.stdout.readline() == b"ready\n"
    (folder / ".ready").touch()
    return str(folder)


_servers: list[subprocess.Popen[bytes]] = []
"""Ends when its standard input is closed, at the latest when this process ends."""
