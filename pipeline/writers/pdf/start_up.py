"""What WeasyPrint's import costs, and a document does not need: it is half of the time of a release's only PDF.

On Linux, each library that WeasyPrint tries under another system's name starts up to four programs (ldconfig, gcc, ld)
that look for it; its name here, ``libpango-1.0.so.0``, is in the same list, and the loader finds that by itself. And
fontTools' subsetting and instancing, 90 ms to import, are for machines without HarfBuzz's and for variable fonts.
And for each of sixteen types, cffi reads all names of types that it knows.
"""

from __future__ import annotations

import ctypes.util
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

from cffi import cparser  # type: ignore[import-untyped]

_LATER = {"fontTools.subset": ("Options", "Subsetter"), "fontTools.varLib.instancer": ("instantiateVariableFont",)}
"""Modules that WeasyPrint imports and seldom uses, and what it uses of them: a function that imports at its call."""


@contextmanager
def lean_import() -> Iterator[None]:
    """Import WeasyPrint within this block: it asks no other program for its libraries, and leaves out ``_LATER``."""
    find_library = ctypes.util.find_library
    later = {name: _stand_in(name, used) for name, used in _LATER.items() if name not in sys.modules}
    sys.modules.update(later)
    if sys.platform == "linux":
        ctypes.util.find_library = lambda name: None
    try:
        yield
    finally:
        ctypes.util.find_library = find_library
        for name, stand_in in later.items():
            if sys.modules[name] is stand_in:
                del sys.modules[name]


_parse_type = cparser.Parser.parse_type_and_quals


def _parse_type_alone(parser: Any, declaration: str) -> Any:
    """Read a declaration with the names that it has; cffi's own way reads all others before it, as text."""
    declared, words = parser._declarations, set(re.findall(r"\w+", declaration))
    parser._declarations = {name: value for name, value in declared.items() if name.rpartition(" ")[2] in words}
    try:
        return _parse_type(parser, declaration)
    finally:
        parser._declarations = declared | parser._declarations


cparser.Parser.parse_type_and_quals = _parse_type_alone


def _stand_in(name: str, used: tuple[str, ...]) -> ModuleType:
    """Return a module whose functions import the module called ``name`` and call its own."""

    def later(function: str) -> Callable[..., Any]:
        return lambda *args, **options: getattr(import_module(name), function)(*args, **options)

    module = ModuleType(name)
    for function in used:
        setattr(module, function, later(function))
    return module
