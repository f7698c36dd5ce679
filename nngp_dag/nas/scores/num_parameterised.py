"""Baseline: number of convolutions in the cells."""

from __future__ import annotations

import numpy as np

from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.scores.score import Score, structural

__all__ = ["SCORE"]


def _value(networks: SpaceNetworks, rows: np.ndarray) -> float:
    return float(networks.space.num_parameterised(rows).sum())


SCORE = Score(
    name="num-parameterised",
    title="number of convolutions in the cells",
    source="counted",
    higher_is_better=True,
    make=structural(_value),
    baseline=True,
)
