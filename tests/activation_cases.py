"""Activations and compiled maps for the tests of activations: the registry, and functions as a user would give them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nngp_dag.activations import ACTIVATIONS, Activation, from_function

__all__ = [
    "REGISTERED",
    "USER_FUNCTIONS",
    "diagonal_maps",
    "everything",
    "in_chunks",
    "pair_maps",
    "pair_of",
    "user_activation",
]

REGISTERED = list(ACTIVATIONS)

USER_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "cos": jnp.cos,
    "softplus": jax.nn.softplus,
    "relu-function": jax.nn.relu,
}
"""Every test runs on these too; `relu-function` stands for functions with a kink, whose series converges slowly."""

_SERIES: dict[str, Callable[[Any], Any]] = {
    "erf-series": jax.scipy.special.erf,
    "gelu-series": lambda x: jax.nn.gelu(x, approximate=False),
    "sin-series": jnp.sin,
}


@cache
def user_activation(name: str) -> Activation:
    return from_function((USER_FUNCTIONS | _SERIES)[name], name)


def everything() -> list[str]:
    """All names for which `pair_of` and the compiled maps below work."""
    return REGISTERED + list(USER_FUNCTIONS)


def pair_of(name: str) -> Activation:
    return ACTIVATIONS[name] if name in ACTIVATIONS else user_activation(name)


@cache
def pair_maps(name: str) -> Callable[..., tuple[Any, Any]]:
    """Compiled (f, fdot) for vectors of kxx, kyy, kxy, as the kernels evaluate them."""
    activation = pair_of(name)

    def maps(kxx: Any, kyy: Any, kxy: Any) -> tuple[Any, Any]:
        x, y = activation.prepare(kxx), activation.prepare(kyy)
        return activation.dual(x, y, kxy), activation.dual_derivative(x, y, kxy)

    return in_chunks(jax.jit(jax.vmap(maps)))


@cache
def diagonal_maps(name: str) -> Callable[..., tuple[Any, Any, Any]]:
    """Compiled (f, fdot, beta) for a vector of variances."""
    activation = pair_of(name)

    def maps(k: Any) -> tuple[Any, Any, Any]:
        return activation.dual_diagonal(k), activation.dual_derivative_diagonal(k), activation.mean(k)

    return in_chunks(jax.jit(jax.vmap(maps)))


def in_chunks(compiled: Callable[..., tuple[Any, ...]], size: int = 16) -> Callable[..., tuple[Any, ...]]:
    """The same on vectors of any length (numbers are vectors of one), compiled for one length only."""

    def run(*args: Any) -> tuple[Any, ...]:
        vectors = np.broadcast_arrays(*(np.atleast_1d(np.asarray(a)) for a in args))
        length = len(vectors[0])
        padded = [np.concatenate([v, np.repeat(v[-1:], -length % size)]) for v in vectors]
        parts = [compiled(*(p[i : i + size] for p in padded)) for i in range(0, len(padded[0]), size)]
        return tuple(np.concatenate(columns)[:length] for columns in zip(*parts, strict=True))

    return run
