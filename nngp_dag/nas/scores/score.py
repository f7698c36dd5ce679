"""A score of untrained networks: a number per architecture, what it is computed on, and how it is described.

The description is known without JAX, and what computes it is imported at its first use. Adding a score is one file in
this folder and its `Score` in `nngp_dag.nas.scores.registry`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.scores.batches import Batch, BatchRecipe
from nngp_dag.spaces.base import Architecture

if TYPE_CHECKING:
    from jax import Array

__all__ = ["Score", "ScoreFunction", "ScoreOption", "structural", "weights_key"]


class ScoreFunction(Protocol):
    """A score on the networks of one space."""

    def __call__(self, architecture: Architecture, batch: Batch | None = None, key: Array | None = None) -> float:
        """The score of an architecture.

        Args:
            architecture: a line of the space's notation, or integers [cells, genes].
            batch: what the score is computed on (`Score.batch`); None for scores without data.
            key: of the initial weights; None for scores without weights.

        Raises:
            InputError: the space has no such architecture, or the batch or key is none that the score can use.
        """


@dataclass(frozen=True)
class ScoreOption:
    """A choice that a score offers: a keyword of its `make`, and `--SCORE-NAME` on the command line.

    Attributes:
        name: the keyword.
        choices: the values accepted.
        default: one of them.
        help: one line for the command line.
    """

    name: str
    choices: tuple[str, ...]
    default: str
    help: str


@dataclass(frozen=True)
class Score:
    """Description of a score, known before it computes anything.

    Attributes:
        implementation: "module:function", imported at its first use: from a space's networks, and options by keyword,
            to the function.
        title: a few words.
        source: where it comes from.
        higher_is_better: whether the best architecture has the largest value.
        batch: how the batch that the function takes is drawn; None for scores without data.
        options: the options that it takes.
        baseline: whether it is trivial: without data and weights, and always shown beside the others.
        weights: whether it draws initial weights and needs a key, unless it is a baseline.
        on_all_cores: whether it computes one architecture on all cores by itself.
    """

    implementation: str
    title: str
    source: str
    higher_is_better: bool
    batch: BatchRecipe | None = None
    options: tuple[ScoreOption, ...] = ()
    baseline: bool = False
    weights: bool = True
    on_all_cores: bool = False

    def make(self, networks: SpaceNetworks, **options: str) -> ScoreFunction:
        """The function on a space's networks, with options by keyword."""
        module, name = self.implementation.split(":")
        function: Callable[..., ScoreFunction] = getattr(importlib.import_module(module), name)
        return function(networks, **options)


def structural(value: Callable[[SpaceNetworks, np.ndarray], float]) -> Callable[[SpaceNetworks], ScoreFunction]:
    """The `make` of a score that depends on the architecture alone, from its value for genes [cells, genes]."""

    def make(networks: SpaceNetworks) -> ScoreFunction:
        def score(architecture: Architecture, batch: Batch | None = None, key: Array | None = None) -> float:
            del batch, key
            return float(value(networks, networks.read(architecture)))

        return score

    return make


def weights_key(key: Array | None) -> Array:
    """The key of the initial weights; InputError where there is none."""
    if key is None:
        raise InputError("this score draws initial weights: it needs a key, for example jax.random.key(0)")
    return key
