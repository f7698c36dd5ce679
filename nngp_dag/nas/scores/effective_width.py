"""Baseline: effective width of the (normal) cell (Eq. 13)."""

from __future__ import annotations

import numpy as np

from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.scores.score import Score, structural

__all__ = ["SCORE"]


def _value(networks: SpaceNetworks, rows: np.ndarray) -> float:
    paths, length, active = networks.space.cell_totals(rows[0])
    return active * paths / length if length else 0.0


SCORE = Score(
    name="effective-width",
    title="effective width of the (normal) cell",
    source="Eq. 13",
    higher_is_better=True,
    make=structural(_value),
    baseline=True,
)
