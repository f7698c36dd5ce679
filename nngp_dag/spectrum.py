"""Spectra of kernels: extreme eigenvalues, condition, effective rank, the pairwise bound of Lemma 3.3, densities.

`spectrum` serves one Gram matrix of thousands of rows; `spectra` the figures of many small ones, as in a sweep.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from nngp_dag.errors import InputError

__all__ = [
    "Figures",
    "PrecisionWarning",
    "ScaleFree",
    "Spectrum",
    "effective_rank",
    "pair_bound",
    "spectra",
    "spectral_density",
    "spectrum",
]

_BLOCK = 1 << 20
"""Entries of a matrix that are worked on at a time: what is allocated beside the matrix stays near 50 MiB."""


class PrecisionWarning(UserWarning):
    """The smallest eigenvalue of a kernel is below what its dtype resolves."""


class ScaleFree(NamedTuple):
    """Figures divided by the mean diagonal of the kernel, so that a larger output alone does not change them."""

    lambda_min: float | None
    lambda_max: float | None
    pair_bound: float | None


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigenvalues and figures of one symmetric matrix K [N, N].

    Attributes:
        eigenvalues: float64 [N], ascending, read-only; rounding may make those of a singular K slightly negative.
        trace: sum of the diagonal.
        pair_bound: min over i < j of the smallest eigenvalue of [[K_ii, K_ij], [K_ij, K_jj]], at least lambda_min by
            interlacing (Lemma 3.3); None for N = 1.
        pair: the pair (i, j) that attains it, the first in lexicographic order; None for N = 1.
        resolution: N eps lambda_max, eps of the dtype of K; nothing below it can be told from zero.
    """

    eigenvalues: np.ndarray
    trace: float
    pair_bound: float | None
    pair: tuple[int, int] | None
    resolution: float

    @property
    def lambda_min(self) -> float:
        """The smallest eigenvalue."""
        return float(self.eigenvalues[0])

    @property
    def lambda_max(self) -> float:
        """The largest eigenvalue."""
        return float(self.eigenvalues[-1])

    @property
    def condition(self) -> float | None:
        """lambda_max / lambda_min; None where lambda_min <= N eps lambda_max."""
        return self.lambda_max / self.lambda_min if self.lambda_min > self.resolution else None

    @property
    def mean_diagonal(self) -> float:
        """Trace / N, the scale of the network's output."""
        return self.trace / self.eigenvalues.size

    @cached_property
    def effective_rank(self) -> float:
        """See `effective_rank`."""
        return float(effective_rank(self.eigenvalues))

    @property
    def scale_free(self) -> ScaleFree:
        """lambda_min, lambda_max and pair_bound over the mean diagonal; None where that is zero."""
        scale = self.mean_diagonal
        return ScaleFree(
            *(
                None if value is None or not scale > 0 else value / scale
                for value in (self.lambda_min, self.lambda_max, self.pair_bound)
            )
        )

    def figures(self) -> dict[str, Any]:
        """The figures as the command line gives them: lambda_min, lambda_max, trace, condition, pair_bound, pair."""
        return {
            "lambda_min": self.lambda_min,
            "lambda_max": self.lambda_max,
            "trace": self.trace,
            "condition": self.condition,
            "pair_bound": self.pair_bound,
            "pair": None if self.pair is None else list(self.pair),
        }


class Figures(NamedTuple):
    """Figures of A matrices, as arrays with leading dimension A; see `Spectrum`. Undefined: NaN (pair: -1)."""

    lambda_min: np.ndarray
    lambda_max: np.ndarray
    trace: np.ndarray
    condition: np.ndarray
    effective_rank: np.ndarray
    pair_bound: np.ndarray
    pair: np.ndarray
    """int64 [A, 2]"""
    mean_diagonal: np.ndarray


