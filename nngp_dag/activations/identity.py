"""The identity, a linear network: f = kxy, fdot = 1, beta = 0, c = 1."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp
from jax import Array

from nngp_dag.activations.base import Activation

__all__ = ["Identity"]


@dataclass(frozen=True)
class Identity(Activation):
    """sigma(x) = x; c = 1."""

    name = "identity"
    normalization = 1.0
    is_polynomial = True
    is_homogeneous = True

    def __call__(self, x: Array) -> Array:
        return x

    def dual(self, px: Array, py: Array, kxy: Array) -> Array:
        return kxy

    def dual_derivative(self, px: Array, py: Array, kxy: Array) -> Array:
        return jnp.ones_like(kxy)

    def mean(self, k: Array) -> Array:
        return jnp.zeros_like(k)
