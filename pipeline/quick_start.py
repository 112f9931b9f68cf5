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
from typing import Any, TypeVar

YOUNG = 100_000
"""Objects after which Python looks for unused ones, instead of 700: a stage makes most of its objects once, at import,
and looking through them again and again is a tenth of what it costs."""
FOLDER = Path(__file__).parent / "__pycache__"
"""Where things are kept: with the byte code, and as trustworthy. Make does not look at names that begin with a dot."""
PATTERNS = "patterns"
FEW, MOST = 8, 2000
"""New patterns that are not worth writing the file: some are others each time, made of sets or of a release's words.
And patterns in the file, for the same reason."""

T = TypeVar("T")
_Patterns = dict[tuple[str | bytes, int], bytes]
_kept: _Patterns = {}
_new: _Patterns = {}


@contextmanager
def quick_start() -> Iterator[None]:
    """Import within this block. msgspec would load typing_extensions, for what Python has had since 3.11: 10 ms."""
    gc.set_threshold(YOUNG, 5, 5)
    _keep_patterns()
    absent = sys.modules.setdefault("typing_extensions", None) is None  # type: ignore[arg-type]  # None: not installed
    try:
        yield
    finally:
        if absent:
            del sys.modules["typing_extensions"]


def _keep_patterns() -> None:
    """Compile a regular expression only if no process before has done it."""
    compiler: Any
    compiler, parser, engine = map(import_module, ("re._compiler", "re._parser", "_sre"))
    compile_anew = compiler.compile
    _kept.update(_read_patterns())

    def compile_once(pattern: Any, flags: int = 0) -> Any:
        if not isinstance(pattern, (str, bytes)) or flags & compiler.SRE_FLAG_DEBUG:
            return compile_anew(pattern, flags)
        key = pattern, flags
        if key not in _kept:
            parsed = parser.parse(pattern, flags)
            code, names = [int(word) for word in compiler._code(parsed, flags)], parsed.state.groupdict
            by_number = {number: name for name, number in names.items()}
            groups = tuple(by_number.get(number) for number in range(parsed.state.groups))
            state = (flags | parsed.state.flags, code, parsed.state.groups - 1, names, groups)
            _kept[key] = _new[key] = marshal.dumps(state)
        return engine.compile(pattern, *marshal.loads(_kept[key]))  # noqa: S302  # as trustworthy as byte code

    compiler.compile = compile_once
    atexit.register(write_patterns)


def write_patterns() -> None:
    """Keep what this process has compiled."""
    if len(_new) >= FEW:
        earlier = _read_patterns()
        _write(PATTERNS, "", earlier | _new if len(earlier) + len(_new) <= MOST else _new)


def _read_patterns() -> _Patterns:
    with suppress(LookupError):
        found: _Patterns = _read(PATTERNS, "")
        return found
    return {}


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
        aside.write_bytes(marshal.dumps(((sys.version, version), value)))
        aside.replace(FOLDER / f".{name}")
