"""Inner products of rows of data, K_in(x, x') = x.x' (not divided by d)."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array, lax

__all__ = ["inner_products", "squared_norms", "symmetric_products"]


def inner_products(x: Array, y: Array) -> Array:
    """K_in(x, x') = x.x' [N, M] for rows x [N, d] and y [M, d], in full precision on any device."""
    return jnp.matmul(x, y.T, precision=lax.Precision.HIGHEST)


def squared_norms(x: Array) -> Array:
    """K_in(x, x) [N] for rows x [N, d]."""
    return jnp.sum(x * x, axis=-1)


def symmetric_products(x: Array) -> Array:
    """K_in(x, x') [N, N] of rows x [N, d] with themselves, symmetric to the last bit."""
    k = inner_products(x, x)
    return jnp.where(jnp.triu(jnp.ones(k.shape, bool)), k, k.T)
