"""How the columns of a table are set, judged by what stands in them: the classes that style sheets know."""

from __future__ import annotations

import re

from pipeline.document import Table, plain

_FIGURE = re.compile(r"[-+−–±~<>≤≥]?\s*[$€£¥]?\s*[\d٠-٩][\d٠-٩.,٫٬\s\u00a0\u202f]*\s*(%|٪|[^\W\d]{1,3}\.?)?")
"""A number as it stands in a table, perhaps with a sign, a currency or a short unit."""
_NOTHING = {"", "–", "—", "-", "…", "n/a"}
LONGEST_FIGURE = 24


BRIEF = 12
"""Characters up to which a column's cells are not broken into lines."""


def column_style(table: Table, column: int) -> str:
    """Return the classes of a column: its alignment (``figures`` for numbers that have none), and ``brief``."""
    cells = [plain(row[column].children).strip() for row in (table.head, *table.rows)]
    numbers = set(cells[1:]) - _NOTHING
    figures = (
        "figures"
        if numbers and all(len(value) <= LONGEST_FIGURE and _FIGURE.fullmatch(value) for value in numbers)
        else ""
    )
    brief = "brief" if max(map(len, cells)) <= BRIEF else ""
    return " ".join(filter(None, (table.alignments[column] or figures, brief)))


ROOM = 90
"""Characters of the common size that fit side by side in the text column, as paper has it."""


def room(table: Table) -> str:
    """Return the class of a table that needs more room than the text column gives.

    ``broad``: its cells would have to be broken into many lines; ``wide`` and ``very-wide``: even its longest words do
    not fit side by side at the common size.
    """
    columns = list(zip(*((plain(cell.children) for cell in row) for row in (table.head, *table.rows)), strict=True))
    words = sum(max((len(word) for cell in column for word in cell.split()), default=1) + 3 for column in columns)
    if words > ROOM:
        return "very-wide" if words > 1.45 * ROOM else "wide"
    return "broad" if sum(min(max(map(len, column)), 40) + 3 for column in columns) > ROOM else ""
