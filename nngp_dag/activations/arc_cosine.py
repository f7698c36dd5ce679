"""The arc-cosine kernels of order one and zero (Cho and Saul, 2009), the dual maps of ReLU, safe at every corner.

With q = sqrt(kxx kyy), cos theta = kxy / q:
    F1 = 2 E[relu(g) relu(g')]   = (q sin theta + (pi - theta) kxy) / pi,
    F0 = 2 E[relu'(g) relu'(g')] = (pi - theta) / pi,
    dF1 = F0 dkxy + (q sin theta / 2 pi) (dkxx / kxx + dkyy / kyy),
    dF0 = (dkxy - (kxy / 2) (dkxx / kxx + dkyy / kyy)) / (pi q sin theta).

Conventions where these are undefined: a zero row has theta = pi/2 (as an independent direction, so that Gram matrices
stay positive semi-definite) and no derivative with respect to its variance; dF0 is 0 at rho = -1 and 1, where F0 has a
square-root kink as a function of kxy and theta has a minimum as a function of the inputs.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from nngp_dag.activations.angles import arccos
from nngp_dag.activations.safe import geometric_mean, reciprocal, root

__all__ = ["arc_cosine_one", "arc_cosine_zero", "half_normal_mean"]


@jax.custom_jvp
def arc_cosine_one(kxx: Array, kyy: Array, kxy: Array) -> Array:
    """F1 for variances kxx, kyy >= 0 and covariance kxy (broadcastable arrays of one dtype)."""
    q, gap, zero = _polar(kxx, kyy, kxy)
    return q * jnp.sqrt(gap * (2 - gap)) * (1 / jnp.pi) + zero * kxy


@jax.custom_jvp
def arc_cosine_zero(kxx: Array, kyy: Array, kxy: Array) -> Array:
    """F0 for variances kxx, kyy >= 0 and covariance kxy (broadcastable arrays of one dtype)."""
    return _polar(kxx, kyy, kxy)[2]


@arc_cosine_one.defjvp
def _arc_cosine_one_jvp(primals: tuple[Array, ...], tangents: tuple[Array, ...]) -> tuple[Array, Array]:
    kxx, kyy, kxy = primals
    dxx, dyy, dxy = tangents
    relative = reciprocal(kxx) * dxx + reciprocal(kyy) * dyy
    slope = _opposite(kxx, kyy, kxy) / (2 * jnp.pi)
    return arc_cosine_one(kxx, kyy, kxy), arc_cosine_zero(kxx, kyy, kxy) * dxy + slope * relative


@arc_cosine_zero.defjvp
def _arc_cosine_zero_jvp(primals: tuple[Array, ...], tangents: tuple[Array, ...]) -> tuple[Array, Array]:
    kxx, kyy, kxy = primals
    dxx, dyy, dxy = tangents
    relative = reciprocal(kxx) * dxx + reciprocal(kyy) * dyy
    slope = reciprocal(jnp.pi * _opposite(kxx, kyy, kxy))
    return arc_cosine_zero(kxx, kyy, kxy), slope * (dxy - kxy / 2 * relative)


def half_normal_mean(k: Array) -> Array:
    """E[max(g, 0)] = sqrt(k / 2 pi), g ~ N(0, k), with derivative 0 at k = 0."""
    return root(k / (2 * jnp.pi))


def _polar(kxx: Array, kyy: Array, kxy: Array) -> tuple[Array, Array, Array]:
    """q, 1 - |rho| = (q - |kxy|) / q, which does not cancel near |rho| = 1, and F0; sin^2 theta = gap (2 - gap)."""
    q = geometric_mean(kxx, kyy)
    gap = jnp.where(q > 0, jnp.maximum((q - jnp.abs(kxy)) / jnp.where(q > 0, q, 1), 0), 1)
    theta = arccos(1 - gap, gap) * (1 / jnp.pi)  # of |rho|, over pi
    return q, gap, jnp.where(kxy < 0, theta, 1 - theta)


def _opposite(kxx: Array, kyy: Array, kxy: Array) -> Array:
    """The root q sin theta = sqrt(kxx kyy - kxy^2); it and its derivative are 0 where rows are parallel or zero."""
    q = geometric_mean(kxx, kyy)
    gap = (q - jnp.abs(kxy)) * reciprocal(q)
    return q * root(gap * (2 - gap))
