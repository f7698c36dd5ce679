"""The error function (Williams, 1997).

With A = 1 + 2 kxx, B = 1 + 2 kyy, D = A B - 4 kxy^2:
    f    = c (2 / pi) arcsin(2 kxy / sqrt(A B)),
    fdot = c (4 / pi) / sqrt(D),
    beta = 0,   c = pi / (2 arcsin(2 / 3)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from nngp_dag.activations.base import Activation
from nngp_dag.activations.bounded_angle import bounded_arcsin, bounded_pair

__all__ = ["Erf"]


@dataclass(frozen=True)
class Erf(Activation):
    """sigma(x) = erf(x) = 2 Phi(sqrt(2) x) - 1; c = pi / (2 arcsin(2 / 3))."""

    name = "erf"
    normalization = math.pi / (2 * math.asin(2 / 3))

    def __call__(self, x: Array) -> Array:
        return jax.scipy.special.erf(x)

    def dual(self, px: Array, py: Array, kxy: Array) -> Array:
        return self.normalization * (2 / math.pi) * bounded_arcsin(2 * px, 2 * py, 2 * kxy)

    def dual_derivative(self, px: Array, py: Array, kxy: Array) -> Array:
        pair = bounded_pair(2 * px, 2 * py, 2 * kxy)
        return self.normalization * (4 / math.pi) / (pair.scale * jnp.sqrt(pair.determinant))

    def dual_diagonal(self, k: Array) -> Array:
        # arctan(2 k / sqrt(1 + 4 k)) = arcsin(2 k / (1 + 2 k)), which would lose digits for large k.
        return self.normalization * (2 / math.pi) * jnp.arctan(2 * k / jnp.sqrt(1 + 4 * k))

    def dual_derivative_diagonal(self, k: Array) -> Array:
        return self.normalization * (4 / math.pi) / jnp.sqrt(1 + 4 * k)

    def mean(self, k: Array) -> Array:
        return jnp.zeros_like(k)
