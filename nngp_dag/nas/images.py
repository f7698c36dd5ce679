"""Images for scores and searches: normalised, [N, height, width, channels], from a named data set or a file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.nas.image_folder import read_image_folder
from nngp_dag.support.array_files import SUFFIXES, open_arrays
from nngp_dag.support.memory import require_memory
from nngp_dag.support.reading_files import Kind, kind_of

__all__ = ["Images", "load_images", "random_patches"]

_ACCEPTED = (
    "accepted are cifar10 and cifar10-test (with an optional :N), an .npz or .npy of images [N, h, w, 3]"
    " (bytes, or floats in [0, 1]), or a folder of PNG or JPEG images"
)
_KEYS = {"x_train": "y_train", "x": "y", "images": "labels"}
"""Names of images in an .npz, each with that of its labels; the first that is there counts."""


@dataclass(frozen=True, eq=False)
class Images:
    """Images and their labels.

    Attributes:
        x: float32 [N, h, w, channels]; every channel has mean 0 and deviation 1 over the whole set.
        y: labels, int64 [N], or None.
        source: where they came from, in words.
    """

    x: np.ndarray
    y: np.ndarray | None
    source: str

    def __len__(self) -> int:
        return len(self.x)

    def batch(self, count: int, rng: np.random.Generator | None = None) -> np.ndarray:
        """`count` different images [count, h, w, channels]: the first ones, or random ones.

        Raises:
            InputError: there are fewer.
        """
        return self.x[self.choose(count, rng)]

    def choose(self, count: int, rng: np.random.Generator | None = None) -> np.ndarray:
        """The indices of `batch`'s images."""
        if count < 1:
            raise InputError(f"a batch has at least 1 image, got {count}")
        if count > len(self):
            raise InputError(f"a batch of {count} images was asked for, but {self.source} has only {len(self)}")
        return np.arange(count) if rng is None else rng.permutation(len(self))[:count]


def load_images(
    spec: str | os.PathLike[str], *, data_dir: str | os.PathLike[str] | None = None, size: int | None = None
) -> Images:
    """Load colour images.

    Args:
        spec: `cifar10` or `cifar10-test` with an optional `:N`, or a file: an .npy array, or an .npz with a key
            `x_train`, `x` or `images` (labels in `y_train`, `y` or `labels`). Images are [N, h, w, 3] or [N, 3, h, w],
            bytes or floats in [0, 1]. Or a folder of PNG and JPEG images (`nngp_dag.nas.image_folder`).
        data_dir: a folder with the publisher's CIFAR-10 files, read instead of a download.
        size: the height and width that images must have, any by default.

    Raises:
        InputError: what cannot be read, or is no set of square colour images of that size.
    """
    text = os.fspath(spec)
    if text.partition(":")[0] in ("cifar10", "cifar10-test"):
        from nngp_dag.datasets import load

        data = load(text, raw=True, data_dir=data_dir)
        pixels, labels, source = data.x.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), data.y, data.source
    elif Path(text).suffix.lower() in SUFFIXES:
        pixels, labels = _read(Path(text))
        source = f"file {text}"
    elif kind_of(Path(text)) is Kind.FOLDER:
        bytes_, labels = read_image_folder(Path(text))
        pixels, source = bytes_.astype(np.float32) / 255, f"folder {text}"
    else:
        raise InputError(f"unknown images {text!r}: {_ACCEPTED}")
    if size is not None and pixels.shape[1:3] != (size, size):
        raise InputError(f"images of {text} are {pixels.shape[1]}x{pixels.shape[2]}: {size}x{size} are needed")
    return Images(_normalise(pixels, text), labels, source)


