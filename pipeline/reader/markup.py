"""Python-Markdown, taught to read as GitHub does; the one module that imports it.

An extension puts ``blocks`` in the place of the block processors. Inline mark-up stays with Python-Markdown's engine:
emphasis and strikethrough are pymdown-extensions' (they follow CommonMark's delimiter rules), what stands on its own
(escapes, code spans, autolinks, entities, line breaks) is read in one pass from left to right, and links by the rules
of CommonMark. Raw HTML becomes a mark that ``examine`` reports, never output.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from html import unescape
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.blockprocessors import BlockProcessor
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString, Registry

from pipeline.reader.blocks import Block, Structure, is_loose, settle_ends
from pipeline.reader.examine import RAW, examine
from pipeline.reader.leaves import ENTITY, ESCAPE, TAG, References, fold, split_row
from pipeline.reader.report import Report

BRACKET_LIMIT = 600
"""Opening brackets in one paragraph: the search for their partners is quadratic."""
_TASK = re.compile(r"\[([ xX])\]\s+(?=\S)")

Arrange = Callable[[Block], None]
"""Changes the document's blocks before they become elements."""
Handled = tuple[Element | str | None, int | None, int | None]


class _Atoms(InlineProcessor):
    """What is read from left to right before all else: where code begins, no escape counts, and the other way round."""

    PATTERN = (
        rf"{ESCAPE.pattern}|(`+)|<([a-zA-Z][a-zA-Z0-9+.-]{{1,31}}:[^\s<>\x00-\x20]*)>"
        rf"|<([\w.!#$%&'*+/=?^`{{|}}~-]+@[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*)>|({TAG})"
        rf"|({ENTITY.pattern})|(?: {{2,}}|\\)\n"
    )

    def handleMatch(self, m: re.Match[str], data: str) -> Handled:  # type: ignore[override]  # noqa: N802
        escaped, ticks, address, email, tag, entity = m.groups()
        start, end = m.span()
        if escaped:
            return escaped, start, end
        if ticks:
            return self._code(ticks, data, start, end)
        if address or email:
            return _link(address or f"mailto:{email}", AtomicString(address or email)), start, end
        if tag:
            mark = Element(RAW)
            mark.text = AtomicString(tag)
            return mark, start, end
        if entity:
            return unescape(entity), start, end
        return Element("br"), start, end

    @staticmethod
    def _code(ticks: str, data: str, start: int, end: int) -> Handled:
        close = re.compile(rf"(?<!`){ticks}(?!`)").search(data, end)
        if not close:
            return ticks, start, end
        code = Element("code")
        text = data[end : close.start()]
        inner = text.replace("\n", " ")
        pad = inner.startswith(" ") and inner.endswith(" ") and inner.strip(" ")
        code.text = AtomicString(text[1:-1] if pad else text)
        return code, start, close.end()


