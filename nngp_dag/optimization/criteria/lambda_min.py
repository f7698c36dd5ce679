r"""The smallest eigenvalue of the NTK on the rows, over its mean diagonal.

Bounds that discard: lambda_min <= v' K v for every unit v, so the directions of the best graphs so far serve for all;
and lambda_min <= the smallest eigenvalue of any principal submatrix (interlacing), of pairs of rows for instance.
"""

from __future__ import annotations

import numpy as np

from nngp_dag.optimization.criteria.base import Batch, Criterion, Probes
from nngp_dag.spectrum.eigenvalues import eigenvalues_of_many

__all__ = ["CRITERION", "extremes", "mean_diagonal", "quotients"]


def mean_diagonal(kernels: np.ndarray) -> np.ndarray:
    """Trace / N of kernels [A, N, N], float64 [A]; NaN where it is not positive."""
    scale = np.trace(kernels, axis1=1, axis2=2) / kernels.shape[1]
    return np.where(scale > 0, scale, np.nan)


def extremes(kernels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The smallest and the largest eigenvalues of kernels [A, N, N], and where the smallest is above rounding, [A]."""
    eigenvalues = eigenvalues_of_many(kernels)
    low, high = eigenvalues[:, 0], eigenvalues[:, -1]
    return low, high, low > kernels.shape[1] * np.finfo(np.float64).eps * high


def quotients(kernels: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """The v' K v of kernels [A, N, N] and unit columns [N, m]: [A, m]."""
    found: np.ndarray = ((kernels @ vectors) * vectors).sum(axis=1)
    return found


def _values(batch: Batch) -> np.ndarray:
    """A value that cannot be told from zero is zero."""
    low, _, resolved = extremes(batch.ntk)
    return np.where(resolved, low, 0.0) / mean_diagonal(batch.ntk)


def _optimist(batch: Batch, probes: Probes) -> np.ndarray:
    return quotients(batch.ntk, probes.least).min(axis=1) / mean_diagonal(batch.ntk)


CRITERION = Criterion(
    "lambda-min", "smallest NTK eigenvalue / mean diagonal", True, _values, ("ntk",), optimist=_optimist
)
