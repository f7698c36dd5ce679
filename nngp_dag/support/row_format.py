"""One row of a table as one line of text, and back: CSV, or JSON lines."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

__all__ = ["Cell", "CsvRows", "JsonRows", "Row", "RowFormat", "exact_text", "row_format", "short_text"]

Cell = str | int | float | None
"""A value that a table may hold; None is an undefined number."""

Row = dict[str, Cell]
"""A row by its columns."""


class RowFormat(Protocol):
    """Rows as lines without their line ends.

    Attributes:
        columns: names; the first holds the row's key.
        header: the line that begins a file; None where there is none.
    """

    @property
    def columns(self) -> tuple[str, ...]: ...

    @property
    def header(self) -> str | None: ...

    def render(self, row: Mapping[str, Cell]) -> str:
        """The line of a row."""

    def parse(self, line: str) -> Row:
        """The row of a line; ValueError where it is none of these."""

    def may_begin(self, text: str) -> bool:
        """True where a text without any line end may be the torn beginning of a file of these rows."""


def exact_text(value: Cell) -> str:
    """Integers exactly, floats to the last bit, undefined numbers empty."""
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)


def short_text(value: Cell) -> str:
    """As `exact_text`, but whole floats without their point."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return repr(int(value))
    return exact_text(value)


class CsvRows:
    """Comma-separated values under a header.

    Args:
        columns: names; the first holds the key.
        text: columns that hold text; the others hold numbers.
        short: whole floats are written without their point.
    """

    def __init__(self, columns: Sequence[str], text: Iterable[str] = (), *, short: bool = False) -> None:
        self.columns, self._text = tuple(columns), frozenset(text)
        self._cell = short_text if short else exact_text
        self.header: str | None = self._line(self.columns)

    def render(self, row: Mapping[str, Cell]) -> str:
        """The row's cells in the order of the columns."""
        return self._line([self._cell(row[column]) for column in self.columns])

    def parse(self, line: str) -> Row:
        """Numbers as floats, None where a cell is empty."""
        cells = dict(zip(self.columns, next(csv.reader([line]), []), strict=True))
        return {
            column: cell if column in self._text else float(cell) if cell else None for column, cell in cells.items()
        }

    def may_begin(self, text: str) -> bool:
        """A beginning of the header."""
        return self._line(self.columns).startswith(text)

    @staticmethod
    def _line(cells: Sequence[str]) -> str:
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="").writerow(cells)
        return buffer.getvalue()


class JsonRows:
    """An object per line, with null for numbers that are not finite.

    Args:
        columns: names; the first holds the key.
        text: columns that hold text; the others hold numbers.
        undefined: by column, the number that a null stands for (an infinite score); NaN for the others.
    """

    def __init__(
        self, columns: Sequence[str], text: Iterable[str] = (), *, undefined: Mapping[str, float] | None = None
    ) -> None:
        self.columns, self._text = tuple(columns), frozenset(text)
        self._undefined = dict(undefined or {})
        self.header: str | None = None

    def render(self, row: Mapping[str, Cell]) -> str:
        """The row as an object."""
        values = {column: row[column] for column in self.columns}
        plain = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()}
        return json.dumps(plain, allow_nan=False)

    def parse(self, line: str) -> Row:
        """Numbers as floats, null as the column's undefined number."""
        try:
            values = json.loads(line)
        except RecursionError:
            raise ValueError("nested too deeply") from None
        if not isinstance(values, dict) or not set(self.columns) <= set(values):
            raise ValueError("other columns")
        return {column: self._cell(column, values[column]) for column in self.columns}

    def _cell(self, column: str, value: object) -> Cell:
        if column in self._text:
            return str(value)
        if value is None:
            return self._undefined.get(column, math.nan)
        if not isinstance(value, (int, float)):
            raise ValueError(f"{column} is no number")
        try:
            return float(value)
        except OverflowError:
            raise ValueError(f"{column} is beyond float64") from None

    def may_begin(self, text: str) -> bool:
        """A beginning of an object whose first name is the key's, or a whole one but for its line end."""
        start = json.dumps({self.columns[0]: ""})[:-2]
        if not (text.startswith(start) or start.startswith(text)):
            return False
        try:
            json.loads(text)
        except ValueError:
            return True  # torn
        except RecursionError:
            return False
        try:
            self.parse(text)
        except ValueError:
            return False  # a whole object of another kind
        return True


def row_format(
    path: Path,
    columns: Sequence[str],
    text: Iterable[str] = (),
    *,
    short: bool = False,
    undefined: Mapping[str, float] | None = None,
) -> RowFormat:
    """The format that a file's name asks for: CSV for `.csv`, JSON lines for `.jsonl`; arguments as theirs."""
    return (
        JsonRows(columns, text, undefined=undefined) if path.suffix == ".jsonl" else CsvRows(columns, text, short=short)
    )
