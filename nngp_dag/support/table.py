"""Tables whose rows take long: every row is kept as soon as it is finished, and a killed run goes on where it was.

Finished rows are in `OUT.partial` (`row_log`), each with a checksum, after a line that says what is being computed; the
file is gone when the table is whole. Two kinds of tables differ in when OUT itself appears: a `WholeTable` is written
at once when its last row is there, a `GrowingTable` can be read while it grows. Rows that were damaged, torn off or
written twice are left out, which is said in one line on stderr, and the caller computes them again.
"""

from __future__ import annotations

import contextlib
import os
import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from nngp_dag.errors import InputError
from nngp_dag.support.files import reported, write_text
from nngp_dag.support.lock import Lock
from nngp_dag.support.row_format import Cell, Row, RowFormat
from nngp_dag.support.row_log import Key, RowLog, is_log, read_log

__all__ = ["GrowingTable", "TableFile", "WholeTable"]


class TableFile(ABC):
    """A table on its way to a file. Use it as a context; without `finish` its rows wait for another run.

    Args:
        out: the file, in an existing folder.
        rows: how rows are written.
        identity: what is computed (JSON-able); finished rows of anything else are refused.
        another: what they are rows of then ("another sweep").

    Raises:
        InputError: OUT or `OUT.partial` cannot be written, or is in the way, or another process writes them.
    """

    def __init__(self, out: Path, rows: RowFormat, identity: Mapping[str, object], another: str) -> None:
        self.out, self.rows = out, rows
        self._identity, self._another = identity, another
        self._partial = out.with_name(out.name + ".partial")
        self._lock = Lock(out)
        try:
            self._begin()
        except BaseException:
            self._lock.release()
            raise

    def _begin(self) -> None:
        self._lines, damaged = self._resume()
        if damaged:
            print(
                f"nngp-dag: unfinished rows of {self.out}: {damaged} damaged, torn off or written twice, computed"
                " again",
                file=sys.stderr,
            )
        self._log = RowLog(self._partial, self._identity, self._lines)

    @abstractmethod
    def _resume(self) -> tuple[dict[Key, str], int]:
        """The lines of the rows that are there already, by key, and the number of those that had to be left out."""

    def __contains__(self, key: Key) -> bool:
        return key in self._lines

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, key: Key) -> Row:
        return self.rows.parse(self._lines[key])

    def add(self, rows: Iterable[tuple[Key, Mapping[str, Cell]]]) -> None:
        """Add finished rows with their keys, and hand them to the disk before returning."""
        new = [(key, self.rows.render(row)) for key, row in rows]
        self._log.append(new)
        self._lines.update(new)

    def finish(self) -> None:
        """The table is whole: forget what a later run would need."""
        self._log.remove()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._log.close()
        self._lock.release()


class WholeTable(TableFile):
    """A table that appears at once, its rows in the order of their places (integers)."""

    def _resume(self) -> tuple[dict[Key, str], int]:
        return read_log(self._partial, self._identity, self._partial, self._another)

    def finish(self) -> None:
        """Write the table in order, rename it into place, and remove the finished rows beside it."""
        write_text(self.out, _text(self.rows, [self._lines[place] for place in sorted(self._lines, key=int)]))
        super().finish()


class GrowingTable(TableFile):
    """A table whose rows can be read as they come, keyed by their first column.

    The rows of an unfinished run are those that stand both in OUT and, with their checksum, beside it. A finished
    table has no checksums, and a later run of the same computation may add to it: its last column, `settings`, tells
    computations apart then.

    Args:
        out: the file, in an existing folder.
        rows: how rows are written; the last column is `settings`.
        settings: the value of that column in every row.
        another: what rows with another value are rows of ("another run").
        kind: what a file of these rows holds ("scores"), for messages.

    Raises:
        InputError: as `TableFile`, and where OUT holds anything else.
    """

    def __init__(self, out: Path, rows: RowFormat, settings: str, another: str, kind: str) -> None:
        self._settings, self._kind = settings, kind
        super().__init__(out, rows, {"columns": rows.columns, "settings": settings}, another)

    def _begin(self) -> None:
        super()._begin()
        with reported(self.out):
            self._file = self.out.open("ab")

    def add(self, rows: Iterable[tuple[Key, Mapping[str, Cell]]]) -> None:
        """Add finished rows with their keys; beside OUT they are handed to the disk, OUT itself at the end."""
        new = [(key, {**row, "settings": self._settings}) for key, row in rows]
        super().add(new)
        with reported(self.out):
            self._file.write("".join(self._lines[key] + "\n" for key, _ in new).encode())
            self._file.flush()  # a row that a power cut takes from OUT alone is computed again

    def finish(self) -> None:
        """Hand the table to the disk, then remove the finished rows beside it."""
        with reported(self.out):
            os.fsync(self._file.fileno())
        super().finish()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        with contextlib.suppress(OSError):  # what could not be written was reported when it was added
            self._file.close()

    def _resume(self) -> tuple[dict[Key, str], int]:
        if not self.out.exists() and is_log(self._partial):  # OUT was removed to start anew
            with reported(self._partial):
                self._partial.unlink(missing_ok=True)
        before, lines = self._read()
        if self._partial.exists():
            sealed = read_log(self._partial, self._identity, self.out, self._another)[0]
            keys = {line: key for key, line in sealed.items()}
            kept = {keys[line]: line for line, times in Counter(lines).items() if times == 1 and line in keys}
            if not kept:  # nothing here is known: it must not be another's
                for line in lines:
                    self._checked_key(line)
        else:
            found = [(self._checked_key(line), line) for line in lines]
            times = Counter(key for key, _ in found)
            kept = {key: line for key, line in found if times[key] == 1}
        text = _text(self.rows, kept.values())
        if text != before:
            write_text(self.out, text)
        torn = bool(before) and not before.endswith("\n")
        return kept, len(lines) - len(kept) + torn

    def _read(self) -> tuple[str, list[str]]:
        """The content of OUT, and its whole lines without the header."""
        try:
            text = self.out.read_bytes().decode(errors="surrogateescape") if self.out.exists() else ""
        except OSError as error:
            raise InputError(f"cannot read {self.out}: {error.strerror or error}") from None
        *lines, torn = text.split("\n")
        if torn and not lines and not self.rows.may_begin(torn):
            raise self._foreign()
        if lines and self.rows.header is not None and lines.pop(0) != self.rows.header:
            raise InputError(f"{self.out} has other columns: remove it to start anew, or choose another --out")
        return text, lines

    def _checked_key(self, line: str) -> Key:
        """The key of a row of a finished table; InputError where it is none, or one of another computation."""
        if not self._is_row(line):
            raise self._foreign()
        row = self.rows.parse(line)
        if row["settings"] != self._settings:
            raise InputError(
                f"{self.out} holds rows of {self._another}: remove it to start anew, or choose another --out"
            )
        return str(row[self.rows.columns[0]])

    def _is_row(self, line: str) -> bool:
        try:
            self.rows.parse(line)
            line.encode()  # not where bytes are no UTF-8
        except ValueError:
            return False
        return True

    def _foreign(self) -> InputError:
        return InputError(f"{self.out} is no file of these {self._kind}: remove it, or choose another --out")


def _text(rows: RowFormat, lines: Iterable[str]) -> str:
    """A whole file: the header where there is one, and the lines with their ends."""
    header = () if rows.header is None else (rows.header,)
    return "".join(f"{line}\n" for line in (*header, *lines))
