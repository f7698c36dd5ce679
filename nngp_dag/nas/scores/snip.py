"""SNIP: what the loss would lose with each weight, added up (Lee et al., arXiv:1810.02340; as a score of
architectures Abdelfattah et al., arXiv:2101.08134).

The sum over weights w of convolutions and the classifier of |w dL/dw|, L the cross-entropy of one batch. SNIP itself
divides by that sum to rank the weights of one network; between networks the sum is the score. SNIP prunes networks
with weights scaled by their variance; the released code of the score takes the weights as they are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import Array

from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.scores.backward import loss_gradients
from nngp_dag.nas.scores.batches import Batch
from nngp_dag.nas.scores.score import ScoreFunction
from nngp_dag.spaces.base import Architecture

__all__ = ["make", "saliency"]


@jax.jit
def saliency(weights: Sequence[Array], gradients: Sequence[Array]) -> Array:
    """Sum of |w dL/dw| over all kernels."""
    return jnp.stack([jnp.abs(w * g).sum() for w, g in zip(weights, gradients, strict=True)]).sum()


def make(networks: SpaceNetworks) -> ScoreFunction:
    """The score of a space's networks: (architecture, batch with labels, key) -> float; higher is better."""

    def score(architecture: Architecture, batch: Batch | None = None, key: Array | None = None) -> float:
        (gradients,) = loss_gradients(networks, networks.read(architecture), batch, key)
        return float(saliency(gradients.weights, gradients.kernels))

    return score
