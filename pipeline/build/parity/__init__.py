"""Parity: every rendition says what the release says, or it is not kept.

The words, links and telephone numbers of a finished rendition are taken out of its bytes by other tools than those
that wrote it, and compared with the article. Words are compared by letters, figures and signs of quantity; punctuation
is each format's own. Text, page, record and Word file must have them in the order of the article. A PDF has no order
that can be relied on; there the counts must agree. A press kit says nothing itself: it must hold the very files that
were found to be right.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from pipeline.build.parity.compare import addresses_differ, links_differ, order_differs
from pipeline.build.parity.content import Content
from pipeline.build.parity.expected import expected
from pipeline.model.errors import RenderError
from pipeline.writers import RenderInput

HINT = "nothing was kept of it; a template or a writer of Dateline's own is at fault, not the release"
OTHER = "nothing was kept of it; a file that was changed by hand since it was made is made anew once it is deleted"
_MODULES = {"text": "plain", "html": "markup", "json": "markup", "docx": "word", "pdf": "paper"}


def reader(name: str) -> Callable[[bytes], Content]:
    """Return what takes the content out of a rendition in the format ``name``, its libraries loaded."""
    found: Callable[[bytes], Content] = getattr(
        import_module(f"pipeline.build.parity.{_MODULES[name]}"), f"read_{name}"
    )
    return found


def check(name: str, render_input: RenderInput, data: bytes) -> None:
    """Compare a rendition with its article. Raises ``RenderError`` with the first words, links or numbers that differ.

    A format that has no reader here is not compared.
    """
    if name == "kit":
        from pipeline.build.parity.kit import kit_differs

        if problem := kit_differs(render_input, data):
            raise RenderError(f"does not hold what the release has: {problem}", OTHER)
        return
    if name not in _MODULES:
        return
    wanted, found = expected(name, render_input), reader(name)(data)
    if name == "pdf":
        from pipeline.build.parity.sheets import sheets_differ

        problem = sheets_differ(render_input, wanted, found)
    else:
        problem = order_differs(wanted.words, found.words)
    problem = problem or (addresses_differ if name == "text" else links_differ)(wanted, found)
    if problem:
        raise RenderError(f"does not say what the release says: {problem}", HINT)