def _read(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    if kind_of(path) is Kind.MISSING:
        raise InputError(f"no such file: {path} ({_ACCEPTED})")
    with open_arrays(path, _ACCEPTED) as arrays:
        names = arrays.names
        key = names[0] if len(names) == 1 else next((key for key in _KEYS if key in names), None)
        if key is None:
            raise InputError(f"{path} has no array named {', '.join(_KEYS)}: {_ACCEPTED}")
        header = arrays.header(key)
        _check_pixels(header.shape, header.dtype, path)
        # As read, in float64 or float32, and normalised: three copies for a moment.
        require_memory((header.dtype.itemsize + 2 * 8) * header.size, f"{path} ({header.shape[0]:,} images)")
        labels, name = None, _KEYS.get(key)
        if name is not None and name in names:
            declared = arrays.header(name)
            if declared.shape != header.shape[:1] or declared.dtype.kind not in "iu":
                raise InputError(_no_labels(path, header.shape[0]))
            labels = arrays.read(name)
        return _pixels(arrays.read(key), path), None if labels is None else _labels(labels, path)


def _check_pixels(shape: tuple[int, ...], dtype: np.dtype, path: Path) -> None:
    """InputError for anything but images [N, h, w, 3] or [N, 3, h, w] in bytes or floats."""
    if _channels_first(shape):
        shape = (shape[0], *shape[2:], 3)
    if len(shape) != 4 or shape[-1] != 3 or shape[1] != shape[2] or 0 in shape:
        raise InputError(f"{path} has shape {list(shape)}: square colour images [N, h, w, 3] are needed")
    if dtype != np.uint8 and dtype.kind != "f":
        raise InputError(f"{path} holds values of type {dtype}: bytes or floats in [0, 1] are needed")


def _channels_first(shape: tuple[int, ...]) -> bool:
    return len(shape) == 4 and shape[-1] != 3 and shape[1] == 3


def _pixels(array: np.ndarray, path: Path) -> np.ndarray:
    """Images [N, h, w, 3] in floats; InputError for what is not within [0, 1]."""
    if _channels_first(array.shape):
        array = array.transpose(0, 2, 3, 1)
    if array.dtype == np.uint8:
        return array.astype(np.float32) / 255
    if not np.isfinite(array).all():
        raise InputError(f"{path} has NaN or infinite values: finite numbers are needed")
    if array.min() < 0 or array.max() > 1:
        raise InputError(
            f"{path} has floats from {array.min():.3g} to {array.max():.3g}: bytes or floats in [0, 1] are needed"
        )
    return array


def _labels(array: np.ndarray, path: Path) -> np.ndarray:
    if array.min() < 0:
        raise InputError(_no_labels(path, len(array)))
    return np.asarray(array.astype(np.int64))


def _no_labels(path: Path, count: int) -> str:
    return f"the labels of {path} are no {count} class numbers 0, 1, 2, ..."


def _normalise(pixels: np.ndarray, name: str) -> np.ndarray:
    mean, deviation = pixels.mean((0, 1, 2), dtype=np.float64), pixels.std((0, 1, 2), dtype=np.float64)
    if not (deviation > 0).all():
        raise InputError(f"a channel of the images of {name} is constant: images that differ are needed")
    return ((pixels - mean) / deviation).astype(np.float32)


def random_patches(
    images: Images, rng: np.random.Generator, *, batches: int = 3, count: int = 1000, size: int = 3
) -> np.ndarray:
    """Random single-channel patches, float32 [batches, count, size, size, 1]: what TE-NAS counts linear regions on.

    Image (with replacement), position and channel are uniform.
    """
    n, height, width, channels = images.x.shape
    if min(height, width) < size:
        raise InputError(f"patches of {size}x{size} do not fit into images of {height}x{width}")
    total = batches * count
    require_memory(16 * total * size * size, f"{total:,} patches")
    index, channel = rng.integers(n, size=total), rng.integers(channels, size=total)
    top, left = rng.integers(height - size + 1, size=total), rng.integers(width - size + 1, size=total)
    offset = np.arange(size)
    rows, columns = top[:, None, None] + offset[:, None], left[:, None, None] + offset
    patches = images.x[index[:, None, None], rows, columns, channel[:, None, None]]
    return patches.reshape(batches, count, size, size, 1)
