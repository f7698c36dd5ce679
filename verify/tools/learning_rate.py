"""The learning rates at which Eq. 3 is true of the infinitely wide network (verify/proofs/learning-rate.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from nngp_dag.dag import Dag, Op
from nngp_dag.paths import path_statistics
from nngp_dag.reading import Setting
from verify.tools.dual_formulas import DUALS
from verify.tools.pair_recursion import exact_gram

__all__ = ["LinearRates", "all_skip_keeps", "independent_gram", "linear_rates", "threshold"]

_ROUNDING = 1e-9
"""Relative error of eigenvalues in 64 bits that is not taken for a failure."""


def threshold(eigenvalues: np.ndarray, smallest: np.ndarray) -> np.ndarray:
    """The largest eta with (1 - eta nu)^2 <= 1 - eta lambda / 2 for each eigenvalue nu [D, N] of the NTK, lambda [D]
    being the smallest of the NNGP; [D].
    """
    return np.asarray((2 / eigenvalues - smallest[:, None] / (2 * eigenvalues**2)).min(axis=1))


@dataclass(frozen=True)
class LinearRates:
    """Linear dynamics of D DAGs on N rows.

    Attributes:
        rows: N.
        paths: P of each DAG, [D].
        nngp_min: lambda_min(K), [D].
        ntk: eigenvalues of the NTK, ascending, [D, N].
    """

    rows: int
    paths: np.ndarray
    nngp_min: np.ndarray
    ntk: np.ndarray

    @property
    def threshold(self) -> np.ndarray:
        """The largest eta that keeps Eq. 3, [D]."""
        return threshold(self.ntk, self.nngp_min)

    @property
    def theorem(self) -> np.ndarray:
        """lambda_min(K) / (N P)^2, the theorem's eta without its factor, [D]."""
        return self.nngp_min / (self.rows * self.paths) ** 2

    @property
    def largest_constant(self) -> np.ndarray:
        """The largest C for which eta = C lambda_min(K) / (N P)^2 keeps Eq. 3, [D]."""
        return self.threshold / self.theorem

    def keep(self, rates: np.ndarray, steps: int = 3) -> np.ndarray:
        """True where descent at eta [D] from each eigenvector stays below Eq. 3 for some steps, bool [D].

        It runs the dynamics and does not ask for the threshold.
        """
        base = 1 - rates * self.nngp_min / 2
        kept, residual = base >= 0, np.ones_like(self.ntk)
        for k in range(1, steps + 1):
            residual = residual - rates[:, None] * self.ntk * residual
            bound = np.maximum(base, 0.0)[:, None] ** k * (1 + _ROUNDING)
            kept &= (residual**2 <= bound).all(axis=1)
        return np.asarray(kept)


def linear_rates(
    dags: Sequence[Dag], x: np.ndarray, sets: Sequence[Sequence[int]], setting: Setting
) -> list[LinearRates]:
    """The dynamics of ReLU networks on several sets of rows, by recursions that share nothing with the library's.

    Args:
        dags: D DAGs, each with a path.
        x: all rows [M, d], of unit norm.
        sets: of each set the rows that it takes.
        setting: exact or independent, with a fixed Gaussian embedding.
    """
    if setting.method == "exact":
        grams = [exact_gram(dag, x, x, setting.order, setting.embedding) for dag in dags]
    else:
        grams = [independent_gram(dag, x) for dag in dags]
    nngp, ntk = (np.stack(parts) for parts in zip(*grams, strict=True))
    paths = np.array([path_statistics(dag).num_paths for dag in dags], np.float64)
    found = []
    for rows in sets:
        block = np.ix_(range(len(dags)), list(rows), list(rows))
        found.append(
            LinearRates(len(rows), paths, np.linalg.eigvalsh(nngp[block])[:, 0], np.linalg.eigvalsh(ntk[block]))
        )
    return found


def independent_gram(dag: Dag, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(NNGP, NTK) of ReLU networks by Eq. 6-11, branches taken as uncorrelated, on unit rows x [N, d]; [N, N] each.

    K_t is the sum of K_s over skip and of f(K_s) over linear edges, Theta_t of Theta_s and of
    fdot(K_s) (Theta_s + K_s) (activation-last); the embedding is fixed.
    """
    dag, dual = dag.pruned(), DUALS["relu"]
    nodes = [(x @ x.T, np.zeros((len(x), len(x))))]
    for t in range(1, dag.num_nodes):
        k, theta = np.zeros_like(nodes[0][0]), np.zeros_like(nodes[0][0])
        for s in range(t):
            k_s, theta_s = nodes[s]
            if dag.op(s, t) is Op.SKIP:
                k, theta = k + k_s, theta + theta_s
            elif dag.op(s, t) is Op.LINEAR:
                diagonal = np.diagonal(k_s)
                of = np.broadcast_arrays(diagonal[:, None], k_s, diagonal[None, :])
                k, theta = k + dual.f(*of), theta + dual.fdot(*of) * (theta_s + k_s)
        nodes.append((k, theta))
    k, theta = nodes[-1]
    return k, k + theta


def all_skip_keeps(num_nodes: int, rows: int, constant: Fraction) -> bool:
    """True where the DAG whose edges are all skips keeps Eq. 3 at eta = C lambda_min / (N P)^2 on orthonormal rows.

    In rationals: h_H = P h_0, so that K = NTK = P^2 I; paths are counted by p_t = sum over s < t of p_s.
    """
    paths = [1]
    for _ in range(1, num_nodes):
        paths.append(sum(paths))
    eigenvalue = Fraction(paths[-1] ** 2)
    rate = constant * eigenvalue / (rows * paths[-1]) ** 2
    return (1 - rate * eigenvalue) ** 2 <= 1 - rate * eigenvalue / 2
