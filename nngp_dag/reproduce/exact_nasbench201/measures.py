"""Measures of one cell: its exact NNGP and NTK on a few images, as numbers that may go with accuracy."""

from __future__ import annotations

import numpy as np

from nngp_dag.support.row_format import Cell

__all__ = ["HIGHER_IS_BETTER", "MEASURES", "alignment", "leave_one_out", "measured"]

HIGHER_IS_BETTER = {
    "lambda_min": True,
    "lambda_min_scale_free": True,
    "condition": False,
    "alignment": True,
    "loo_error": False,
}
"""Measures of one kernel, and whether a better network is expected to have a larger one."""

MEASURES = tuple(f"{kernel}_{name}" for kernel in ("nngp", "ntk") for name in HIGHER_IS_BETTER)
"""The columns of a cell."""

_RIDGE = 1e-3
"""Of the kernel regressor, in units of the mean diagonal."""


def measured(kernel: np.ndarray, labels: np.ndarray) -> dict[str, Cell]:
    """All measures of a kernel [N, N] of images with labels [N]; None where it is zero, or singular to rounding."""
    scale = float(np.diag(kernel).mean())
    if not scale > 0:
        return dict.fromkeys(HIGHER_IS_BETTER)
    values = np.linalg.eigvalsh(kernel)
    low, high = float(values[0]), float(values[-1])
    singular = low <= len(values) * np.finfo(np.float64).eps * high
    return {
        "lambda_min": low,
        "lambda_min_scale_free": low / scale,
        "condition": None if singular else high / low,
        "alignment": alignment(kernel, labels),
        "loo_error": leave_one_out(kernel, labels),
    }


def alignment(kernel: np.ndarray, labels: np.ndarray) -> float:
    """Centred kernel-target alignment <K, Y> / (|K| |Y|), Y_ij = [y_i = y_j], both centred (Cortes et al., 2012)."""
    target = (labels[:, None] == labels).astype(np.float64)
    k, y = (a - a.mean(0) - a.mean(1)[:, None] + a.mean() for a in (kernel, target))
    size = float(np.linalg.norm(k) * np.linalg.norm(y))
    return float((k * y).sum()) / size if size > 0 else 0.0


def leave_one_out(kernel: np.ndarray, labels: np.ndarray) -> float:
    """Mean squared leave-one-out error of kernel ridge regression on one-hot labels less their mean.

    The residual of a row that is left out is [A^-1 y]_i / [A^-1]_ii with A = K + ridge, the ridge 1e-3 of the mean
    diagonal; the error is in units of that of predicting 0.
    """
    targets = np.eye(int(labels.max()) + 1)[labels]
    targets = targets - targets.mean(0)
    inverse = np.linalg.inv(kernel + _RIDGE * np.diag(kernel).mean() * np.eye(len(kernel)))
    residuals = inverse @ targets / np.diag(inverse)[:, None]
    return float((residuals**2).sum() / (targets**2).sum())
