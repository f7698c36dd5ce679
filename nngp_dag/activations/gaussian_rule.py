"""Nodes and weights for expectations under z ~ N(0, 1), and Hermite functions at the nodes.

Composite Gauss-Legendre panels, not Gauss-Hermite: Hermite nodes spread out as their number grows and converge slowly
for functions with poles near the real axis (tanh(sqrt(k) z) has them at distance pi / (2 sqrt(k))); panels converge
geometrically once a panel is shorter than that distance. One panel ends at 0, so that functions with a kink there (ReLU
and its many relatives) lose nothing either. Panels shrink towards 0, where functions of sqrt(k) z vary fastest.
Everything here is NumPy float64 and computed once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Panels", "hermite_table", "legendre", "on_panels", "positive_rule", "weighted_hermite"]

NODES_PER_PANEL = 16


class Panels(NamedTuple):
    """Panels on (0, limit], 16 nodes in each: as long as z / 4, but not shorter than `finest`, not longer than `panel`.

    Attributes:
        panel: the length far from 0.
        limit: where the positive half-line ends; the normal density there is 5e-50 at 15.
        finest: the length next to 0; `panel` where it is None.
    """

    panel: float = 0.5
    limit: float = 15.0
    finest: float | None = None

    def ends(self) -> NDArray[np.float64]:
        """The ends of the panels, from 0 to `limit`."""
        ends = [0.0]
        least = self.panel if self.finest is None else min(self.finest, self.panel)
        while ends[-1] < self.limit:
            ends.append(ends[-1] + min(self.panel, max(least, ends[-1] / 4)))
        return np.array(ends)


STANDARD = Panels()


@lru_cache(maxsize=16)
def positive_rule(panels: Panels = STANDARD) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes z > 0 and weights p, both [Q]: E[F(z)] = sum_q p_q (F(z_q) + F(-z_q))."""
    z, p = on_panels(panels.ends())
    return _frozen(z), _frozen(p)


def on_panels(ends: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes and weights under N(0, 1) of the panels with these ends (ascending)."""
    nodes, weights = legendre()
    middle, radius = (ends[1:] + ends[:-1]) / 2, (ends[1:] - ends[:-1]) / 2
    z = (middle[:, None] + radius[:, None] * nodes).ravel()
    return z, (radius[:, None] * weights).ravel() * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


@lru_cache(maxsize=1)
def legendre() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The nodes and weights of a panel, on [-1, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES_PER_PANEL)
    return _frozen(nodes), _frozen(weights)


@lru_cache(maxsize=16)
def hermite_table(terms: int, panels: Panels = STANDARD) -> NDArray[np.float64]:
    """p_q h_n(z_q) as [terms, Q] for the rule of these panels, n = 0 .. terms - 1."""
    return _frozen(weighted_hermite(terms, *positive_rule(panels)))


def weighted_hermite(terms: int, z: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    """p_q h_n(z_q) as [terms, Q] for nodes and weights [Q].

    h_n = He_n / sqrt(n!) is orthonormal under N(0, 1), and its recurrence
    h_{n+1} = (z h_n - sqrt(n) h_{n-1}) / sqrt(n + 1) is stable upwards. The factor p keeps the products in range:
    |h_n(z)| is at most exp(z^2 / 4) or so.
    """
    table = np.empty((terms, len(z)))
    before, current = np.zeros_like(z), p.copy()
    for n in range(terms):
        table[n] = current
        before, current = current, (z * current - np.sqrt(n) * before) / np.sqrt(n + 1)
    return table


def _frozen(a: NDArray[np.float64]) -> NDArray[np.float64]:
    a.setflags(write=False)
    return a
