"""One backward pass through an untrained network: what the scores by gradients have in common.

It takes ten times longer to compile than to run, so that one program serves them all: it gives the gradient of a
weighted sum of the loss and of the logits, with respect to kernels, channels and images. As in the released code of
these scores (Abdelfattah et al., arXiv:2101.08134), batch normalisation uses the statistics of the batch (train mode)
and is differentiated through them, and the weights are those of convolutions and of the classifier: biases, and the
scales of batch normalisations, are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from nngp_dag.nas.networks.initialize import draw, rebuild
from nngp_dag.nas.networks.layers import gated_layers, hold_statistics
from nngp_dag.nas.networks.network import Network
from nngp_dag.nas.networks.sizes import NetworkSizes
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.networks.weights import select_weights
from nngp_dag.nas.scores.batches import Batch, checked_labels
from nngp_dag.nas.scores.score import weights_key

__all__ = ["LOGITS", "LOSS", "Gradients", "backward", "cross_entropy", "loss_gradients"]

LOSS = (1.0, 0.0)
"""Weights that make the objective the mean cross-entropy of the batch."""

LOGITS = (0.0, 1.0)
"""Weights that make the objective the sum of all logits of the batch."""


class Gradients(NamedTuple):
    """The gradients of one backward pass.

    Attributes:
        weights: the kernels' initial values, layer by layer; equal layers stacked.
        kernels: the objective's gradient with respect to each of them, of the same shapes.
        channels: by layer, the gradient with respect to a gate of 1 on each output channel of each image,
            [..., N, outputs]: sum over pixels of a dL/da, a what the layer gives.
        images: the gradient with respect to the images, [N, h, w, channels].
    """

    weights: list[Array]
    kernels: list[Array]
    channels: list[Array]
    images: Array


def cross_entropy(logits: Array, labels: Array) -> Array:
    """Mean over a batch of -log softmax(logits)[label]: logits [N, classes], labels int [N] -> scalar."""
    chosen = jnp.take_along_axis(logits, labels[:, None], axis=1)[:, 0]
    return (jax.nn.logsumexp(logits, axis=1) - chosen).mean()


@partial(jax.jit, static_argnums=(0, 1), static_argnames="held")
def backward(
    network: type[Network],
    spec: NetworkSizes,
    genes: ArrayLike,
    x: ArrayLike,
    y: ArrayLike,
    key: Array,
    objective: ArrayLike,
    *,
    held: bool = False,
) -> Gradients:
    """The gradients of an objective at the initial weights.

    Args:
        network: the network's class.
        spec: its sizes, with as many classes as labels have.
        genes: the architecture, traced.
        x: images [N, h, w, channels].
        y: labels, int [N].
        key: of the initial weights.
        objective: weights of the loss and of the sum of logits, `LOSS` or `LOGITS`; traced.
        held: take the statistics of batch normalisations as constants, so that every image stands by itself.
    """
    state, images, labels = draw(network, spec, key), jnp.asarray(x), jnp.asarray(y)
    kernels, fill = select_weights(state)
    share = jnp.asarray(objective, images.dtype)
    shapes = [layer.gate_shape(images.shape[0]) for layer in gated_layers(rebuild(network, spec, state))]

    def value(kernels: Sequence[Array], gates: Sequence[Array], images: Array) -> Array:
        model = rebuild(network, spec, fill(kernels))
        if held:
            hold_statistics(model)
        for layer, gate in zip(gated_layers(model), gates, strict=True):
            layer.set_gate(gate)
        logits, _ = model(images, jnp.asarray(genes))
        return share[0] * cross_entropy(logits, labels) + share[1] * logits.sum()

    gates = [jnp.ones(shape, images.dtype) for shape in shapes]
    return Gradients(kernels, *jax.grad(value, argnums=(0, 1, 2))(kernels, gates, images))


def loss_gradients(
    networks: SpaceNetworks, rows: np.ndarray, batch: Batch | None, key: Array | None
) -> list[Gradients]:
    """The gradients of the loss on each of the batches, with the same initial weights.

    Args:
        networks: of the space.
        rows: the architecture, integers [cells, genes].
        batch: images with labels.
        key: of the initial weights.

    Raises:
        InputError: images or labels that do not serve the network, or no key.
    """
    spec, x, y = checked_labels(batch, networks.wot)
    genes, chosen = networks.genes(rows), weights_key(key)
    return [
        backward(networks.network, spec, genes, images, labels, chosen, LOSS)
        for images, labels in zip(x, y, strict=True)
    ]
