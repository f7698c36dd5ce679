"""The library's dual maps of an activation on arrays of pairs."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from nngp_dag.activations import Activation

__all__ = ["dual_on_pairs", "mean_on", "pair_grid"]


def pair_grid(variances: tuple[float, ...], correlations: tuple[float, ...]) -> np.ndarray:
    """All (kxx, kyy, rho) of two lists, float64 [P, 3]."""
    grid = np.meshgrid(variances, variances, correlations, indexing="ij")
    return np.stack([axis.ravel() for axis in grid], axis=-1)


def dual_on_pairs(activation: Activation, pairs: np.ndarray) -> np.ndarray:
    """The dual map f for pairs (kxx, kyy, rho) [P, 3], as [P]."""

    def one(kxx: jax.Array, kyy: jax.Array, rho: jax.Array) -> jax.Array:
        kxy = rho * jnp.sqrt(kxx * kyy)
        return activation.dual(activation.prepare(kxx), activation.prepare(kyy), kxy)

    return np.asarray(jax.jit(jax.vmap(one))(*jnp.asarray(pairs).T))


def mean_on(activation: Activation, variances: np.ndarray) -> np.ndarray:
    """The mean beta for variances [P], as [P]."""
    return np.asarray(jax.vmap(activation.mean)(jnp.asarray(variances)))
