"""Reading files that may be anything: missing, closed to the reader, endless, of another kind, or far too large.

Every door gives one line (InputError), "cannot read PATH: reason". Only regular files are opened: a pipe without a
writer would be waited for without a word, and a device never ends. What the process already holds open (`/dev/stdin`,
`/dev/fd/N`) may be a pipe where a reader takes one.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import BinaryIO, Protocol

from nngp_dag.errors import InputError
from nngp_dag.support.memory import available_memory, require_memory

__all__ = [
    "Kind",
    "bounded_lines",
    "bounded_read",
    "kind_of",
    "line_text",
    "open_file",
    "read_bytes",
    "read_text",
    "reading",
]

_COPIES = 4
"""Copies of a file's content that exist at once while it is decoded and parsed."""

_BLOCK = 1 << 20
_LONGEST_LINE = 1 << 20
_HELD_OPEN = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")


class Readable(Protocol):
    """A source that gives bytes until it gives none."""

    def read(self, size: int, /) -> bytes: ...


class Kind(Enum):
    """The object found at a path, links followed."""

    MISSING = "missing"
    FILE = "file"
    FOLDER = "folder"
    OTHER = "other"
    """A pipe, a socket or a device."""


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Within the context what the system refuses becomes one line (InputError): which file cannot be read, and why."""
    try:
        yield
    except OSError as error:
        if error.errno is None:  # a decoder's complaint about the content, not the system's
            raise
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None


def kind_of(path: Path, action: str = "read") -> Kind:
    """The object at `path`, which somebody wants to "read" or to "write".

    Raises:
        InputError: it may not be told (a folder that may not be entered, a circle of links), or no file can have such a
            name.
    """
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return Kind.MISSING
    except OSError as error:
        raise InputError(f"cannot {action} {path}: {error.strerror or error}") from None
    except ValueError as error:  # a NUL character, or half a surrogate pair
        raise InputError(f"cannot {action} {str(path)!r}: {error}") from None
    return Kind.FILE if stat.S_ISREG(mode) else Kind.FOLDER if stat.S_ISDIR(mode) else Kind.OTHER


@contextlib.contextmanager
def open_file(path: Path, pipes: bool = False) -> Iterator[BinaryIO]:
    """A file, open for reading bytes; an OSError while it is read is worded as one while it is opened.

    Args:
        path: a regular file.
        pipes: take what the process already holds open, `/dev/stdin` and `/dev/fd/N`, whatever its kind.

    Raises:
        InputError: it is missing, not a regular file, or may not be read.
    """
    kind = kind_of(path)
    if kind is Kind.MISSING:
        raise InputError(f"cannot read {path}: No such file or directory")
    if kind is Kind.FOLDER:
        raise InputError(f"cannot read {path}: it is a folder")
    if kind is Kind.OTHER and not (pipes and str(path).startswith(_HELD_OPEN)):
        raise InputError(f"cannot read {path}: it is not a regular file")
    with reading(path), path.open("rb") as file:
        yield file


def read_bytes(path: Path) -> bytes:
    """The content of a file, or of a pipe that the process holds open.

    Raises:
        InputError: as `open_file`, or more than memory holds.
    """
    with open_file(path, pipes=True) as file:
        size = os.fstat(file.fileno()).st_size
        require_memory(_COPIES * size, f"reading {path}")
        return bounded_read(file, path)


def read_text(path: Path) -> str:
    """The text of a UTF-8 file; a byte order mark at its start is passed over.

    Raises:
        InputError: as `read_bytes`, or another encoding.
    """
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"cannot read {path}: it is not text in UTF-8 (byte {error.start})") from None


def bounded_read(stream: Readable, path: Path) -> bytes:
    """All that is left of a stream whose length is not known beforehand: a pipe, or something compressed.

    Raises:
        InputError: it is more than fits the memory that is available at the start.
    """
    available = available_memory()
    limit = None if available is None else available // _COPIES
    content = bytearray()
    while block := stream.read(_BLOCK):
        content += block
        if limit is not None and len(content) > limit:
            raise InputError(f"cannot read {path}: it holds more than the memory that is available can take")
    return bytes(content)


def bounded_lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines of a stream as they come; of one that is too long (`line_text`) no more than its beginning."""
    while line := stream.readline(_LONGEST_LINE + 1):
        yield line
        while len(line) > _LONGEST_LINE and not line.endswith(b"\n"):
            line = stream.readline(_LONGEST_LINE + 1)


def line_text(line: bytes) -> str:
    """A line's text without the blanks around it; what is not UTF-8 becomes a mark that no notation has.

    Raises:
        InputError: longer than any notation; the message completes "line N: ...".
    """
    if len(line) > _LONGEST_LINE:
        raise InputError(f"longer than {_LONGEST_LINE:,} bytes")
    return line.decode("utf-8", errors="replace").strip()
