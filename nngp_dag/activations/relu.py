"""ReLU: arc-cosine kernels of order one and zero.

With q = sqrt(kxx kyy), rho = kxy / q and c = 2: f = q (sqrt(1 - rho^2) + (pi - arccos rho) rho) / pi,
fdot = (pi - arccos rho) / pi, beta = sqrt(k / pi). See `arc_cosine` for derivatives and zero rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from nngp_dag.activations.arc_cosine import arc_cosine_one, arc_cosine_zero, half_normal_mean
from nngp_dag.activations.arc_cosine_values import RootedVariance, one_from_zero, rooted_variance, zero_of_pair
from nngp_dag.activations.base import Activation

__all__ = ["Relu"]


@dataclass(frozen=True)
class Relu(Activation):
    """sigma(x) = max(x, 0); c = 2."""

    name = "relu"
    normalization = 2.0
    is_analytic = False
    is_homogeneous = True

    def __call__(self, x: Array) -> Array:
        return jax.nn.relu(x)

    def dual(self, px: Array, py: Array, kxy: Array) -> Array:
        return arc_cosine_one(px, py, kxy)

    def dual_derivative(self, px: Array, py: Array, kxy: Array) -> Array:
        return arc_cosine_zero(px, py, kxy)

    def prepare_values(self, k: Array) -> RootedVariance:
        return rooted_variance(k)

    def derivative_value(self, px: RootedVariance, py: RootedVariance, kxy: Array) -> Array:
        return zero_of_pair(px, py, kxy)

    def value_from_derivative(self, px: RootedVariance, py: RootedVariance, kxy: Array, derivative: Array) -> Array:
        return one_from_zero(px, py, kxy, derivative)

    def dual_diagonal(self, k: Array) -> Array:
        return k

    def dual_derivative_diagonal(self, k: Array) -> Array:
        # Of zero rows too, which the pair maps take for independent directions (theta = pi / 2).
        return jnp.ones_like(k)

    def mean(self, k: Array) -> Array:
        return 2.0**0.5 * half_normal_mean(k)
