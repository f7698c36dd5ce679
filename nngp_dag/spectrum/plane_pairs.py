"""The least pair of each kernel that is a weighted sum of planes: one pass over the entries, in cache."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from nngp_dag.kernel.method import Numbers
from nngp_dag.kernel.plane_sums import PlaneSums, filled
from nngp_dag.spectrum.pairs import lowest_of_pairs

__all__ = ["LeastPairs", "Weights", "least_pairs_of_tile"]


class Weights(NamedTuple):
    """The C kernels of a `PlaneSums`, filled up to a size that sweeps share: planes, p, q [C, m], and C itself."""

    planes: Numbers
    power: Numbers
    mean: Numbers
    number: Numbers

    @classmethod
    def of(cls, sums: PlaneSums) -> Weights:
        """Of these kernels."""
        number = len(sums.planes)
        room = [(0, filled(number) - number), (0, 0)]
        planes, power, mean = (np.pad(a, room) for a in (sums.planes.astype(np.int32), sums.power, sums.mean))
        return cls(planes, power, mean, np.array(number, np.int32))


class LeastPairs(NamedTuple):
    """Of each kernel the pair i < j, among some, whose 2 x 2 block has the smallest eigenvalue; arrays [C].

    Attributes:
        twice: twice that eigenvalue, by the short formula; infinite where there is no pair.
        i, j: the pair; the first in lexicographic order.
        at_i, at_j, between: K_ii, K_jj and K_ij.
    """

    twice: np.ndarray
    i: np.ndarray
    j: np.ndarray
    at_i: np.ndarray
    at_j: np.ndarray
    between: np.ndarray

    def or_lower(self, other: LeastPairs) -> LeastPairs:
        """Of each kernel the lower of two."""
        first = (other.i < self.i) | ((other.i == self.i) & (other.j < self.j))
        lower = (other.twice < self.twice) | ((other.twice == self.twice) & first)
        return LeastPairs(*(np.where(lower, b, a) for a, b in zip(self, other, strict=True)))

    def bounds(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The eigenvalues without cancellation, float64 [C], and pairs, int64 [C, 2], of the first C: NaN and -1 for
        one row, as `pair_bounds`.
        """
        found = LeastPairs(*(a[:count] for a in self))
        none = np.isinf(found.twice)
        values = lowest_of_pairs(found.at_i, found.at_j, found.between)
        pairs = np.stack([found.i, found.j], axis=1).astype(np.int64)
        return np.where(none, np.nan, values), np.where(none[:, None], -1, pairs)


def least_pairs_of_tile(
    planes: Array, corner: tuple[int, int], weights: Weights, diagonals: Numbers, means: Numbers
) -> LeastPairs:
    """Of the pairs of a tile, from its planes [S, J, I], the diagonals and the means of planes [S, N], float64.

    To be called with 64-bit types on.
    """
    return LeastPairs(*map(np.asarray, _least(planes, np.array(corner), weights, diagonals, means)))


@jax.jit
def _least(planes: Array, corner: Array, weights: Weights, diagonals: Array, means: Array) -> tuple[Array, ...]:
    num_rows = diagonals.shape[1]
    i, j = (start + jnp.arange(length) for start, length in zip(corner, planes.shape[:0:-1], strict=True))
    (at_i, means_i), (at_j, means_j) = (
        tuple(jnp.take(a, at, axis=1, mode="clip") for a in (diagonals, means)) for at in (i, j)
    )
    entries = planes.astype(jnp.float64)
    # Added to all pairs that are none of i < j < N.
    beyond = jnp.where((i[None, :] < j[:, None]) & (j[:, None] < num_rows), 0.0, jnp.inf)
    size = weights.planes.shape[1]

    def step(c: Array, found: tuple[Array, ...]) -> tuple[Array, ...]:
        at, p, q = weights.planes[c], weights.power[c], weights.mean[c]

        def summed(w: Array, a: Array) -> Array:
            return sum((w[u] * a[at[u]] for u in range(1, size)), w[0] * a[at[0]])

        s_i, s_j = summed(q, means_i), summed(q, means_j)
        k_i, k_j = summed(p, at_i) + s_i * s_i, summed(p, at_j) + s_j * s_j
        k = summed(p, entries) + s_j[:, None] * s_i
        twice = _twice_lowest(k_i, k_j[:, None], k) + beyond
        column = jnp.argmin(twice.min(axis=0))
        row = jnp.argmin(twice[:, column])
        new = twice[row, column], i[column], j[row], k_i[column], k_j[row], k[row, column]
        return tuple(all_.at[c].set(one) for all_, one in zip(found, new, strict=True))

    count = weights.planes.shape[0]
    kinds = (jnp.float64, i.dtype, j.dtype, jnp.float64, jnp.float64, jnp.float64)
    return lax.fori_loop(0, weights.number, step, tuple(jnp.full(count, 0, kind) for kind in kinds))


def _twice_lowest(a: Array, c: Array, b: Array) -> Array:
    """A + c - sqrt((a - c)^2 + 4 b^2): twice the smaller eigenvalue of [[a, b], [b, c]], up to rounding of min(a, c).

    As 2 min - 4 b^2 / (|a - c| + sqrt(...)), in which nothing of the size of max(a, c) cancels.
    """
    h, square = jnp.abs(a - c), 4 * b * b
    beyond = h + jnp.sqrt(h * h + square)
    return 2 * jnp.minimum(a, c) - square / jnp.where(beyond > 0, beyond, 1)
