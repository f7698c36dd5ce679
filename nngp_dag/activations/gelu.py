"""GELU in its exact form, x Phi(x) with the normal distribution function Phi.

By Stein's lemma, with A = 1 + kxx, B = 1 + kyy, D = A B - kxy^2 and alpha = arcsin(kxy / sqrt(A B)):
    f    = c [kxy (1/4 + alpha / 2 pi) + (kxx kyy - kxy^2 + kxy^2 (1/A + 1/B)) / (2 pi sqrt(D))],
    fdot = c [1/4 + alpha / 2 pi + kxy (1/A + 1/B + 1/D) / (2 pi sqrt(D))],
    beta = sqrt(c) k / sqrt(2 pi (1 + k)),
    1/c  = 1/3 + 1 / (2 pi sqrt(3)).
Beyond variance 1e40 it is ReLU to the last bit, so that f has degree one and fdot degree zero: larger variances are
scaled down to there, and no power of one overflows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from nngp_dag.activations.base import Activation
from nngp_dag.activations.bounded_angle import bounded_arcsin, bounded_pair

__all__ = ["Gelu"]


@dataclass(frozen=True)
class Gelu(Activation):
    """sigma(x) = x Phi(x); c = 1 / (1/3 + 1 / (2 pi sqrt(3)))."""

    name = "gelu"
    normalization = 1 / (1 / 3 + 1 / (2 * math.pi * math.sqrt(3)))

    def __call__(self, x: Array) -> Array:
        return jax.nn.gelu(x, approximate=False)

    def dual(self, px: Array, py: Array, kxy: Array) -> Array:
        (kxx, x), (kyy, y) = _scaled(px), _scaled(py)
        scaled = kxy / x / y
        pair = bounded_pair(kxx, kyy, scaled)
        half = 1 / 4 + bounded_arcsin(kxx, kyy, scaled) / (2 * math.pi)
        rest = x * y * pair.scale * (pair.excess + pair.u**2 * pair.inverse_sum) / jnp.sqrt(pair.determinant)
        return self.normalization * (kxy * half + rest / (2 * math.pi))

    def dual_derivative(self, px: Array, py: Array, kxy: Array) -> Array:
        (kxx, x), (kyy, y) = _scaled(px), _scaled(py)
        scaled = kxy / x / y
        pair = bounded_pair(kxx, kyy, scaled)
        half = 1 / 4 + bounded_arcsin(kxx, kyy, scaled) / (2 * math.pi)
        inverse = 1 / (pair.scale**2 * pair.determinant)  # 1 / D
        rest = pair.u * (pair.inverse_sum + inverse) / jnp.sqrt(pair.determinant)
        return self.normalization * (half + rest / (2 * math.pi))

    # With kxx kyy - kxy^2 = 0 said outright: the pair maps round it, which counts for large k.
    def dual_diagonal(self, k: Array) -> Array:
        whole, (k, _) = k, _scaled(k)
        root = jnp.sqrt(1 + 2 * k)
        half = 1 / 4 + jnp.arctan(k / root) / (2 * math.pi)
        return self.normalization * whole * (half + k / (1 + k) / root / math.pi)

    def dual_derivative_diagonal(self, k: Array) -> Array:
        k, _ = _scaled(k)
        root = jnp.sqrt(1 + 2 * k)
        half = 1 / 4 + jnp.arctan(k / root) / (2 * math.pi)
        return self.normalization * (half + k / (2 * math.pi * root) * (2 / (1 + k) + 1 / (1 + 2 * k)))

    def mean(self, k: Array) -> Array:
        return self.normalization**0.5 * k / jnp.sqrt(2 * math.pi * (1 + k))


def _scaled(k: Array) -> tuple[Array, Array]:
    """The variance, at most 1e40 (1e10 in float32), and the factor of standard deviation by which it was scaled."""
    largest = 1e40 if k.dtype == jnp.float64 else 1e10
    return jnp.minimum(k, largest), jnp.sqrt(jnp.maximum(k / largest, 1))
