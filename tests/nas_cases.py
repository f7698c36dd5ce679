"""Small networks and images for the tests of scores and searches."""

from __future__ import annotations

import dataclasses

import numpy as np

from nngp_dag.nas import Images, space_networks
from nngp_dag.nas.networks.network201 import MacroSpec

__all__ = ["random_images", "tiny_networks"]


def tiny_networks():
    """NAS-Bench-201 with networks of a few hundred weights, in float64."""
    spec = MacroSpec(channels=2, cells=1, classes=3, stages=2, dtype="float64")
    return dataclasses.replace(
        space_networks("nasbench201"),
        wot=spec,
        ntk=spec.replace(stages=1, init="kaiming-fan-out"),
        regions=MacroSpec(channels=1, cells=1, stages=1, inputs=1, stem=False, init="kaiming-fan-in", dtype="float64"),
        train=spec.replace(stages=1, dtype="float32"),
    )


def random_images(n=40, size=4, seed=0, classes=3):
    """Images whose class shows in their mean colour.

    Tests of one shape (batches of 6 for scores, 4 for tangent kernels, 16 for training) share compiled programs.
    """
    rng = np.random.default_rng(seed)
    y = rng.integers(classes, size=n)
    x = rng.normal(size=(n, size, size, 3)) + 2 * np.eye(3)[y % 3][:, None, None]
    return Images(x.astype(np.float32), y, "random images")
