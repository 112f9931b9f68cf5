"""Markdown by the rules of CommonMark 0.31 and GitHub, where a mark can only be meant as one; for Python-Markdown.

In: text. Out: an element tree in which blocks, links and pictures carry their line (``data-line``), and the problems of
the text by line. Signs that are no marks stay as typed; what may be either, and what is left of marks, is a problem.
Raw HTML is a problem, never output. The package knows nothing of press releases or of the rest of
Dateline; ``markdown.markdown(text, extensions=[GitHubMarkdown()])`` works as well.

Why it exists. Python-Markdown alone separates blocks by blank lines and nests by four spaces: it misses a list
straight below a paragraph, two-space nesting and a fence in a list. pymdown-extensions keeps that block reader, so
these still read differently from GitHub, and so do many cases of emphasis. markdown-it-py follows GitHub, but gives
lines for blocks only, so a fault in a long paragraph could not be reported on its own line. It also departs from the
rules for empty list items and code spans over several lines. All of them lose signs and numbers that nobody meant as
marks (``3~5``, ``24. Dezember``). Our tests compare this reader with markdown-it-py where marks are certain.
"""

from pipeline.reader.markdown.blocks import RawBlock
from pipeline.reader.markdown.extension import GitHubMarkdown, MarkdownProblem, ParsedMarkdown, parse

__all__ = ["GitHubMarkdown", "MarkdownProblem", "ParsedMarkdown", "RawBlock", "parse"]
