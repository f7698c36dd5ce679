"""Eq. 6, 8 and 10 as functions of the Gram matrix of unit rows, and of each the equation of another DAG."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nngp_dag.dag import Dag
from verify.tools.literal import relu_f

__all__ = ["NEIGHBOURS", "Equation", "gram"]

_Formula = Callable[[np.ndarray], np.ndarray]
NEIGHBOURS: dict[str, tuple[str, _Formula]] = {
    "dag-1": ("K = f(f(K_0)), one linear edge fewer.", lambda k: relu_f(relu_f(k))),
    "dag-2": ("K = K_0 + 2 f(K_0), one linear edge fewer.", lambda k: k + 2 * relu_f(k)),
    "dag-3": ("K = 2 f(K_0) + f(2 f(K_0)), one linear edge more.", lambda k: 2 * relu_f(k) + relu_f(2 * relu_f(k))),
}
"""For each DAG the equation of another one with the same diagonal."""


@dataclass(frozen=True)
class Equation:
    """One of Eq. 6-11: the name of the DAG and its code, the equations, and K^(3) as a function of K^(0)."""

    name: str
    code: str
    words: str
    formula: _Formula

    @property
    def dag(self) -> Dag:
        """The DAG."""
        return Dag.from_code(self.code)

    def kernel(self, rows: np.ndarray, embedding: str) -> np.ndarray:
        """K^(3) by the equation on unit rows [N, d], float64 [N, N]."""
        k0 = gram(rows)
        return self.formula(relu_f(k0) if embedding == "stem" else k0)


def gram(rows: np.ndarray) -> np.ndarray:
    """The inner products of unit rows, with ones on the diagonal."""
    inner = np.clip(rows @ rows.T, -1.0, 1.0)
    np.fill_diagonal(inner, 1.0)
    return inner
