"""The spectral measure by stochastic Lanczos quadrature, with the error bounds of Chen, Trogdon and Ubaru (ICML 2021,
arXiv:2105.06595).

The cumulative spectral measure is Phi(x) = #{i: lambda_i <= x} / N. For a uniformly random unit vector v the weighted
one, Psi_v(x) = sum over lambda_i <= x of (u_i' v)^2, has expectation Phi(x), and k steps of Lanczos give its Gauss
quadrature: nodes the eigenvalues of T, weights the squared first entries of their vectors.

A few large eigenvalues, which kernels have, would make both the estimate and its bound useless, for their weights are
random. But Lanczos finds them to all digits. So they are atoms of weight 1 / N here; the rest is that of a uniform
vector in their complement, whose spectrum ends below them: the same theorems with N - m and a far smaller interval.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.matrix_free.lanczos import Tridiagonal

__all__ = ["SpectralMeasure", "spectral_measure"]


@dataclass(frozen=True, eq=False)
class SpectralMeasure:
    """An estimate of the distribution of N eigenvalues, from s random vectors of k steps each.

    Attributes:
        atoms: the m largest eigenvalues, where Lanczos has found them to all digits; descending.
        nodes: of the others [s, k - m], ascending in each row.
        weights: [s, k - m], of sum one in each row.
        size: N.
        low, high: an interval that holds all eigenvalues but the atoms.
    """

    atoms: np.ndarray
    nodes: np.ndarray
    weights: np.ndarray
    size: int
    low: float
    high: float

    @property
    def rest(self) -> int:
        """N - m."""
        return self.size - len(self.atoms)

    def cumulative(self, x: np.ndarray) -> np.ndarray:
        """The estimated fraction of eigenvalues that are at most x, of the shape of x."""
        nodes, weights = self.points
        return np.concatenate([[0.0], np.cumsum(weights)])[np.searchsorted(nodes, x, side="right")]

    def sum_of(self, function: Callable[[np.ndarray], np.ndarray]) -> tuple[float, float]:
        """sum_i f(lambda_i) = tr f(A): the mean over vectors and its standard error (NaN for one vector)."""
        each = function(self.atoms).sum() + self.rest * np.sum(self.weights * function(self.nodes), axis=1)
        s = len(each)
        return float(each.mean()), float(each.std(ddof=1) / s**0.5) if s > 1 else float("nan")

    def theorem_bound(self, failure: float = 1e-3) -> float:
        """The Wasserstein distance to Phi, except with this probability, by their Theorem 1.

        t (high - low), where s >= 4 ln(2 N / failure) / ((N + 2) t^2) and k >= 12 / t + 1/2; of the N - m eigenvalues
        that are no atoms, and k - m steps.
        """
        steps = self.nodes.shape[1]
        t = max(12 / (steps - 0.5), 2 * self._sampling(failure))
        return t * (self.high - self.low) * self.rest / self.size

    def bound(self, failure: float = 1e-3) -> float:
        """The same from what was computed: never more than `theorem_bound`, and mostly far less.

        By the inequalities of Chebyshev, Markov and Stieltjes Psi_v leaves its quadrature between the nodes theta_j and
        theta_{j+1} by at most the larger of their two weights; averaging Psi_v over s vectors leaves Phi by at most
        sqrt(ln(2 N / failure) / ((N + 2) s)) at any of its N jumps, except with this probability.
        """
        ends = np.full((len(self.nodes), 1), self.low), np.full((len(self.nodes), 1), self.high)
        gaps = np.diff(np.concatenate([ends[0], self.nodes, ends[1]], axis=1), axis=1)
        w = np.concatenate([np.zeros_like(ends[0]), self.weights, np.zeros_like(ends[0])], axis=1)
        quadrature = float(np.sum(np.clip(gaps, 0, None) * np.maximum(w[:, :-1], w[:, 1:]), axis=1).mean())
        spread = self.high - self.low
        share = self.rest / self.size
        return min(self.theorem_bound(failure), share * (quadrature + self._sampling(failure) * spread))

    def density(self, num_points: int = 256, floor: float | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Density of eigenvalues per decade, as `nngp_dag.spectrum.spectral_density` gives it of eigenvalues.

        Args:
            num_points: where to evaluate, equally spaced in log10(lambda).
            floor: nodes at or below it are left out; by default N eps high.

        Returns:
            (lambda [num_points], density [num_points]).

        Raises:
            InputError: fewer than two nodes above the floor.
        """
        from scipy.stats import gaussian_kde

        nodes, weights = self.points
        floor = self.size * float(np.finfo(np.float64).eps) * self.high if floor is None else floor
        above = nodes > floor
        if np.unique(nodes[above]).size < 2:
            raise InputError(f"a density needs two distinct nodes above {floor:.3g}")
        logs, mass = np.log10(nodes[above]), weights[above]
        estimate = gaussian_kde(logs, weights=mass)
        margin = 4 * float(np.sqrt(estimate.covariance[0, 0]))
        points = np.linspace(logs.min() - margin, logs.max() + margin, num_points)
        return 10**points, estimate(points) * mass.sum()

    @cached_property
    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """All nodes in ascending order, and their weights of sum one."""
        order = np.argsort(self.nodes, axis=None)
        weights = self.weights.ravel()[order] * (self.rest / (self.size * len(self.nodes)))
        atoms = np.full(len(self.atoms), 1 / self.size)
        return np.concatenate([self.nodes.ravel()[order], self.atoms[::-1]]), np.concatenate([weights, atoms])

    def _sampling(self, failure: float) -> float:
        return float(np.sqrt(np.log(2 * self.rest / failure) / ((self.rest + 2) * len(self.nodes))))


def spectral_measure(found: Tridiagonal, low: float, high: float) -> SpectralMeasure:
    """The measure of Lanczos runs from uniformly random directions, all of whose eigenvalues lie in [low, high]."""
    n, s = found.basis.shape[1:]
    pairs = [found.ritz(start) for start in range(s)]
    nodes = np.stack([values for values, _ in pairs])
    weights = np.stack([vectors[0] ** 2 for _, vectors in pairs])
    residuals = np.stack([found.residuals(start) for start in range(s)])
    m = _num_converged(nodes, residuals)
    while m and not _simple(found, pairs, m):
        m -= 1
    kept = nodes.shape[1] - m
    atoms = nodes[:, kept:].mean(axis=0)[::-1]
    left = weights[:, :kept] / weights[:, :kept].sum(axis=1, keepdims=True)
    return SpectralMeasure(atoms, nodes[:, :kept], left, n, low, float(atoms[-1]) if m else high)


def _num_converged(nodes: np.ndarray, residuals: np.ndarray) -> int:
    """The number of largest Ritz values that all starts agree on, to rounding and well apart from the next."""
    k = nodes.shape[1]
    close = 1e-10 * nodes[:, -1].max()
    m = 0
    while m < k // 2:
        here, below = nodes[:, k - 1 - m], nodes[:, k - 2 - m]
        if residuals[:, k - 1 - m].max() > close or np.ptp(here) > close or (here.min() - below.max()) <= 1e3 * close:
            break
        m += 1
    return m


def _simple(found: Tridiagonal, pairs: list[tuple[np.ndarray, np.ndarray]], m: int) -> bool:
    """True where all starts found the same m vectors: of a multiple eigenvalue each finds another one."""
    if found.alpha.shape[1] == 1:
        return False
    first, second = (found.basis[:, :, s].T @ pairs[s][1][:, -m:] for s in (0, 1))
    return bool(np.abs(np.einsum("nm,nm->m", first, second)).min() > 1 - 1e-6)
