r"""Kernels of many DAGs as weighted sums of a few planes: what a method says of them instead of computing them.

Off the diagonal and on it, the kernels of a DAG on given rows are

    K_HH = sum_a p_a V_a + S S',    K_HH + Theta_HH = sum_a p_a (V_a + W_a) + S S',    S = sum_a q_a b_a,

with *planes* V_a, W_a [N, N] and means b_a [N] that are common to the DAGs, and nonnegative weights that are theirs.
Planes are covariances, and so positive semi-definite. Statistics of kernels follow from the weights and from statistics
of the planes; no kernel is written out for it.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from jax import Array

__all__ = ["PlaneRows", "PlaneSums", "Shared", "filled"]

Shared: TypeAlias = Any
"""A pytree of arrays that is a method's own business, and only handed back to it."""


class PlaneSums(NamedTuple):
    """The C distinct kernels of A DAGs as sums over m of S planes each.

    Attributes:
        program: arrays from which the method computes the planes (`PairMethod.planes`).
        planes: which planes, int64 [C, m]; those of weight 0 are plane 0.
        power: p, float64 [C, m].
        mean: q, float64 [C, m].
        which: the kernel of each DAG, int64 [A].
    """

    program: Shared
    planes: np.ndarray
    power: np.ndarray
    mean: np.ndarray
    which: np.ndarray


class PlaneRows(NamedTuple):
    """The diagonals of planes, and all that the planes of pairs take of each input.

    Attributes:
        state: the method's own: a pytree of arrays whose last axis is the inputs.
        variance, tangent: V_a(x, x) and W_a(x, x) [S, N].
        mean: b_a(x) [S, N].
    """

    state: Shared
    variance: Array
    tangent: Array
    mean: Array


def filled(size: int) -> int:
    """Sizes come as multiples of 8, or of an eighth of the power of two below, so that sweeps share compilations."""
    step = max(8, 2 ** (int(size).bit_length() - 4))
    return -(-size // step) * step
