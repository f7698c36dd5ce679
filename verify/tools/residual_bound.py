"""Eq. 3 against literal networks whose residual starts along the slowest direction, where the bound is tightest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.paths import path_statistics
from verify.tools.descent import TRAINED, LiteralNetworks
from verify.tools.pair_recursion import exact_gram

__all__ = ["DECAY", "BoundedRuns", "Spectra", "run_bounded", "spectra", "spread_rows", "steps_needed"]

DECAY = 10.0
"""The factor by which the bound itself has to have fallen before a run says anything."""

_VISIBLE = 1e-6
"""Share of the residual at the start below which rounding in 32 bits is no longer far away."""


@dataclass(frozen=True)
class Spectra:
    """The quantities of Eq. 3, for D DAGs on N rows; infinite width, by the reference recursion.

    Attributes:
        dags: the DAGs.
        rows: N.
        paths: P_H of each, [D].
        nngp_min: lambda_min(K_HH), [D].
        kernel_min, kernel_max: of the kernel that the residual follows, [D].
        slowest: its eigenvector of the smallest eigenvalue, [D, N].
    """

    dags: Sequence[Dag]
    rows: int
    paths: np.ndarray
    nngp_min: np.ndarray
    kernel_min: np.ndarray
    kernel_max: np.ndarray
    slowest: np.ndarray

    @property
    def stable(self) -> np.ndarray:
        """A quarter of where linear dynamics turn unstable at infinite width, 2 / lambda_max: at finite width
        lambda_max varies, [D].
        """
        return 0.5 / self.kernel_max

    @property
    def theorem(self) -> np.ndarray:
        """lambda_min(K_HH) / (N P_H)^2, the theorem's eta without its 2^O(H) and constants, [D]."""
        return self.nngp_min / (self.rows * self.paths) ** 2

    def largest_factor(self, rates: np.ndarray) -> np.ndarray:
        """The largest F for which (1 - F eta lambda_min(K) / 2)^k bounds the slowest direction at infinite width."""
        return (1 - (1 - rates * self.kernel_min) ** 2) * 2 / (rates * self.nngp_min)


@dataclass(frozen=True)
class BoundedRuns:
    """Residuals of D DAGs and S seeds with what bounds them.

    Attributes:
        spectra: of the kernels.
        rates: eta, [D].
        residuals: |y - u(k)|^2 over its value at k = 0, [D, S, T].
    """

    spectra: Spectra
    rates: np.ndarray
    residuals: np.ndarray

    def bound(self, factor: float | np.ndarray = 1.0) -> np.ndarray:
        """(1 - F eta lambda_min(K) / 2)^k, [D, T]; zero where the base is negative."""
        base = np.maximum(1 - factor * self.rates * self.spectra.nngp_min / 2, 0.0)
        return base[:, None] ** np.arange(self.residuals.shape[-1])

    def exceeding(self, factor: float | np.ndarray = 1.0) -> np.ndarray:
        """The runs that exceed the bound while their residual is well above rounding, bool [D, S]."""
        above = self.residuals > self.bound(factor)[:, None] * (1 + 1e-4)
        return np.asarray((above & (self.residuals > _VISIBLE)).any(axis=-1))

    @property
    def decayed(self) -> bool:
        """The bound of every DAG falls by `DECAY` within the run."""
        return bool((self.bound()[:, -1] * DECAY <= 1).all())

    @property
    def slack(self) -> float:
        """The smallest log(bound / residual) over DAGs, seeds and steps after the first, down to the visible."""
        later, bound = self.residuals[..., 1:], np.maximum(self.bound()[:, None, 1:], np.finfo(float).tiny)
        return float((np.log(bound) - np.log(np.maximum(later, _VISIBLE)))[later > _VISIBLE].min())


def spread_rows(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """Rows of unit norm [n, d] in random directions: where d is much above n, no smallest eigenvalue is tiny."""
    x = rng.normal(size=(n, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def spectra(dags: Sequence[Dag], x: np.ndarray, trained: str = "all weights", activation: str = "relu") -> Spectra:
    """Eigenvalues of what the residual follows under gradient descent on some of the weights, G fixed."""
    of_w, of_a = TRAINED[trained]
    smallest, low, high, slowest = [], [], [], []
    for dag in dags:
        nngp, ntk = exact_gram(dag, x, x, "activation-last", "gaussian", activation)
        values, vectors = np.linalg.eigh(of_w * (ntk - nngp) + of_a * nngp)
        smallest.append(np.linalg.eigvalsh(nngp)[0])
        low.append(values[0])
        high.append(values[-1])
        slowest.append(vectors[:, 0])
    paths = np.array([path_statistics(dag).num_paths for dag in dags], np.float64)
    return Spectra(dags, len(x), paths, *(np.asarray(of) for of in (smallest, low, high, slowest)))


def steps_needed(found: Spectra, rates: np.ndarray) -> int:
    """The number of steps after which the bound of every DAG has fallen by `DECAY`."""
    base = np.minimum(rates * found.nngp_min / 2, 0.999)
    return int(np.ceil(np.log(DECAY) / -np.log1p(-base)).max())


def run_bounded(
    found: Spectra,
    nets: LiteralNetworks,
    rates: np.ndarray,
    trained: str = "all weights",
) -> BoundedRuns:
    """Train until the bound has fallen by `DECAY`, from residuals along the slowest direction of each DAG."""
    runs = nets.descend(found.slowest, list(rates), 1 + steps_needed(found, rates), trained)
    return BoundedRuns(found, rates, runs.residuals / runs.residuals[..., :1])
