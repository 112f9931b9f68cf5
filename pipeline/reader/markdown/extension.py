"""The extension of Python-Markdown, and ``parse``; the one module that imports it.

A ``BlockReader`` takes the place of the block processors. For inlines Python-Markdown's engine stays, with other
patterns: first one pass from left to right for what stands alone (escapes, code spans, autolinks, character references,
raw HTML), then footnote references, pictures and links, bare addresses, high and low figures, and line breaks.
``emphasize`` comes after them. What then still looks like a mark is a problem, see ``leftovers``.
"""

from __future__ import annotations

import re
import unicodedata
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from functools import cache
from html import unescape
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.blockprocessors import BlockProcessor
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.treeprocessors import InlineProcessor as InlineEngine
from markdown.treeprocessors import Treeprocessor
from markdown.util import ETX, STX, AtomicString, Registry
from msgspec import Struct

from pipeline.reader.markdown.blocks import BlockReader, RawBlock, split_row
from pipeline.reader.markdown.emphasis import EDGES, emphasize
from pipeline.reader.markdown.leftovers import find_leftovers
from pipeline.reader.markdown.links import BARE_ADDRESS, Definitions, LinkFinder, target_of, trim_address
from pipeline.reader.markdown.syntax import ENTITY, ESCAPE, TAG, TAG_ENDS

BRACKET_LIMIT = 600
"""Opening brackets in one paragraph: the search for their partners is quadratic."""
DEPTH_LIMIT = 100
"""Elements within each other, blocks and spans together, so that callers may walk the tree by recursion."""
_TOO_DEEP = "marks nested too deeply", "use fewer * _ ~ and brackets within each other"
_RAW_HTML_HINT = "write it in Markdown; put code between `backticks`"
_HTML_HINTS = {"sup": "write a high figure as 10^6^", "sub": "write a low figure as CO~2~"}
_REFUSED = "refused"
"""Tag of the elements that stand for what is a problem; they have its message and hint as attributes."""
_TASK = re.compile(r"\[([ xX])\]\s+(?=\S)")

_Match = tuple[Element | str | None, int | None, int | None]


class MarkdownProblem(Struct, frozen=True):
    """Something in a text that cannot be rendered as it was meant, and what its author can do."""

    line: int
    message: str
    hint: str
    warning: bool = False
    """It may have been meant as it is rendered."""


class ParsedMarkdown(Struct, frozen=True):
    """A text as elements."""

    root: Element
    problems: tuple[MarkdownProblem, ...]
    """In no particular order. What they refuse is plain text in ``root``, or left out of it."""

    def html(self) -> str:
        """Return the elements as HTML, which is not sanitised."""
        return _to_html(self.root)


class GitHubMarkdown(Extension):
    """Replaces Python-Markdown's syntax by that of this package.

    ``first_line`` is the number of the text's first line. ``edit`` may change the blocks of the document before they
    become elements. After a run ``root`` and ``problems`` hold the result.
    """

    def __init__(self, first_line: int = 1, edit: Callable[[RawBlock], None] | None = None) -> None:
        super().__init__()
        self.first_line = first_line
        self.edit = edit
        self.definitions: Definitions = {}
        self.reset()

    def reset(self) -> None:
        """Forget the last text; Python-Markdown calls this."""
        self.definitions.clear()
        self.problems: list[MarkdownProblem] = []
        self.root = Element("div")

    def report(self, line: int, message: str, hint: str, *, warning: bool = False) -> None:
        """Note a problem."""
        self.problems.append(MarkdownProblem(line, message, hint, warning))

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        """Register everything; Python-Markdown calls this."""
        md.registerExtension(self)
        md.stripTopLevelTags = False
        md.preprocessors, md.postprocessors, md.parser.blockprocessors = Registry(), Registry(), Registry()
        md.inlinePatterns = Registry()
        md.treeprocessors.register(InlineEngine(md), "inline", 20)  # the registered one keeps its first patterns
        md.treeprocessors.register(_EmphasisProcessor(md), "emphasis", 10)  # before "unescape"
        md.treeprocessors.register(_LeftoverProcessor(md, self), "leftovers", 5)  # likewise: \* is no leftover
        md.treeprocessors.deregister("prettify")
        md.parser.blockprocessors.register(_BlockProcessor(md, self), "github", 100)
        md.inlinePatterns.register(_AtomPattern(_AtomPattern.PATTERN, md), "atoms", 190)
        md.inlinePatterns.register(_FootnotePattern(r"\[\^([^\]\s]+)\]", md), "footnotes", 185)
        md.inlinePatterns.register(_LinkPattern(r"!\[", md, self.definitions), "pictures", 180)
        md.inlinePatterns.register(_LinkPattern(r"\[", md, self.definitions), "links", 170)
        md.inlinePatterns.register(_AddressPattern(BARE_ADDRESS, md), "addresses", 160)
        md.inlinePatterns.register(_FigurePattern(_figure("~"), md, "sub"), "low figures", 151)
        md.inlinePatterns.register(_FigurePattern(_figure(r"\^"), md, "sup"), "high figures", 150)
        md.inlinePatterns.register(_StrikePattern(r"~~(?=\S)([^~]+?)(?<=\S)~~", md), "strike", 140)
        md.inlinePatterns.register(_BreakPattern(r"(?: {2,}|\\)\n", md), "breaks", 10)
        md.treeprocessors.register(_LineProcessor(md, self), "lines", -10)
        md.output_formats = dict.fromkeys(md.output_formats, _to_html)  # type: ignore[misc]


