"""Checks of what comes from outside before it reaches a compiled function."""

from __future__ import annotations

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.nas.networks.sizes import NetworkSizes

__all__ = ["check_image_sides", "image_batch"]


def check_image_sides(images: np.ndarray, spec: NetworkSizes) -> None:
    """InputError where the height or width of images [..., h, w, channels] is none that the network can halve."""
    height, width = images.shape[-3:-1]
    if height % spec.unit or width % spec.unit:
        raise InputError(f"images of {height}x{width}: height and width must be multiples of {spec.unit}")


def image_batch(batch: object, spec: NetworkSizes, *, at_least: int = 2, leading: int = 0) -> np.ndarray:
    """A batch of images as the network's floating-point type.

    Args:
        batch: [N, h, w, channels], after `leading` further axes.
        spec: the network's sizes: `inputs` channels, `dtype`.
        at_least: the least N.
        leading: number of axes before N.

    Raises:
        InputError: another shape, too few images, or values that are not finite floats.
    """
    x = np.asarray(batch)
    if x.dtype.kind != "f":
        raise InputError(f"images of type {x.dtype}: normalised floats are needed")
    if x.ndim != 4 + leading or x.shape[-1] != spec.inputs or 0 in x.shape:
        shape = "[batches, N, h, w" if leading else "[N, h, w"
        raise InputError(f"images of shape {list(x.shape)}: {shape}, {spec.inputs}] is needed")
    check_image_sides(x, spec)
    if x.shape[leading] < at_least:
        raise InputError(f"a batch of {x.shape[leading]} images is too small: at least {at_least} are needed")
    if not np.isfinite(x).all():
        raise InputError("images with NaN or infinite values: finite numbers are needed")
    return x.astype(spec.dtype)