class _Links(InlineProcessor):
    """Links and, with ``!`` before them, pictures: inline, by reference, collapsed or by label alone."""

    _INLINE = re.compile(
        r"\(\s*(?:(?P<address><[^<>\n]*>|(?![<\s])[^\s()]*(?:\((?:[^\s()]|\([^\s()]*\))*\)[^\s()]*)*)"
        r"(?:\s+(?P<title>\"[^\"]*\"|'[^']*'|\([^()]*\)))?)?\s*\)"
    )
    _LABEL = re.compile(r"\[((?:[^\[\]]){0,999})\]")

    def __init__(self, pattern: str, md: Markdown, references: References) -> None:
        super().__init__(pattern, md)
        self.references = references
        self.picture = pattern.startswith("!")

    def handleMatch(self, m: re.Match[str], data: str) -> Handled:  # type: ignore[override]  # noqa: N802
        found = self._find(data, m.end())
        if not found or (not self.picture and self._holds_link(data, m.end(), found[0])):
            return None, None, None
        close, end, (address, title) = found
        if self.picture:
            element = Element("img", {"src": self._plain(address), "title": self._plain(title)})
        else:
            element = _link(self._plain(address), "")
        element.text = data[m.end() : close]
        return element, m.start(), end

    def _find(self, data: str, start: int) -> tuple[int, int, tuple[str, str]] | None:
        """Return where the text ends, where the whole ends, and address and title."""
        close = self._partner(data, start)
        if close < 0:
            return None
        if inline := self._INLINE.match(data, close + 1):
            address, title = inline["address"] or "", inline["title"] or ""
            return close, inline.end(), (address[1:-1] if address.startswith("<") else address, title[1:-1])
        label = self._LABEL.match(data, close + 1)
        named = fold(self._plain((label[1] if label and label[1].strip() else "") or data[start:close]))
        target = self.references.get(named)
        return (close, label.end() if label else close + 1, target) if target else None

    def _holds_link(self, data: str, start: int, close: int) -> bool:
        """Whether a link stands within the brackets: then the outer pair is text."""
        at = data.find("[", start, close)
        while at >= 0:
            if self._find(data, at + 1):
                return True
            at = data.find("[", at + 1, close)
        return False

    @staticmethod
    def _partner(data: str, start: int) -> int:
        depth = 1
        for found in re.compile(r"[\[\]]").finditer(data, start):
            depth += 1 if found.group() == "[" else -1
            if not depth:
                return found.start()
        return -1

    def _plain(self, text: str) -> str:
        return str(self.unescape(text))


class _Addresses(InlineProcessor):
    """Bare web and mail addresses (GFM autolinks)."""

    ANCESTOR_EXCLUDES = ("a",)
    PATTERN = (
        r"(?<![^\s*_~(])(?:(https?://|www\.)(?=[\w\u00a1-\uffff])[^\s<]+)"
        r"|(?<![\w.+/@-])([\w.+-]+@[\w-]+(?:\.[\w-]+)+)(?<![-_.])(?![\w-])"
    )

    def handleMatch(self, m: re.Match[str], data: str) -> Handled:  # type: ignore[override]  # noqa: N802
        scheme, email = m.groups()
        if email:
            return _link(f"mailto:{email}", AtomicString(email)), *m.span()
        raw = self._trim(m.group())
        text = str(self.unescape(raw))
        host = re.match(r"(?:https?://)?([^/?#:]*)", text)
        if not host or "." not in host[1] or "_" in ".".join(host[1].split(".")[-2:]):
            return None, None, None
        href = text if scheme != "www." else f"http://{text}"
        return _link(href, AtomicString(text)), m.start(), m.start() + len(raw)

    @staticmethod
    def _trim(text: str) -> str:
        """Leave out punctuation at the end, and closing brackets that have no partner within."""
        while text:
            shorter = text.rstrip("?!.,:*_~'\"")
            if shorter.endswith(")") and shorter.count(")") > shorter.count("("):
                shorter = shorter[:-1]
            if shorter == text:
                break
            text = shorter
        return text


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
        lines = "\n\n".join(blocks).split("\n")
        blocks.clear()
        structure = Structure(self.github.references, self.github.report.fault)
        document = structure.read(lines, self.github.first_line)
        settle_ends(document)
        self.github.arrange(document)
        for block in document.children:
            self._put(parent, block)

    def _put(self, parent: Element, block: Block) -> None:
        match block.kind:
            case "paragraph" if block.lines:
                self._words(SubElement(parent, "p"), block)
            case "heading":
                self._words(SubElement(parent, f"h{block.level}"), block)
            case "code" | "fence":
                self._code(_at(SubElement(parent, "pre"), block.line), block)
            case "quote":
                self._inside(_at(SubElement(parent, "blockquote"), block.line), block)
            case "list":
                self._list(parent, block)
            case "table":
                self.table(_at(SubElement(parent, "table"), block.line), block)
            case "rule":
                _at(SubElement(parent, "hr"), block.line)
            case "html":
                self.github.report.fault(block.line, *RAW_HTML)

    def _inside(self, element: Element, block: Block) -> None:
        for child in block.children:
            self._put(element, child)

    def _words(self, element: Element, block: Block) -> None:
        _at(element, block.line).text = self._leaf(block.text.rstrip(), block.line)
        if block.marker:
            element.set("data-marker", block.marker)

    def _leaf(self, text: str, line: int) -> str:
        if text.count("[") > BRACKET_LIMIT:
            self.github.report.fault(line, f"more than {BRACKET_LIMIT} opening brackets [ in one paragraph", "split it")
            return ""
        return text

    def _code(self, pre: Element, block: Block) -> None:
        code = SubElement(pre, "code", {"class": f"language-{block.fence.language}"} if block.fence else {})
        text = block.text if block.fence else block.text.rstrip("\n ")
        code.text = AtomicString(text)

    def _list(self, parent: Element, block: Block) -> None:
        bullets = block.marker in "-+*"
        element = _at(SubElement(parent, "ul" if bullets else "ol"), block.line)
        element.set("start", str(block.start))
        element.set("data-tight", "" if is_loose(block.children) else "tight")
        for item in block.children:
            line = _at(SubElement(element, "li"), item.line)
            first = item.children[0] if item.children else None
            if first and first.kind == "paragraph" and (box := _TASK.match(first.text)):
                line.set("data-checked", box[1].strip().lower() or "o")
                first.lines[0] = first.lines[0][3:].lstrip()
            self._inside(line, item)

    def table(self, element: Element, block: Block) -> None:
        for number, row in enumerate(block.lines):
            line = block.line + number + (number > 0)
            cells = split_row(row)
            tr = SubElement(element, "tr")
            for index, alignment in enumerate(block.alignments):
                cell = _at(SubElement(tr, "td" if number else "th"), line)
                cell.set("align", alignment)
                cell.text = self._leaf(cells[index] if index < len(cells) else "", line)


