"""Baseline: effective width of the (normal) cell (Eq. 13)."""

from __future__ import annotations

import numpy as np

from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.scores.score import structural

__all__ = ["make"]


def _value(networks: SpaceNetworks, rows: np.ndarray) -> float:
    paths, length, active = networks.space.cell_totals(rows[0])
    return active * paths / length if length else 0.0


make = structural(_value)
