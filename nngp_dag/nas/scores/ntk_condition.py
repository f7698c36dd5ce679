"""TE-NAS's trainability: the condition number of an untrained network's tangent kernel (arXiv:2102.11535, Eq. 2)."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike, DTypeLike

from nngp_dag.nas.networks.image_batch import image_batch
from nngp_dag.nas.networks.initialize import draw, leaf_names, rebuild
from nngp_dag.nas.networks.network import Network
from nngp_dag.nas.networks.sizes import NetworkSizes
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.scores.batches import Batch
from nngp_dag.nas.scores.score import ScoreFunction, weights_key
from nngp_dag.spaces.base import Architecture

__all__ = ["condition_number", "gradients", "make", "tangent_kernel"]


@partial(jax.jit, static_argnums=(0, 1))
def gradients(network: type[Network], spec: NetworkSizes, genes: ArrayLike, x: ArrayLike, key: Array) -> Array:
    """Gradient of every image's summed logits with respect to all weights, [N, P].

    Weights are kernels of convolutions and of the classifier and scales of batch normalisations: all parameters but
    biases, as in the released code. Batch normalisation uses the batch (train mode), so that an image's logits depend
    on the others; the gradient is through the whole batch.

    Args:
        network: the network's class.
        spec: its sizes.
        genes: the architecture, traced.
        x: images [N, h, w, channels].
        key: of the initial weights.
    """
    state, images = draw(network, spec, key), jnp.asarray(x)
    leaves, tree = jax.tree.flatten(state)
    weights = [i for i, names in enumerate(leaf_names(state)) if names[-1] != "bias"]

    def outputs(chosen: list[Array]) -> Array:
        filled = list(leaves)
        for i, leaf in zip(weights, chosen, strict=True):
            filled[i] = leaf
        logits, _ = rebuild(network, spec, jax.tree.unflatten(tree, filled))(images, jnp.asarray(genes))
        return logits.sum(1)

    jacobian = jax.jacrev(outputs)([leaves[i] for i in weights])
    return jnp.concatenate([leaf.reshape(images.shape[0], -1) for leaf in jacobian], axis=1)


def tangent_kernel(
    network: type[Network], spec: NetworkSizes, genes: ArrayLike, x: ArrayLike, key: Array
) -> np.ndarray:
    """J J^T, float64 [N, N], J the `gradients` (TE-NAS, Eq. 1)."""
    jacobian = np.asarray(gradients(network, spec, genes, x, key), dtype=np.float64)
    return np.asarray(jacobian @ jacobian.T)


def condition_number(kernel: np.ndarray, dtype: DTypeLike = np.float32) -> float:
    """lambda_max / lambda_min of a symmetric matrix J J^T [N, N], with float64 eigenvalues; infinite if singular.

    Args:
        kernel: J J^T in float64.
        dtype: in which J was computed: singular means that the smallest singular value of J is at most N eps of that
            type times the largest.
    """
    values = np.linalg.eigvalsh(np.asarray(kernel, dtype=np.float64))
    resolution = len(values) * np.finfo(dtype).eps
    if not values[-1] > 0 or values[0] <= max(resolution**2, len(values) * np.finfo(np.float64).eps) * values[-1]:
        return float("inf")
    return float(values[-1] / values[0])


def make(networks: SpaceNetworks) -> ScoreFunction:
    """The score kappa = lambda_max / lambda_min of a space's networks: (architecture, images, key) -> float.

    Lower is better. Weights are Kaiming normal by fan-out, as the released code means to have them for this score. It
    really gets PyTorch's default (`pytorch`): its launcher asks by a name that its `init_model` does not know.
    """

    def score(architecture: Architecture, batch: Batch | None = None, key: Array | None = None) -> float:
        genes = networks.genes(networks.read(architecture))
        x = image_batch(batch, networks.ntk)
        kernel = tangent_kernel(networks.network, networks.ntk, genes, x, weights_key(key))
        return condition_number(kernel, networks.ntk.dtype)

    return score
