"""Makes processes start quickly, because each stage is one.

Python keeps byte code of modules, and none of regular expressions: each process compiles those of its libraries again,
a tenth of what one release costs. Here they are kept, too, and what else is the same in each process.
"""

from __future__ import annotations

import atexit
import gc
import marshal
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, TypeVar

YOUNG = 100_000
"""Objects after which Python looks for unused ones, instead of 700: a stage makes most of its objects once, at import,
and looking through them again and again is a tenth of what it costs."""
_VENV, _BESIDE = Path(sys.prefix, "dateline"), Path(__file__).parent / "__pycache__"
FOLDER = _VENV if sys.prefix != sys.base_prefix and os.access(sys.prefix, os.W_OK) else _BESIDE
"""Where things are kept: with the libraries that they are made of, so that a fresh clone has them, else with the byte
code. Both are as trustworthy as byte code. Make does not look at names that begin with a dot."""
FEW, MOST = 8, 2000
"""So few new ones are not worth writing a file: some are others each time, made of sets or of a release's words.
And the most that a file may hold, for the same reason."""

T = TypeVar("T")


@contextmanager
def quick_start() -> Iterator[None]:
    """Import within this block. msgspec would load typing_extensions, for what Python has had since 3.11: 10 ms."""
    gc.set_threshold(YOUNG, 5, 5)
    _keep_patterns()
    absent = sys.modules.setdefault("typing_extensions", None) is None  # type: ignore[arg-type]  # None: not installed
    try:
        yield
    except KeyboardInterrupt:
        sys.stderr.write("stopped; nothing was begun\ndateline: exit 130 (interrupted)\n")
        os._exit(130)
    finally:
        if absent:
            del sys.modules["typing_extensions"]


class Compiled:
    """Small things of one kind, by what they are compiled from: those of earlier processes, and of this one."""

    made: ClassVar[list[Compiled]] = []

    def __init__(self, name: str) -> None:
        self._name = name
        self._kept, self._new = self._read(), dict[Any, bytes]()
        self.made.append(self)

    def get(self, source: object, make: Callable[[], Any]) -> Any:
        """Return what ``make`` returned for ``source``."""
        if source not in self._kept:
            if len(self._new) >= MOST:
                return make()
            self._kept[source] = self._new[source] = marshal.dumps(make())
        return marshal.loads(self._kept[source])  # noqa: S302  # as trustworthy as byte code

    def write(self) -> None:
        """Keep what is new."""
        if len(self._new) >= FEW:
            earlier = self._read()
            _write(self._name, "", earlier | self._new if len(earlier) + len(self._new) <= MOST else self._new)

    def _read(self) -> dict[Any, bytes]:
        with suppress(LookupError):
            found: dict[Any, bytes] = _read(self._name, "")
            return found
        return {}


def write_compiled() -> None:
    """Keep what this process has compiled, at its end."""
    for each in Compiled.made:
        each.write()


atexit.register(write_compiled)


def _keep_patterns() -> None:
    """Compile a regular expression only if no process before has done it."""
    compiler: Any
    compiler, parser, engine = map(import_module, ("re._compiler", "re._parser", "_sre"))
    compile_anew, patterns = compiler.compile, Compiled("patterns")

    def compile_once(pattern: Any, flags: int = 0) -> Any:
        number = int(flags)
        if type(pattern) not in (str, bytes) or number & compiler.SRE_FLAG_DEBUG:
            return compile_anew(pattern, flags)
        return engine.compile(pattern, *patterns.get((pattern, number), lambda: state_of(pattern, number)))

    def state_of(pattern: str | bytes, flags: int) -> tuple[object, ...]:
        parsed = parser.parse(pattern, flags)
        code, names = [int(word) for word in compiler._code(parsed, flags)], parsed.state.groupdict
        by_number = {number: name for name, number in names.items()}
        groups = tuple(by_number.get(number) for number in range(parsed.state.groups))
        return flags | parsed.state.flags, code, parsed.state.groups - 1, names, groups

    compiler.compile = compile_once


def kept(name: str, version: str, make: Callable[[], T]) -> T:
    """Return what ``make`` returned in an earlier process with the same ``version`` of what it is made from.

    It consists of built-in types.
    """
    with suppress(LookupError):
        found: T = _read(name, version)
        return found
    made = make()
    _write(name, version, made)
    return made


def _read(name: str, version: str) -> Any:
    """Return what is kept. Raises LookupError when it is not there, or made by other versions."""
    try:
        made_by, value = marshal.loads((FOLDER / f".{name}").read_bytes())  # noqa: S302  # as trustworthy as byte code
    except (OSError, EOFError, ValueError, TypeError) as error:
        raise LookupError(name) from error
    if made_by != (sys.version, version):
        raise LookupError(name)
    return value


def _write(name: str, version: str, value: Any) -> None:
    """Write as Python writes byte code: aside, if it may, and not if it must not."""
    if sys.dont_write_bytecode:
        return
    aside = FOLDER / f".{name}.{os.getpid()}"
    with suppress(OSError):
        FOLDER.mkdir(exist_ok=True)
        aside.write_bytes(marshal.dumps(((sys.version, version), value)))
        aside.replace(FOLDER / f".{name}")
