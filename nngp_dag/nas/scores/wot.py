"""NAS-WOT: how differently the ReLUs of an untrained network respond to the images of a batch (arXiv:2006.04647)."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from nngp_dag.errors import unknown
from nngp_dag.nas.networks.image_batch import image_batch
from nngp_dag.nas.networks.initialize import create
from nngp_dag.nas.networks.network import Network
from nngp_dag.nas.networks.probe import code_agreement, released_agreement
from nngp_dag.nas.networks.sizes import NetworkSizes
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.scores.batches import Batch
from nngp_dag.nas.scores.score import ScoreFunction, weights_key
from nngp_dag.spaces.base import Architecture

__all__ = ["WEIGHTS", "code_kernel", "log_det", "make"]

WEIGHTS = {"once": code_agreement, "released": released_agreement}
"""The count of a ReLU: `once`; or as in the released code, whose hooks fire twice in a ReLU-conv-BN block."""


@partial(jax.jit, static_argnums=(0, 1, 2))
def code_kernel(
    network: type[Network], spec: NetworkSizes, weights: str, genes: ArrayLike, x: ArrayLike, key: Array
) -> Array:
    """K [N, N], int32: over all ReLUs, the number of units that agree on two images (Eq. 3 there, N_A - d_H).

    Args:
        network: the network's class.
        spec: its sizes.
        weights: one of `WEIGHTS`.
        genes: the architecture, see `network`; traced, so that one compilation serves all.
        x: images [N, h, w, channels].
        key: of the initial weights.
    """
    _, reports = create(network, spec, key)(jnp.asarray(x), jnp.asarray(genes), WEIGHTS[weights])
    return jnp.stack([report.sum(0, dtype=jnp.int32) for report in reports]).sum(0, dtype=jnp.int32)


def log_det(kernel: ArrayLike) -> float:
    """log|det K| of a symmetric positive semi-definite matrix [N, N], in float64; -inf where it is singular.

    Singular means a smallest eigenvalue of at most N eps times the largest: what rounding alone would give.
    """
    values = np.linalg.eigvalsh(np.asarray(kernel, dtype=np.float64))
    if values[0] <= len(values) * np.finfo(np.float64).eps * values[-1]:
        return float("-inf")
    return float(np.log(values).sum())


def make(networks: SpaceNetworks, weights: str = "once") -> ScoreFunction:
    """The score log|det K| of a space's networks: (architecture, images [N, h, w, channels], key) -> float.

    A network that treats two images alike has a singular K and scores -inf. So does, by definition, one that no path
    leads through: dead-end convolutions in it have ReLUs too, but the network is a constant.
    """
    if weights not in WEIGHTS:
        raise unknown("weights", weights, WEIGHTS, "of the ReLUs")

    def score(architecture: Architecture, batch: Batch | None = None, key: Array | None = None) -> float:
        rows = networks.read(architecture)
        genes, x = networks.genes(rows), image_batch(batch, networks.wot)
        if networks.is_constant(rows):
            return float("-inf")
        return log_det(code_kernel(networks.network, networks.wot, weights, genes, x, weights_key(key)))

    return score