def parse(text: str, first_line: int = 1, edit: Callable[[RawBlock], None] | None = None) -> ParsedMarkdown:
    """Return the elements and problems of ``text``. Not for several threads at once.

    ``first_line`` is the number of its first line; ``edit`` may change the blocks before they become elements.
    """
    markdown, github = _instance()
    markdown.reset()
    github.first_line, github.edit = first_line, edit
    try:
        markdown.convert(text)
    except RecursionError:
        github.root = Element("div")
        github.report(first_line, *_TOO_DEEP)
    return ParsedMarkdown(github.root, tuple(github.problems))


@cache
def _instance() -> tuple[Markdown, GitHubMarkdown]:
    github = GitHubMarkdown()
    markdown = Markdown(extensions=[github])
    markdown.serializer = lambda root: ""  # the elements are wanted, not their HTML
    return markdown, github


def _to_html(element: Element) -> str:
    """Python-Markdown's own serializer takes ``&copy;`` for an entity even where the author wrote it literally."""
    return ElementTree.tostring(element, "unicode", "html")


# ── Blocks ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class _BlockProcessor(BlockProcessor):
    """Reads the whole text at once into elements; their text is left to the inline engine."""

    def __init__(self, md: Markdown, github: GitHubMarkdown) -> None:
        super().__init__(md.parser)
        self.github = github

    def test(self, parent: Element, block: str) -> bool:
        return True

    def run(self, parent: Element, blocks: list[str]) -> None:
        lines = "\n\n".join(blocks).removesuffix("\n").split("\n")
        blocks.clear()
        reader = BlockReader(self.github.definitions, self.github.report)
        document = reader.read(lines, self.github.first_line)
        if self.github.edit:
            self.github.edit(document)
        self._add_children(parent, document)
        for note in reader.footnotes:
            element = _element(parent, "section", note.line)
            element.set("data-note", note.marker)
            self._add_children(element, note)

    def _add_children(self, parent: Element, block: RawBlock) -> None:
        for child in block.children:
            self._add(parent, child)

    def _add(self, parent: Element, block: RawBlock) -> None:
        match block.kind:
            case "paragraph" if block.lines:
                self._add_text(parent, "p", block)
            case "heading":
                self._add_text(parent, f"h{block.level}", block)
            case "code" | "fence":
                self._add_code(parent, block)
            case "quote":
                self._add_children(_element(parent, "blockquote", block.line), block)
            case "list":
                self._add_list(parent, block)
            case "table":
                self._add_table(parent, block)
            case "rule":
                _element(parent, "hr", block.line)
            case "marker":
                _element(parent, "section", block.line).set("data-marker", block.marker)
            case "html":
                self.github.report(block.line, *_raw_html(block.text))

    def _add_text(self, parent: Element, tag: str, block: RawBlock) -> None:
        element = _element(parent, tag, block.line)
        element.text = self._text(block.text.rstrip(), block.line)

    def _text(self, text: str, line: int) -> str:
        if text.count("[") > BRACKET_LIMIT:
            message = f"more than {BRACKET_LIMIT} opening brackets [ in one paragraph"
            self.github.report(line, message, "split the paragraph")
            return ""
        return text

    def _add_code(self, parent: Element, block: RawBlock) -> None:
        if not block.fence:
            hint = "for text, delete the blanks at the beginning of the line; for code, write ``` above and below it"
            self.github.report(
                block.line, "a line that begins with four blanks or a tab is set as code", hint, warning=True
            )
        attributes = {"class": f"language-{block.fence.language}"} if block.fence else {}
        code = SubElement(_element(parent, "pre", block.line), "code", attributes)
        while not block.fence and not block.lines[-1].strip(" \t"):
            block.lines.pop()
        code.text = AtomicString(block.text)

    def _add_list(self, parent: Element, block: RawBlock) -> None:
        element = _element(parent, "ul" if block.marker in "-+*" else "ol", block.line)
        element.set("start", str(block.start))
        element.set("data-tight", "" if block.is_loose else "tight")
        for item in block.children:
            li = _element(element, "li", item.line)
            first = item.children[0] if item.children else None
            if first and first.kind == "paragraph" and (box := _TASK.match(first.text)):
                li.set("data-checked", box[1].strip().lower() or "o")
                first.lines[0] = first.lines[0][3:].lstrip()
            self._add_children(li, item)

    def _add_table(self, parent: Element, block: RawBlock) -> None:
        table = _element(parent, "table", block.line)
        for number, row in enumerate(block.lines):
            line = block.line + number + (number > 0)
            cells = split_row(row)
            self._check_row(cells, len(block.alignments), line)
            tr = SubElement(table, "tr")
            for index, alignment in enumerate(block.alignments):
                cell = _element(tr, "td" if number else "th", line)
                cell.set("align", alignment)
                cell.text = self._text(cells[index] if index < len(cells) else "", line)

    def _check_row(self, cells: list[str], columns: int, line: int) -> None:
        if len(cells) > columns:
            message = (
                f"{len(cells)} cells in a table with {columns} columns; there is no place for {cells[columns][:40]!r}"
            )
            self.github.report(line, message, "delete a bar |, write \\| for one that is text, or add a column")
        elif len(cells) < columns:
            message = f"a row of {len(cells)} in a table of {columns} columns; the last cells stay empty"
            self.github.report(line, message, "write a bar | for each empty cell", warning=True)


