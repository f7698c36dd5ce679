"""Images for convolutional kernels: means over square windows, and images of one norm."""

from __future__ import annotations

import numpy as np

from nngp_dag.errors import InputError

__all__ = ["shrunk", "unit_images"]


def shrunk(x: np.ndarray, size: int) -> np.ndarray:
    """Images [N, h, w, C] as [N, size, size, C], each pixel the mean of a window.

    Raises:
        InputError: `size` does not divide height and width.
    """
    n, height, width, channels = x.shape
    if size < 1 or height % size or width % size:
        raise InputError(f"images of {height}x{width} cannot be shrunk to {size}x{size}: the size must divide both")
    windows = x.reshape(n, size, height // size, size, width // size, channels)
    return np.asarray(windows.mean((2, 4), dtype=np.float64).astype(x.dtype))


def unit_images(x: np.ndarray) -> np.ndarray:
    """Images [N, h, w, C] divided by their root mean square, so that the mean of K_in(x, x, p, p) over pixels is 1.

    Raises:
        InputError: an image of zeros.
    """
    norms = np.sqrt((x.astype(np.float64) ** 2).mean((1, 2, 3), keepdims=True))
    if not norms.all():
        raise InputError(f"image {int(np.argmin(norms.ravel()))} holds only zeros and cannot be scaled to unit norm")
    return np.asarray((x / norms).astype(x.dtype))
