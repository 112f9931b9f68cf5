"""A release in any language is written in every format, and is read out of its PDF as it was written."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache
from importlib import import_module
from pathlib import Path

import msgspec
import pytest

from pipeline.build import parity
from pipeline.build.parity.expected import article_words
from pipeline.model.formats import FORMATS
from pipeline.typography import fonts
from pipeline.typography.fonts import packages
from pipeline.writers import Output, RenderInput
from tests.support import declaration, pdf_readers

FROM_LEFT = [name for names in declaration.FROM_LEFT.values() for name in names.split()]
ALL = [*FROM_LEFT, *declaration.FROM_RIGHT.split()]


@cache
def written(name: str) -> tuple[RenderInput, dict[str, bytes]]:
    """Write a declaration in every format that has words of its own."""
    render_input = declaration.render_input(name)
    lacking = fonts.coverage(msgspec.json.encode(render_input.article).decode(), render_input.release.language).lacking
    if lacking:
        pytest.skip(f"no faces for {name} here: {packages.install_command(lacking[0][1])}")
    made: dict[str, bytes] = {}
    for row in (row for row in FORMATS if not row.packs):
        output: Output = import_module(f"pipeline.writers.{row.writer}").write(render_input)
        made[row.name] = output.data
    return render_input, made


@pytest.mark.parametrize("name", ALL)
def test_every_format_says_what_the_release_says_without_a_warning(name: str) -> None:
    render_input, made = written(name)
    warnings = {row.name: parity.check(row, render_input, made[row.name]) for row in FORMATS if row.name in made}
    assert not any(warnings.values()), warnings


@pytest.mark.parametrize("reader", pdf_readers.READERS)
@pytest.mark.parametrize("name", FROM_LEFT)
def test_every_letter_is_read_out_of_the_pdf(name: str, reader: str, tmp_path: Path) -> None:
    render_input, made = written(name)
    told = letters(pdf_readers.READERS[reader](made["pdf"], tmp_path))
    lost = letters(" ".join(article_words(render_input.article, render_input.messages))) - told
    assert not lost


def letters(text: str) -> Counter[str]:
    """Count letters, figures and marks, without those that nobody sees."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return Counter(re.sub(r"[^\w\u0300-\u036f\u0900-\u109f\u1780-\u17ff]", "", plain))
