"""Kinks of an activation: where its slope jumps, and by how much, found numerically or at given places.

A kink is not seen by a rule that integrates across it, and its Hermite series converges slowly; what has kinks is
split instead (`kinked`) into functions relu(x - t), relu(t - x), whose maps have closed forms, and a rest without.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple, TypeVar

import numpy as np
from jax import Array
from numpy.typing import NDArray

from nngp_dag.activations.pointwise import values_at

__all__ = ["Kink", "find_kinks", "kinked_slope", "kinked_value", "sign_of"]

Floats = NDArray[np.float64]

AnyFloats = TypeVar("AnyFloats", Floats, Array)
"""Arrays of NumPy or of JAX."""

_SMALLEST = 1e-7
"""Jumps of the slope below it, relative to the largest slope on the grid nearby, are taken for rounding."""
_NEARBY = 1e-14


class Kink(NamedTuple):
    """A place t, and the jump sigma'(t+) - sigma'(t-) there."""

    place: float
    jump: float


@lru_cache(maxsize=64)
def find_kinks(derivative: Callable[[Array], Array], given: tuple[float, ...] | None) -> tuple[Kink, ...]:
    """The kinks of a function with this derivative, in order; at the given places only, where places are given.

    Found are those between neighbours of a grid (of step 1/256 up to |x| = 32, then of 1 % up to 1e4), one between two
    neighbours, whose jump is more than 1e-7 of the largest slope up to |x| = 32.
    """
    slope = partial(values_at, derivative)
    places = _search(slope) if given is None else np.array(sorted(given), dtype=np.float64)
    offset = _NEARBY + 8 * np.finfo(np.float64).eps * abs(places)
    jumps = slope(places + offset) - slope(places - offset)
    scale = _scale(slope)
    kept = abs(jumps) > _SMALLEST * scale
    return tuple(Kink(t, j) for t, j in zip(places[kept].tolist(), jumps[kept].tolist(), strict=True))


def sign_of(kink: Kink) -> float:
    """The factor e: 1 where t >= 0, else -1."""
    return 1.0 if kink.place >= 0 else -1.0


def kinked_value(kinks: tuple[Kink, ...], x: AnyFloats) -> AnyFloats:
    """R(x) = sum of jump (e (x - t))+, the part that makes the kinks and vanishes around 0; elementwise."""
    distances = [(k.jump, sign_of(k) * (x - k.place)) for k in kinks]
    return sum((jump * (d * (d > 0).astype(x.dtype)) for jump, d in distances), 0 * x)


def kinked_slope(kinks: tuple[Kink, ...], x: AnyFloats) -> AnyFloats:
    """R'(x), elementwise."""
    signs = [(k.jump * sign_of(k), sign_of(k) * (x - k.place) > 0) for k in kinks]
    return sum((jump * above.astype(x.dtype) for jump, above in signs), 0 * x)


def _grid() -> Floats:
    fine = np.arange(0.5, 32 * 256) / 256  # none of the usual places of kinks is on it
    coarse = np.geomspace(fine[-1], 1e4, 600)[1:]
    half = np.concatenate([fine, coarse])
    return np.concatenate([-half[::-1], half])


def _scale(slope: Callable[[Floats], Floats]) -> float:
    return float(np.max(abs(slope(_grid()[600:-600:16])), initial=0))


def _search(slope: Callable[[Floats], Floats]) -> Floats:
    """Places by bisection of every interval of the grid at once, each time into the half with the larger change."""
    grid = _grid()
    low, high = grid[:-1].copy(), grid[1:].copy()
    at_low, at_high = slope(low), slope(high)
    scale = _scale(slope)
    for step in range(56):
        if step == 24:  # a change that has fallen with the interval is no jump
            kept = abs(at_high - at_low) > _SMALLEST * scale / 4
            low, high, at_low, at_high = low[kept], high[kept], at_low[kept], at_high[kept]
            if not low.size:
                break
        middle = (low + high) / 2
        at_middle = slope(middle)
        right = abs(at_high - at_middle) > abs(at_middle - at_low)
        low, at_low = np.where(right, middle, low), np.where(right, at_middle, at_low)
        high, at_high = np.where(right, high, middle), np.where(right, at_high, at_middle)
    places = (low + high) / 2
    return np.unique(np.where(abs(places) < 1e-14, 0.0, places))
