"""Nodes and weights for expectations under z ~ N(0, 1), and Hermite functions at the nodes.

Composite Gauss-Legendre panels, not Gauss-Hermite: Hermite nodes spread out as their number grows and converge slowly
for functions with poles near the real axis (tanh(sqrt(k) z) has them at distance pi / (2 sqrt(k))); panels converge
geometrically once a panel is shorter than that distance. One panel ends at 0, so that functions with a kink there (ReLU
and its many relatives) lose nothing either. Everything here is NumPy float64 and computed once.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["hermite_table", "positive_rule"]

NODES_PER_PANEL = 16


@lru_cache(maxsize=4)
def positive_rule(panel: float = 0.5, limit: float = 15.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes z > 0 and weights p, both [Q]: E[F(z)] = sum_q p_q (F(z_q) + F(-z_q)).

    Arguments:
        panel: length of a panel, with 16 nodes in each.
        limit: where the positive half-line ends; the normal density there is 5e-50 at 15.
    """
    nodes, weights = np.polynomial.legendre.leggauss(NODES_PER_PANEL)
    starts = np.arange(0, limit, panel)
    z = (starts[:, None] + panel * (nodes + 1) / 2).ravel()
    p = np.tile(weights * panel / 2, len(starts)) * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return _frozen(z), _frozen(p)


@lru_cache(maxsize=16)
def hermite_table(terms: int, panel: float = 0.5, limit: float = 15.0) -> NDArray[np.float64]:
    """p_q h_n(z_q) as [terms, Q] for the rule of the same arguments, n = 0 .. terms - 1.

    h_n = He_n / sqrt(n!) is orthonormal under N(0, 1), and its recurrence
    h_{n+1} = (z h_n - sqrt(n) h_{n-1}) / sqrt(n + 1) is stable upwards. The factor p keeps the products in range:
    |h_n(z)| is at most exp(z^2 / 4) or so.
    """
    z, p = positive_rule(panel, limit)
    table = np.empty((terms, len(z)))
    before, current = np.zeros_like(z), p.copy()
    for n in range(terms):
        table[n] = current
        before, current = current, (z * current - np.sqrt(n) * before) / np.sqrt(n + 1)
    return _frozen(table)


def _frozen(a: NDArray[np.float64]) -> NDArray[np.float64]:
    a.setflags(write=False)
    return a
