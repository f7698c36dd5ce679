"""Requirements on a kernel matrix, and the resolution of its dtype."""

from __future__ import annotations

import warnings

import numpy as np

from nngp_dag.errors import InputError

__all__ = ["PrecisionWarning", "check_kernels", "machine_epsilon", "warn_precision"]

BLOCK = 1 << 20
"""Entries that are looked at a time."""


class PrecisionWarning(UserWarning):
    """The smallest eigenvalue of a kernel is below what its dtype resolves."""


def check_kernels(k: np.ndarray) -> None:
    """Refuse what is not a stack [A, N, N] of finite symmetric matrices."""
    if k.dtype.kind not in "biuf":
        raise InputError(f"a kernel matrix holds real numbers, got {k.dtype}")
    if k.shape[1] != k.shape[2] or 0 in k.shape:
        raise InputError(f"a kernel matrix is square with at least one row, got shape {k.shape[1:]}")
    scale = np.abs(np.diagonal(k, axis1=1, axis2=2)).max(axis=1)[:, None, None].astype(np.float64)
    tolerance = 100 * machine_epsilon(k.dtype) * scale
    rows = max(1, BLOCK // k.shape[1])
    matrices = max(1, BLOCK // k.shape[1] ** 2)
    for a in range(0, k.shape[0], matrices):
        for i in range(0, k.shape[1], rows):
            block, mirrored = k[a : a + matrices, i : i + rows], k[a : a + matrices, :, i : i + rows].swapaxes(1, 2)
            if not np.isfinite(block).all():
                raise InputError("a kernel matrix has NaN or infinite entries")
            if (np.abs(block.astype(np.float64) - mirrored) > tolerance[a : a + matrices]).any():
                raise InputError("a kernel matrix must be symmetric")


def machine_epsilon(dtype: np.dtype) -> float:
    """Machine precision of a float dtype; float64's for integers, which are converted exactly."""
    return float(np.finfo(dtype if dtype.kind == "f" else np.float64).eps)


def warn_precision(dtype: np.dtype, unresolved: np.ndarray) -> None:
    """Warn (`PrecisionWarning`) where kernels computed in less than float64 are unresolved, bool [A]."""
    if dtype.kind != "f" or dtype.itemsize >= 8 or not unresolved.any():
        return
    which = "the kernel" if unresolved.size == 1 else f"{int(unresolved.sum())} of {unresolved.size} kernels"
    warnings.warn(
        f"{dtype} cannot resolve the smallest eigenvalue of {which}: compute in float64", PrecisionWarning, stacklevel=3
    )