_REPLACED = (
    *("backtick", "escape", "reference", "link", "image_link", "image_reference", "short_reference"),
    *("short_image_ref", "autolink", "automail", "linebreak", "html", "entity"),
)
"""Python-Markdown's inline patterns that read otherwise than GitHub."""
RAW_HTML = ("raw HTML", "write it in Markdown; put code between `backticks`")


def _at(element: Element, line: int) -> Element:
    element.set("data-line", str(line))
    return element


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
        for name in ("prettify", "unescape"):
            md.treeprocessors.deregister(name)
        for name in _REPLACED:
            md.inlinePatterns.deregister(name)
        md.parser.blockprocessors.register(_Blocks(md, self), "github", 100)
        md.inlinePatterns.register(_Atoms(_Atoms.PATTERN, md), "atoms", 190)
        md.inlinePatterns.register(_Links(r"!\[", md, self.references), "pictures", 180)
        md.inlinePatterns.register(_Links(r"\[", md, self.references), "links", 170)
        md.inlinePatterns.register(_Addresses(_Addresses.PATTERN, md), "addresses", 160)
        md.treeprocessors.register(_Examination(md, self), "examination", 10)
        md.output_formats = {"html": _serialize}  # type: ignore[misc]


def _serialize(element: Element) -> str:
    """Python-Markdown's own serializer takes ``&copy;`` for an entity even where the author wrote it literally."""
    return ElementTree.tostring(element, "unicode", "html")


class Reader:
    """One Python-Markdown instance, kept for all texts."""

    def __init__(self) -> None:
        self.github = GitHub()
        settings: dict[str, dict[str, object]] = {
            "pymdownx.tilde": {"subscript": False},
            "pymdownx.betterem": {"smart_enable": "underscore"},
        }
        self.markdown = Markdown(
            extensions=["pymdownx.betterem", "pymdownx.tilde", self.github], extension_configs=settings, output_format="html"
        )

    def convert(self, text: str, first_line: int, report: Report, arrange: Arrange) -> str:
        """Return HTML that is not sanitised yet; every element that may be reported has a ``data-line``."""
        self.github.references.clear()
        self.github.report, self.github.first_line, self.github.arrange = report, first_line, arrange
        return self.markdown.reset().convert(text)
