"""Values of a scalar function at many points in float64, at once, whatever the global precision, inside traces too."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from nngp_dag.support.x64 import compile_time_float64

__all__ = ["values_at"]

_PIECE = 4096
"""Points evaluated together. Each function is compiled for this one shape, whatever the number of points."""


def values_at(function: Callable[[Array], Array], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The function, of a scalar of JAX and hashable, at each of these points; an array of their shape."""
    flat = points.ravel()
    if not flat.size:
        return np.zeros(points.shape)
    pieces = np.pad(flat, (0, -flat.size % _PIECE), mode="edge").reshape(-1, _PIECE)
    with compile_time_float64():
        values = [np.asarray(_compiled(function)(jnp.asarray(piece)), dtype=np.float64) for piece in pieces]
    return np.concatenate(values)[: flat.size].reshape(points.shape)


@lru_cache(maxsize=128)
def _compiled(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return jax.jit(jax.vmap(function))
