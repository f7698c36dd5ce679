"""Functions of scalars mapped over inputs and over pairs of inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import jax

__all__ = ["over_pairs", "over_rows"]

_T = TypeVar("_T")


def over_rows(function: Callable[..., _T]) -> Callable[..., _T]:
    """Map f(row, shared) of scalars over inputs on the last axis of the arrays in `row` and of the result."""
    return jax.vmap(function, in_axes=(-1, None), out_axes=-1)


def over_pairs(function: Callable[..., _T]) -> Callable[..., _T]:
    """Map f(pair, x, y, shared) of scalars over all pairs of inputs: arrays [..., X, Y], [..., X] and [..., Y]."""
    inner = jax.vmap(function, in_axes=(-1, None, -1, None), out_axes=-1)
    return jax.vmap(inner, in_axes=(-2, -1, None, None), out_axes=-2)
