"""The rows that are finished so far, in a file beside the table: a line each, sealed with a checksum.

The first line says what is being computed. A line that a kill tore, or that anything else has changed, does not agree
with its checksum and is left out when the file is read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nngp_dag.errors import InputError
from nngp_dag.support.files import reported, write_text

__all__ = ["Key", "Log", "RowLog", "is_log", "open_log", "read_log"]

Key = int | str
"""Tells a row from the others of its table: its place, or its name."""

_KIND = "rows with checksums, 1"


def _sealed(text: str) -> str:
    return f"{hashlib.sha256(text.encode()).hexdigest()[:16]} {text}\n"


def _opened(line: bytes) -> str | None:
    """The text of a sealed line (without its line end); None where it is not what was sealed."""
    text = line[17:].decode(errors="replace")
    return text if _sealed(text).encode() == line + b"\n" else None


def _first_line(identity: Mapping[str, object]) -> str:
    return json.dumps({"kind": _KIND, **identity}, sort_keys=True)


@dataclass(frozen=True)
class Log:
    """The content of a log.

    Attributes:
        identity: what is computed; None where the first line is not what was sealed.
        rows: the line of each intact row by its key.
        damaged: number of lines that were damaged, torn off or written twice.
    """

    identity: dict[str, object] | None
    rows: dict[Key, str]
    damaged: int


def open_log(path: Path) -> Log | None:
    """The content of a log, whatever it is a log of; None where there is none. InputError where it cannot be read."""
    try:
        *lines, torn = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    first = _opened(lines[0]) if lines else None
    identity = json.loads(first) if first is not None and first.startswith("{") else {}
    if identity.pop("kind", None) != _KIND:
        return Log(None, {}, len(lines) + bool(torn))
    texts = [text for text in map(_opened, lines[1:]) if text is not None]
    found: list[tuple[Key, str]] = [json.loads(text) for text in texts]
    times = Counter(key for key, _ in found)
    rows = {key: row for key, row in found if times[key] == 1}
    return Log(identity, rows, len(lines) - 1 - len(rows) + bool(torn))


def is_log(path: Path) -> bool:
    """True for a file that a `RowLog` wrote, of whatever computation; InputError where it cannot be read."""
    log = open_log(path)
    return log is not None and log.identity is not None


def read_log(path: Path, identity: Mapping[str, object], table: Path, another: str) -> tuple[dict[Key, str], int]:
    """The intact rows of a log, and the number of those that were damaged, torn off or written twice.

    Args:
        path: the log; without one there are no rows.
        identity: what is computed (JSON-able), as it was given to `RowLog`.
        table: the file that is in the way where the log is one of another computation, for the message.
        another: what a log of another computation holds ("another sweep"), for the message.

    Returns:
        The line of each intact row by its key.

    Raises:
        InputError: it cannot be read, is no such log, or is one of another computation.
    """
    log = open_log(path)
    if log is None:
        return {}, 0
    if log.identity is None:
        raise InputError(
            f"{path} is no list of finished rows, or one of an older version: remove it to start anew, or choose"
            " another --out"
        )
    if _first_line(log.identity) != _first_line(identity):
        raise InputError(f"{table} holds rows of {another}: remove it to start anew, or choose another --out")
    return log.rows, log.damaged


class RowLog:
    """A log that is open for further rows.

    Args:
        path: where it is written, anew.
        identity: what is computed (JSON-able).
        rows: the lines of the rows that it begins with, by key.

    Raises:
        InputError: it cannot be written.
    """

    def __init__(self, path: Path, identity: Mapping[str, object], rows: Mapping[Key, str]) -> None:
        self._path = path
        write_text(path, _sealed(_first_line(identity)) + "".join(map(_entry, rows.items())))
        with reported(path):
            self._file = path.open("ab")

    def append(self, rows: Iterable[tuple[Key, str]]) -> None:
        """Append rows and hand them to the disk before returning."""
        with reported(self._path):
            self._file.write("".join(map(_entry, rows)).encode())
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; what could not be written was reported when it was appended."""
        with contextlib.suppress(OSError):
            self._file.close()

    def remove(self) -> None:
        """Close and remove the file: its rows are all in the table."""
        self.close()
        with reported(self._path):
            self._path.unlink(missing_ok=True)


def _entry(row: tuple[Key, str]) -> str:
    return _sealed(json.dumps(row))
