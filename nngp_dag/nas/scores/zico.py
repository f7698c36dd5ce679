"""ZiCo: how steady gradients are from batch to batch (Li et al., arXiv:2301.11300).

sum over layers of log sum over weights of E|g| / sqrt(Var g), g = dL/dw on each of two batches. Layers are
convolutions and the classifier; weights whose gradient does not vary, and layers without any other, are left out. The
paper's formula has the variance of |g|, its released code that of g, which is what is done here.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import Array

from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.networks.weights import by_layer
from nngp_dag.nas.scores.backward import loss_gradients
from nngp_dag.nas.scores.batches import Batch
from nngp_dag.nas.scores.score import ScoreFunction
from nngp_dag.spaces.base import Architecture

__all__ = ["make", "steadiness"]


@jax.jit
def steadiness(gradients: Sequence[Sequence[Array]]) -> Array:
    """Sum over layers of the log of the sum over weights of mean |g| / std g.

    Args:
        gradients: of all kernels (equal layers may be stacked), for every batch; the mean and the (biased) standard
            deviation are over batches.
    """
    total = []
    for kernel in zip(*gradients, strict=True):
        g = jnp.stack([by_layer(gradient) for gradient in kernel])  # [batches, layers, weights]
        deviation = g.std(0)
        varies = deviation > 0
        ratios = jnp.where(varies, jnp.abs(g).mean(0) / jnp.where(varies, deviation, 1), 0).sum(1)
        total.append(jnp.where(ratios > 0, jnp.log(jnp.where(ratios > 0, ratios, 1)), 0))
    return jnp.concatenate(total).sum()


def make(networks: SpaceNetworks) -> ScoreFunction:
    """The score of a space's networks: (architecture, two batches with labels, key) -> float; higher is better.

    A network that no path leads through is a constant and scores -inf.
    """

    def score(architecture: Architecture, batch: Batch | None = None, key: Array | None = None) -> float:
        rows = networks.read(architecture)
        found = loss_gradients(networks, rows, batch, key)
        if networks.is_constant(rows):
            return float("-inf")
        return float(steadiness([gradients.kernels for gradients in found]))

    return score
