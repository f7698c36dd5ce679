"""Images as arrays [N, h, w, C], from the names of data sets or from files of arrays; no pickles."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from nngp_dag.datasets.load import load
from nngp_dag.errors import InputError
from nngp_dag.support.array_files import SUFFIXES, open_arrays
from nngp_dag.support.memory import require_memory
from nngp_dag.support.reading_files import Kind, kind_of

__all__ = ["load_image_arrays"]

_ACCEPTED = "accepted are an .npy array of images [N, h, w, C], or an .npz with a key 'x' or a single array"


def load_image_arrays(spec: str | os.PathLike[str], *, data_dir: str | os.PathLike[str] | None = None) -> np.ndarray:
    """Images that `spec` names, float64 [N, h, w, C].

    Args:
        spec: a named data set as for `load` (pixels in [0, 1]), or the path of an .npy or .npz of images, taken as they
            are.
        data_dir: as for `load`.

    Raises:
        InputError: what `load` refuses, or a file that is missing, unreadable or holds no images.
    """
    path = Path(os.fspath(spec))
    if path.suffix.lower() in SUFFIXES:
        return _read(path)
    data = load(spec, raw=True, data_dir=data_dir, labels=False)
    assert data.image_shape is not None
    images = data.x.reshape(len(data), *data.image_shape)
    return images[..., None] if images.ndim == 3 else np.moveaxis(images, 1, -1)


def _read(path: Path) -> np.ndarray:
    kind = kind_of(path)
    if kind is not Kind.FILE:
        problem = {Kind.MISSING: "no such file: {}", Kind.FOLDER: "{} is a directory"}.get(
            kind, "{} is no regular file"
        )
        raise InputError(f"{problem.format(path)} ({_ACCEPTED})")
    with open_arrays(path, _ACCEPTED) as arrays:
        names = arrays.names
        key = "x" if "x" in names else names[0] if len(names) == 1 else None
        if key is None:
            raise InputError(f"{path} holds {', '.join(names) or 'no array'}: {_ACCEPTED}")
        header = arrays.header(key)
        if header.dtype.kind not in "biuf" or len(header.shape) != 4 or 0 in header.shape:
            raise InputError(
                f"{path} holds values of type {header.dtype} and shape {list(header.shape)}: real images [N, h, w, C]"
                " are needed"
            )
        require_memory(2 * 8 * header.size, f"{path} ({header.shape[0]:,} images)")
        images = np.ascontiguousarray(arrays.read(key), dtype=np.float64)
    if not np.isfinite(images).all():
        raise InputError(f"{path} has NaN or infinite values: finite numbers are needed")
    return images
