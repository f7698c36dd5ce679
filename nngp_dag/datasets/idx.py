"""MNIST in its original format: IDX files (big-endian header, then bytes), gzipped or not."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.support.reading_files import Kind, kind_of, open_file

__all__ = ["FILES", "find_mnist", "read_images", "read_labels", "read_mnist"]

FILES = {
    "mnist": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "mnist-test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
"""Images and labels of each split, without `.gz`."""

_MAX_ROWS = 1_000_000


def find_mnist(name: str, folder: Path) -> tuple[Path, Path]:
    """The images and the labels of split `name` in `folder` (or its `MNIST/raw`); InputError names what is missing."""
    images, labels = (_find(stem, folder) for stem in FILES[name])
    return images, labels


def _find(stem: str, folder: Path) -> Path:
    names = [stem, f"{stem}.gz", stem.replace("-idx", ".idx"), stem.replace("-idx", ".idx") + ".gz"]
    for parent in (folder, folder / "MNIST" / "raw"):
        for name in names:
            if kind_of(parent / name) is Kind.FILE:
                return parent / name
    raise InputError(f"no {stem} (plain, or gzipped as .gz) in the data folder {folder}")


def read_mnist(images: Path, labels: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels uint8 [n, 28, 28] and labels uint8 [n] of one split; InputError where they do not fit together."""
    x, y = read_images(images), read_labels(labels)
    if x.shape[0] != y.shape[0]:
        raise InputError(f"{images} holds {x.shape[0]} images, but {labels} holds {y.shape[0]} labels")
    return x, y


def read_images(path: Path) -> np.ndarray:
    """Pixels of an IDX file of 28 x 28 images, uint8 [n, 28, 28]; InputError for any other content."""
    return _read(path, (28, 28))


def read_labels(path: Path) -> np.ndarray:
    """Class numbers 0..9 of an IDX file of labels, uint8 [n]; InputError for any other content."""
    labels = _read(path, ())
    if labels.max() > 9:
        raise InputError(f"{path} holds the label {labels.max()}: MNIST's are 0..9")
    return labels


def _read(path: Path, item: tuple[int, ...]) -> np.ndarray:
    """The array of an IDX file of unsigned bytes whose items have shape `item`; exact in length."""
    dims = 1 + len(item)
    try:
        with open_file(path) as content:
            zipped = content.read(2) == b"\x1f\x8b"
            content.seek(0)
            file = gzip.GzipFile(fileobj=content) if zipped else content
            header = file.read(4 + 4 * dims)
            if len(header) < 4 + 4 * dims or header[:4] != bytes([0, 0, 8, dims]):
                raise InputError(f"{path} is not an IDX file of unsigned bytes in {dims} dimensions, as MNIST's are")
            shape = struct.unpack(f">{dims}I", header[4:])
            if shape[1:] != item or not 1 <= shape[0] <= _MAX_ROWS:
                raise InputError(f"{path} declares shape {shape}, not 1 to {_MAX_ROWS:,} items of shape {item}")
            size = int(np.prod(shape, dtype=np.int64))
            data = file.read(size)
            if len(data) < size:
                raise InputError(f"{path} is truncated: {len(data):,} of {size:,} bytes")
            if file.read(1):
                raise InputError(f"{path} has bytes after its {shape[0]:,} items")
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError(f"{path} is damaged or truncated (gzip)") from None
    return np.frombuffer(data, dtype=np.uint8).reshape(shape)
