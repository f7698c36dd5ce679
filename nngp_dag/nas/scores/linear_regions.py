"""TE-NAS's expressivity: how many activation patterns random inputs reach (arXiv:2102.11535, Eq. 5)."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from nngp_dag.nas.networks.image_batch import image_batch
from nngp_dag.nas.networks.initialize import create
from nngp_dag.nas.networks.network import Network
from nngp_dag.nas.networks.probe import patterns
from nngp_dag.nas.networks.sizes import NetworkSizes
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.scores.batches import Batch
from nngp_dag.nas.scores.score import ScoreFunction, weights_key
from nngp_dag.spaces.base import Architecture

__all__ = ["activation_patterns", "count_distinct", "make"]


@partial(jax.jit, static_argnums=(0, 1))
def activation_patterns(
    network: type[Network], spec: NetworkSizes, genes: ArrayLike, x: ArrayLike, key: Array
) -> Array:
    """The ReLUs that are on, bits packed into bytes, uint8 [B N, ceil(units / 8)].

    Args:
        network: the network's class.
        spec: its sizes.
        genes: the architecture, traced.
        x: patches [B, N, h, w, channels]; batch normalisation uses each of the B batches by itself.
        key: of the initial weights.
    """
    batches, model = jnp.asarray(x), create(network, spec, key)

    def codes(batch: Array) -> Array:
        _, reports = model(batch, jnp.asarray(genes), patterns)
        units = [unit for report in reports for unit in report]
        return jnp.packbits(jnp.concatenate(units, axis=1), axis=1)

    return jax.lax.map(codes, batches).reshape(batches.shape[0] * batches.shape[1], -1)


def count_distinct(codes: ArrayLike) -> int:
    """Number of different rows of a byte array [A, W]."""
    rows = np.ascontiguousarray(codes)
    return len(np.unique(rows.view(np.dtype((np.void, rows.shape[1])))))


def make(networks: SpaceNetworks) -> ScoreFunction:
    """The score, number of distinct patterns over all batches: (architecture, patches [B, N, h, w, 1], key) -> float.

    Weights are Kaiming normal by fan-in, as the released code means to have them for this score. It really gets
    PyTorch's default (`pytorch`): its launcher asks by a name that its `init_model` does not know.
    """

    def score(architecture: Architecture, batch: Batch | None = None, key: Array | None = None) -> float:
        genes = networks.genes(networks.read(architecture))
        x = image_batch(batch, networks.regions, leading=1)
        codes = activation_patterns(networks.network, networks.regions, genes, x, weights_key(key))
        return float(count_distinct(codes))

    return score
