"""Import a file, resolve the questions of its draft, and read what became of it."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

from pipeline.model.document import Block, CodeBlock, Figure, Footnotes, List, Quote, inlines_of, plain
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import Release
from pipeline.reader import ReadRelease, read_release
from pipeline.reader.imports import ImportedDraft, import_release
from tests.support import sample

NOW = datetime(2026, 11, 23, 9, 20, tzinfo=UTC)
_MARK = re.compile(r"^\s*# check: (.*)\n|^<!-- check: (.*) -->\n\n?", re.MULTILINE)


def drafted(folder: Path, name: str, data: bytes | str, newsroom: Newsroom = sample.NEWSROOM) -> ImportedDraft:
    """Write a file and import it."""
    file = folder / name
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    return import_release(file, newsroom, NOW)


def questions(draft: ImportedDraft) -> list[str]:
    """Return what the draft asks, in its order."""
    return [found[1] or found[2] for found in _MARK.finditer(draft.source)]


def resolved(folder: Path, draft: ImportedDraft, newsroom: Newsroom = sample.NEWSROOM) -> ReadRelease:
    """Read a draft as it is when somebody has deleted its questions."""
    file = folder / "drafted.md"
    file.write_text(_MARK.sub("", draft.source), "utf-8")
    for name, data in draft.pictures.items():
        (folder / "drafted").mkdir(exist_ok=True)
        (folder / "drafted" / name).write_bytes(data)
    return read_release(file, newsroom, NOW)


def words_of(release: Release) -> list[str]:
    """Return the words of a release's headline, deck, text and notes, without case: plain text has its own."""
    lead = (release.image,) if release.image else ()
    texts = [release.title, release.subtitle, *_texts((*lead, *release.body, *release.notes))]
    return words(" ".join(texts))


def words(text: str) -> list[str]:
    """Return words as they are compared, in the order of the text."""
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())


def _texts(blocks: tuple[Block, ...]) -> list[str]:
    found: list[str] = []
    for block in blocks:
        if isinstance(block, Quote):
            found += _texts(block.children)
        elif isinstance(block, List):
            found += [text for item in block.items for text in _texts(item.children)]
        elif isinstance(block, Footnotes):
            found += [text for note in block.notes for text in _texts(note)]
        elif isinstance(block, CodeBlock):
            found.append(block.text)
        else:
            found += [plain(words) for words in inlines_of(block)]
        if isinstance(block, Figure):
            found.append(block.credit)
    return found
