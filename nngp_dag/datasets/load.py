"""From a spec (`digits:100`, `mnist-test`, `rows.npy`) to a data set."""

from __future__ import annotations

import os
from pathlib import Path

from nngp_dag.datasets.arrays import SUFFIXES, load_file
from nngp_dag.datasets.dataset import Dataset, from_pixels
from nngp_dag.errors import InputError

__all__ = ["NAMES", "load"]

NAMES = ("digits", "mnist", "mnist-test", "cifar10", "cifar10-test")
"""Named data sets; each takes an optional `:N`."""

_ACCEPTED = f"accepted are {', '.join(NAMES)} (each with an optional :N rows), or the path of an .npy or .npz file"


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
    if name in NAMES and not Path(text).is_file():
        count = _count(text, number) if colon else None
        return _named(name, count, text, raw, None if data_dir is None else Path(data_dir))
    if Path(text).suffix.lower() in SUFFIXES:
        return load_file(Path(text), raw=raw, labels=labels)
    raise InputError(f"unknown data {text!r}: {_ACCEPTED}")


def _count(spec: str, number: str) -> int:
    if not (number.isascii() and number.isdigit()) or len(number) > 12 or int(number) < 1:
        raise InputError(f"malformed data {spec!r}: after the colon comes a number of rows, at least 1, like digits:100")
    return int(number)


def _named(name: str, count: int | None, spec: str, raw: bool, data_dir: Path | None) -> Dataset:
    if name == "digits":
        from sklearn.datasets import load_digits

        images, targets = load_digits(return_X_y=True)
        images = images.reshape(-1, 8, 8)
        source = "optical recognition of handwritten digits, as in scikit-learn"
        return from_pixels(
            name, images, targets, count=count, largest_pixel=16, raw=raw, spec=spec, source=source
        )
    raise InputError(f"{name} is not available yet")
