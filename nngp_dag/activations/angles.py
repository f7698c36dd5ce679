"""Arc sine and arc cosine to full relative accuracy near both ends, several times faster on CPU than jnp.arccos.

XLA lowers arccos to a scalar atan2 (16 ns an element on one core); these are the rational approximations of the FreeBSD
libm, written so that they vectorise (3 ns with everything around them), and they dominate the cost of a ReLU kernel.

Both take the cosine or sine u AND its distance v = 1 - |u| from the end, which a caller often has without the
cancellation of 1 - |u|. Neither is meant to be differentiated: dual maps have derivative rules of their own.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

__all__ = ["arccos", "arccos_of_gap", "arcsin"]

# asin(s) = s + s^3 P(s^2) / Q(s^2) on |s| <= 1/2, relative error below 2e-17 (FreeBSD libm, e_asin.c).
_P = (
    1.66666666666666657415e-01,
    -3.25565818622400915405e-01,
    2.01212532134862925881e-01,
    -4.00555345006794114027e-02,
    7.91534994289814532176e-04,
    3.47933107596021167570e-05,
)
_Q = (
    1.0,
    -2.40339491173441421878e00,
    2.02094576023350569471e00,
    -6.88283971605453293030e-01,
    7.70381505559019352791e-02,
)


def arccos(u: Array, v: Array) -> Array:
    """Arc cosine of u, in [0, pi], where v = 1 - |u| >= 0 (arrays of one shape and dtype)."""
    small, r = _reduced(u, v)
    return jnp.where(small, jnp.pi / 2 - jnp.copysign(r, u), jnp.where(u > 0, 2 * r, jnp.pi - 2 * r))


def arcsin(u: Array, v: Array) -> Array:
    """Arc sine of u, in [-pi/2, pi/2], where v = 1 - |u| >= 0 (arrays of one shape and dtype)."""
    small, r = _reduced(u, v)
    return jnp.copysign(jnp.where(small, r, jnp.pi / 2 - 2 * r), u)


def arccos_of_gap(v: Array) -> Array:
    """Arc cosine of 1 - v, in [0, pi / 2], for v in [0, 1]: `arccos` as one loop over memory, to a rounding more.

    What takes a root is used once, so that the compiler does not store it.
    """
    small, z, s = _argument(1 - v, v)
    r = s * (1 + z * _quotient(z))
    return jnp.where(small, jnp.pi / 2 - r, 2 * r)


def _reduced(u: Array, v: Array) -> tuple[Array, Array]:
    """asin|u| where |u| < 1/2, else asin(sqrt(v / 2)) = arccos|u| / 2; and which of the two."""
    small, z, s = _argument(jnp.abs(u), v)
    return small, s + s * z * _quotient(z)


def _argument(u: Array, v: Array) -> tuple[Array, Array, Array]:
    """Where u = 1 - v is below 1/2, and s^2 and s: there of s = u, and of s = sqrt(v / 2) elsewhere."""
    small = u < 0.5
    return small, jnp.where(small, u * u, v / 2), jnp.where(small, u, jnp.sqrt(v / 2))


def _quotient(z: Array) -> Array:
    """P(z) / Q(z)."""
    return _horner(_P, z) / _horner(_Q, z)


def _horner(coefficients: tuple[float, ...], z: Array) -> Array:
    value = jnp.full_like(z, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        value = value * z + coefficient
    return value
