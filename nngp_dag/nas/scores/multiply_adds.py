"""Baseline: multiply-adds of the full-size network for a 32x32 image."""

from __future__ import annotations

import numpy as np

from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.scores.score import structural

__all__ = ["make"]


def _value(networks: SpaceNetworks, rows: np.ndarray) -> float:
    return networks.size(networks.wot, networks.genes(rows), 32).multiply_adds


make = structural(_value)
