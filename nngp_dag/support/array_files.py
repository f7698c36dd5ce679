"""Arrays of `.npy` and `.npz` files, judged by their headers before any of their content is read.

A file may declare more than it holds, unpack to more than memory holds, be encrypted, or be a pickle that runs code
when it is read. Here the headers say first which arrays there are, of which shape and type; an array is then read into
room of exactly that size, and a file that holds less or more than it declares is refused. Nothing is ever unpickled.
"""

from __future__ import annotations

import contextlib
import io
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.support.memory import require_memory
from nngp_dag.support.reading_files import open_file

__all__ = ["SUFFIXES", "ArrayFile", "Header", "open_arrays"]

SUFFIXES = (".npy", ".npz")

_LARGEST_HEADER = 1 << 16
_BLOCK = 1 << 20
_ZIP = b"PK"
_OTHER = "damaged, truncated or of another format"
_ENCRYPTED = 1
"""The bit of a zip member's flags that says so."""


class _Damaged(Exception):
    """Content that is not what the format demands; its text is the reason."""


@dataclass(frozen=True)
class Header:
    """An array as its file declares it.

    Attributes:
        shape: its sides, none negative.
        dtype: of its entries; never of Python objects.
        fortran_order: whether the first index runs fastest.
        start: bytes before its first entry.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    fortran_order: bool
    start: int

    @property
    def size(self) -> int:
        """Number of entries."""
        return math.prod(self.shape)

    @property
    def num_bytes(self) -> int:
        """Bytes of all entries."""
        return self.size * self.dtype.itemsize


class ArrayFile(Protocol):
    """The arrays of an open file."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of an archive's arrays; the one array of an .npy file is called ""."""

    def header(self, name: str) -> Header:
        """The declaration of an array; InputError where it is none that can be read."""

    def read(self, name: str) -> np.ndarray:
        """The array; InputError where it does not fit into memory, or is not what its header declares."""


@contextlib.contextmanager
def open_arrays(path: Path, accepted: str) -> Iterator[ArrayFile]:
    """The arrays of an .npy or .npz file, open within the context.

    Args:
        path: the suffix must agree with the content.
        accepted: what is accepted instead, for messages.

    Raises:
        InputError: one line; the file cannot be read, is damaged, of another format, encrypted, or holds Python
            objects.
    """
    try:
        with open_file(path) as file:
            start = file.read(len(np.lib.format.MAGIC_PREFIX))
            file.seek(0)
            if path.suffix.lower() == ".npz":
                if start == np.lib.format.MAGIC_PREFIX:
                    raise _misnamed(path, "an .npy array", "an .npz archive", ".npy")
                with _archive(file) as archive:
                    yield _Npz(archive, path)
            else:
                if start.startswith(_ZIP):
                    raise _misnamed(path, "an .npz archive", "an .npy file", ".npz")
                yield _Npy(file, path)
    except _Damaged as error:
        raise InputError(f"cannot read {path} ({error}): {accepted}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise InputError(f"cannot read {path} ({_OTHER}): {accepted}") from None


def _misnamed(path: Path, content: str, name: str, suffix: str) -> InputError:
    return InputError(f"{path} is {content} under the name of {name}: rename it to end in {suffix}")


def _archive(file: BinaryIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError):
        raise _Damaged(_OTHER) from None


class _Npy:
    """One array, called ""."""

    names = ("",)

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file, self._path = file, path
        self._length = file.seek(0, io.SEEK_END)

    def header(self, name: str) -> Header:
        self._file.seek(0)
        header = _header(self._file)
        if header.start + header.num_bytes > self._length:
            raise _Damaged(f"damaged or truncated: it declares the shape {header.shape} of {header.dtype}")
        return header

    def read(self, name: str) -> np.ndarray:
        header = self.header(name)
        require_memory(header.num_bytes, f"{self._path} ({header.size:,} numbers)")
        self._file.seek(header.start)
        return _entries(self._file, header)


class _Npz:
    """The arrays of a zip archive; members that are no arrays are passed over until they are asked for."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self._archive, self._path = archive, path
        members: dict[str, zipfile.ZipInfo] = {}
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            if name in members:
                raise InputError(f"{path} holds {name!r} twice")
            members[name] = info
        self._members = members
        self.names = tuple(members)

    def header(self, name: str) -> Header:
        info = self._members[name]
        with self._open(info) as member:
            header = _header(member)
        if header.start + header.num_bytes != info.file_size:
            raise _Damaged(
                f"damaged or truncated: {name!r} declares the shape {header.shape} of {header.dtype}, but unpacks to"
                f" {info.file_size:,} bytes"
            )
        return header

    def read(self, name: str) -> np.ndarray:
        header = self.header(name)
        require_memory(header.num_bytes, f"{name!r} of {self._path} ({header.size:,} numbers)")
        with self._open(self._members[name]) as member:
            member.read(header.start)
            array = _entries(member, header)
            if member.read(1):  # at its end the checksum is compared
                raise _Damaged("damaged: it unpacks to more than it declares")
        return array

    def _open(self, info: zipfile.ZipInfo) -> BinaryIO:
        if info.flag_bits & _ENCRYPTED:
            raise _Damaged("it is encrypted")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _Damaged("packed in another way than NumPy's")
        try:
            return self._archive.open(info)  # type: ignore[return-value]
        except (NotImplementedError, ValueError):
            raise _Damaged(_OTHER) from None


def _header(stream: BinaryIO) -> Header:
    """The header at the start of an array; only so much is read of it as a header of numbers can have."""
    start = io.BytesIO(stream.read(_LARGEST_HEADER))
    try:
        version = np.lib.format.read_magic(start)
        if version not in ((1, 0), (2, 0)):  # version 3 is for names of fields in UTF-8
            raise _Damaged(_OTHER)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran_order, dtype = read(start)
    except (ValueError, TypeError, EOFError, SyntaxError, RecursionError, MemoryError, tokenize.TokenError):
        raise _Damaged(_OTHER) from None
    if dtype.hasobject:
        raise _Damaged("it holds Python objects")
    if any(type(side) is not int or side < 0 for side in shape):  # NumPy's reader takes True for a side
        raise _Damaged(f"damaged: it declares the shape {shape}")
    return Header(tuple(shape), dtype, fortran_order, start.tell())


def _entries(stream: BinaryIO, header: Header) -> np.ndarray:
    """The array whose first entry comes next in `stream`."""
    if header.dtype.kind not in "biufc":
        raise _Damaged(f"it holds values of type {header.dtype}, not numbers")
    flat = np.empty(header.size, header.dtype)
    room = flat.view(np.uint8).data
    filled = 0
    while filled < len(room):
        block = stream.read(min(_BLOCK, len(room) - filled))
        if not block:
            raise _Damaged("damaged or truncated")
        room[filled : filled + len(block)] = block
        filled += len(block)
    try:
        return flat.reshape(header.shape, order="F" if header.fortran_order else "C")
    except ValueError:  # an empty array with sides beyond all integers
        raise _Damaged(f"damaged: it declares the shape {header.shape}") from None
