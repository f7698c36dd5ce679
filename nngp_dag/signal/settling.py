"""Where a map of variances settles when a cell is stacked: the nearest fixed point in the direction of the first step.

Maps of variances increase, so that iterates from q_0 go one way and stop at the first q = F(q) on it. It is found
without iterating (near criticality steps become small): h(u) = log F(e^u) - u changes sign between two steps of a
ladder of powers of four, and false position with halved weights (the Illinois rule, of order 1.44) does the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

__all__ = ["FARTHEST", "settled_variance"]

_STEPS = 21
FARTHEST = 4.0 ** (_STEPS - 1)
"""Up to which multiple of the first variance, and down to which fraction of it, a fixed point is looked for."""

_REFINEMENTS = 22
_STILL = 1e-13
"""Relative first steps below it are rounding: the variance stays where it is."""


class _Bracket(NamedTuple):
    """Two places u with values h of opposite signs; the second is the newest."""

    old: Array
    old_value: Array
    new: Array
    new_value: Array


def settled_variance(step: Callable[[Array], Array], start: Array) -> tuple[Array, Array]:
    """The fixed point that iterates from `start` approach, and where to evaluate slopes there; to be traced.

    Args:
        step: F, [N] -> [N], positive.
        start: q_0 > 0, a scalar.

    Returns:
        q*, which is 0 where iterates fall below every bound and infinite where they grow beyond; and the same number,
        but q_0 4^-20 for 0 and q_0 4^20 for infinity.
    """

    def growth(u: Array) -> Array:
        return jnp.log(step(jnp.exp(u))) - u

    origin = jnp.log(start)
    first = growth(origin[None])[0]
    direction = jnp.where(jnp.abs(first) <= _STILL, 0.0, jnp.sign(first))
    ladder = origin + jnp.log(4.0) * direction * jnp.arange(_STEPS)
    values = growth(ladder)
    passed = values * direction <= 0
    place = jnp.maximum(jnp.argmax(passed), 1)
    found = passed.any()
    bracket = _Bracket(ladder[place - 1], values[place - 1], ladder[place], values[place])
    root = jax.lax.fori_loop(0, _REFINEMENTS, lambda _, b: _refined(growth, b), bracket).new
    inside = jnp.where(direction == 0, start, jnp.exp(root))
    end = jnp.where(direction > 0, jnp.inf, 0.0)
    return jnp.where(found, inside, end), jnp.where(found, inside, jnp.exp(ladder[-1]))


def _refined(h: Callable[[Array], Array], b: _Bracket) -> _Bracket:
    difference = b.new_value - b.old_value
    slope = jnp.where(difference == 0, 1.0, difference)
    place = jnp.where(difference == 0, b.new, b.new - b.new_value * (b.new - b.old) / slope)
    value = h(place[None])[0]
    opposite = value * b.new_value < 0
    return _Bracket(
        old=jnp.where(opposite, b.new, b.old),
        old_value=jnp.where(opposite, b.new_value, b.old_value / 2),
        new=place,
        new_value=value,
    )
