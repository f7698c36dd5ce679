"""A user's own data: `.npy` [N, d], or `.npz` with a key `x` (labels in `y`) or a single array. No pickles."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from nngp_dag.datasets.dataset import Dataset, unit_rows
from nngp_dag.errors import InputError
from nngp_dag.support.memory import require_memory

__all__ = ["SUFFIXES", "load_file"]

SUFFIXES = (".npy", ".npz")
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
    y = None if y is None else _labels(y, rows.shape[0], path)
    return Dataset(
        name=str(path),
        x=rows if raw else unit_rows(rows, str(path)),
        y=y,
        num_classes=None if y is None else int(y.max()) + 1,
        image_shape=None,
        source=f"file {path}",
    )


def _read(path: Path, labels: bool) -> tuple[np.ndarray, np.ndarray | None]:
    if path.is_dir():
        raise InputError(f"{path} is a directory: {_ACCEPTED}")
    if not path.exists():
        raise InputError(f"no such file: {path} ({_ACCEPTED})")
    if not path.is_file():
        raise InputError(f"{path} is not a regular file: {_ACCEPTED}")
    try:
        if path.suffix.lower() == ".npz":
            return _read_npz(path, labels)
        # A memory map reads the header alone, so that the size is known before the data is read.
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        if not isinstance(mapped, np.ndarray):
            mapped.close()
            raise InputError(f"{path} is an .npz archive under the name of an .npy file: rename it to end in .npz")
        _check_size(mapped.size, path)
        return np.array(mapped), None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    except (ValueError, EOFError, SyntaxError, zipfile.BadZipFile, zlib.error, RuntimeError, KeyError) as error:
        if isinstance(error, InputError):
            raise
        objects = "object" in str(error).lower() and _is_numpy(path)  # NumPy takes any foreign file for pickled objects
        reason = "it holds Python objects" if objects else "damaged, truncated or of another format"
        raise InputError(f"cannot read {path} ({reason}): {_ACCEPTED}") from None


def _is_numpy(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(6).startswith((np.lib.format.MAGIC_PREFIX, b"PK"))  # an array, or an archive of them


def _read_npz(path: Path, labels: bool) -> tuple[np.ndarray, np.ndarray | None]:
    with path.open("rb") as file:
        if file.read(6) == np.lib.format.MAGIC_PREFIX:
            raise InputError(f"{path} is an .npy array under the name of an .npz archive: rename it to end in .npy")
        file.seek(0)
        with zipfile.ZipFile(file) as members:
            sizes = {info.filename.removesuffix(".npy"): info.file_size for info in members.infolist()}
        keys = list(sizes)
        key = "x" if "x" in keys else keys[0] if len(keys) == 1 else None
        if key is None:
            raise InputError(f"{path} holds {', '.join(keys) or 'no array'}: an .npz needs a key 'x' or a single array")
        _check_size(sizes[key] // 8, path)
        file.seek(0)
        with np.load(file, allow_pickle=False) as archive:
            return archive[key], archive["y"] if labels and key == "x" and "y" in keys else None


def _check_size(numbers: int, path: Path) -> None:
    # As read, in float64, and scaled to unit rows: three copies for a moment.
    require_memory(3 * 8 * numbers, f"{path} ({numbers:,} numbers)")


def _rows(x: np.ndarray, path: Path) -> np.ndarray:
    if x.dtype.kind not in "biuf":
        raise InputError(f"{path} holds values of type {x.dtype}: real numbers are needed")
    if x.ndim != 2:
        raise InputError(f"{path} has shape {x.shape}: two dimensions [N, d] are needed, a row an input")
    if 0 in x.shape:
        raise InputError(f"{path} is empty (shape {x.shape}): at least one row and one column are needed")
    with np.errstate(over="ignore"):  # a long double too large for float64 becomes infinite, and is refused as such
        rows = np.ascontiguousarray(x, dtype=np.float64)
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        raise InputError(
            f"row {int(np.argmin(finite))} of {path} has NaN or infinite values: finite numbers are needed"
        )
    return rows


def _labels(y: Any, n: int, path: Path) -> np.ndarray:
    if y.shape != (n,) or y.dtype.kind not in "biuf":
        raise InputError(
            f"'y' of {path} has shape {y.shape} and type {y.dtype}: {n} integer labels are needed, one a row"
        )
    if not np.isfinite(y).all() or (y != np.floor(y)).any() or y.min() < 0 or y.max() >= max(1000, n):
        raise InputError(f"'y' of {path} must hold class numbers 0, 1, 2, ... (integers)")
    return np.asarray(y).astype(np.int64)