def _element(parent: Element, tag: str, line: int) -> Element:
    return SubElement(parent, tag, {"data-line": str(line)})


def _raw_html(html: str) -> tuple[str, str]:
    if question := re.match(r"<!--\s*check:\s*(.*?)\s*(?:-->|$)", html, re.DOTALL):
        what = " ".join(question[1].split()) or "the text here"
        return f"to be checked: {what}", "compare it with the original, correct what is wrong, and delete the comment"
    tag = re.match(r"</?(su[pb])\b", html, re.IGNORECASE)
    return f"raw HTML: {' '.join(html.split())[:40]}", _HTML_HINTS[tag[1].lower()] if tag else _RAW_HTML_HINT


# ── Inlines ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class _AtomPattern(InlineProcessor):
    """Inlines that are read from left to right before all others: within code no escape counts, and vice versa."""

    PATTERN = (
        rf"{ESCAPE.pattern}|(`+)|<([a-zA-Z][a-zA-Z0-9+.-]{{1,31}}:[^\s<>\x00-\x20]*)>"
        rf"|<([\w.!#$%&'*+/=?^`{{|}}~-]+@[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*)>|({TAG})"
        rf"|({ENTITY.pattern})"
    )

    def handleMatch(self, m: re.Match[str], data: str) -> _Match:  # type: ignore[override]  # noqa: N802
        escaped, ticks, address, email, tag, entity = m.groups()
        start, end = m.span()
        if escaped:
            return _coded(escaped), start, end
        if entity:
            character = unescape(entity)
            unprintable = _refused(entity, f"not a printable character: {entity}", "delete it")
            return _coded(character) if _is_printable(character) else unprintable, start, end
        if ticks:
            return self._code(ticks, data, start, end)
        if address or email:
            return _link(address or f"mailto:{email}", AtomicString(address or email)), start, end
        return self._html(tag, data, start, end)

    @staticmethod
    def _html(tag: str, data: str, start: int, end: int) -> _Match:
        if tag in TAG_ENDS:
            close = data.find(TAG_ENDS[tag], end)
            if close < 0:
                return None, start, end
            end = close + len(TAG_ENDS[tag])
        if re.fullmatch(r"<br\s*/?>", tag, re.IGNORECASE):  # the one way to break a line in a table cell
            return Element("br", {EDGES: " "}), start, end
        html = data[start:end]
        return _refused(html, *_raw_html(html)), start, end

    @staticmethod
    def _code(ticks: str, data: str, start: int, end: int) -> _Match:
        close = re.compile(rf"(?<!`){ticks}(?!`)").search(data, end)
        if not close:
            return None, start, end
        code = Element("code")
        text = data[end : close.start()]
        inner = text.replace("\n", " ")
        padded = inner.startswith(" ") and inner.endswith(" ") and inner.strip(" ")
        code.text = AtomicString(text[1:-1] if padded else text)
        return code, start, close.end()


