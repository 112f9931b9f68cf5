"""Markdown as GitHub reads it (CommonMark 0.31 and GitHub Flavored Markdown), as an extension of Python-Markdown.

In: text. Out: an element tree in which blocks, links and pictures carry their line (``data-line``), and the problems of
the text by line. Raw HTML is a problem, never output. The package knows nothing of press releases or of the rest of
Dateline; ``markdown.markdown(text, extensions=[GitHubMarkdown()])`` works as well.

Why it exists. Python-Markdown alone separates blocks by blank lines and nests by four spaces: it misses a list
straight below a paragraph, two-space nesting and a fence in a list. pymdown-extensions keeps that block reader, so
these still read differently from GitHub, and so do many cases of emphasis. markdown-it-py follows GitHub, but gives
lines for blocks only, so a fault in a long paragraph could not be reported on its own line. It also departs from the
rules for empty list items, code spans over several lines and tildes; our tests compare this reader with it.
"""

from pipeline.reader.markdown.blocks import RawBlock
from pipeline.reader.markdown.extension import GitHubMarkdown, MarkdownProblem, ParsedMarkdown, parse

__all__ = ["GitHubMarkdown", "MarkdownProblem", "ParsedMarkdown", "RawBlock", "parse"]
