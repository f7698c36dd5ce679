"""The arc-cosine kernels of `arc_cosine` for values alone, where each input meets many others.

All that depends on one variance is computed once an input, so that a pair takes one root and one division for F0 and
one root more for F1, and every map is one loop over memory: with q = sqrt(kxx kyy) and the gap g = 1 - |kxy| / q,
    F0 = (pi - theta) / pi,    theta = arccos(kxy / q),    F1 = q sqrt(g (2 - g)) / pi + F0 kxy.
No square of a variance is formed, so that none overflows or underflows.

A gap must not lose its digits where rows are nearly parallel: near there theta is sqrt(2 g). Each root is kept as two
numbers, the higher of which has half the digits, so that the product of two of those is exact; the gap then has an
error of 2^-78 (2^-35 in float32), and theta at parallel rows is 1e-12.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from nngp_dag.activations.angles import arccos_of_gap

__all__ = ["RootedVariance", "one_from_zero", "rooted_variance", "zero_of_pair"]


class RootedVariance(NamedTuple):
    """The root of a variance k >= 0, of which high + low is known to half as many digits again as a float has.

    Attributes:
        high: the leading half of the digits.
        low: the rest.
        inverse: 1 / sqrt(k), and 0 where k is 0.
    """

    high: Array
    low: Array
    inverse: Array


def rooted_variance(k: Array) -> RootedVariance:
    """The root of variances k, normal numbers or 0."""
    root, positive = jnp.sqrt(k), k > 0
    kind = jnp.finfo(k.dtype)
    high = lax.reduce_precision(root, kind.nexp, (kind.nmant - 1) // 2)
    low = jnp.where(positive, (k - high * high) / jnp.where(positive, root + high, 1), 0)  # the difference is exact
    return RootedVariance(high, low, jnp.where(positive, 1 / jnp.where(positive, root, 1), 0))


def zero_of_pair(x: RootedVariance, y: RootedVariance, kxy: Array) -> Array:
    """F0 of two variances and a covariance kxy (arrays of one shape and dtype); 1/2 where a variance is 0."""
    _, gap = _polar(x, y, kxy)
    theta = arccos_of_gap(gap) * (1 / jnp.pi)  # of |kxy|
    return jnp.where(kxy < 0, theta, 1 - theta)


def one_from_zero(x: RootedVariance, y: RootedVariance, kxy: Array, zero: Array) -> Array:
    """F1, given F0; see `zero_of_pair`."""
    q, gap = _polar(x, y, kxy)
    return q * jnp.sqrt(gap * (2 - gap)) * (1 / jnp.pi) + zero * kxy


def _polar(x: RootedVariance, y: RootedVariance, kxy: Array) -> tuple[Array, Array]:
    """The root q = sqrt(kxx kyy), and the gap 1 - |kxy| / q, at least 0; 1 where q is 0."""
    leading = x.high * y.high
    rest = (x.high * y.low + x.low * y.high) + x.low * y.low
    gap = jnp.maximum((leading - jnp.abs(kxy)) + rest, 0)
    # One inverse after the other: their product may underflow. A variance that is no number is not 0, and stays none.
    return leading + rest, jnp.where(leading == 0, 1, gap * x.inverse * y.inverse)
