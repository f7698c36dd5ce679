"""A user's own data: `.npy` [N, d], or `.npz` with a key `x` (labels in `y`) or a single array. No pickles."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nngp_dag.datasets.dataset import Dataset, unit_rows
from nngp_dag.errors import InputError
from nngp_dag.support.array_files import SUFFIXES, open_arrays
from nngp_dag.support.memory import require_memory
from nngp_dag.support.reading_files import Kind, kind_of

__all__ = ["SUFFIXES", "load_file"]

_ACCEPTED = "accepted are an .npy array [N, d] of numbers, or an .npz with a key 'x' or a single array"


def load_file(path: Path, *, raw: bool = False, labels: bool = True) -> Dataset:
    """Read rows (and labels) from `path`.

    Args:
        path: a file that ends in .npy or .npz.
        raw: keep the rows as they are.
        labels: read the key `y` of an .npz; otherwise it is ignored, whatever it holds.

    Raises:
        InputError: a file that is missing, unreadable, not of the format, not numeric, not two-dimensional, empty, not
            finite, too large for memory, with a zero row (unless raw), or with labels that do not fit its rows.
    """
    x, y = _read(path, labels)
    rows = _rows(x, path)
    y = None if y is None else _labels(y, path)
    return Dataset(
        name=str(path),
        x=rows if raw else unit_rows(rows, str(path)),
        y=y,
        num_classes=None if y is None else int(y.max()) + 1,
        image_shape=None,
        source=f"file {path}",
    )


def _read(path: Path, labels: bool) -> tuple[np.ndarray, np.ndarray | None]:
    kind = kind_of(path)
    if kind is Kind.FOLDER:
        raise InputError(f"{path} is a directory: {_ACCEPTED}")
    if kind is Kind.MISSING:
        raise InputError(f"no such file: {path} ({_ACCEPTED})")
    if kind is not Kind.FILE:
        raise InputError(f"{path} is not a regular file: {_ACCEPTED}")
    with open_arrays(path, _ACCEPTED) as arrays:
        names = arrays.names
        key = "x" if "x" in names else names[0] if len(names) == 1 else None
        if key is None:
            raise InputError(
                f"{path} holds {', '.join(names) or 'no array'}: an .npz needs a key 'x' or a single array"
            )
        header = arrays.header(key)
        _check_rows(header.shape, header.dtype, path)
        # As read, in float64, and scaled to unit rows: three copies for a moment.
        require_memory(3 * 8 * header.size, f"{path} ({header.size:,} numbers)")
        y = None
        if labels and key == "x" and "y" in names:
            declared = arrays.header("y")
            _check_labels(declared.shape, declared.dtype, header.shape[0], path)
            y = arrays.read("y")
        return arrays.read(key), y


def _check_rows(shape: tuple[int, ...], dtype: np.dtype, path: Path) -> None:
    if dtype.kind not in "biuf":
        raise InputError(f"{path} holds values of type {dtype}: real numbers are needed")
    if len(shape) != 2:
        raise InputError(f"{path} has shape {shape}: two dimensions [N, d] are needed, a row per input")
    if 0 in shape:
        raise InputError(f"{path} is empty (shape {shape}): at least one row and one column are needed")


def _check_labels(shape: tuple[int, ...], dtype: np.dtype, n: int, path: Path) -> None:
    if shape != (n,) or dtype.kind not in "biuf":
        raise InputError(
            f"'y' of {path} has shape {shape} and type {dtype}: {n} integer labels are needed, one per row"
        )


def _rows(x: np.ndarray, path: Path) -> np.ndarray:
    with np.errstate(over="ignore"):  # a long double too large for float64 becomes infinite, and is refused as such
        rows = np.ascontiguousarray(x, dtype=np.float64)
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        raise InputError(
            f"row {int(np.argmin(finite))} of {path} has NaN or infinite values: finite numbers are needed"
        )
    return rows


def _labels(y: np.ndarray, path: Path) -> np.ndarray:
    if not np.isfinite(y).all() or (y != np.floor(y)).any() or y.min() < 0 or y.max() >= max(1000, len(y)):
        raise InputError(f"'y' of {path} must hold class numbers 0, 1, 2, ... (integers)")
    return np.asarray(y).astype(np.int64)
