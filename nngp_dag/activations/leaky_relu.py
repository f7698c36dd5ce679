"""Leaky ReLU with slope a on the negative side: a mixture of ReLU and the identity.

From sigma(x) = relu(x) - a relu(-x), with c = 2 / (1 + a^2) and the arc-cosine kernels F1, F0 of `arc_cosine`:
    f    = ((1 - a)^2 F1 + 2 a kxy) / (1 + a^2),
    fdot = ((1 - a)^2 F0 + 2 a) / (1 + a^2),
    beta = sqrt(c) (1 - a) sqrt(k / 2 pi).
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from nngp_dag.activations.arc_cosine import arc_cosine_one, arc_cosine_zero, half_normal_mean
from nngp_dag.activations.base import Activation

__all__ = ["LeakyRelu"]


@dataclass(frozen=True)
class LeakyRelu(Activation):
    """sigma(x) = x for x >= 0 and slope * x below; c = 2 / (1 + slope^2)."""

    slope: float = 0.01

    name = "leaky_relu"
    is_analytic = False
    is_homogeneous = True

    @property
    def normalization(self) -> float:
        return 2 / (1 + self.slope**2)

    def __call__(self, x: Array) -> Array:
        return jax.nn.leaky_relu(x, self.slope)

    def dual(self, px: Array, py: Array, kxy: Array) -> Array:
        return self._mix(arc_cosine_one(px, py, kxy), kxy)

    def dual_derivative(self, px: Array, py: Array, kxy: Array) -> Array:
        return self._mix(arc_cosine_zero(px, py, kxy), 1.0)

    def dual_diagonal(self, k: Array) -> Array:
        return k

    def dual_derivative_diagonal(self, k: Array) -> Array:
        # Of zero rows too, which the pair maps take for independent directions (theta = pi / 2).
        return jnp.ones_like(k)

    def mean(self, k: Array) -> Array:
        return self.normalization**0.5 * (1 - self.slope) * half_normal_mean(k)

    def _mix(self, rectified: Array, linear: Array | float) -> Array:
        a = self.slope
        return ((1 - a) ** 2 * rectified + 2 * a * linear) / (1 + a**2)
