"""Baseline: number of convolutions in the cells."""

from __future__ import annotations

import numpy as np

from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.scores.score import structural

__all__ = ["make"]


def _value(networks: SpaceNetworks, rows: np.ndarray) -> float:
    return float(networks.space.num_parameterised(rows).sum())


make = structural(_value)