def spectrum(matrix: Any, *, overwrite: bool = False) -> Spectrum:
    """Eigenvalues and figures of one kernel matrix, computed in float64.

    Memory beside `matrix`: one float64 copy, which `overwrite` saves, and about 50 MiB.

    Args:
        matrix: symmetric [N, N], real and finite, N >= 1; NumPy or JAX.
        overwrite: allow a float64 NumPy matrix to be destroyed.

    Raises:
        InputError: not square, empty, not finite, or not symmetric.

    Warns:
        PrecisionWarning: a matrix in float32 (or less) whose lambda_min is below N eps lambda_max.
    """
    original = np.asarray(matrix)
    if original.ndim != 2:
        raise InputError(f"a kernel matrix has shape [N, N], got {original.shape}")
    _check(original[None])
    eps = _eps(original.dtype)
    trace = float(np.trace(original, dtype=np.float64))
    bound, pair = pair_bound(original)
    destroyed = overwrite and original.dtype == np.float64 and original.flags.writeable and original.flags.forc
    work = original if destroyed else np.array(original, dtype=np.float64, order="C")
    eigenvalues = _eigenvalues(work)
    eigenvalues.flags.writeable = False
    result = Spectrum(eigenvalues, trace, bound, pair, eigenvalues.size * eps * float(eigenvalues[-1]))
    _warn_precision(original.dtype, np.array([result.lambda_min <= result.resolution and result.lambda_max > 0]))
    return result


def spectra(matrices: Any) -> Figures:
    """Figures of many kernel matrices at once.

    Args:
        matrices: symmetric [A, N, N], real and finite, N >= 1; NumPy or JAX.

    Returns:
        `Figures`: float64 arrays [A].

    Raises:
        InputError: as `spectrum`.

    Warns:
        PrecisionWarning: as `spectrum`, once, with the number of matrices.
    """
    k = np.asarray(matrices)
    if k.ndim != 3:
        raise InputError(f"kernel matrices have shape [A, N, N], got {k.shape}")
    _check(k)
    n = k.shape[1]
    eigenvalues = np.linalg.eigvalsh(k.astype(np.float64, copy=False))
    low, high = eigenvalues[:, 0], eigenvalues[:, -1]
    resolved = low > n * _eps(k.dtype) * high
    _warn_precision(k.dtype, ~resolved & (high > 0))
    bounds, pairs = _pair_bounds(k)
    trace = np.trace(k, axis1=1, axis2=2, dtype=np.float64)
    return Figures(
        lambda_min=low,
        lambda_max=high,
        trace=trace,
        condition=np.divide(high, low, out=np.full(low.shape, np.nan), where=resolved),
        effective_rank=np.asarray(effective_rank(eigenvalues)),
        pair_bound=bounds,
        pair=pairs,
        mean_diagonal=trace / n,
    )


def effective_rank(eigenvalues: Any) -> np.ndarray:
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


def pair_bound(matrix: Any) -> tuple[float | None, tuple[int, int] | None]:
    """The smallest eigenvalue of any 2 x 2 principal submatrix, and the pair (i, j), i < j, that attains it.

    For unit diagonal it is 1 - max |K_ij| (Lemma 3.3's bound on lambda_min). On ties the lexicographically first.

    Args:
        matrix: symmetric real [N, N]; its upper triangle is read.

    Returns:
        (value, (i, j)), or (None, None) for N = 1.
    """
    bounds, pairs = _pair_bounds(np.asarray(matrix)[None])
    if np.isnan(bounds[0]):
        return None, None
    return float(bounds[0]), (int(pairs[0, 0]), int(pairs[0, 1]))


