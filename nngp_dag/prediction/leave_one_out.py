"""The leave-one-out error of the kernel regressor, without leaving anything out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["leave_one_out"]

_RIDGE = 1e-3
"""Of the kernel regressor, in units of the mean diagonal."""


def leave_one_out(kernels: ArrayLike, targets: ArrayLike) -> np.ndarray:
    """Mean squared leave-one-out error of kernel ridge regression on targets less their mean.

    The residual of a row that is left out is [A^-1 y]_i / [A^-1]_ii with A = K + ridge, the ridge 1e-3 of the mean
    diagonal; the error is in units of that of predicting 0. It does not depend on the scale of K.

    Args:
        kernels: one kernel [N, N], or many [..., N, N], with a positive trace.
        targets: [N, C], one-hot labels for instance.

    Returns:
        float64 [...].
    """
    k, y = np.asarray(kernels, np.float64), np.asarray(targets, np.float64)
    y = y - y.mean(axis=0)
    scale = np.trace(k, axis1=-2, axis2=-1) / k.shape[-1]
    inverse = np.linalg.inv(k + _RIDGE * scale[..., None, None] * np.eye(k.shape[-1]))
    residuals = inverse @ y / np.diagonal(inverse, axis1=-2, axis2=-1)[..., None]
    return np.asarray((residuals**2).sum(axis=(-2, -1)) / (y**2).sum())
