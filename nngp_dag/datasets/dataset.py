"""A data set: rows x_i with optional labels, and the scaling of rows to the unit sphere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.support.memory import require_memory

__all__ = ["Dataset", "from_pixels", "take", "unit_rows"]

_BLOCK = 1 << 20


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows of data in float64, with labels where there are any. The arrays are read-only.

    Attributes:
        name: the spec it was loaded from, such as `digits:100`.
        x: float64 [N, d], finite; of unit norm unless loaded raw.
        y: int64 [N] in 0..num_classes-1, or None.
        num_classes: number of classes, or None without labels.
        image_shape: shape of a row as an image, in the row's own order (`x.reshape(-1, *image_shape)`):
            (8, 8), (28, 28), or channels first (3, 32, 32); None where rows are not images.
        source: where it came from, in words.
    """

    name: str
    x: np.ndarray
    y: np.ndarray | None
    num_classes: int | None
    image_shape: tuple[int, ...] | None
    source: str

    def __post_init__(self) -> None:
        for array in (self.x, self.y):
            if array is not None:
                array.flags.writeable = False

    def __len__(self) -> int:
        return int(self.x.shape[0])

    def one_hot(self) -> np.ndarray:
        """Labels as indicator rows, float64 [N, num_classes]; InputError without labels."""
        if self.y is None or self.num_classes is None:
            raise InputError(f"{self.name} has no labels (an .npz needs a key 'y' of N integers)")
        return np.eye(self.num_classes)[self.y]


def unit_rows(x: np.ndarray, name: str = "the data") -> np.ndarray:
    """Rows scaled to unit Euclidean norm, x_i / |x_i|, without overflow or underflow of |x_i|^2.

    Args:
        x: real [N, d], finite.
        name: what an error calls the data.

    Returns:
        float64 [N, d].

    Raises:
        InputError: a row of zeros, which has no direction.
    """
    x = np.array(x, dtype=np.float64)
    step = max(1, _BLOCK // max(1, x.shape[1]))
    for start in range(0, x.shape[0], step):
        block = x[start : start + step]
        largest = np.abs(block).max(axis=1, initial=0.0)
        if not largest.all():
            raise InputError(
                f"row {start + int(np.argmin(largest))} of {name} is all zeros and cannot be scaled to unit norm"
                " (rows that are not zero, or --raw)"
            )
        # A power of two: exact, so that ordinary rows are not changed by the rescaling.
        np.ldexp(block, -np.frexp(largest)[1][:, None], out=block)
        block /= np.linalg.norm(block, axis=1, keepdims=True)
    return x


def take(
    pixels: np.ndarray, labels: np.ndarray | None, count: int | None, name: str
) -> tuple[np.ndarray, np.ndarray | None]:
    """The first `count` rows in the order numpy.random.default_rng(0).permutation(n); all, in their order, for None.

    Raises:
        InputError: more rows asked for than there are.
    """
    if count is None:
        return pixels, labels
    n = pixels.shape[0]
    if count > n:
        raise InputError(f"{name} has {n:,} rows, so {name}:{count} is not possible (at most {name}:{n})")
    chosen = np.random.default_rng(0).permutation(n)[:count]
    return pixels[chosen], None if labels is None else labels[chosen]


def from_pixels(
    name: str,
    pixels: np.ndarray,
    labels: np.ndarray,
    *,
    count: int | None,
    largest_pixel: int,
    raw: bool,
    spec: str,
    source: str,
) -> Dataset:
    """A Dataset of ten classes from images [n, *image_shape]: divided by the largest pixel, flattened, not centred."""
    image_shape = tuple(int(side) for side in pixels.shape[1:])
    chosen, y = take(pixels, labels, count, name)
    require_memory(3 * 8 * chosen.size, f"{spec} ({chosen.shape[0]:,} rows)")
    x = chosen.reshape(chosen.shape[0], -1).astype(np.float64) / largest_pixel
    assert y is not None
    return Dataset(spec, x if raw else unit_rows(x, spec), y.astype(np.int64), 10, image_shape, source)
