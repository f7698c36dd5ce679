"""Fisher: what the loss would lose with each channel, added up (Theis et al., arXiv:1801.05787; Turner et al.,
arXiv:1906.04675; as a score of architectures Abdelfattah et al., arXiv:2101.08134).

sum over channels k of 1/(2 N) sum over images n of (sum over pixels of a_nk dL/da_nk)^2, where a is what a convolution
or the classifier gives, before batch normalisation, and L the cross-entropy of the batch (its mean over images: with
their sum the score is N^2 times larger). The released code counts a channel as often as it has weights, so that its
layers weigh differently: `released`. Per channel, `channel`, is the definition of Theis and Turner.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import Array

from nngp_dag.errors import unknown
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.scores.backward import loss_gradients
from nngp_dag.nas.scores.batches import Batch
from nngp_dag.nas.scores.score import ScoreFunction
from nngp_dag.spaces.base import Architecture

__all__ = ["COUNTS", "channel_information", "make"]

COUNTS = ("channel", "released")
"""Counts of a channel: once; or as often as it has weights."""


@jax.jit
def channel_information(channels: Sequence[Array], counts: Sequence[float]) -> Array:
    """The sum over channels of 1/(2 N) sum_n g_nk^2.

    Args:
        channels: by layer, g_nk = sum over pixels of a dL/da, [..., N, outputs].
        counts: by layer, how often each of its channels counts.
    """
    means = [count * (g * g).sum() / (2 * g.shape[-2]) for g, count in zip(channels, counts, strict=True)]
    return jnp.stack(means).sum()


def make(networks: SpaceNetworks, counts: str = "channel") -> ScoreFunction:
    """The score of a space's networks: (architecture, batch with labels, key) -> float; higher is better.

    Args:
        networks: of the space.
        counts: one of `COUNTS`.
    """
    if counts not in COUNTS:
        raise unknown("counts", counts, COUNTS, "of channels")

    def score(architecture: Architecture, batch: Batch | None = None, key: Array | None = None) -> float:
        (gradients,) = loss_gradients(networks, networks.read(architecture), batch, key)
        weights = [math.prod(kernel.shape[-4:-1]) if counts == "released" else 1 for kernel in gradients.weights]
        return float(channel_information(gradients.channels, weights))

    return score
