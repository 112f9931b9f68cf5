"""Python-Markdown, taught to read as GitHub does; the one module that imports it.

An extension puts ``blocks`` in the place of the block processors. Inline mark-up stays with Python-Markdown's engine,
which is given other patterns: what stands on its own (escapes, code spans, autolinks, entities, line breaks) is read in
one pass from left to right, and links by the rules of CommonMark; then ``emphasis`` goes over the tree. Raw HTML
becomes a mark that ``examine`` reports, never output.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from html import unescape
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.blockprocessors import BlockProcessor
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.treeprocessors import InlineProcessor as InlineEngine
from markdown.treeprocessors import Treeprocessor
from markdown.util import ETX, STX, AtomicString, Registry

from pipeline.reader.blocks import Block, settle_ends
from pipeline.reader.elements import Elements
from pipeline.reader.emphasis import EDGES, emphasize
from pipeline.reader.examine import RAW, examine
from pipeline.reader.leaves import ENTITY, ESCAPE, TAG, TAG_ENDS, References
from pipeline.reader.links import ADDRESS, LinkFinder, address_of, trim_address
from pipeline.reader.report import Report
from pipeline.reader.structure import Structure

Arrange = Callable[[Block], None]
"""Changes the document's blocks before they become elements."""
Handled = tuple[Element | str | None, int | None, int | None]


class _Atoms(InlineProcessor):
    """What is read from left to right before all else: where code begins, no escape counts, and the other way round."""

    PATTERN = (
        rf"{ESCAPE.pattern}|(`+)|<([a-zA-Z][a-zA-Z0-9+.-]{{1,31}}:[^\s<>\x00-\x20]*)>"
        rf"|<([\w.!#$%&'*+/=?^`{{|}}~-]+@[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*)>|({TAG})"
        rf"|({ENTITY.pattern})"
    )

    def handleMatch(self, m: re.Match[str], data: str) -> Handled:  # type: ignore[override]  # noqa: N802
        escaped, ticks, address, email, tag, entity = m.groups()
        start, end = m.span()
        if literal := escaped or (entity and unescape(entity)):
            return _shielded(literal), start, end
        if ticks:
            return self._code(ticks, data, start, end)
        if address or email:
            return _link(address or f"mailto:{email}", AtomicString(address or email)), start, end
        return self._html(tag, data, start, end)

    @staticmethod
    def _html(tag: str, data: str, start: int, end: int) -> Handled:
        if tag in TAG_ENDS:
            close = data.find(TAG_ENDS[tag], end)
            if close < 0:
                return None, start, end
            end = close + len(TAG_ENDS[tag])
        mark = Element(RAW)
        mark.text = AtomicString(data[start:end])
        return mark, start, end

    @staticmethod
    def _code(ticks: str, data: str, start: int, end: int) -> Handled:
        close = re.compile(rf"(?<!`){ticks}(?!`)").search(data, end)
        if not close:
            return None, start, end
        code = Element("code")
        text = data[end : close.start()]
        inner = text.replace("\n", " ")
        pad = inner.startswith(" ") and inner.endswith(" ") and inner.strip(" ")
        code.text = AtomicString(text[1:-1] if pad else text)
        return code, start, close.end()


class _Links(InlineProcessor):
    """Links and, with ``!`` before them, pictures."""

    def __init__(self, pattern: str, md: Markdown, references: References) -> None:
        super().__init__(pattern, md)
        self.finder = LinkFinder(references, lambda text: _bare(self.unescape(text)))
        self.picture = pattern.startswith("!")

    def handleMatch(self, m: re.Match[str], data: str) -> Handled:  # type: ignore[override]  # noqa: N802
        found = self.finder.find(data, m.end())
        if not found or (not self.picture and self.finder.holds_link(data, m.end(), found.close)):
            return None, None, None
        if self.picture:
            element = Element("img", {"src": found.address, "title": found.title})
        else:
            element = _link(found.address, "")
        element.text = data[m.end() : found.close]
        return element, m.start(), found.end


class _Breaks(InlineProcessor):
    """Hard line breaks. They come last: to what stands before them they are white space."""

    def handleMatch(self, m: re.Match[str], data: str) -> Handled:  # type: ignore[override]  # noqa: N802
        return Element("br", {EDGES: m.group()}), *m.span()