class _LinkPattern(InlineProcessor):
    """Links and, with ``!`` before them, pictures."""

    def __init__(self, pattern: str, md: Markdown, definitions: Definitions) -> None:
        super().__init__(pattern, md)
        self.finder = LinkFinder(definitions, lambda text: _decoded(self.unescape(text)))
        self.is_picture = pattern.startswith("!")

    def handleMatch(self, m: re.Match[str], data: str) -> _Match:  # type: ignore[override]  # noqa: N802
        link = self.finder.find(data, m.end())
        if not link or (not self.is_picture and self.finder.holds_link(data, m.end(), link.close)):
            return None, None, None
        if self.is_picture:
            element = Element("img", {"src": link.address, "title": link.title})
        else:
            element = _link(link.address, "")
        element.text = data[m.end() : link.close]
        return element, m.start(), link.end


class _AddressPattern(InlineProcessor):
    """Bare web and mail addresses."""

    ANCESTOR_EXCLUDES = ("a",)

    def handleMatch(self, m: re.Match[str], data: str) -> _Match:  # type: ignore[override]  # noqa: N802
        is_mail = not m.group().startswith(("http://", "https://", "www."))
        raw = m.group() if is_mail else trim_address(m.group())
        text = _decoded(self.unescape(raw))
        target = target_of(text)
        if not target:
            return None, None, None
        link = _link(target, AtomicString(text))
        link.set(EDGES, text)
        return link, m.start(), m.start() + len(raw)


class _FootnotePattern(InlineProcessor):
    """References to footnotes, ``[^name]``."""

    def handleMatch(self, m: re.Match[str], data: str) -> _Match:  # type: ignore[override]  # noqa: N802
        return Element("sup", {"data-note": m[1]}), *m.span()


class _FigurePattern(InlineProcessor):
    """High and low figures: ``10^6^`` and ``H~2~O``."""

    def __init__(self, pattern: str, md: Markdown, tag: str) -> None:
        super().__init__(pattern, md)
        self.tag = tag

    def handleMatch(self, m: re.Match[str], data: str) -> _Match:  # type: ignore[override]  # noqa: N802
        before = data[m.start() - 1]
        if self.tag == "sub" and before.isdigit() and m[1].isdigit():  # 3~5~7: a range, or a low figure?
            message = f"is ~ a sign of the text, or does it set a low figure? {before}{m.group()}"
            hint = f"for the sign write {before}\\~{m[1]}\\~; a low figure stands behind a letter"
            return _refused(m.group(), message, hint), *m.span()
        element = Element(self.tag, {EDGES: m.group()})
        element.text = AtomicString(m[1])
        return element, *m.span()


