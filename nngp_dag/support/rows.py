"""A file of rows, one an architecture, that survives being killed: CSV or JSON lines.

Every row is handed to the disk before the next is computed, and carries a digest of the settings it was computed with.
A later run with the same settings reads what is there (a torn last line is dropped) and goes on.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from nngp_dag.errors import InputError

__all__ = ["SUFFIXES", "RowFile", "check_path"]

SUFFIXES = (".csv", ".jsonl")


def check_path(path: Path) -> None:
    """InputError where rows cannot be written to that path, by its name or its folder."""
    if path.suffix not in SUFFIXES:
        raise InputError(f"cannot write {path}: the name has to end in {' or '.join(SUFFIXES)}")
    if not path.parent.is_dir():
        raise InputError(f"cannot write {path}: the folder {path.parent} does not exist")
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a directory")


class RowFile:
    """Rows keyed by their first column.

    Args:
        path: a .csv or .jsonl file in an existing folder.
        columns: names; the first is the key (text), the others are numbers.
        settings: digest of what the rows are computed with, written as a last column `settings`.
        undefined: by column, the number that stands for a null of a JSON line (an infinite score).

    Raises:
        InputError: a file of another kind, or with rows of other settings or columns.
    """

    def __init__(
        self, path: Path, columns: Sequence[str], settings: str, undefined: Mapping[str, float] | None = None
    ) -> None:
        check_path(path)
        self.path, self.columns, self.settings = path, (*columns, "settings"), settings
        self.undefined = dict(undefined or {})
        self.rows: dict[str, dict[str, Any]] = {}
        with _reported(path):
            whole = self._read() if path.exists() else 0
            self._file = path.open("ab")
            self._file.truncate(whole)  # what a kill tore off mid-line goes
        if path.suffix == ".csv" and not whole:
            try:
                self._write(self._csv(self.columns))
            except InputError:
                with contextlib.suppress(OSError):  # the same again
                    self._file.close()
                raise

    def add(self, row: Mapping[str, Any]) -> None:
        """Append one row and hand it to the disk before returning."""
        row = {**row, "settings": self.settings}
        self.rows[row[self.columns[0]]] = dict(row)
        if self.path.suffix == ".csv":
            self._write(self._csv([_shown(row[column]) for column in self.columns]))
        else:
            self._write(json.dumps({column: _plain(row[column]) for column in self.columns}, allow_nan=False) + "\n")

    def _write(self, line: str) -> None:
        with _reported(self.path):
            self._file.write(line.encode())
            self._file.flush()
            os.fsync(self._file.fileno())

    @staticmethod
    def _csv(values: Sequence[Any]) -> str:
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerow(values)
        return buffer.getvalue()

    def _read(self) -> int:
        """Take over the rows that are there; the number of bytes up to the last whole line."""
        try:
            data = self.path.read_bytes()
            whole = data.rfind(b"\n") + 1
            lines = data[:whole].decode().splitlines()
            if data and not whole:
                self._check_start(data.decode(errors="replace"))
        except UnicodeDecodeError:
            raise InputError(f"{self.path} is no file of scores: remove it, or choose another --out") from None
        is_csv = self.path.suffix == ".csv"
        if is_csv and lines and next(csv.reader(lines[:1])) != list(self.columns):
            raise InputError(f"{self.path} has other columns: remove it to start anew, or choose another --out")
        for line in lines[is_csv:]:
            row = self._parse(next(csv.reader([line])) if is_csv else line)
            if row["settings"] != self.settings:
                raise InputError(
                    f"{self.path} holds rows of another run (other scores, data, sizes or seed): remove it to start"
                    " anew, or choose another --out"
                )
            self.rows[row[self.columns[0]]] = row
        return whole

    def _check_start(self, torn: str) -> None:
        """InputError where a file without a whole line is not the beginning of one of these: it may be anything."""
        if self.path.suffix == ".csv":
            ours = self._csv(self.columns).startswith(torn)
        else:
            start = json.dumps({self.columns[0]: ""})[:-2]
            ours = torn.startswith(start) or start.startswith(torn)
            try:
                json.loads(torn)
            except ValueError:
                pass  # torn
            else:
                self._parse(torn)  # whole but for its end of line
        if not ours:
            raise InputError(f"{self.path} is no file of these scores: remove it, or choose another --out")

    def _parse(self, line: Any) -> dict[str, Any]:
        try:
            values = dict(zip(self.columns, line, strict=True)) if isinstance(line, list) else json.loads(line)
            row = {self.columns[0]: values[self.columns[0]], "settings": values["settings"]}
            for column in self.columns[1:-1]:
                value = values[column]
                row[column] = self.undefined.get(column, math.nan) if value is None else float(value)
            return row
        except (ValueError, KeyError, TypeError):
            raise InputError(f"{self.path} is no file of these scores: remove it, or choose another --out") from None

    def __enter__(self) -> RowFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # After an error, what could not be written was reported already.
        with _reported(self.path) if error is None else contextlib.suppress(OSError):
            self._file.close()


@contextlib.contextmanager
def _reported(path: Path) -> Iterator[None]:
    """InputError, with the system's reason, where the file cannot be written."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from None


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _shown(value: Any) -> str:
    """Numbers to the last bit; whole ones without a point."""
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    return str(value)
