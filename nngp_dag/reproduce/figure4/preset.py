"""Sizes of the Figure 4 experiment: the paper's, and one for a laptop."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from nngp_dag.errors import InputError

__all__ = ["CODES", "NAMES", "PRESETS", "Preset"]

CODES = ("2_02_002", "1_01_222", "2_21_112")
NAMES = ("DAG#1", "DAG#2", "DAG#3")


@dataclass(frozen=True)
class Preset:
    """Sizes of one run; everything else is the authors': standard (Kaiming) parameterisation, stem, cross-entropy, SGD.

    Attributes:
        name: paper, laptop, or "custom" where a size was changed.
        width: neurons of every node.
        batch: rows in a batch.
        learning_rate: constant.
        epochs: passes over the data.
        seeds: networks of each DAG.
    """

    name: str
    width: int
    batch: int
    learning_rate: float
    epochs: int
    seeds: int

    def changed(self, **sizes: float | int | None) -> Preset:
        """This preset with the sizes that are not None replaced; InputError where one is not positive."""
        given = {name: value for name, value in sizes.items() if value is not None}
        for name, value in given.items():
            if not 0 < value < math.inf:
                raise InputError(f"{name.replace('_', ' ')} must be a positive number, got {value}")
        if all(getattr(self, name) == value for name, value in given.items()):
            return self
        return dataclasses.replace(self, **{"name": "custom", **given})  # type: ignore[arg-type]


PRESETS = {
    "paper": Preset("paper", width=1024, batch=128, learning_rate=1e-5, epochs=1000, seeds=3),
    "laptop": Preset("laptop", width=128, batch=128, learning_rate=1e-2, epochs=8, seeds=32),
}
"""`paper`: Section 5.1 and the authors' command line. `laptop`: shorter, narrower, a larger learning rate, more seeds.

In the standard parameterisation a network has moved as far as (learning rate) x (width) x (steps) says: the laptop's
run on digits goes about as far as the first 32 of the paper's 1000 epochs on MNIST.
"""
