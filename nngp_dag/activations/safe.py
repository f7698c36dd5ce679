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
    high, low = jnp.maximum(kxx, kyy), jnp.minimum(kxx, kyy)
    return high * jnp.sqrt(low / jnp.where(high > 0, high, 1))


@geometric_mean.defjvp
def _geometric_mean_jvp(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    kxx, kyy = primals
    dxx, dyy = tangents
    q = geometric_mean(kxx, kyy)
    return q, q / 2 * reciprocal(kxx) * dxx + q / 2 * reciprocal(kyy) * dyy


def reciprocal(a: Array) -> Array:
    """1 / a, and 0 (with derivative 0) where a is not a positive normal number."""
    usable = a >= float(jnp.finfo(jnp.result_type(a)).tiny)
    return jnp.where(usable, 1 / jnp.where(usable, a, 1), 0)


def root(k: Array) -> Array:
    """sqrt(k), and 0 with derivative 0 where k <= 0."""
    positive = k > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, k, 1)), 0)
