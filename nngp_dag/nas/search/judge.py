"""TE-NAS's statistics of a supernet: condition numbers and linear regions, on batches and weights common to a round."""

from __future__ import annotations

import time

import jax
import numpy as np

from nngp_dag.nas.images import Images, random_patches
from nngp_dag.nas.networks.image_batch import check_image_sides
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.scores.batches import NTK_IMAGES
from nngp_dag.nas.scores.linear_regions import activation_patterns, count_distinct
from nngp_dag.nas.scores.ntk_condition import condition_number, tangent_kernel

__all__ = ["LARGEST", "SupernetJudge"]

LARGEST = 1e16
"""Stand-in for the condition number of a singular kernel, so that relative changes stay defined."""


class SupernetJudge:
    """Evaluates supernets; all supernets of a round see the same images, patches and initial weights.

    (The released code draws weights anew for every removal, and computes the supernet before it anew with each. With
    common draws that is computed once per round, and differences are less noisy.)

    Args:
        networks: the space's networks.
        images: where batches come from.
        rng: of batches and weights.
        batch_size: images for the tangent kernel.
        patches: patches of each of three batches for the linear regions.
        repeats: how often the statistics are computed with new weights.
    """

    def __init__(
        self,
        networks: SpaceNetworks,
        images: Images,
        rng: np.random.Generator,
        *,
        batch_size: int = NTK_IMAGES,
        patches: int = 1000,
        repeats: int = 3,
    ) -> None:
        self.networks, self.images, self.rng = networks, images, rng
        self.batch_size, self.num_patches, self.repeats = batch_size, patches, repeats
        self.compile_seconds = 0.0
        images.choose(batch_size)
        check_image_sides(images.x, networks.ntk)

    def compile(self) -> None:
        """Compile both statistics, so that a search's time is that of the search."""
        start = time.perf_counter()
        self.new_round()
        self(self.networks.layout.supernet())
        self.compile_seconds = time.perf_counter() - start

    def new_round(self) -> None:
        """Draw batches and weights."""
        self.batch = self.images.batch(self.batch_size, self.rng).astype(self.networks.ntk.dtype)
        patches = random_patches(self.images, self.rng, count=self.num_patches)
        self.patches = patches.astype(self.networks.regions.dtype)
        self.keys = [jax.random.key(int(seed)) for seed in self.rng.integers(2**31, size=2 * self.repeats)]

    def __call__(self, alive: np.ndarray) -> np.ndarray:
        """Condition number and linear regions of a supernet [cells, edges, operations], [repeats, 2]."""
        networks = self.networks
        weights = networks.supernet(networks.layout.weights(alive))
        values = []
        for first, second in zip(self.keys[::2], self.keys[1::2], strict=True):
            kernel = tangent_kernel(networks.network, networks.ntk, weights, self.batch, first)
            codes = activation_patterns(networks.network, networks.regions, weights, self.patches, second)
            values.append([min(condition_number(kernel, networks.ntk.dtype), LARGEST), count_distinct(codes)])
        return np.array(values, dtype=np.float64)
