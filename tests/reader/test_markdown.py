"""What is typed is what is printed: cases in text files, texts at random, and, where marks can only be meant as marks,
the same tree as another reader finds by GitHub's rules."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markdown import markdown

from pipeline.model.document import Block, Heading, List, ListItem, Paragraph, Quote, inlines_of, plain
from pipeline.model.errors import Fault, ReleaseError
from pipeline.reader.body import read_body
from pipeline.reader.markdown import GitHubMarkdown, extension, parse
from pipeline.reader.pictures import ReleasePictures
from pipeline.reader.report import Report
from tests.support import markdown_oracle as oracle
from tests.support.markdown_outline import Case, accept, cases, outline


def read(text: str, language: str = "en") -> tuple[tuple[Block, ...], tuple[Block, ...], tuple[Fault, ...]]:
    """Return body, notes and faults."""
    report = Report("x.md")
    body, notes = read_body(text, 1, language, ReleasePictures(Path("/nonexistent"), "x", report), report)
    try:
        report.raise_faults()
    except ReleaseError as error:
        return body, notes, error.faults
    return body, notes, ()


def reads_as(case: Case) -> str:
    report = Report("x.md")
    body, notes = read_body(case.markdown, 1, "en", ReleasePictures(Path("/nonexistent"), "x", report), report)
    found = [outline(body)] if body else []
    faults = () if not report.count else report.error().faults
    found += [f"fault, line {fault.line}: {fault.message}" for fault in faults if "no such file" not in fault.message]
    found += [f"warning, line {warning.line}: {warning.message}" for warning in report.warnings]
    return "\n".join(found + ([f"--- notes to editors\n{outline(notes)}"] if notes else []))


def comparable(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """The tree without the tightness of lists that hold no paragraph, where it is invisible."""
    return tuple(map(_comparable, blocks))


def _comparable(block: Block) -> Block:
    if isinstance(block, Quote):
        return Quote(comparable(block.children))
    if isinstance(block, List):
        plain = not any(isinstance(child, Paragraph) for item in block.items for child in item.children)
        items = tuple(ListItem(comparable(item.children), item.checked) for item in block.items)
        return List(block.ordered, items, block.start, block.tight or plain)
    return block


@pytest.mark.parametrize("name", ["github", "dateline"])
def test_accept(name: str) -> None:
    """``ACCEPT=1`` rewrites the files of cases; without it the files must be as they would be written."""
    found = [Case(case.title, case.markdown, reads_as(case)) for case in cases(name)]
    if os.environ.get("ACCEPT"):
        accept(name, found)
    assert found == cases(name)
    assert len({case.title for case in found}) == len(found)


@pytest.mark.parametrize("case", cases("github"), ids=lambda case: case.title)
def test_reads_as_github_does(case: Case) -> None:
    """The outline in the file, and the tree of another reader with GitHub's rules."""
    body, notes, faults = read(case.markdown)
    assert not faults
    assert outline(body + notes) == case.outline.partition("\nwarning, ")[0]
    assert body + notes == oracle.read(case.markdown)


@pytest.mark.parametrize("case", cases("dateline"), ids=lambda case: case.title)
def test_reads_as_a_release_needs(case: Case) -> None:
    """End marks, notes, pictures, and refused syntax."""
    assert reads_as(case) == case.outline


SIGNS = (
    st.sampled_from(["3~5일", "10~16", ">80%", "+", "44", "-", "4%", "#", "1", "1.", "2.", "3.", "12.", "24.", "Mai"])
    | st.sampled_from(["5*3*2", "a_b", "x^2", "*", "_", "~5", "a", "b.", "c:", "|", "[y]", "(z)", "a@b.org", ">", "•"])
    | st.sampled_from(["…", "§", "&", "<5", "\n", "\n", "\n", "\n\n"])
)


