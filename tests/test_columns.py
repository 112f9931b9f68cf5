"""How table columns are judged."""

from __future__ import annotations

import pytest

from pipeline.document import Alignment, Table
from pipeline.writers.columns import column_style, room
from tests.sample import cells


def table(*column: str, alignment: Alignment = "") -> Table:
    return Table(cells("A heading of some length"), tuple(cells(text) for text in column), (alignment,))


@pytest.mark.parametrize("value", ["1", "1,234", "1 234,5", "−20%", "+3.5", "$1,200", "12 km", "٣٤٥", "1998", "–", ""])
def test_numbers_stand_at_the_right(value: str) -> None:
    assert column_style(table("7", value), 0) == "figures"


@pytest.mark.parametrize("value", ["A-101", "12 September", "one", "1998/99", "9" * 30, "–"])
def test_words_do_not(value: str) -> None:
    assert column_style(table(value), 0) == ""


def test_the_authors_alignment_wins() -> None:
    assert column_style(table("1", "2", alignment="center"), 0) == "center"


def test_short_columns_are_not_broken() -> None:
    assert column_style(Table(cells("Tape"), (cells("A-101"),), ("",)), 0) == "brief"


def test_wide_tables_are_found_by_their_words() -> None:
    assert room(Table(cells(*"abc"), (), ("",) * 3)) == ""
    assert room(Table(cells(*["words of no great length here"] * 4), (), ("",) * 4)) == "broad"
    assert room(Table(cells(*["unbreakable"] * 8), (), ("",) * 8)) == "wide"
    assert room(Table(cells(*["unbreakable"] * 12), (), ("",) * 12)) == "very-wide"