def spectral_density(
    eigenvalues: Any, num_points: int = 256, floor: float | None = None
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


# ---- one matrix at a time, in blocks ---------------------------------------------------------------------------------


def _eigenvalues(work: np.ndarray) -> np.ndarray:
    """Eigenvalues of a symmetric float64 matrix, ascending, in its own memory."""
    from scipy.linalg import eigvalsh

    # LAPACK works in place on column-major storage only, and the transpose of a symmetric matrix is itself. `ev` has
    # the smallest workspace, and all drivers share the reduction that takes the time.
    fortran = work if work.flags.f_contiguous else work.T
    return np.asarray(eigvalsh(fortran, overwrite_a=True, check_finite=False, driver="ev"))


def _pair_bounds(k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Smallest 2 x 2 eigenvalue and its pair for matrices k [A, N, N]: float64 [A], int64 [A, 2]."""
    count, n = k.shape[:2]
    best = np.full(count, np.inf)
    pairs = np.full((count, 2), -1, dtype=np.int64)
    diagonal = np.diagonal(k, axis1=1, axis2=2).astype(np.float64)
    matrices = max(1, _BLOCK // (n * n))
    rows = max(1, _BLOCK // n)
    for a in range(0, count, matrices):
        chosen = slice(a, a + matrices)
        for i in range(0, n - 1, rows):
            stop = min(i + rows, n - 1)
            low = _lowest_of_pairs(
                diagonal[chosen, i:stop, None], diagonal[chosen, None, i + 1 :], k[chosen, i:stop, i + 1 :]
            )
            row, column = np.tril_indices(stop - i, -1, n - i - 1)
            low[:, row, column] = np.inf
            flat = low.reshape(low.shape[0], -1)
            where = flat.argmin(axis=1)
            value = flat[np.arange(flat.shape[0]), where]
            better = np.flatnonzero(value < best[chosen])
            best[a + better] = value[better]
            row, column = np.divmod(where[better], n - i - 1)
            pairs[a + better] = np.stack([i + row, i + 1 + column], axis=1)
    best[pairs[:, 0] < 0] = np.nan
    return best, pairs


def _lowest_of_pairs(a: np.ndarray, c: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Smallest eigenvalue of [[a, b], [b, c]], (a+c)/2 - sqrt(((a-c)/2)^2 + b^2), without its cancellation.

    The root exceeds |b| by h^2 / (root + |b|), h = (a-c)/2, and (a+c)/2 - |b| is exact where the two are close.
    """
    b = np.abs(b.astype(np.float64, copy=False))
    h = 0.5 * a - 0.5 * c
    beyond = np.hypot(h, b)
    beyond += b
    np.divide(h, beyond, out=beyond, where=beyond > 0)
    beyond *= h
    return (0.5 * a + 0.5 * c) - b - beyond


def _check(k: np.ndarray) -> None:
    """Refuse what is not a stack [A, N, N] of finite symmetric matrices."""
    if k.dtype.kind not in "biuf":
        raise InputError(f"a kernel matrix holds real numbers, got {k.dtype}")
    if k.shape[1] != k.shape[2] or 0 in k.shape:
        raise InputError(f"a kernel matrix is square with at least one row, got shape {k.shape[1:]}")
    scale = np.abs(np.diagonal(k, axis1=1, axis2=2)).max(axis=1)[:, None, None].astype(np.float64)
    tolerance = 100 * _eps(k.dtype) * scale
    rows = max(1, _BLOCK // k.shape[1])
    matrices = max(1, _BLOCK // k.shape[1] ** 2)
    for a in range(0, k.shape[0], matrices):
        for i in range(0, k.shape[1], rows):
            block, mirrored = k[a : a + matrices, i : i + rows], k[a : a + matrices, :, i : i + rows].swapaxes(1, 2)
            if not np.isfinite(block).all():
                raise InputError("a kernel matrix has NaN or infinite entries")
            if (np.abs(block.astype(np.float64) - mirrored) > tolerance[a : a + matrices]).any():
                raise InputError("a kernel matrix must be symmetric")


def _eps(dtype: np.dtype[Any]) -> float:
    """Machine precision of a float dtype; float64's for integers, which are converted exactly."""
    return float(np.finfo(dtype if dtype.kind == "f" else np.float64).eps)


def _warn_precision(dtype: np.dtype[Any], unresolved: np.ndarray) -> None:
    if dtype.kind != "f" or dtype.itemsize >= 8 or not unresolved.any():
        return
    which = "the kernel" if unresolved.size == 1 else f"{int(unresolved.sum())} of {unresolved.size} kernels"
    warnings.warn(
        f"{dtype} cannot resolve the smallest eigenvalue of {which}: compute in float64", PrecisionWarning, stacklevel=3
    )
