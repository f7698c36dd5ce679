"""A preconditioner from r columns: P = L L' + s I, with L L' = K_NS (K_SS)^-1 K_SN the Nystrom approximation of K.

L L' <= K, since what is left is a Schur complement. With s the smallest eigenvalue of L L' on its range (Frangella,
Tropp and Udell 2023), P^-1/2 K P^-1/2 has its eigenvalues in (0, 1 + |K - L L'| / s], and its smallest, mu, encloses
that of K:

    mu s <= lambda_min(K) <= mu s / (1 - mu).

The left side is K >= mu P >= mu s; for the right, with v the vector of mu, b = v'Kv >= a = v'LL'v gives
mu = b / (a + s) >= b / (b + s) >= lambda_min / (lambda_min + s) for unit v.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.matrix_free.operator import KernelOperator

__all__ = ["Nystrom"]


@dataclass(frozen=True, eq=False)
class Nystrom:
    """P = U diag(values) U' + shift I.

    Attributes:
        vectors: U, orthonormal columns [N, r].
        values: eigenvalues of L L' [r], descending, all at least `shift`.
        shift: s > 0.
    """

    vectors: np.ndarray
    values: np.ndarray
    shift: float

    @classmethod
    def of(cls, operator: KernelOperator, rank: int, seed: int = 0, jitter: float = 0.0) -> Nystrom:
        """From `rank` columns of K at random rows; `jitter` joins the shift, for K + jitter I.

        Raises:
            InputError: no positive eigenvalue among them.
        """
        n = operator.shape[0]
        chosen = np.sort(np.random.default_rng(seed).choice(n, size=min(rank, n), replace=False))
        columns = operator.columns(chosen).astype(np.float64)
        inner = columns[chosen]
        values, vectors = np.linalg.eigh((inner + inner.T) / 2)
        usable = values > len(chosen) * np.finfo(operator.dtype).eps * values[-1]
        if not values[-1] > 0:
            raise InputError("the kernel has no positive eigenvalue among the columns chosen")
        factor = columns @ (vectors[:, usable] / np.sqrt(values[usable]))
        squares, turned = np.linalg.eigh(factor.T @ factor)
        kept = squares > 1e-13 * squares[-1]
        squares, turned = squares[kept][::-1], turned[:, kept][:, ::-1]
        return cls(factor @ (turned / np.sqrt(squares)), squares, float(squares[-1]) + jitter)

    @property
    def rank(self) -> int:
        """R."""
        return len(self.values)

    def solve(self, v: np.ndarray) -> np.ndarray:
        """P^-1 v for v [N, s]."""
        return self._apply(v, -1.0)

    def whiten(self, v: np.ndarray) -> np.ndarray:
        """P^-1/2 v for v [N, s]."""
        return self._apply(v, -0.5)

    def log_determinant(self) -> float:
        """Log det P."""
        n = len(self.vectors)
        return float(np.log(self.values + self.shift).sum() + (n - self.rank) * np.log(self.shift))

    def _apply(self, v: np.ndarray, power: float) -> np.ndarray:
        within = self.vectors.T @ v
        outside = self.shift**power
        return outside * v + self.vectors @ (((self.values + self.shift) ** power - outside)[:, None] * within)
