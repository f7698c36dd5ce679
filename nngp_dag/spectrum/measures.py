"""Measures of a whole set of eigenvalues: effective rank and density."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.errors import InputError

__all__ = ["effective_rank", "spectral_density"]


def effective_rank(eigenvalues: ArrayLike) -> np.ndarray:
    """The effective rank of Roy and Vetterli (2007): exp of the entropy of p_i = lambda_i / sum_j lambda_j.

    It is N where all eigenvalues are equal, 1 where one alone is not zero, 0 for the zero matrix, and does not depend
    on scale. Negative eigenvalues, which only rounding makes, count as zero.

    Args:
        eigenvalues: real [..., N].

    Returns:
        float64 [...].
    """
    positive = np.clip(np.asarray(eigenvalues, dtype=np.float64), 0, None)
    total = positive.sum(axis=-1, keepdims=True)
    p = np.divide(positive, total, out=np.zeros_like(positive), where=total > 0)
    entropy = -(p * np.log(p, out=np.zeros_like(p), where=p > 0)).sum(axis=-1)
    return np.where(total[..., 0] > 0, np.exp(entropy), 0.0)


def spectral_density(
    eigenvalues: ArrayLike, num_points: int = 256, floor: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Density of eigenvalues per decade: a Gaussian kernel estimate over log10(lambda), with Scott's bandwidth.

    Args:
        eigenvalues: real [N].
        num_points: where to evaluate, equally spaced in log10(lambda).
        floor: eigenvalues at or below it are left out; by default N eps lambda_max (float64).

    Returns:
        (lambda [num_points], density [num_points]), float64; the density integrates over log10(lambda) to the
        fraction of eigenvalues above the floor.

    Raises:
        InputError: fewer than two distinct eigenvalues above the floor.
    """
    from scipy.stats import gaussian_kde

    values = np.asarray(eigenvalues, dtype=np.float64)
    if floor is None:
        floor = values.size * np.finfo(np.float64).eps * float(values.max(initial=0.0))
    logs = np.log10(values[values > floor])
    if logs.size < 2 or np.ptp(logs) == 0:
        raise InputError(f"a density needs two distinct eigenvalues above {floor:.3g}, got {logs.size} above it")
    estimate = gaussian_kde(logs)
    margin = 4 * float(np.sqrt(estimate.covariance[0, 0]))
    points = np.linspace(logs.min() - margin, logs.max() + margin, num_points)
    return 10**points, estimate(points) * logs.size / values.size
