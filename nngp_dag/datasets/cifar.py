"""CIFAR-10 in its original Python format: pickled batches, in a folder or in the publisher's archive.

A pickle can run any code, so the batches go through an unpickler that knows only the names which the publisher's files
contain, and gives inert stand-ins for them: nothing of NumPy is reconstructed by the pickle itself.
"""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
import zlib
from pathlib import Path
from typing import NoReturn

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.support.reading_files import Kind, kind_of, open_file

__all__ = ["ARCHIVE", "BATCHES", "find_cifar", "read_archive", "read_batch", "read_cifar"]

ARCHIVE = "cifar-10-python.tar.gz"
FOLDER = "cifar-10-batches-py"
BATCHES = {"cifar10": tuple(f"data_batch_{i}" for i in range(1, 6)), "cifar10-test": ("test_batch",)}
"""The batches of each split."""

_PIXELS = 3 * 32 * 32
_MAX_BYTES = 200_000_000
"""No batch comes near this (31 MB): what is larger is not read."""
_MAX_UNPACKED = 500_000_000
"""Nor does the archive, unpacked, come near this (186 MB)."""


def find_cifar(name: str, folder: Path) -> Path:
    """The archive, or the folder that holds the batches of split `name`; InputError names what is missing."""
    for parent in (folder, folder / FOLDER):
        present = [kind_of(parent / batch) is Kind.FILE for batch in BATCHES[name]]
        if all(present):
            return parent
        if any(present):
            missing = [batch for batch, there in zip(BATCHES[name], present, strict=True) if not there]
            raise InputError(f"{', '.join(missing)} missing in the data folder {parent}")
    if kind_of(folder / ARCHIVE) is Kind.FILE:
        return folder / ARCHIVE
    raise InputError(f"neither {BATCHES[name][0]}, nor {FOLDER}, nor {ARCHIVE} in the data folder {folder}")


