"""Measures of one cell: its exact NNGP and NTK on a few images, as numbers that may go with accuracy."""

from __future__ import annotations

import numpy as np

from nngp_dag.prediction import leave_one_out
from nngp_dag.spectrum.kernel_statistics import kernel_statistics
from nngp_dag.support.row_format import Cell

__all__ = ["HIGHER_IS_BETTER", "MEASURES", "alignment", "measured"]

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
        "loo_error": float(leave_one_out(kernel, np.eye(int(labels.max()) + 1)[labels])),
    }


def alignment(kernel: np.ndarray, labels: np.ndarray) -> float:
    """Centred kernel-target alignment <K, Y> / (|K| |Y|), Y_ij = [y_i = y_j], both centred (Cortes et al., 2012).

    0 where it is undefined.
    """
    found = kernel_statistics(kernel[None], labels, pairs=False).centred_alignment
    assert found is not None  # which labels make it
    return float(np.nan_to_num(found[0], nan=0.0))
