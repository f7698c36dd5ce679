"""Baseline: number of parameters of the full-size network."""

from __future__ import annotations

import numpy as np

from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.scores.score import Score, structural

__all__ = ["SCORE"]


def _value(networks: SpaceNetworks, rows: np.ndarray) -> float:
    return networks.size(networks.wot, networks.genes(rows), 32).parameters


SCORE = Score(
    name="parameters",
    title="parameters of the full-size network",
    source="counted",
    higher_is_better=True,
    make=structural(_value),
    baseline=True,
)