def read_cifar(name: str, location: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels uint8 [n, 3, 32, 32] and labels uint8 [n] of split `name`, from the archive or a folder of batches."""
    if kind_of(location) is Kind.FOLDER:
        parts = [read_batch(_bytes(location / batch), str(location / batch)) for batch in BATCHES[name]]
    else:
        parts = read_archive(name, location)
    return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])


def read_archive(name: str, path: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """The batches of split `name` inside the publisher's archive, read in memory; nothing is extracted to disk."""
    wanted = {f"{FOLDER}/{batch}": batch for batch in BATCHES[name]}
    parts: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    try:
        with open_file(path) as packed, gzip.open(packed) as unpacked:
            archive = tarfile.open(fileobj=_Bounded(unpacked, path), mode="r:")  # noqa: SIM115  # closes with its file
            for member in archive:
                batch = wanted.get(member.name)
                if batch is None or not member.isfile() or batch in parts:
                    continue
                if member.size > _MAX_BYTES:
                    raise InputError(f"{member.name} in {path} is too large for a CIFAR-10 batch")
                stream = archive.extractfile(member)
                assert stream is not None
                parts[batch] = read_batch(stream.read(), f"{member.name} in {path}")
                if len(parts) == len(wanted):
                    break
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError(f"{path} is damaged or truncated, or not the CIFAR-10 archive (tar, gzipped)") from None
    if missing := [batch for batch in wanted.values() if batch not in parts]:
        raise InputError(f"{path} does not hold {', '.join(missing)} of CIFAR-10")
    return [parts[batch] for batch in BATCHES[name]]


class _Bounded(io.RawIOBase):
    """The unpacked archive, as far as one of CIFAR-10 can go: nothing beyond is read, whatever a header declares."""

    def __init__(self, unpacked: gzip.GzipFile, path: Path) -> None:
        self._unpacked, self._path = unpacked, path

    def read(self, size: int = -1, /) -> bytes:
        self._check(self.tell() + size if size >= 0 else _MAX_UNPACKED + 1)
        return self._unpacked.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._check(offset)
        return self._unpacked.seek(offset, whence)

    def tell(self) -> int:
        return self._unpacked.tell()

    def _check(self, end: int) -> None:
        if end > _MAX_UNPACKED:
            raise InputError(f"{self._path} unpacks to more than CIFAR-10's archive: refused")


def read_batch(data: bytes, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Pixels uint8 [n, 3, 32, 32] and labels uint8 [n] of one pickled batch.

    Raises:
        InputError: a pickle that is damaged, that refers to anything which a CIFAR-10 batch does not need, or whose
            content is not a batch.
    """
    try:
        batch = _BatchUnpickler(io.BytesIO(data), encoding="bytes").load()
    except _Refused as refused:
        raise InputError(f"{what} refers to {refused}, which no CIFAR-10 batch needs: refused") from None
    except Exception:  # a damaged pickle may raise nearly anything, from EOFError to MemoryError
        raise InputError(f"{what} is damaged or truncated, or not a CIFAR-10 batch") from None
    x = batch.get(b"data", batch.get("data")) if isinstance(batch, dict) else None
    y = batch.get(b"labels", batch.get("labels")) if isinstance(batch, dict) else None
    pixels = x.array() if isinstance(x, _Array) else None
    if pixels is None or pixels.ndim != 2 or pixels.shape[1] != _PIXELS or pixels.shape[0] < 1:
        raise InputError(f"{what} has no 'data' of shape [n, {_PIXELS}] in bytes: not a CIFAR-10 batch")
    if not isinstance(y, list) or len(y) != len(pixels) or not all(type(v) is int and 0 <= v <= 9 for v in y):
        raise InputError(f"{what} has no list of {len(pixels)} 'labels' in 0..9: not a CIFAR-10 batch")
    return pixels.reshape(-1, 3, 32, 32), np.array(y, dtype=np.uint8)


def _bytes(path: Path) -> bytes:
    with open_file(path) as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise InputError(f"{path} is too large for a CIFAR-10 batch")
    return data


class _Refused(pickle.UnpicklingError):
    """A name that no batch needs; its text is the name."""


class _Dtype:
    """Stands for numpy.dtype: only unsigned bytes, and its pickled state changes nothing."""

    def __init__(self, code: object, *_: object) -> None:
        if code not in ("u1", b"u1"):
            raise _Refused(f"arrays of type {str(code)[:20]!r}")

    def __setstate__(self, state: object) -> None:
        del state


class _Array:
    """Stands for numpy.ndarray: keeps the pickled state, from which `array` reads bytes of the declared shape."""

    state: object = None

    def __setstate__(self, state: object) -> None:
        self.state = state

    def array(self) -> np.ndarray | None:
        """The array uint8, or None where the state is not one of bytes in two dimensions."""
        if not (isinstance(self.state, tuple) and len(self.state) == 5):
            return None
        _, shape, dtype, fortran, data = self.state
        if not (isinstance(dtype, _Dtype) and isinstance(data, bytes) and isinstance(shape, tuple)):
            return None
        if (
            len(shape) != 2
            or not all(type(side) is int and side >= 0 for side in shape)
            or len(data) != shape[0] * shape[1]
        ):
            return None
        return np.frombuffer(data, dtype=np.uint8).reshape(shape, order="F" if fortran else "C")


def _reconstruct(kind: object, *_: object) -> _Array:
    if kind is not _Array:
        raise _Refused("an array subclass")
    return _Array()


def _encode(text: object, encoding: object = None) -> bytes:
    """The bytes of a latin1 text: Python 3 writes bytes so into old pickles."""
    if not isinstance(text, str) or encoding not in ("latin1", b"latin1"):
        raise _Refused("another codec")
    return text.encode("latin1")


# `numpy.core` became `numpy._core`: a file saved again by a newer NumPy differs in that, and in how it writes bytes.
_NAMES = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
}


class _BatchUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        try:
            return _NAMES[module, name]
        except KeyError:
            raise _Refused(f"{module}.{name}"[:80]) from None

    def persistent_load(self, pid: object) -> NoReturn:
        raise _Refused("an object outside the file")
