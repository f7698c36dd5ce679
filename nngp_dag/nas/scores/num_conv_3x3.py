"""Baseline: number of 3x3 convolutions in the cells."""

from __future__ import annotations

import numpy as np

from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.scores.score import structural

__all__ = ["make"]


def _value(networks: SpaceNetworks, rows: np.ndarray) -> float:
    # Every notation with networks names its operations: nor_conv_3x3, or sep_conv_3x3 and dil_conv_3x3 in DARTS.
    return float(networks.space.write(rows).count("conv_3x3"))


make = structural(_value)
