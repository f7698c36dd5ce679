"""SynFlow: the flow through all weights of a network made positive and linear (Tanaka et al., arXiv:2006.05467; as a
score of architectures Abdelfattah et al., arXiv:2101.08134).

log sum w dR/dw over weights w of convolutions and the classifier, where R is the sum of the logits for an image of ones
and every weight is replaced by its absolute value. Without data, and without batch normalisation: the released code
passes by it, since with the statistics of one image it would undo the scales of all weights. In float64, as there, and
in log, since the sum spans a hundred orders of magnitude between architectures (ranks are the same).
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from nngp_dag.errors import InputError
from nngp_dag.nas.networks.initialize import draw, rebuild
from nngp_dag.nas.networks.layers import in_forward_mode, without_normalisation
from nngp_dag.nas.networks.network import Network
from nngp_dag.nas.networks.sizes import NetworkSizes
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.networks.weights import select_weights
from nngp_dag.nas.scores.batches import Batch
from nngp_dag.nas.scores.score import ScoreFunction, weights_key
from nngp_dag.spaces.base import Architecture
from nngp_dag.support.x64 import enable_x64

__all__ = ["IMAGE_SIZE", "flow", "make"]

IMAGE_SIZE = 32
"""Height and width of the image of ones."""


@partial(jax.jit, static_argnums=(0, 1))
def flow(network: type[Network], spec: NetworkSizes, genes: ArrayLike, key: Array) -> Array:
    """Sum of w dR/dw over all kernels, a scalar of the type of `spec`.

    Args:
        network: the network's class.
        spec: its sizes.
        genes: the architecture, traced.
        key: of the initial weights.
    """
    state = jax.tree.map(jnp.abs, draw(network, spec, key))
    kernels, fill = select_weights(state)
    image = jnp.ones((1, IMAGE_SIZE, IMAGE_SIZE, spec.inputs), spec.dtype)

    def response(kernels: list[Array]) -> Array:
        model = in_forward_mode(without_normalisation(rebuild(network, spec, fill(kernels))))
        return model(image, jnp.asarray(genes))[0].sum()

    return jax.jvp(response, (kernels,), (kernels,))[1]


def make(networks: SpaceNetworks) -> ScoreFunction:
    """The score of a space's networks: (architecture, None, key) -> float; higher is better.

    A network that no path leads through scores -inf.
    """
    spec = networks.wot.replace(dtype="float64")

    def score(architecture: Architecture, batch: Batch | None = None, key: Array | None = None) -> float:
        del batch
        rows = networks.read(architecture)
        genes = networks.genes(rows)
        if networks.is_constant(rows):
            return float("-inf")
        with enable_x64(True):
            value = jnp.log(flow(networks.network, spec, genes, weights_key(key)))
        if not jnp.isfinite(value):
            raise InputError(f"synflow of {networks.space.write(rows)} is beyond float64: choose fewer --cells")
        return float(value)

    return score
