"""grad_norm: how large the gradient of the loss is at initialisation (Abdelfattah et al., arXiv:2101.08134).

The sum over layers l (convolutions and the classifier) of ||dL/dW_l||, L the cross-entropy of one batch. The paper
speaks of the norm of the gradients; its released code sums the norms of the layers' gradients, which is what is done
here, and is not the norm of all of them together.
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

__all__ = ["layer_norms", "make"]


@jax.jit
def layer_norms(gradients: Sequence[Array]) -> Array:
    """The sum over layers of the Euclidean norm of a kernel's gradient; equal layers may be stacked."""
    norms = [jnp.sqrt((rows * rows).sum(1)) for rows in map(by_layer, gradients)]
    return jnp.concatenate(norms).sum()


def make(networks: SpaceNetworks) -> ScoreFunction:
    """The score of a space's networks: (architecture, batch with labels, key) -> float; higher is better."""

    def score(architecture: Architecture, batch: Batch | None = None, key: Array | None = None) -> float:
        (gradients,) = loss_gradients(networks, networks.read(architecture), batch, key)
        return float(layer_norms(gradients.kernels))

    return score
