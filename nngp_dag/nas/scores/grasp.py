"""GraSP: what removing each weight does to the flow of gradients (Wang et al., arXiv:2002.07376; as a score of
architectures Abdelfattah et al., arXiv:2101.08134).

-sum w (H g)_w over weights w of convolutions and the classifier, g the gradient of the cross-entropy of one batch and H
its Hessian. The sign is that of both papers' formula. GraSP removes the weights with the largest value, so that by its
own reasoning a small sum were good; the released code of the score keeps the sign and says that accuracy goes up with
it, so higher is better. GraSP has a temperature (200) and two batches; the score has neither.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from nngp_dag.nas.networks.initialize import draw, rebuild
from nngp_dag.nas.networks.layers import in_forward_mode
from nngp_dag.nas.networks.network import Network
from nngp_dag.nas.networks.sizes import NetworkSizes
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.networks.weights import select_weights
from nngp_dag.nas.scores.backward import LOSS, backward, cross_entropy
from nngp_dag.nas.scores.batches import Batch, checked_labels
from nngp_dag.nas.scores.score import ScoreFunction, weights_key
from nngp_dag.spaces.base import Architecture

__all__ = ["curvature", "make"]


@partial(jax.jit, static_argnums=(0, 1))
def curvature(
    network: type[Network],
    spec: NetworkSizes,
    genes: ArrayLike,
    x: ArrayLike,
    y: ArrayLike,
    key: Array,
    gradients: list[Array],
) -> Array:
    """w.(H g) over all kernels, by differentiating the loss in forward mode along g and then along w.

    Args:
        network: the network's class.
        spec: its sizes, with as many classes as labels have.
        genes: the architecture, traced.
        x: images [N, h, w, channels].
        y: labels, int [N].
        key: of the initial weights w.
        gradients: g, one for each kernel.
    """
    images, labels = jnp.asarray(x), jnp.asarray(y)
    kernels, fill = select_weights(draw(network, spec, key))

    def loss(kernels: list[Array]) -> Array:
        model = in_forward_mode(rebuild(network, spec, fill(kernels)))
        return cross_entropy(model(images, jnp.asarray(genes))[0], labels)

    def slope(kernels: list[Array]) -> Array:
        return jax.jvp(loss, (kernels,), (gradients,))[1]

    return jax.jvp(slope, (kernels,), (kernels,))[1]


def make(networks: SpaceNetworks) -> ScoreFunction:
    """The score of a space's networks: (architecture, batch with labels, key) -> float; higher is better.

    A network that no path leads through is a constant and scores -inf.
    """

    def score(architecture: Architecture, batch: Batch | None = None, key: Array | None = None) -> float:
        rows = networks.read(architecture)
        genes, chosen = networks.genes(rows), weights_key(key)
        spec, (x,), (y,) = checked_labels(batch, networks.wot)
        if networks.is_constant(rows):
            return float("-inf")
        gradients = backward(networks.network, spec, genes, x, y, chosen, LOSS).kernels
        return -float(curvature(networks.network, spec, genes, x, y, chosen, gradients))

    return score
