"""What WeasyPrint's import costs, and a document does not need: it is half of the time of a release's only PDF.

On Linux, each library that WeasyPrint tries under another system's name starts up to four programs (ldconfig, gcc, ld)
that look for it; its name here, ``libpango-1.0.so.0``, is in the same list, and the loader finds that by itself. And
fontTools, 110 ms to import, is for machines without HarfBuzz's subsetting, for variable fonts and for emoji. And cffi
parses the declarations of all libraries each time, 100 ms; here they are kept as cffi compiles them. So are the
functions that cssselect2 makes of selectors, and the style sheets themselves, whose parsing takes 50 ms.
"""

from __future__ import annotations

import ctypes.util
import hashlib
import io
import marshal
import pickle
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from types import CodeType, FunctionType, ModuleType
from typing import Any, TypeVar

import cffi  # type: ignore[import-untyped]
import cssselect2  # type: ignore[import-untyped]
import tinycss2  # type: ignore[import-untyped]
from cffi.api import FFI  # type: ignore[import-untyped]
from cssselect2 import compiler

from pipeline.start.quick_start import Compiled, kept

_LATER = {
    "fontTools.subset": ("Options", "Subsetter"),
    "fontTools.varLib.instancer": ("instantiateVariableFont",),
    "fontTools.ttLib": ("TTFont",),
    "fontTools.ttLib.ttFont": ("getTableClass", "getTableModule"),
    "fontTools.ttLib.woff2": ("decompress",),
}
"""Modules that WeasyPrint imports and seldom uses, and what it uses of them: a function that imports at its call."""
_FURTHER = """
    typedef struct {
        unsigned int rows, width;
        int pitch;
        unsigned char *buffer;
        unsigned short num_grays;
        unsigned char pixel_mode, palette_mode;
        void *palette;
    } FT_Bitmap;
    void pango_ft2_render_transformed (
        FT_Bitmap *bitmap, const void *matrix, PangoFont *font, PangoGlyphString *glyphs, int x, int y);
    int pango_layout_get_line_count (PangoLayout *layout);
    int pango_glyph_string_get_width (PangoGlyphString *glyphs);
"""
"""What WeasyPrint does not declare of its libraries, and the social card uses."""

T = TypeVar("T")


@contextmanager
def lean_import() -> Iterator[None]:
    """Import WeasyPrint within this block: it asks no other program for its libraries, and leaves out ``_LATER``.

    Its own style sheets are empty until ``fill_sheets``.
    """
    find_library, ffi, parse = ctypes.util.find_library, cffi.FFI, tinycss2.parse_stylesheet
    cffi.FFI, tinycss2.parse_stylesheet = _KeptDeclarations, lambda css: []
    later = {name: _stand_in(name, used) for name, used in _LATER.items() if name not in sys.modules}
    if library := later.get("fontTools.ttLib"):
        # It is caught where WeasyPrint warns that a font cannot be saved, which ``strict`` takes for an error
        vars(library).update(
            TTLibError=Exception, ttFont=later["fontTools.ttLib.ttFont"], woff2=later["fontTools.ttLib.woff2"]
        )
    sys.modules.update(later)
    if sys.platform == "linux":
        ctypes.util.find_library = lambda name: None
    try:
        yield
    finally:
        ctypes.util.find_library, cffi.FFI, tinycss2.parse_stylesheet = find_library, ffi, parse
        for name, stand_in in later.items():
            if sys.modules[name] is stand_in:
                del sys.modules[name]


class _KeptDeclarations:
    """What WeasyPrint takes for ``cffi.FFI``: with the attributes of the one that cffi has compiled for it."""

    def cdef(self, declarations: str) -> None:
        """Have what ``declarations`` declare, and ``_FURTHER``."""
        declarations += _FURTHER
        code = kept("cffi", f"{cffi.__version__} {declarations}", lambda: _compiled(declarations))
        made: dict[str, Any] = {}
        exec(code, made)  # noqa: S102  # as trustworthy as byte code
        ffi = made["ffi"]
        vars(self).update({name: getattr(ffi, name) for name in dir(ffi)})


def declare_further(ffi: Any) -> None:
    """Declare ``_FURTHER`` for WeasyPrint's ``ffi``, if it was imported before, and so with cffi's own class."""
    if isinstance(ffi, FFI):
        ffi.cdef(_FURTHER)


def _compiled(declarations: str) -> CodeType:
    """Return code that makes ``ffi``, without a compiler of C."""
    from cffi.recompiler import make_py_source  # type: ignore[import-untyped]

    ffi, source = FFI(), io.StringIO()
    ffi.cdef(declarations)
    make_py_source(ffi, "declarations", source)
    return compile(source.getvalue(), "declarations", "exec")


def fill_sheets(html: Any) -> None:
    """Fill the style sheets of ``weasyprint.html``, the module, as they would be after a plain import."""

    def parsed(text: str) -> tuple[Any, Any]:
        styles = type(html.UA_COUNTER_STYLE)()
        return html.CSS(string=text, counter_style=styles), styles

    for name in ("UA", "UA_FORM", "PH"):
        text, sheet = getattr(html, name), getattr(html, f"{name}_STYLESHEET")
        if not sheet.matcher.order:  # else it was imported before, and plainly
            filled, styles = kept_parsed(name, text, partial(parsed, text))
            vars(sheet).update(vars(filled))
            html.UA_COUNTER_STYLE.update(styles)


def kept_parsed(name: str, text: str, parse: Callable[[], T]) -> T:
    """Return what ``parse`` made of the style sheet ``text`` in an earlier process.

    ``name`` is that of the sheet: only its last text is kept. ``parse`` makes it of the text and its code alone.
    """
    versions = import_module("weasyprint").__version__, tinycss2.__version__, cssselect2.__version__
    version = " ".join((*versions, hashlib.sha256(text.encode()).hexdigest()))
    parsed: T = pickle.loads(kept(f"css-{name}", version, lambda: _pickled(parse())))  # noqa: S301  # as byte code
    return parsed


def _pickled(parsed: object) -> bytes:
    file = io.BytesIO()
    _SheetPickler(file, pickle.HIGHEST_PROTOCOL).dump(parsed)
    return file.getvalue()


class _SheetPickler(pickle.Pickler):
    """Pickles functions that cssselect2 makes of selectors, too; others only by their names."""

    def reducer_override(self, made: Any) -> Any:
        if isinstance(made, FunctionType) and made.__code__.co_filename == _SELECTOR:
            return _selector, (marshal.dumps(made.__code__),)
        return NotImplemented


def _selector(code: bytes) -> FunctionType:
    return FunctionType(marshal.loads(code), _SELECTOR_NAMES)  # noqa: S302  # as trustworthy as byte code


_selectors = Compiled("selectors")
_SELECTOR = "selector"
"""The file that the code of selectors says it is from."""
_SELECTOR_NAMES = {name: getattr(compiler, name) for name in ("split_whitespace", "ascii_lower", "urlparse")}


def _evaluated(source: str, names: dict[str, Any], _: dict[str, Any]) -> Any:
    """Do for cssselect2 what ``eval`` does."""
    return eval(_selectors.get(source, lambda: compile(source, _SELECTOR, "eval")), names)  # noqa: S307


compiler.eval = _evaluated


def _stand_in(name: str, used: tuple[str, ...]) -> ModuleType:
    """Return a module whose functions import the module called ``name`` and call its own."""

    def later(function: str) -> Callable[..., Any]:
        return lambda *args, **options: getattr(import_module(name), function)(*args, **options)

    module = ModuleType(name)
    for function in used:
        setattr(module, function, later(function))
    return module
