"""Two standard normal variables of correlation r above two thresholds a, b >= 0: probability and mean excess.

    L(a, b, r) = P(U > a, V > b),     M(a, b, r) = E[(U - a)+ (V - b)+].
L by Plackett's formula, an integral of the density over the correlation from 0 (|r| < 0.925) or from the nearer end,
with the singular part at that end taken out in closed form (Genz, 2004, Numerical computation of rectangular bivariate
and trivariate normal and t probabilities, Section 2.4). Then, with s = sqrt(1 - r^2) and Q the upper tail of N(0, 1),
    M = (r + a b) L - a phi(b) Q((a - r b) / s) - b phi(a) Q((b - r a) / s) + s^2 density(a, b).
All are exactly symmetric in a and b. What is not wanted near |r| = 1 is the rounding of 1 - |r|: callers give it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

__all__ = ["Correlation", "density", "excess", "normal_tail", "orthant", "tail_above"]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)
_NEAR_END = 0.925


class Correlation(NamedTuple):
    """A correlation r in [-1, 1], its distance `gap` = 1 - |r| from the ends, and s = sqrt(1 - r^2)."""

    r: Array
    gap: Array

    @property
    def sine(self) -> Array:
        return jnp.sqrt(self.gap * (2 - self.gap))

    @property
    def above(self) -> Array:
        """The sum 1 + r."""
        return jnp.where(self.r > 0, 1 + self.r, self.gap)

    @property
    def below(self) -> Array:
        """The difference 1 - r."""
        return jnp.where(self.r > 0, self.gap, 1 - self.r)

    def flipped(self) -> Correlation:
        """The correlation of U and -V."""
        return Correlation(-self.r, self.gap)


def normal_tail(a: Array) -> Array:
    """Q(a) = P(U > a)."""
    return jax.scipy.special.erfc(a / 2**0.5) / 2


def tail_above(a: Array, b: Array, c: Correlation) -> Array:
    """The standardised threshold (b - r a) / s that V has to pass given U = a; large where s is 0."""
    tiny = float(jnp.finfo(a.dtype).tiny) ** 0.5
    return (b - a + a * c.below) / jnp.maximum(c.sine, tiny)


def density(a: Array, b: Array, c: Correlation) -> Array:
    """The product of s and the density of (U, V) at (a, b): exp(-(a^2 - 2 r a b + b^2) / (2 s^2)) / (2 pi)."""
    tiny = float(jnp.finfo(a.dtype).tiny)
    return jnp.exp(-((a - b) ** 2) / jnp.maximum(2 * c.sine**2, tiny) - a * b / jnp.maximum(c.above, tiny)) / (
        2 * jnp.pi
    )


def orthant(a: Array, b: Array, c: Correlation) -> Array:
    """L for arrays of one shape and float dtype, a and b from 0 to 50."""
    inner, outer = _from_zero(a, b, c), _from_end(a, b, c)
    return jnp.where(jnp.abs(c.r) < _NEAR_END, inner, outer)


def excess(a: Array, b: Array, c: Correlation) -> Array:
    """M for arrays of one shape and float dtype, a and b from 0 to 50; not negative."""
    phi_a, phi_b = (jnp.exp(-x * x / 2) / (2 * jnp.pi) ** 0.5 for x in (a, b))
    first = a * phi_b * normal_tail(tail_above(b, a, c))
    second = b * phi_a * normal_tail(tail_above(a, b, c))
    found = (c.r + a * b) * orthant(a, b, c) - (first + second) + c.sine * density(a, b, c)
    return jnp.maximum(found, 0)


def _from_zero(a: Array, b: Array, c: Correlation) -> Array:
    """L from Q(a) Q(b), its value at r = 0, and the integral over the angle from 0 to arcsin r."""
    angle = jnp.arcsin(jnp.clip(c.r, -_NEAR_END, _NEAR_END))

    def add(total: Array, node: tuple[Array, Array]) -> tuple[Array, None]:
        x, weight = node
        sine = jnp.sin(angle * (1 + x) / 2)
        square = (1 - sine) * (1 + sine)
        return total + weight * jnp.exp(-((a - b) ** 2) / (2 * square) - a * b / (1 + sine)), None

    integral = _over_nodes(add, a)
    return normal_tail(a) * normal_tail(b) + angle / (4 * jnp.pi) * integral


def _from_end(a: Array, b: Array, c: Correlation) -> Array:
    """L from its value at the nearer of r = -1 and r = 1, and the integral from there."""
    positive = c.r > 0
    signed_b = jnp.where(positive, b, -b)
    nothing = ~positive & (a * b > 100)  # L / sqrt(Q(a) Q(b)) < 1e-21, and the exponentials below would overflow
    product = jnp.where(nothing, 0, a * signed_b)
    square = jnp.where(jnp.abs(c.r) < _NEAR_END, 0.1, c.sine**2)
    sine = jnp.sqrt(square)
    tiny = float(jnp.finfo(a.dtype).tiny)
    apart = (a - signed_b) ** 2
    c1, c2 = (4 - product) / 8, (12 - product) / 80
    end = sine * jnp.exp(-(apart / jnp.maximum(square, tiny) + product) / 2)
    end = end * (1 - c1 * (apart - square) * (1 - c2 * apart) / 3 + c1 * c2 * square**2)
    distance = jnp.abs(a - signed_b)
    far = normal_tail(distance / jnp.maximum(sine, tiny**0.5)) * (2 * jnp.pi) ** 0.5 * distance
    end = end - jnp.exp(-product / 2) * far * (1 - c1 * apart * (1 - c2 * apart) / 3)

    def add(total: Array, node: tuple[Array, Array]) -> tuple[Array, None]:
        x, weight = node
        s2 = square * ((1 + x) / 2) ** 2
        root = jnp.sqrt(1 - s2)
        expansion = 1 + c1 * s2 * (1 + 5 * c2 * s2)
        rest = jnp.exp(-product / 2 * s2 / (1 + root) ** 2) / root
        return total + weight * jnp.exp(-(apart / jnp.maximum(s2, tiny) + product) / 2) * (expansion - rest), None

    beyond = (sine / 2 * _over_nodes(add, a) - end) / (2 * jnp.pi)
    return jnp.where(nothing, 0, jnp.where(positive, beyond + normal_tail(jnp.maximum(a, b)), -beyond))


def _over_nodes(add: Callable[[Array, tuple[Array, Array]], tuple[Array, None]], like: Array) -> Array:
    nodes = jnp.asarray(_NODES, like.dtype), jnp.asarray(_WEIGHTS, like.dtype)
    total: Array = jax.lax.scan(add, jnp.zeros_like(like), nodes)[0]
    return total
