"""How table columns are judged."""

from __future__ import annotations

import pytest

from pipeline.model.document import Alignment, Table
from pipeline.writers.table_layout import PaperTable, TableRoom, code_style, column_style, fit, share
from tests.support.sample import cells


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


A4 = TableRoom(354.3, 453.5, 686, 700)


def fitted(*heads: str, rows: int = 1, room: TableRoom = A4) -> PaperTable:
    unaligned: list[Alignment] = [""] * len(heads)
    return fit(Table(cells(*heads), (cells(*heads),) * rows, tuple(unaligned)), room)


def test_table_is_set_as_large_as_its_words_allow() -> None:
    assert fitted("Tape", "Subject") == PaperTable("narrow short")
    assert fitted(*["Tape of the archive"] * 3) == PaperTable("short")
    broad = fitted(*["words of some length here"] * 4)
    assert broad.classes == "broad short"
    assert sum(broad.widths) == pytest.approx(453.5, abs=0.5)
    assert fitted(*["words and words and words"] * 7).classes == "broad short"
    assert fitted(*["unbreakable"] * 8).classes == "broad small short"
    assert fitted(*["unbreakable"] * 10).classes == "broad smaller short"
    assert fitted(*["unbreakable"] * 13).classes == "turned small"
    assert fitted(*["unbreakable"] * 30).classes == "broad smallest short"


def test_nothing_is_turned_where_it_may_not_be() -> None:
    assert fitted(*["unbreakable"] * 13, room=TableRoom(354.3, 453.5, 686)).classes == "broad smallest short"


def test_long_table_may_be_broken() -> None:
    assert fitted("Tape", "Subject", rows=40) == PaperTable("narrow")


def test_head_that_is_longer_than_its_column_is_broken_into_lines() -> None:
    head = cells("Year", "Releases that were issued in the course of the year", "Remarks")
    rows = tuple(cells(str(year), "120", "Most of them were written at night, and read") for year in range(1990, 1999))
    found = fit(Table(head, rows, ("", "", "")), A4)
    assert found.classes == "short"
    assert sum(found.widths) == pytest.approx(A4.measure, abs=0.5)
    assert found.widths[1] < found.widths[2] / 1.5


def test_columns_fill_the_room_and_no_more() -> None:
    setting = fitted("Tape", "Minutes", "A remark that is long " * 9, "https://example.org/" + "long/" * 40)
    assert sum(setting.widths) == pytest.approx(453.5, abs=0.5)
    assert setting.widths[0] < setting.widths[1] < setting.widths[3]


def test_rest_is_shared_by_wish_and_never_beyond_it() -> None:
    assert share(100, [10, 10], [20, 30]) == [40, 60]
    assert share(100, [60, 90], [60, 90]) == [40, 60]
    shares = share(100, [10, 10, 10], [10, 20, 900])
    assert shares[:2] == [10, pytest.approx(16.7, abs=0.1)]
    assert sum(shares) == pytest.approx(100)
    assert share(100, [10, 10, 10], [10, 12, 900]) == [10, 12, 78]


def test_code_is_set_smaller_when_its_lines_are_long() -> None:
    assert code_style("x" * 60) == "short"
    assert code_style("\n".join(["x" * 70] * 40)) == "close"
    assert code_style("\n".join(["x" * 90] * 40)) == "long"
    assert code_style("\n".join(["x" * 110] * 40)) == "longest"
    assert code_style("\n".join(["x" * 50] * 40 + ["x" * 400])) == ""


def test_columns_of_running_text_and_of_long_words_are_told_to_the_page() -> None:
    assert column_style(table("many words " * 9), 0) == "talk"
    assert column_style(table("a" * 40), 0) == "parted"
