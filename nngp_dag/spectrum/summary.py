"""Statistics of the spectrum of one kernel (`spectrum`), and of many kernels (`spectra`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.errors import InputError
from nngp_dag.spectrum.eigenvalues import eigenvalues_in_place, eigenvalues_of_many
from nngp_dag.spectrum.matrix_checks import check_kernels, machine_epsilon, warn_precision
from nngp_dag.spectrum.measures import effective_rank
from nngp_dag.spectrum.pairs import pair_bound, pair_bounds

__all__ = ["ScaleFree", "SpectraSummary", "Spectrum", "spectra", "spectrum"]


class ScaleFree(NamedTuple):
    """Values divided by the mean diagonal of the kernel, so that a larger output alone does not change them."""

    lambda_min: float | None
    lambda_max: float | None
    pair_bound: float | None


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigenvalues and statistics of one symmetric matrix K [N, N].

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

    def summary(self) -> dict[str, float | list[int] | None]:
        """The statistics as the command line gives them: lambda_min, lambda_max, trace, condition, pair_bound, pair."""
        return {
            "lambda_min": self.lambda_min,
            "lambda_max": self.lambda_max,
            "trace": self.trace,
            "condition": self.condition,
            "pair_bound": self.pair_bound,
            "pair": None if self.pair is None else list(self.pair),
        }


class SpectraSummary(NamedTuple):
    """Statistics of A matrices, as arrays with leading dimension A; see `Spectrum`. Undefined: NaN (pair: -1)."""

    lambda_min: np.ndarray
    lambda_max: np.ndarray
    trace: np.ndarray
    condition: np.ndarray
    effective_rank: np.ndarray
    pair_bound: np.ndarray
    pair: np.ndarray
    """int64 [A, 2]"""
    mean_diagonal: np.ndarray


def spectrum(matrix: ArrayLike, *, overwrite: bool = False) -> Spectrum:
    """Eigenvalues and statistics of one kernel matrix, computed in float64.

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
    check_kernels(original[None])
    eps = machine_epsilon(original.dtype)
    trace = float(np.trace(original, dtype=np.float64))
    bound, pair = pair_bound(original)
    destroyed = overwrite and original.dtype == np.float64 and original.flags.writeable and original.flags.forc
    work = original if destroyed else np.array(original, dtype=np.float64, order="C")
    eigenvalues = eigenvalues_in_place(work)
    eigenvalues.flags.writeable = False
    result = Spectrum(eigenvalues, trace, bound, pair, eigenvalues.size * eps * float(eigenvalues[-1]))
    warn_precision(original.dtype, np.array([result.lambda_min <= result.resolution and result.lambda_max > 0]))
    return result


def spectra(matrices: ArrayLike) -> SpectraSummary:
    """Statistics of many kernel matrices at once.

    Args:
        matrices: symmetric [A, N, N], real and finite, N >= 1; NumPy or JAX.

    Returns:
        `SpectraSummary`: float64 arrays [A].

    Raises:
        InputError: as `spectrum`.

    Warns:
        PrecisionWarning: as `spectrum`, once, with the number of matrices.
    """
    k = np.asarray(matrices)
    if k.ndim != 3:
        raise InputError(f"kernel matrices have shape [A, N, N], got {k.shape}")
    check_kernels(k)
    n = k.shape[1]
    eigenvalues = eigenvalues_of_many(k)
    low, high = eigenvalues[:, 0], eigenvalues[:, -1]
    resolved = low > n * machine_epsilon(k.dtype) * high
    warn_precision(k.dtype, ~resolved & (high > 0))
    bounds, pairs = pair_bounds(k)
    trace = np.trace(k, axis1=1, axis2=2, dtype=np.float64)
    return SpectraSummary(
        lambda_min=low,
        lambda_max=high,
        trace=trace,
        condition=np.divide(high, low, out=np.full(low.shape, np.nan), where=resolved),
        effective_rank=np.asarray(effective_rank(eigenvalues)),
        pair_bound=bounds,
        pair=pairs,
        mean_diagonal=trace / n,
    )
