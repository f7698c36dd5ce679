r"""Traces, products and sums of planes on given rows, from which such statistics of weighted sums of planes follow.

A kernel K = sum_a p_a V_a + S S', S = sum_a q_a b_a = sum_k c_k r_k over a basis r of the means, has

    tr K = sum_a p_a tr V_a + |S|^2,        <K, Y> = sum_a p_a <V_a, Y> + S'Y S,
    |K|^2 = sum_ab p_a p_b <V_a, V_b> + 2 sum_a p_a S'V_a S + |S|^4.

Planes are covariances, so that <V_a, V_b> = tr(V_a V_b) >= 0 and S'V_a S >= 0, and weights are nonnegative: no term
of |K|^2 cancels another, whatever the activation. With unit roundoff u and m terms, p_a V_a and S S', an inner product
over N^2 entries errs by at most N^2 u |V_a| |V_b|, hence |K|^2 by at most N^2 u (sum_a p_a |V_a| + |S|^2)^2, which is
at most m N^2 u |K|^2 (Cauchy and Schwarz); sums over tiles do better. Centred kernels H K H, H = I - 1 1'/N, are sums
of centred planes, again positive semi-definite:

    <H V_a H, H V_b H> = <V_a, V_b> - 2/N (V_a 1).(V_b 1) + (1'V_a 1) (1'V_b 1) / N^2,

for planes from which a constant near their mean was subtracted, as H removes it; what can be lost is by how much the
square of |V_a - shift| exceeds that of |H V_a H|.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nngp_dag.kernel.plane_sums import PlaneSums

__all__ = ["PlaneMoments", "Vectors", "mean_basis"]

_KERNELS = 4096
"""Kernels that are worked on at a time."""


class Vectors(NamedTuple):
    """Vectors over the rows, float64: products with them are taken of every plane.

    Attributes:
        means: a basis r of the means of all planes [R, N].
        targets: T, whose outer product Y = T'T is the target kernel [C, N]; none without labels.
        centred_means, centred_targets: the same with their means over the rows taken off.
    """

    means: np.ndarray
    targets: np.ndarray
    centred_means: np.ndarray
    centred_targets: np.ndarray

    @classmethod
    def of(cls, means: np.ndarray, targets: np.ndarray) -> Vectors:
        """From means and targets."""
        return cls(means, targets, *(a - a.mean(axis=1, keepdims=True) for a in (means, targets)))

    @property
    def has_targets(self) -> bool:
        """There are labels."""
        return len(self.targets) > 0


@dataclass(frozen=True, eq=False)
class PlaneMoments:
    """Products of S planes with each other and with vectors, float64.

    Attributes:
        trace, off_diagonal: tr V_a and the sum of the other entries [S].
        gram, centred_gram: <V_a, V_b> and <H V_a H, H V_b H> [S, S].
        means, centred_means: r_k'V_a r_l, and the same with H r [S, R, R].
        targets, centred_targets: <V_a, Y> and <H V_a H, H Y H> [S].
    """

    trace: np.ndarray
    off_diagonal: np.ndarray
    gram: np.ndarray
    centred_gram: np.ndarray
    means: np.ndarray
    centred_means: np.ndarray
    targets: np.ndarray
    centred_targets: np.ndarray

    def of_kernels(self, sums: PlaneSums, coordinates: np.ndarray, vectors: Vectors) -> dict[str, np.ndarray]:
        """The same of kernels, float64 [C] each: trace, off_diagonal (its sum), square (|K|^2) and, with targets,
        target (<K, Y>), centred_square and centred_target.

        Args:
            sums: the kernels.
            coordinates: the means b_a of the planes in the basis r [S, R].
            vectors: as those of which these are moments.
        """
        parts = [
            self._of_some(sums, slice(start, start + _KERNELS), coordinates, vectors)
            for start in range(0, len(sums.planes), _KERNELS)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _of_some(
        self, sums: PlaneSums, some: slice, coordinates: np.ndarray, vectors: Vectors
    ) -> dict[str, np.ndarray]:
        planes, p = sums.planes[some], sums.power[some]
        c = np.einsum("cm,cmr->cr", sums.mean[some], coordinates[planes])

        def linear(of_planes: np.ndarray) -> np.ndarray:
            return np.asarray(np.einsum("cm,cm->c", p, of_planes[planes]))

        def squared(gram: np.ndarray, means: np.ndarray, r: np.ndarray) -> np.ndarray:
            products = gram[planes[:, :, None], planes[:, None, :]]
            crossed = np.einsum("cm,cmkl,ck,cl->c", p, means[planes], c, c, optimize=True)
            return np.einsum("cm,cmn,cn->c", p, products, p, optimize=True) + 2 * crossed + _squares(c, r) ** 2

        mean_squares = _squares(c, vectors.means)
        found = {
            "trace": linear(self.trace) + mean_squares,
            "off_diagonal": linear(self.off_diagonal) + (c @ vectors.means.sum(axis=1)) ** 2 - mean_squares,
            "square": squared(self.gram, self.means, vectors.means),
        }
        if vectors.has_targets:
            on, centred_on = (((c @ (r @ t.T)) ** 2).sum(axis=1) for r, t in (vectors[:2], vectors[2:]))
            found["target"] = linear(self.targets) + on
            found["centred_square"] = squared(self.centred_gram, self.centred_means, vectors.centred_means)
            found["centred_target"] = linear(self.centred_targets) + centred_on
        return found


def mean_basis(means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A basis r [R, N] of vectors b [S, N], orthonormal, and their coordinates [S, R]: b = coordinates @ r.

    Directions that are no more than float64's rounding of every b are left out. Homogeneous activations
    have one direction, rows of one norm another: then R is 1.
    """
    norms = np.linalg.norm(means, axis=1, keepdims=True)
    unit = np.divide(means, norms, out=np.zeros_like(means), where=(norms > 0) & np.isfinite(norms))
    u, s, r = np.linalg.svd(unit, full_matrices=False)
    kept = s > max(means.shape) * np.finfo(np.float64).eps * s[0]
    return r[kept], norms * u[:, kept] * s[kept]


def _squares(c: np.ndarray, r: np.ndarray) -> np.ndarray:
    """|c r|^2 for coordinates [C, R]."""
    return np.asarray(np.einsum("ck,kl,cl->c", c, r @ r.T, c, optimize=True))
