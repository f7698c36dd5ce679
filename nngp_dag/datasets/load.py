"""From a spec (`digits:100`, `mnist-test`, `rows.npy`) to a data set."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from nngp_dag.datasets import cifar, idx
from nngp_dag.datasets.arrays import SUFFIXES, load_file
from nngp_dag.datasets.dataset import Dataset, from_pixels
from nngp_dag.datasets.download import fetch
from nngp_dag.errors import InputError, unknown
from nngp_dag.support.reading_files import Kind, kind_of

__all__ = ["NAMES", "load"]

_T = TypeVar("_T")

NAMES = ("digits", "mnist", "mnist-test", "cifar10", "cifar10-test")
"""Named data sets; each takes an optional `:N`."""

_ACCEPTED = f"{', '.join(NAMES)} (each with an optional :N rows), or the path of an .npy or .npz file"


def load(
    spec: str | os.PathLike[str],
    *,
    raw: bool = False,
    data_dir: str | os.PathLike[str] | None = None,
    labels: bool = True,
) -> Dataset:
    """Load the data that `spec` names.

    Args:
        spec: `digits` (embedded), `mnist`, `cifar10` (training sets), `mnist-test` or `cifar10-test`, with an optional
            `:N` for the first N rows in the order `numpy.random.default_rng(0).permutation(n)`; or the path of an
            .npy [N, d] or an .npz with a key `x` (labels in `y`) or a single array.
        raw: keep pixel values in [0, 1] (or a file's rows as they are); otherwise rows are scaled to unit norm.
        data_dir: a folder with the original MNIST (IDX) or CIFAR-10 (Python) files, read instead of a download.
        labels: read an .npz file's labels too.

    Returns:
        A `Dataset` with x float64 [N, d].

    Raises:
        InputError: an unknown spec, N out of range, unusable data, or a failed download.
    """
    text = os.fspath(spec)
    name, colon, number = text.partition(":")
    if name in NAMES and kind_of(Path(text)) is not Kind.FILE:
        count = _count(text, number) if colon else None
        return _named(name, count, text, raw, None if data_dir is None else Path(data_dir))
    if Path(text).suffix.lower() in SUFFIXES:
        return load_file(Path(text), raw=raw, labels=labels)
    raise unknown("data", text, _ACCEPTED)


def _count(spec: str, number: str) -> int:
    if not (number.isascii() and number.isdigit()) or len(number) > 12 or int(number) < 1:
        raise InputError(
            f"malformed data {spec!r}: after the colon comes a number of rows, at least 1, like digits:100"
        )
    return int(number)


def _named(name: str, count: int | None, spec: str, raw: bool, data_dir: Path | None) -> Dataset:
    largest_pixel = 255
    if name == "digits":
        from sklearn.datasets import load_digits

        pixels, y = load_digits(return_X_y=True)
        pixels, largest_pixel = pixels.reshape(-1, 8, 8), 16
        source = "optical recognition of handwritten digits, as in scikit-learn"
    elif name in idx.FILES:
        pixels, y, source = _mnist(name, data_dir)
    else:
        pixels, y, source = _cifar(name, data_dir)
    return from_pixels(name, pixels, y, count=count, largest_pixel=largest_pixel, raw=raw, spec=spec, source=source)


def _mnist(name: str, data_dir: Path | None) -> tuple[np.ndarray, np.ndarray, str]:
    if data_dir is not None:
        images, labels = idx.find_mnist(name, _folder(data_dir))
        return *idx.read_mnist(images, labels), f"MNIST, {images} and {labels}"
    images, labels = (fetch(f"{stem}.gz") for stem in idx.FILES[name])
    return *_cached(lambda: idx.read_mnist(images, labels), images, labels), "MNIST, from its publisher"


def _cifar(name: str, data_dir: Path | None) -> tuple[np.ndarray, np.ndarray, str]:
    if data_dir is not None:
        location = cifar.find_cifar(name, _folder(data_dir))
        return *cifar.read_cifar(name, location), f"CIFAR-10, {location}"
    archive = fetch(cifar.ARCHIVE)
    return *_cached(lambda: cifar.read_cifar(name, archive), archive), "CIFAR-10, from its publisher"


def _cached(read: Callable[[], _T], *paths: Path) -> _T:
    """The result of `read`; files of the cache that cannot be read do not stay there."""
    try:
        return read()
    except InputError:
        for path in paths:
            path.unlink(missing_ok=True)
        raise


def _folder(data_dir: Path) -> Path:
    if kind_of(data_dir) is not Kind.FOLDER:
        raise InputError(f"no such data folder: {data_dir}")
    return data_dir
