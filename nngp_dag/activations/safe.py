"""Roots and reciprocals of variances that stay finite, with their derivatives, at zero and at the ends of the range."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

__all__ = ["geometric_mean", "reciprocal", "root"]


@jax.custom_jvp
def geometric_mean(kxx: Array, kyy: Array) -> Array:
    """sqrt(kxx kyy) for arrays >= 0: no overflow, exactly symmetric, exactly k where both are k.

    Its derivative is (q / 2) (dkxx / kxx + dkyy / kyy), without the terms of a variance that is 0.
    """
    (x, root_x), (y, root_y) = _scaled(kxx), _scaled(kyy)
    return (root_x * root_y) * jnp.sqrt(x * y)


@geometric_mean.defjvp
def _geometric_mean_jvp(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    kxx, kyy = primals
    dxx, dyy = tangents
    q = geometric_mean(kxx, kyy)
    return q, q / 2 * reciprocal(kxx) * dxx + q / 2 * reciprocal(kyy) * dyy


def _scaled(k: Array) -> tuple[Array, Array]:
    """The variance as k = m r^2 with powers of two r, such that products of two m neither overflow nor underflow."""
    exponent = int(jnp.finfo(jnp.result_type(k)).maxexp)
    edge, r = 2.0 ** (2 * exponent // 5), 2.0 ** (3 * exponent // 8)
    large, small = k > edge, k < 1 / edge
    m = k * jnp.where(large, r**-2, jnp.where(small, r**2, 1.0)).astype(k.dtype)
    return m, jnp.where(large, r, jnp.where(small, 1 / r, 1.0)).astype(k.dtype)


def reciprocal(a: Array) -> Array:
    """1 / a, and 0 (with derivative 0) where a is not a positive normal number."""
    usable = a >= float(jnp.finfo(jnp.result_type(a)).tiny)
    return jnp.where(usable, 1 / jnp.where(usable, a, 1), 0)


def root(k: Array) -> Array:
    """sqrt(k), and 0 with derivative 0 where k <= 0."""
    positive = k > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, k, 1)), 0)
