"""The angle behind the dual maps of erf and of the normal distribution function (Williams, 1997).

For variances kxx, kyy and covariance kxy, with A = 1 + kxx, B = 1 + kyy, u = kxy / sqrt(A B) and
D = A B - kxy^2 = 1 + kxx + kyy + (kxx kyy - kxy^2) >= 1:
    4 E[(Phi(g) - 1/2) (Phi(g') - 1/2)] = (2 / pi) arcsin u,
    d arcsin u = (dkxy - (kxy / 2) (dkxx / A + dkyy / B)) / sqrt(D).
Nothing is singular at rho = -1 and 1. D / (A B) is summed from terms of order one, so that nothing overflows either.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from nngp_dag.activations.angles import arcsin
from nngp_dag.activations.safe import geometric_mean

__all__ = ["BoundedPair", "bounded_arcsin", "bounded_pair"]


class BoundedPair(NamedTuple):
    """A pair of variances and their covariance, scaled by A = 1 + kxx and B = 1 + kyy.

    Attributes:
        scale: sqrt(A B).
        u: kxy / sqrt(A B), in (-1, 1).
        inverse_sum: 1 / A + 1 / B.
        excess: (kxx kyy - kxy^2) / (A B).
        determinant: D / (A B) = 1 - u^2, positive.
    """

    scale: Array
    u: Array
    inverse_sum: Array
    excess: Array
    determinant: Array


def bounded_pair(kxx: Array, kyy: Array, kxy: Array) -> BoundedPair:
    """The scaled quantities for variances >= 0 and their covariance (broadcastable arrays of one dtype)."""
    scale = geometric_mean(1 + kxx, 1 + kyy)
    u = kxy / scale
    inverse_x, inverse_y = 1 / (1 + kxx), 1 / (1 + kyy)
    excess = _saturated(kxx) * _saturated(kyy) - u * u
    parallel = inverse_x + inverse_y - inverse_x * inverse_y  # (1 + kxx + kyy) / (A B), the determinant at excess = 0
    determinant = parallel + excess
    # excess >= 0 but for rounding, which counts only for variances near 1 / eps; half the bound leaves the derivative
    # at rho = -1 and 1 untouched.
    determinant = jnp.where(determinant > parallel / 2, determinant, parallel / 2)
    return BoundedPair(scale, u, inverse_x + inverse_y, excess, determinant)


@jax.custom_jvp
def bounded_arcsin(kxx: Array, kyy: Array, kxy: Array) -> Array:
    """arcsin(kxy / sqrt((1 + kxx) (1 + kyy))) for broadcastable arrays of one dtype, differentiable everywhere."""
    scale = geometric_mean(1 + kxx, 1 + kyy)
    return arcsin(jnp.clip(kxy / scale, -1, 1), jnp.maximum((scale - jnp.abs(kxy)) / scale, 0))


@bounded_arcsin.defjvp
def _bounded_arcsin_jvp(primals: tuple[Array, ...], tangents: tuple[Array, ...]) -> tuple[Array, Array]:
    kxx, kyy, kxy = primals
    dxx, dyy, dxy = tangents
    pair = bounded_pair(kxx, kyy, kxy)
    slope = 1 / (pair.scale * jnp.sqrt(pair.determinant))
    return bounded_arcsin(kxx, kyy, kxy), slope * (dxy - kxy / 2 * (dxx / (1 + kxx) + dyy / (1 + kyy)))


@jax.custom_jvp
def _saturated(k: Array) -> Array:
    """The quotient k / (1 + k), whose derivative by the quotient rule would overflow for large k."""
    return k / (1 + k)


@_saturated.defjvp
def _saturated_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (k,), (dk,) = primals, tangents
    inverse = 1 / (1 + k)
    return _saturated(k), inverse * (inverse * dk)