class _Addresses(InlineProcessor):
    """Bare web and mail addresses."""

    ANCESTOR_EXCLUDES = ("a",)

    def handleMatch(self, m: re.Match[str], data: str) -> Handled:  # type: ignore[override]  # noqa: N802
        raw = trim_address(m.group())
        text = _bare(self.unescape(raw))
        href = address_of(text)
        if not href:
            return None, None, None
        link = _link(href, AtomicString(text))
        link.set(EDGES, text)
        return link, m.start(), m.start() + len(raw)


def _shielded(text: str) -> str:
    """Return ``text`` as Python-Markdown writes literal characters, so that no pattern takes them for marks again."""
    return "".join(f"{STX}{ord(character)}{ETX}" for character in text)


def _bare(text: str) -> str:
    return re.sub(f"{STX}(\\d+){ETX}", lambda found: chr(int(found[1])), text)


def _link(href: str, text: str) -> Element:
    element = Element("a", {"href": href})
    element.text = text
    return element


class _Blocks(BlockProcessor):
    """Takes the whole text at once, and leaves Python-Markdown the elements it expects."""

    def __init__(self, md: Markdown, github: GitHub) -> None:
        super().__init__(md.parser)
        self.github = github

    def test(self, parent: Element, block: str) -> bool:
        return True

    def run(self, parent: Element, blocks: list[str]) -> None:
        lines = "\n\n".join(blocks).removesuffix("\n").split("\n")
        blocks.clear()
        structure = Structure(self.github.references, self.github.report.fault)
        document = structure.read(lines, self.github.first_line)
        settle_ends(document)
        self.github.arrange(document)
        Elements(self.github.report, AtomicString).add(parent, document)


class _Emphasis(Treeprocessor):
    """Emphasis and strike-through, wherever the text is not literal."""

    def run(self, root: Element) -> None:
        for element in list(root.iter()):
            if not isinstance(element.text, AtomicString):
                emphasize(element)


class _Examination(Treeprocessor):
    """Reports what may not be in a release, while source lines are still known."""

    def __init__(self, md: Markdown, github: GitHub) -> None:
        super().__init__(md)
        self.github = github

    def run(self, root: Element) -> None:
        examine(root, self.github.report)


class GitHub(Extension):
    """The extension; ``report``, ``first_line`` and ``arrange`` are set anew for every text."""

    def __init__(self) -> None:
        super().__init__()
        self.references: References = {}
        self.report = Report("")
        self.first_line = 1
        self.arrange: Arrange = lambda document: None

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        """Register all of it; Python-Markdown calls this."""
        md.stripTopLevelTags = False
        md.preprocessors, md.postprocessors, md.parser.blockprocessors = Registry(), Registry(), Registry()
        md.inlinePatterns = Registry()
        md.treeprocessors.register(InlineEngine(md), "inline", 20)  # the one there keeps the patterns it was made with
        md.treeprocessors.register(_Emphasis(md), "emphasis", 10)  # before "unescape"
        md.treeprocessors.deregister("prettify")
        md.parser.blockprocessors.register(_Blocks(md, self), "github", 100)
        md.inlinePatterns.register(_Atoms(_Atoms.PATTERN, md), "atoms", 190)
        md.inlinePatterns.register(_Links(r"!\[", md, self.references), "pictures", 180)
        md.inlinePatterns.register(_Links(r"\[", md, self.references), "links", 170)
        md.inlinePatterns.register(_Addresses(ADDRESS, md), "addresses", 160)
        md.inlinePatterns.register(_Breaks(r"(?: {2,}|\\)\n", md), "breaks", 10)
        md.treeprocessors.register(_Examination(md, self), "examination", -10)
        md.output_formats = {"html": _serialize}  # type: ignore[misc]


def _serialize(element: Element) -> str:
    """Python-Markdown's own serializer takes ``&copy;`` for an entity even where the author wrote it literally."""
    return ElementTree.tostring(element, "unicode", "html")


class Reader:
    """One Python-Markdown instance, kept for all texts."""

    def __init__(self) -> None:
        self.github = GitHub()
        self.markdown = Markdown(extensions=[self.github], output_format="html")

    def convert(self, text: str, first_line: int, report: Report, arrange: Arrange) -> str:
        """Return HTML that is not sanitised yet; every element that may be reported has a ``data-line``."""
        self.github.references.clear()
        self.github.report, self.github.first_line, self.github.arrange = report, first_line, arrange
        return self.markdown.reset().convert(text)
