"""Sine.

With c = 2 / (1 - exp(-2)) and s = (kxx + kyy) / 2:
    f    = c exp(-s) sinh(kxy),
    fdot = c exp(-s) cosh(kxy),
    beta = 0,
    df = fdot dkxy - f ds,    dfdot = f dkxy - fdot ds.
|kxy| <= s, so that no exponential below overflows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from nngp_dag.activations.base import Activation

__all__ = ["Sin"]


@dataclass(frozen=True)
class Sin(Activation):
    """sigma(x) = sin x; c = 2 / (1 - exp(-2))."""

    name = "sin"
    normalization = 2 / -math.expm1(-2)

    def __call__(self, x: Array) -> Array:
        return jnp.sin(x)

    def dual(self, px: Array, py: Array, kxy: Array) -> Array:
        return self.normalization * _damped_sinh(kxy, (px + py) / 2)

    def dual_derivative(self, px: Array, py: Array, kxy: Array) -> Array:
        return self.normalization * _damped_cosh(kxy, (px + py) / 2)

    # The values are those of the pair maps; the derivative, of size exp(-2 k), is not the difference of larger terms.
    def dual_diagonal(self, k: Array) -> Array:
        return self.normalization * -jnp.expm1(-2 * k) / 2

    def dual_derivative_diagonal(self, k: Array) -> Array:
        return self.normalization * (1 + jnp.exp(-2 * k)) / 2

    def mean(self, k: Array) -> Array:
        return jnp.zeros_like(k)


@jax.custom_jvp
def _damped_sinh(t: Array, s: Array) -> Array:
    """exp(-s) sinh(t) for |t| <= s, to full relative accuracy for small t too."""
    return jnp.copysign(jnp.exp(jnp.abs(t) - s) * -jnp.expm1(-2 * jnp.abs(t)) / 2, t)


def _damped_cosh(t: Array, s: Array) -> Array:
    return (jnp.exp(t - s) + jnp.exp(-t - s)) / 2


@_damped_sinh.defjvp
def _damped_sinh_jvp(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    t, s = primals
    dt, ds = tangents
    value = _damped_sinh(t, s)
    return value, _damped_cosh(t, s) * dt - value * ds
