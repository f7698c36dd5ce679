"""Embeddings of the data: what node 0 sees (K_00, S_0, Theta_00) as functions of K_in = x.x' (not divided by d).

- gaussian, h_0 = G x with G fixed: K_00 = K_in, S_0 = 0, Theta_00 = 0;
- gaussian-trained, the same with G trained: K_00 = K_in, S_0 = 0, Theta_00 = K_in;
- stem, h_0 = sqrt(c) sigma(G x) with G trained: K_00 = f(K_in), S_0 = beta(K_in), Theta_00 = fdot(K_in) K_in.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from nngp_dag.activations import Prepared
from nngp_dag.reading import Setting

__all__ = ["EmbeddedRow", "embed_pair", "embed_row"]


class EmbeddedRow(NamedTuple):
    """The embedding of one input: prepared K_in(x, x), and the scalars K_00(x, x), Theta_00(x, x), S_0(x)."""

    prepared: Prepared
    variance: Array
    tangent: Array
    mean: Array


def embed_row(setting: Setting, k: Array) -> EmbeddedRow:
    """The embedding of one input with squared norm k = K_in(x, x) (scalar)."""
    zero = jnp.zeros_like(k)
    if setting.embedding != "stem":
        return EmbeddedRow((), k, k if setting.embedding == "gaussian-trained" else zero, zero)
    activation = setting.activation
    return EmbeddedRow(
        activation.prepare(k),
        activation.dual_diagonal(k),
        activation.dual_derivative_diagonal(k) * k,
        activation.mean(k),
    )


def embed_pair(setting: Setting, x: EmbeddedRow, y: EmbeddedRow, kxy: Array) -> tuple[Array, Array]:
    """K_00 and Theta_00 of a pair of inputs with K_in(x, x') = kxy (scalars)."""
    if setting.embedding != "stem":
        return kxy, kxy if setting.embedding == "gaussian-trained" else jnp.zeros_like(kxy)
    activation = setting.activation
    return (
        activation.dual(x.prepared, y.prepared, kxy),
        activation.dual_derivative(x.prepared, y.prepared, kxy) * kxy,
    )
