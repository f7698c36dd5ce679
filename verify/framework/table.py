"""Tables of a claim's evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from verify.framework.checks import plain, text
from verify.framework.errors import EvidenceError

__all__ = ["Cell", "Table"]

Cell = object
"""A cell: text, a number, a truth value, or None where there is nothing to show."""


@dataclass(frozen=True)
class Table:
    """A table, drawn by every report.

    Attributes:
        title: what it shows.
        columns: the heads, one per column.
        rows: cells, as many per row as there are columns; undefined numbers are shown as nothing.

    Raises:
        EvidenceError: a row of another length, or a cell that JSON has no type for.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def __post_init__(self) -> None:
        text(self.title, "title of a table")
        what = f"table {self.title!r}"
        if isinstance(self.columns, str):
            raise EvidenceError(f"{what}: columns are a sequence of text")
        columns = tuple(text(column, f"{what}, columns") for column in self.columns)
        for number, row in enumerate(self.rows, start=1):
            if isinstance(row, str) or not isinstance(row, Sequence) or len(row) != len(columns):
                raise EvidenceError(f"{what}: row {number} has not one cell per column ({len(columns)})")
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "rows", tuple(tuple(row) for row in plain(self.rows, what)))  # type: ignore[attr-defined]
