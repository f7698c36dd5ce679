"""The spectrum of a kernel from products alone: extreme eigenvalues with intervals, density, rank and determinant.

Two runs of Lanczos, which go on side by side, so that one product of K with a block of vectors serves both. On K: the
largest eigenvalue and, by quadrature, the density and the effective rank. On P^-1/2 K P^-1/2 with a Nystrom
preconditioner P (`nystrom`): the smallest eigenvalue and the log-determinant, which on K itself would take as many
steps as the root of the condition number.

What converges and what is proved: the largest eigenvalue converges in tens of steps; some eigenvalue lies within its
residual. The smallest comes as an interval. Above stands a Rayleigh quotient. Below stands mu s, where mu is bounded by
Kuczynski and Wozniakowski (1992, Theorem 4.2): of k steps from one random vector, the relative error of the largest
eigenvalue of a positive semi-definite matrix exceeds e with probability at most 1.648 sqrt(N) exp(-sqrt(e) (2 k - 1)),
whatever its gaps; of s vectors at most with its s-th power. It is applied to P^-1/2 K P^-1/2 and to that matrix taken
from a bound of its largest eigenvalue. Rounding is not bounded (`nngp-dag kernel --certify` does that).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nngp_dag.matrix_free.density import SpectralMeasure, spectral_measure
from nngp_dag.matrix_free.lanczos import Tridiagonal, lanczos
from nngp_dag.matrix_free.nystrom import Nystrom
from nngp_dag.matrix_free.operator import KernelOperator
from nngp_dag.support.blas import one_blas_thread
from nngp_dag.support.memory import require_memory
from nngp_dag.support.own_folder import own_folder

__all__ = ["LanczosSpectrum", "lanczos_spectrum", "most_products", "spectrum_bytes", "unreached"]

_LOWEST = 8
"""Ritz vectors of each start that span the space in which the smallest Rayleigh quotient is looked for."""

_BLOCK = 8
"""Vectors with which that is refined."""


@dataclass(frozen=True, eq=False)
class LanczosSpectrum:
    """Values of the spectrum of a kernel K [N, N].

    Attributes:
        lambda_max: the largest Ritz value, a lower bound of the largest eigenvalue.
        lambda_max_residual: some eigenvalue lies within it of `lambda_max`.
        lambda_max_high: no eigenvalue is larger, except with probability `failure`.
        lambda_min: the smallest Rayleigh quotient, an upper bound of the smallest eigenvalue.
        lambda_min_residual: some eigenvalue lies within it of `lambda_min`.
        lambda_min_low: no eigenvalue is smaller, except with probability `failure`.
        trace: exact, from the diagonal.
        log_determinant, log_determinant_error: mean and standard error over the start vectors.
        effective_rank, effective_rank_error: see `nngp_dag.spectrum.effective_rank`; with its standard error.
        measure: the distribution of the eigenvalues, with its bounds.
        failure: the probability that one of the bounds fails.
        rank: of the preconditioner.
        steps: of each run.
        refinements: products made for the smallest Rayleigh quotient.
    """

    lambda_max: float
    lambda_max_residual: float
    lambda_max_high: float
    lambda_min: float
    lambda_min_residual: float
    lambda_min_low: float
    trace: float
    log_determinant: float
    log_determinant_error: float
    effective_rank: float
    effective_rank_error: float
    measure: SpectralMeasure
    failure: float
    rank: int
    steps: int
    refinements: int

    @property
    def products(self) -> int:
        """Products with K that were made, each of a block of vectors."""
        return self.steps + self.refinements

    @property
    def condition(self) -> tuple[float, float | None]:
        """Bounds of lambda_max / lambda_min; None where lambda_min > 0 is not known."""
        low = self.lambda_max / self.lambda_min if self.lambda_min > 0 else float("inf")
        return low, self.lambda_max_high / self.lambda_min_low if self.lambda_min_low > 0 else None

    def summary(self) -> dict[str, object]:
        """As the command line gives it."""
        low, high = self.condition
        return {
            "lambda_min": self.lambda_min,
            "lambda_min_interval": [self.lambda_min_low, self.lambda_min],
            "lambda_min_residual": self.lambda_min_residual,
            "lambda_max": self.lambda_max,
            "lambda_max_interval": [self.lambda_max, self.lambda_max_high],
            "lambda_max_residual": self.lambda_max_residual,
            "trace": self.trace,
            "condition": low,
            "condition_interval": [low, high],
            "effective_rank": self.effective_rank,
            "effective_rank_error": self.effective_rank_error,
            "log_determinant": self.log_determinant,
            "log_determinant_error": self.log_determinant_error,
            "density_bound": self.measure.bound(self.failure),
            "failure": self.failure,
            "products": self.products,
        }


def lanczos_spectrum(
    operator: KernelOperator,
    *,
    steps: int = 100,
    probes: int = 8,
    rank: int | None = None,
    seed: int = 0,
    failure: float = 1e-3,
    keep: Path | None = None,
    identity: str = "",
    progress: Callable[[int], None] = lambda steps: None,
) -> LanczosSpectrum:
    """The spectrum of a kernel without a matrix.

    Args:
        operator: the kernel, in float64.
        steps: of each of the two runs; one of both is a product of K with a block of 2 `probes` vectors.
        probes: random start vectors of each run.
        rank: columns of the preconditioner; by default a quarter of the rows, at most 600.
        seed: of the vectors and the columns.
        failure: probability with which a bound may fail.
        keep: folder in which the steps are kept; a run that was killed goes on there.
        identity: what is computed, told apart by it in `keep`.
        progress: told of the steps done, of `steps`.

    Raises:
        InputError: too little memory, or as `lanczos`.
    """
    n = operator.shape[0]
    rank = min(n, 600, max(1, n // 4)) if rank is None else min(n, rank)
    steps = min(steps, n)
    require_memory(spectrum_bytes(n, operator.x.shape[1], steps, probes, rank), f"{steps} steps on {n:,} rows")
    start = np.random.default_rng(seed).standard_normal((2, n, probes))
    words = f"{identity} {steps} {probes} {rank} {seed}"
    with one_blas_thread():
        preconditioner = Nystrom.of(operator, rank, seed)
        if keep is not None:
            own_folder(keep, "nngp-dag-runs", "nngp-dag", "runs of Lanczos that are not finished.")
        both = lanczos(
            _side_by_side(operator, preconditioner, probes),
            np.concatenate(list(start), axis=1),
            steps,
            keep=None if keep is None else keep / "both",
            identity=words,
            done=progress,
        )
        top = _Top(both.of_starts(slice(probes)), operator.trace(), failure / 4)
        bottom = _Bottom(operator, preconditioner, both.of_starts(slice(probes, None)), failure / 4)
    return LanczosSpectrum(
        **vars(top),
        **vars(bottom),
        trace=operator.trace(),
        failure=failure,
        rank=preconditioner.rank,
        steps=steps,
    )


def _side_by_side(operator: KernelOperator, p: Nystrom, probes: int) -> Callable[[np.ndarray], np.ndarray]:
    """K on the first `probes` vectors, P^-1/2 K P^-1/2 on the others, by one product."""

    def multiply(v: np.ndarray) -> np.ndarray:
        found = operator.matmat(np.concatenate([v[:, :probes], p.whiten(v[:, probes:])], axis=1))
        return np.concatenate([found[:, :probes], p.whiten(found[:, probes:])], axis=1)

    return multiply


def most_products(steps: int) -> int:
    """Products with K that `lanczos_spectrum` makes at most."""
    return steps + _refinements(steps) + 4


def _refinements(steps: int) -> int:
    """Iterations that look for a smaller Rayleigh quotient, at most."""
    return steps // 2


class _Top:
    """The values that the run on K itself gives."""

    def __init__(self, found: Tridiagonal, trace: float, failure: float) -> None:
        n, probes = found.basis.shape[1:]
        self.lambda_max, self.lambda_max_residual = _largest(found)
        self.lambda_max_high = self.lambda_max / (1 - unreached(n, found.steps, probes, failure))
        self.measure = spectral_measure(found, 0.0, self.lambda_max_high)
        self.effective_rank, self.effective_rank_error = _effective_rank(self.measure, trace)


class _Bottom:
    """The values of the run on P^-1/2 K P^-1/2, and of the search from where it ended."""

    def __init__(self, operator: KernelOperator, p: Nystrom, found: Tridiagonal, failure: float) -> None:
        self.lambda_min, self.lambda_min_residual, self.refinements = _smallest_quotient(
            operator, p, found, _refinements(found.steps)
        )
        self.lambda_min_low = float(np.clip(p.shift * _least(found, failure), 0.0, self.lambda_min))
        rest, self.log_determinant_error = spectral_measure(found, 0.0, 0.0).sum_of(_log)
        self.log_determinant = p.log_determinant() + rest


def unreached(n: int, steps: int, probes: int, failure: float) -> float:
    """The relative error e of the largest eigenvalue after `steps` of Lanczos (`Kuczynski and Wozniakowski`), below 1.

    1.648 sqrt(n) exp(-sqrt(e) (2 steps - 1)) = failure^(1 / probes); 0 where all n steps were made.
    """
    if steps >= n:
        return 0.0
    exponent = np.log(1.648 * n**0.5) - np.log(failure) / probes
    return float(min((exponent / (2 * steps - 1)) ** 2, 1 - 1e-12))


def spectrum_bytes(n: int, d: int, steps: int, probes: int, rank: int) -> int:
    """Peak memory of `lanczos_spectrum` on n rows of length d: bases, preconditioner, rows, vectors, and a constant."""
    return 8 * n * (2 * steps * probes + 3 * rank + 3 * d + 8 * probes * (2 + _LOWEST)) + 2**29


def _largest(found: Tridiagonal) -> tuple[float, float]:
    """The largest Ritz value of all start vectors, and its residual."""
    each = [(found.ritz(s)[0][-1], found.residuals(s)[-1]) for s in range(found.alpha.shape[1])]
    value, residual = max(each)
    return float(value), float(max(residual, found.basis.shape[1] * np.finfo(np.float64).eps * value))


def _least(found: Tridiagonal, failure: float) -> float:
    """A lower bound of the smallest eigenvalue; the largest is bounded with the same probability of failure."""
    n, probes = found.basis.shape[1:]
    error = unreached(n, found.steps, probes, failure)
    high = _largest(found)[0] / (1 - error)
    low = min(found.ritz(s)[0][0] for s in range(probes))
    return float(high - (high - low) / (1 - error))


def _smallest_quotient(
    operator: KernelOperator, preconditioner: Nystrom, found: Tridiagonal, steps: int
) -> tuple[float, float, int]:
    """The smallest Rayleigh quotient of K, its residual and the products made: from the lowest Ritz vectors of all
    starts, by LOBPCG with the preconditioner.
    """
    from scipy.sparse.linalg import lobpcg

    lowest = [found.basis[:, :, s].T @ found.ritz(s)[1][:, :_LOWEST] for s in range(found.alpha.shape[1])]
    space, _ = np.linalg.qr(preconditioner.whiten(np.concatenate(lowest, axis=1)))
    image = operator.matmat(space)
    _, turned = np.linalg.eigh((space.T @ image + image.T @ space) / 2)
    block, image = (a @ turned[:, :_BLOCK] for a in (space, image))
    made = 1
    if 5 * block.shape[1] < len(block):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it did not converge: the residual says so
            options = {"M": preconditioner.solve, "largest": False, "maxiter": steps}
            _, block, history = lobpcg(operator, block, tol=0.0, retResidualNormsHistory=True, **options)
        image, made = operator.matmat(block), made + len(history) + 1
    quotient = float(block[:, 0] @ image[:, 0] / (block[:, 0] @ block[:, 0]))
    residual = np.linalg.norm(image[:, 0] - quotient * block[:, 0]) / np.linalg.norm(block[:, 0])
    return quotient, float(residual), made


def _effective_rank(measure: SpectralMeasure, trace: float) -> tuple[float, float]:
    """Exp of the entropy of lambda_i / trace, and its standard error."""
    total, error = measure.sum_of(lambda x: np.clip(x, 0, None) * _log(x))
    value = float(np.exp(np.log(trace) - total / trace))
    return value, value * error / trace


def _log(x: np.ndarray) -> np.ndarray:
    return np.log(np.where(x > 0, x, 1.0))
