"""Parity: a rendition must say what the release says, or it is not stored.

``check`` reads a finished rendition back from its bytes, with other tools than the ones that wrote it, and compares
words, links and telephone numbers with the article. Compared of words are letters, digits and signs of quantity,
because punctuation differs between formats. In most kinds of files the words must be in the order of the article; the
text of a PDF has no reliable order, so there the words are counted. A press kit has no words of its own: it must hold
the very files that were checked before; and a picture cannot be read. Every row of the table of formats names the kind
of reader for its files; this module loads a reader only when it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from pipeline.build.parity.content import Content, addresses_differ, links_differ, listed, order_differs
from pipeline.build.parity.expected import PLAIN, expected
from pipeline.model.errors import RenderError
from pipeline.model.formats import Format
from pipeline.writers import RenderInput

HINT = (
    "if somebody has changed templates/, undo that; else your text is right, and Dateline has set it wrongly, so this"
    " file was not stored. To publish now, write what is named here in another way, or leave it out; and please report"
    " this message"
)
BLANKS_HINT = (
    "the PDF looks right and can be published; to avoid this, write these words in another way or in another order."
    " Please report this message: it is a fault of Dateline"
)
KIT_HINT = "the kit was not stored; if you changed that file in output/ by hand, delete it, and it is rendered again"
_READERS = {
    "text": "html.read_text",
    "shots": "html.read_text",
    "html": "html.read_page",
    "record": "html.read_record",
    "word": "word.read_word",
    "pdf": "pdf.read_pdf",
}
"""Kind → module and function."""


def reader(kind: str) -> Callable[[bytes], Content]:
    """Load the function that reads the content of a rendition. Raises ``ValueError`` for a kind that has none."""
    if kind not in _READERS:
        raise ValueError(f"{kind!r} is no kind of parity reader; known are {', '.join(_READERS)}")
    module, name = _READERS[kind].split(".")
    function: Callable[[bytes], Content] = getattr(import_module(f"pipeline.build.parity.{module}"), name)
    return function


def check(row: Format, render_input: RenderInput, data: bytes) -> str:
    """Compare a rendition with its release, and return a warning: words that are copied with other blanks, or nothing.

    Raises ``RenderError`` with the first words, links or numbers that differ, and ``ValueError`` for a format whose
    kind has no reader.
    """
    if row.parity == "picture":
        return ""  # nothing can read it back; its writer makes sure that the headline fits
    if row.parity == "kit":
        from pipeline.build.parity.kit import kit_differs

        if problem := kit_differs(row, render_input, data):
            raise RenderError(f"does not hold the files of the release: {problem}", KIT_HINT)
        return ""
    read = reader(row.parity)
    wanted, found = expected(row.parity, render_input), read(data)
    blanks: tuple[str, ...] = ()
    if row.parity == "pdf":
        from pipeline.build.parity.pdf import pages_differ

        problem, blanks = pages_differ(render_input, wanted, found)
    else:
        problem = order_differs(wanted.words, found.words)
    problem = problem or (addresses_differ if row.parity in PLAIN else links_differ)(wanted, found)
    if problem:
        raise RenderError(f"does not say what the release says: {problem}", HINT)
    return listed("copied out of it, blanks are lost or added in", blanks)
