"""A CSV file that is written row by row, survives being killed, and appears whole.

Rows go to `FILE.partial`, each with its place in the table, after a first line that says what is being computed. A
later run of the same computation reads what is there (a torn last line is dropped) and goes on; the finished table is
put in order, written beside and renamed.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from nngp_dag.errors import InputError

__all__ = ["TableJournal"]


class TableJournal:
    """The rows of a table on their way to a CSV file.

    Args:
        out: the CSV file, whose folder exists.
        columns: its columns.
        identity: what is computed (JSON-able); a journal of something else is refused.

    Raises:
        InputError: the folder is missing or not writable, or a journal of another computation is in the way.
    """

    def __init__(self, out: Path, columns: Sequence[str], identity: Mapping[str, Any]) -> None:
        self.out, self.columns = out, tuple(columns)
        self.rows: dict[int, list[str]] = {}
        if not out.parent.is_dir():
            raise InputError(f"cannot write {out}: the folder {out.parent} does not exist")
        if out.is_dir():
            raise InputError(f"cannot write {out}: it is a directory (expected the name of a CSV file)")
        self.path = out.with_name(out.name + ".partial")
        header = json.dumps(identity, sort_keys=True)
        try:
            if self.path.exists():
                self._read(header)
            else:
                self.path.write_text(header + "\n")
            self._file = self.path.open("a", newline="")
        except OSError as error:
            raise InputError(f"cannot write {self.path}: {error.strerror or error}") from None

    def _read(self, header: str) -> None:
        text = self.path.read_text()
        whole = text[: text.rfind("\n") + 1]
        first, _, body = whole.partition("\n")
        if first and first != header:
            raise InputError(
                f"{self.path} holds rows of another sweep: remove it to start anew, or choose another --out"
            )
        for row in csv.reader(io.StringIO(body)):
            self.rows[int(row[0])] = row[1:]
        with self.path.open("r+") as file:  # what a kill tore off mid-line goes
            file.truncate(len(whole.encode()))
        if not first:
            self.path.write_text(header + "\n")

    def add(self, index: Iterable[int], rows: Iterable[Mapping[str, Any]]) -> None:
        """Append rows with their places in the table, and hand them to the disk before returning."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        for i, row in zip(index, rows, strict=True):
            values = [_shown(row[column]) for column in self.columns]
            self.rows[int(i)] = values
            writer.writerow([int(i), *values])
        self._file.write(buffer.getvalue())
        self._file.flush()
        os.fsync(self._file.fileno())

    def finish(self) -> None:
        """Write the table in order, rename it into place, and remove the journal."""
        self._file.close()
        beside = self.out.with_name(f".{self.out.name}.tmp")
        with beside.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self.columns)
            writer.writerows(self.rows[i] for i in sorted(self.rows))
        os.replace(beside, self.out)
        self.path.unlink()

    def __enter__(self) -> TableJournal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _shown(value: Any) -> str:
    """Integers exactly, floats to the last bit, undefined figures empty."""
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)