class _StrikePattern(InlineProcessor):
    """Struck-out words, which say both what is and what is not."""

    def handleMatch(self, m: re.Match[str], data: str) -> _Match:  # type: ignore[override]  # noqa: N802
        message = f"struck-out words: {' '.join(m.group().split())[:60]}"
        hint = "strike-through says both: delete the words, or write a correction; for the signs write \\~\\~"
        return _refused(m.group(), message, hint), *m.span()


class _BreakPattern(InlineProcessor):
    """Hard line breaks. They come last: the other patterns treat them as white space."""

    def handleMatch(self, m: re.Match[str], data: str) -> _Match:  # type: ignore[override]  # noqa: N802
        return Element("br", {EDGES: m.group()}), *m.span()


def _figure(sign: str) -> str:
    """Return the pattern of a short run without blanks between two signs, directly behind a letter, digit or bracket.

    Ranges of East Asian texts, as in 3~5일 or 7~9도, have other letters in it, or a comma.
    """
    letters = r"0-9A-Za-z\u00aa\u00ba\u00c0-\u024f\u0370-\u03ff\u0400-\u04ff"
    return (
        rf"(?<=[{letters})\]]){sign}(?=[^{sign}\s]*[{letters}])([{letters}+=()\u2212\u2013-]{{1,12}}){sign}(?!{sign})"
    )


def _coded(text: str) -> str:
    """Return ``text`` as Python-Markdown codes literal characters, so that no later pattern takes them for marks."""
    return "".join(f"{STX}{ord(character)}{ETX}" for character in text)


def _decoded(text: str) -> str:
    return re.sub(f"{STX}(\\d+){ETX}", lambda match: chr(int(match[1])), text)


def _is_printable(text: str) -> bool:
    return bool(text) and (text in "\t\n" or unicodedata.category(text[0]) != "Cc")


def _refused(text: str, message: str, hint: str) -> Element:
    element = Element(_REFUSED, {"message": message, "hint": hint})
    element.text = AtomicString(text)
    return element


def _link(href: str, text: str) -> Element:
    element = Element("a", {"href": href})
    element.text = text
    return element


def _set_alt(image: Element) -> str:
    """Turn the content of a picture into its text alternative, and return it."""
    for line_break in image.iter("br"):
        line_break.text = "\n"
    alt = "".join(image.itertext())
    image[:], image.text = [], None
    image.set("alt", alt)
    return alt


class _LeftoverProcessor(Treeprocessor):
    """Reports what still looks like a mark."""

    def __init__(self, md: Markdown, github: GitHubMarkdown) -> None:
        super().__init__(md)
        self.github = github

    def run(self, root: Element) -> None:
        for problem in find_leftovers(root, AtomicString):
            self.github.report(*problem[:3], warning=problem[3])


class _EmphasisProcessor(Treeprocessor):
    """Emphasis, wherever the text is not literal."""

    def run(self, root: Element) -> None:
        for element in list(root.iter()):
            if not isinstance(element.text, AtomicString):
                emphasize(element)


class _LineProcessor(Treeprocessor):
    """Notes lines on links and pictures, and reports what is refused; it counts lines in reading order."""

    def __init__(self, md: Markdown, github: GitHubMarkdown) -> None:
        super().__init__(md)
        self.github = github
        self.line = 0

    def run(self, root: Element) -> None:
        self.github.root = root
        self._walk(root, 0)

    def _walk(self, element: Element, depth: int) -> None:
        self.line = int(element.get("data-line") or self.line)
        element.attrib.pop(EDGES, None)
        if depth > DEPTH_LIMIT:
            self.github.report(self.line, *_TOO_DEEP)
            element.clear()
            return
        if element.tag == _REFUSED:
            self.github.report(self.line, element.attrib.pop("message"), element.attrib.pop("hint"))
            element.tag = "span"
        elif element.tag in ("a", "img", "sup"):
            element.set("data-line", str(self.line))
        if element.tag == "img":
            self.line += _set_alt(element).count("\n")
        self.line += (element.text or "").count("\n")
        for child in element:
            tail = child.tail
            self._walk(child, depth + 1)
            self.line += (tail or "").count("\n") + (child.tag == "br")
