"""Blocks → the elements that Python-Markdown puts its inline mark-up into."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree.ElementTree import Element, SubElement

from pipeline.reader.blocks import Block, is_loose
from pipeline.reader.examine import RAW_HTML_HINT
from pipeline.reader.leaves import split_row
from pipeline.reader.report import Report

BRACKET_LIMIT = 600
"""Opening brackets in one paragraph: the search for their partners is quadratic."""
_FOOTNOTE = re.compile(r"\[\^[^\]\s]+\]:")
_TASK = re.compile(r"\[([ xX])\]\s+(?=\S)")


class Elements:
    """Makes elements; ``literal`` turns a text into one that no inline pattern touches."""

    def __init__(self, report: Report, literal: Callable[[str], str]) -> None:
        self.report = report
        self.literal = literal

    def add(self, parent: Element, block: Block) -> None:
        """Append the children of ``block`` to ``parent``; each element carries its line as ``data-line``."""
        for child in block.children:
            self._put(parent, child)

    def _put(self, parent: Element, block: Block) -> None:
        match block.kind:
            case "paragraph" if block.lines:
                self._words(SubElement(parent, "p"), block)
            case "heading":
                self._words(SubElement(parent, f"h{block.level}"), block)
            case "code" | "fence":
                self._code(_at(SubElement(parent, "pre"), block.line), block)
            case "quote":
                self.add(_at(SubElement(parent, "blockquote"), block.line), block)
            case "list":
                self._list(parent, block)
            case "table":
                self._table(_at(SubElement(parent, "table"), block.line), block)
            case "rule":
                _at(SubElement(parent, "hr"), block.line)
            case "html":
                tag = " ".join(block.text.split())[:40]
                self.report.fault(block.line, f"raw HTML: {tag}", RAW_HTML_HINT)

    def _words(self, element: Element, block: Block) -> None:
        if _FOOTNOTE.match(block.text):
            self.report.fault(block.line, "a footnote", "write it below a heading Notes to editors")
        _at(element, block.line).text = self._leaf(block.text.rstrip(), block.line)
        if block.marker:
            element.set("data-marker", block.marker)

    def _leaf(self, text: str, line: int) -> str:
        if text.count("[") > BRACKET_LIMIT:
            self.report.fault(line, f"more than {BRACKET_LIMIT} opening brackets [ in one paragraph", "split it")
            return ""
        return text

    def _code(self, pre: Element, block: Block) -> None:
        code = SubElement(pre, "code", {"class": f"language-{block.fence.language}"} if block.fence else {})
        while not block.fence and not block.lines[-1].strip():
            block.lines.pop()
        code.text = self.literal(block.text)

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
            self.add(line, item)

    def _table(self, element: Element, block: Block) -> None:
        for number, row in enumerate(block.lines):
            line = block.line + number + (number > 0)
            cells = split_row(row)
            tr = SubElement(element, "tr")
            for index, alignment in enumerate(block.alignments):
                cell = _at(SubElement(tr, "td" if number else "th"), line)
                cell.set("align", alignment)
                cell.text = self._leaf(cells[index] if index < len(cells) else "", line)


def _at(element: Element, line: int) -> Element:
    element.set("data-line", str(line))
    return element