@settings(max_examples=700)
@given(st.lists(SIGNS, min_size=1, max_size=14).map(" ".join))
def test_what_is_typed_is_what_is_printed(text: str) -> None:
    """Where a text is not refused, all its letters, figures and signs are there, but for marks at line beginnings."""
    text = re.sub(r" ?\n ?", "\n", text)
    body, notes, faults = read(text)
    assume(not faults)
    printed = "".join("".join(_printed(body + notes)).split())
    assert sorted(re.sub(r"[-+*#>_|\s]", "", printed)) == sorted(re.sub(r"[-+*#>_|\s]", "", text))
    for word in re.findall(r"\S*\d\S*", text):
        assert word in printed


def _printed(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        for inlines in inlines_of(block):
            yield plain(inlines) + " "
        if isinstance(block, Quote):
            yield from _printed(block.children)
        if isinstance(block, List):
            for number, item in enumerate(block.items, block.start):
                yield f"{number}. " if block.ordered else ""
                yield from _printed(item.children)


@pytest.mark.parametrize(
    "text",
    [
        "- 4% less",
        "> 50% late",
        "# 1 in Europe",
        "* A note",
        "+ men alike",
        "It fell\n- so he says",
        "We are\n# one",
        "He said\n> so.",
        "on the evening of\n1. May and\n2. June",
    ],
)
def test_the_way_to_write_a_sign_that_is_shown_works(text: str) -> None:
    _, _, faults = read(text)
    way = re.match("for the sign write (.*); for a ", faults[0].hint)
    lines = text.split("\n")
    assert way
    lines[faults[0].line - 1] = way[1]
    body, _, faults = read("\n".join(lines))
    assert not faults
    assert "".join(_printed(body)).split() == text.split()


WORDS = st.sampled_from(
    ["Beta SP", "tape 12", "the archive", "*new*", "**42** minutes", "`a | b`", "a_b_c", "five * three", "a ~ b"]
)
MARKS = st.sampled_from(["- ", "-   "])


@st.composite
def nested(draw: st.DrawFn, depth: int = 0) -> list[str]:
    """Lines of a few blocks; containers hold such lines again, indented as their mark asks or lazily by two."""
    lines: list[str] = []
    kinds = ["words", "words", "fence", "table", "heading", "rule", "list", "list", "quote"]
    for kind in draw(st.lists(st.sampled_from(kinds if depth < 3 else kinds[:4]), min_size=1, max_size=3)):
        words = draw(WORDS)
        if kind == "words":
            lines += ["", words, *draw(st.lists(WORDS, max_size=1)), ""]
        elif kind == "fence":
            mark = draw(st.sampled_from(["~~~", "~~~~"]))  # backticks may turn out a code span, see below
            lines += [mark + draw(st.sampled_from(["", "sh", " python "])), words, "", f"  {words}", mark]
        elif kind == "table":
            lines += ["", "| a | b |", "|---|:-:|", f"| {words.replace('|', '-')} | x |"]
        elif kind == "heading":
            lines.append("#" * draw(st.integers(2, 6)) + f" {words}")
        elif kind == "rule":
            lines += ["", "***"]
        elif kind == "quote":
            lines += [f"> {line}".rstrip() for line in draw(nested(depth + 1))]
        else:
            lines += draw(listed(depth))
        lines += [""] * draw(st.integers(0, 1))
    return lines


@st.composite
def listed(draw: st.DrawFn, depth: int) -> list[str]:
    mark = draw(MARKS)
    gap = draw(st.integers(0, 1))
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        inner = draw(nested(depth + 1))
        first = next(i for i, line in enumerate(inner) if line)
        indent = " " * len(mark)
        lines += [mark + inner[first], *((indent + line).rstrip() for line in inner[first + 1 :])]
        lines += [""] * gap
    return lines


@settings(max_examples=200)
@given(nested())
def test_nesting_reads_as_on_github(lines: list[str]) -> None:
    """Lists, quotes, fences and tables within each other."""
    text = "\n".join(lines) + "\n"
    body, notes, faults = read(text)
    assert not faults
    assert comparable(body + notes) == comparable(oracle.read(text))


SOUP = st.lists(
    st.sampled_from(
        ["\n\n- ", "\n\n* ", "\n\n1. ", "\n\n> ", "  ", "    ", " ", "\n", "\n\n", "a", "b c", "```\n", "~~~\n", "\n# "]
    )
    | st.sampled_from(["## h", "---\n", "===\n", "\n| a | b |\n|---|--:|\n", "| x | y |\n", "d", "[ ] t ", "***\n"]),
    max_size=12,
).map("".join)


@settings(max_examples=400)
@given(SOUP)
def test_random_blocks_read_as_on_github(soup: str) -> None:
    """Any sequence of block marks."""
    text = soup.rstrip(" ") + "\nlast\n"
    # The oracle lets blank lines below an empty item end the whole list; the specification does not.
    assume(not re.search(r"(?m)([-*+]|\d[.)])[ \t]*\n[ \t>]*\n", text))
    # It also keeps the indentation of lines within a code span, and lets an indented > or - end a paragraph.
    assume(not re.search(r"[a-z\]|] *`| {4}>|(?m:^ {4,}-$)", text))
    body, notes, faults = read(text)
    assume(not faults)  # it may be read in two ways
    assert comparable(body + notes) == comparable(oracle.read(text))


INLINES = st.lists(
    st.sampled_from(["*a*", "**b c**", "_d_", "__e__", "`g`", "``h ` i``", "[j *k*](https://example.org/l_m)"])
    | st.sampled_from(["<https://example.org/?a=1&b=2>", "https://example.org/n_o", "p@example.org", "q_r_s", "3 * 4"])
    | st.sampled_from(
        ["&amp;", "&copy;", "\\*", "\\[", "a < b", "x <3", "{{ 7 }}", "한국어", "مرحبا", "“t”", "***u***"]
    )
    | st.sampled_from(["[v]", "w] x", "![", "`", "*", "_", "~", "a\\\nb", "a  \nb", "a\nb", "<y@example.org>"]),
    min_size=1,
    max_size=8,
).map(" ".join)


@settings(max_examples=400)
@given(INLINES)
def test_lines_read_as_on_github(text: str) -> None:
    """Emphasis, code, links, escapes and line breaks, side by side."""
    body, _, _ = read(f"a {text} z")
    assert body == oracle.read(f"a {text} z")


DELIMITERS = st.sampled_from(["*", "**", "***", "****", "_", "__", "___", "~", "*_", "_*"])
NEIGHBOURS = (
    st.sampled_from(["a", "b", " ", "é", "q_r_s", "\u00a0", "{{ 7 }}"])
    | st.sampled_from([".", ",", "(", ")", "“", "”", "—", "€", "©", "?", "[", "]", "'"])
    | st.sampled_from(["`c`", "`*`", "<https://example.org/_a_>", "\\*", "\\_", "\\\\", "&amp;", "&auml;", "&#42;"])
    | st.sampled_from(["[l](https://example.org)", "[*l](https://example.org/_)", "[l* **m**](https://example.org)"])
    | st.sampled_from(["\nb", "\n*b", "\n_b", "  \nb", "  \n**b", "\\\nb", "\\\n*b", "\\\n_“"])
)


@settings(max_examples=700)
@given(
    st.lists(DELIMITERS | NEIGHBOURS, min_size=1, max_size=14).map("".join), st.sampled_from(["x{}", "x {}", "# {}"])
)
def test_emphasis_reads_as_on_github(text: str, frame: str) -> None:
    """Any sequence of delimiter runs beside any character; a heading begins and ends with them."""
    assume("\n" not in text or frame != "# {}")
    text = re.sub(r" +\\\n", r"\\\n", frame.format(text))  # spaces there are invisible
    assume(not re.search(r"[^\W_][*_~]*\*[*_~]*[^\W_]|[^\W_]~[^\s~]{1,12}~", text))  # departures of ours
    body, _, _ = read(text)
    assert body == oracle.read(text)


@pytest.mark.parametrize(
    "unit", ["*a_ ", "a**b", "*_", "_a*", "a***b**c*", "~a ~~b", "*`a`_ ", "*a **b ***c ", "_(*)~", "*", "**a"]
)
def test_time_for_delimiters_is_linear(unit: str) -> None:
    """Long sequences take little time; deep nesting is a fault."""
    start = time.process_time()
    read(unit * (60_000 // len(unit)))
    read("*" * 30_000 + unit * 1_000 + "*" * 30_000)
    assert time.process_time() - start < 5


HTML = [
    "<b>",
    "</b>",
    "<i/>",
    "<!-- x -->",
    "<?php x ?>",
    "<!DOCTYPE x>",
    "<div\n class='a'>",
    "<a href=x>",
    "<SCRIPT>",
]


@pytest.mark.parametrize("tag", HTML)
@pytest.mark.parametrize(
    "frame", ["{}", "words {} words", "- {}", "> words {}", "# {} x", "| a |\n|---|\n| {} |", "*x {} y*"]
)
def test_raw_html_is_refused_where_github_sees_it(tag: str, frame: str) -> None:
    """Blocks and spans of HTML are one fault each, on their line."""
    text = f"First paragraph.\n\n{frame.format(tag)}\n"
    try:
        expected: object = oracle.read(text)
    except oracle.HoldsHtmlError:
        expected = None
    body, _, faults = read(text)
    if expected is None:
        assert {fault.message.partition(":")[0] for fault in faults} == {"raw HTML"}
        assert all(3 <= fault.line <= 5 for fault in faults)
    else:
        assert not faults
        assert body == expected


@given(st.lists(st.integers(1, 6), max_size=8))
def test_headings_start_at_two_and_leave_no_gap(levels: list[int]) -> None:
    """The headline is the only heading of level 1, and no level is skipped."""
    body, _, _ = read("\n\n".join(f"{'#' * level} Heading" for level in levels) + "\n\nText")
    given_levels = [1, *(block.level for block in body if isinstance(block, Heading))]
    assert len(given_levels) == len(levels) + 1
    assert all(2 <= after <= before + 1 for before, after in pairwise(given_levels))


def test_quotes_may_nest() -> None:
    """Containers nest up to a limit that no release reaches."""
    (block,), _, faults = read("> " * 12 + "deep")
    assert not faults
    assert isinstance(block, Quote)


def test_extension_works_with_python_markdown_alone() -> None:
    """It imports nothing else of Dateline, and raw HTML is text in its output."""
    html = markdown("Bring\n- pens <b>\n- *ink*\n", extensions=[GitHubMarkdown()])
    items = '<li data-line="2"><p data-line="2">pens <span>&lt;b&gt;</span></p></li>'
    items += '<li data-line="3"><p data-line="3"><em>ink</em></p></li>'
    bullets = f'<ul data-line="2" start="1" data-tight="tight">{items}</ul>'
    assert html == f'<div><p data-line="1">Bring</p>{bullets}</div>'
    for module in Path(extension.__file__).parent.glob("*.py"):
        imports = re.findall(r"^(?:from|import) (pipeline\S*)", module.read_text("utf-8"), re.MULTILINE)
        assert all(name.startswith("pipeline.reader.markdown.") for name in imports), module


def test_problems_have_the_line_of_the_text() -> None:
    parsed = parse("one\ntwo <i>\n\n> three\n> [four](x)\n", first_line=10)
    assert [(problem.line, problem.message) for problem in parsed.problems] == [(11, "raw HTML: <i>")]
    assert [link.get("data-line") for link in parsed.root.iter("a")] == ["14"]
