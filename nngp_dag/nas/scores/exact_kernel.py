"""Scores without weights: the least eigenvalue of the exact NNGP or NTK of the infinitely wide network, scale-free.

Networks are those of `nngp_dag.conv`, without batch normalisation, with cells and stages as TE-NAS has them; of DARTS a
normal and a reduction cell, and a ReLU before the mean over pixels. Images are shrunk by means over windows, to at most
8 x 8, and scaled to unit mean square. No initial weights are drawn, so that a score is a function of architecture and
images alone.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from jax import Array

from nngp_dag.conv import ConvNetwork, conv_kernel_fn
from nngp_dag.conv.darts import MaxPool, chosen_max_pool, darts_network
from nngp_dag.conv.images import shrunk, unit_images
from nngp_dag.conv.nasbench201 import nasbench201_network
from nngp_dag.errors import InputError
from nngp_dag.nas.networks.image_batch import image_batch
from nngp_dag.nas.networks.network201 import MacroSpec
from nngp_dag.nas.networks.network_darts import DartsSpec
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.scores.batches import Batch
from nngp_dag.nas.scores.score import ScoreFunction
from nngp_dag.spaces.base import Architecture

__all__ = ["LARGEST_SIDE", "make_nngp", "make_ntk", "small_images"]

LARGEST_SIDE = 8
"""Height and width to which images are shrunk at most: the cost of a kernel goes with the fourth power."""


def small_images(x: np.ndarray, unit: int) -> np.ndarray:
    """Images [N, h, h, C] shrunk to the largest side of at most `LARGEST_SIDE` that is a multiple of `unit`, float64.

    Raises:
        InputError: images that are not square or have no such side, or an image of zeros.
    """
    height, width = x.shape[1:3]
    sides = [s for s in range(unit, LARGEST_SIDE + 1, unit) if height % s == 0]
    if height != width or not sides:
        raise InputError(
            f"images of {height}x{width} cannot be shrunk: a square is needed whose side a multiple of {unit} up to"
            f" {LARGEST_SIDE} divides"
        )
    return unit_images(shrunk(x.astype(np.float64), sides[-1]))


def _make(name: str, networks: SpaceNetworks, max_pool: str = "refuse") -> ScoreFunction:
    spec, option = networks.ntk, chosen_max_pool(max_pool)
    if isinstance(spec, MacroSpec):
        unit = spec.unit
    elif isinstance(spec, DartsSpec) and spec.stem:
        unit = 2 ** sum(reduction for _, reduction in spec.layers())
    else:
        raise InputError(f"exact-{name} has no kernels for these networks of {networks.space.name}")

    def score(architecture: Architecture, batch: Batch | None = None, key: Array | None = None) -> float:
        del key
        network = _network(spec, networks.read(architecture), option)
        x = small_images(image_batch(batch, spec), unit)
        if network.is_zero:
            return float("-inf")
        kernel = np.asarray(conv_kernel_fn(network)(x, get=name))
        return float(np.linalg.eigvalsh(kernel)[0] / np.diag(kernel).mean())

    return score


def _network(spec: MacroSpec | DartsSpec, rows: np.ndarray, max_pool: MaxPool) -> ConvNetwork:
    """The network of an architecture, integers [cells, genes]."""
    if isinstance(spec, MacroSpec):
        return nasbench201_network(rows, spec.cells, spec.stages)
    kinds = ["reduce" if reduction else "normal" for _, reduction in spec.layers()]
    return darts_network(rows, kinds, max_pool=max_pool, last_activation=spec.last_relu)


make_nngp = partial(_make, "nngp")
"""The score of the NNGP: lambda_min over the mean diagonal."""

make_ntk = partial(_make, "ntk")
"""The score of the NTK: lambda_min over the mean diagonal."""
