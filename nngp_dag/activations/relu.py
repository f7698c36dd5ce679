"""ReLU: arc-cosine kernels of order one and zero.

With q = sqrt(kxx kyy), rho = kxy / q and c = 2: f = q (sqrt(1 - rho^2) + (pi - arccos rho) rho) / pi,
fdot = (pi - arccos rho) / pi, beta = sqrt(k / pi).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from nngp_dag.activations.base import Activation

__all__ = ["Relu"]


class Relu(Activation):
    """sigma(x) = max(x, 0); c = 2."""

    name = "relu"
    normalization = 2.0
    is_analytic = False
    is_homogeneous = True

    def __call__(self, x: Array) -> Array:
        return jax.nn.relu(x)

    def dual(self, px: Array, py: Array, kxy: Array) -> Array:
        q, rho = _polar(px, py, kxy)
        return q * (jnp.sqrt(1 - rho**2) + (jnp.pi - jnp.arccos(rho)) * rho) / jnp.pi

    def dual_derivative(self, px: Array, py: Array, kxy: Array) -> Array:
        _, rho = _polar(px, py, kxy)
        return (jnp.pi - jnp.arccos(rho)) / jnp.pi

    def dual_diagonal(self, k: Array) -> Array:
        return k

    def dual_derivative_diagonal(self, k: Array) -> Array:
        return jnp.ones_like(k)

    def mean(self, k: Array) -> Array:
        return jnp.sqrt(k / jnp.pi)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))


def _polar(px: Array, py: Array, kxy: Array) -> tuple[Array, Array]:
    q = jnp.sqrt(px * py)
    return q, jnp.clip(kxy / jnp.where(q > 0, q, 1), -1, 1)
