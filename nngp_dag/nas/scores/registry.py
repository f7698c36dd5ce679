"""Scores of untrained networks in one registry: each a function (architecture, batch, key) -> number.

    score = nngp_dag.nas.make_score("wot", "nasbench201")
    score("|nor_conv_3x3~0|+...", images, jax.random.key(0))

Adding a score is one function that makes it, and its line in `SCORES`; the command line, the searches' tables and the
tests then serve it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nngp_dag.errors import InputError, unknown
from nngp_dag.nas.images import Images, random_patches
from nngp_dag.nas.networks.registry import space_networks
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.scores import linear_regions, ntk_condition, wot

__all__ = ["BASELINES", "SCORES", "Score", "ScoreFunction", "make_score", "names", "score"]

ScoreFunction = Callable[[Any, Any, Any], float]
"""(architecture, batch, key) -> number. The architecture is a line of the space's notation, or integers
[cells, genes]."""


@dataclass(frozen=True)
class Score:
    """A score and what it is made from.

    Attributes:
        title: one line, with its source.
        higher_is_better: whether the best architecture has the largest value.
        make: from a space's networks and options to the function.
        batch: from images and a generator to the batch that the function takes; None for scores without data.
        options: names of the options that `make` takes.
    """

    title: str
    higher_is_better: bool
    make: Callable[..., ScoreFunction]
    batch: Callable[..., Any] | None = None
    options: tuple[str, ...] = ()


def _structure(value: Callable[[SpaceNetworks, np.ndarray], float]) -> Callable[..., ScoreFunction]:
    """A score that depends on the architecture alone."""

    def make(networks: SpaceNetworks) -> ScoreFunction:
        def function(architecture: Any, batch: Any = None, key: Any = None) -> float:
            del batch, key
            return float(value(networks, networks.read(architecture)))

        return function

    return make


def _depth(networks: SpaceNetworks, rows: np.ndarray) -> float:
    paths, length, _ = networks.space.cell_totals(rows[0])
    return length / paths if paths else 0.0


def _width(networks: SpaceNetworks, rows: np.ndarray) -> float:
    paths, length, active = networks.space.cell_totals(rows[0])
    return active * paths / length if length else 0.0


def _num_parameterised(networks: SpaceNetworks, rows: np.ndarray) -> float:
    return float(networks.space.num_parameterised(rows).sum())


def _parameters(networks: SpaceNetworks, rows: np.ndarray) -> float:
    return networks.size(networks.wot, networks.genes(rows), 32).parameters


def _multiply_adds(networks: SpaceNetworks, rows: np.ndarray) -> float:
    return networks.size(networks.wot, networks.genes(rows), 32).multiply_adds


def _images(default: int) -> Callable[..., Any]:
    def batch(images: Images, rng: np.random.Generator, count: int | None = None) -> np.ndarray:
        return images.batch(default if count is None else count, rng)

    return batch


def _patches(images: Images, rng: np.random.Generator, count: int | None = None) -> np.ndarray:
    del count
    return random_patches(images, rng)


SCORES: dict[str, Score] = {
    "wot": Score(
        "log|det K| of the binary codes of all ReLUs, NAS-WOT (arXiv:2006.04647)",
        True,
        wot.make,
        _images(128),
        ("weights",),
    ),
    "ntk-cond": Score(
        "condition number of the tangent kernel, TE-NAS (arXiv:2102.11535)", False, ntk_condition.make, _images(32)
    ),
    "linear-regions": Score(
        "distinct activation patterns of 3x3 patches, TE-NAS (arXiv:2102.11535)", True, linear_regions.make, _patches
    ),
    "effective-depth": Score("effective depth of the (normal) cell (Eq. 13)", True, _structure(_depth)),
    "effective-width": Score("effective width of the (normal) cell (Eq. 13)", True, _structure(_width)),
    "num-parameterised": Score("number of convolutions in the cells", True, _structure(_num_parameterised)),
    "parameters": Score("parameters of the full-size network", True, _structure(_parameters)),
    "multiply-adds": Score(
        "multiply-adds of the full-size network for a 32x32 image", True, _structure(_multiply_adds)
    ),
}
"""All scores by name."""

BASELINES = tuple(name for name, score in SCORES.items() if score.batch is None)
"""The trivial baselines: they need no data and no network, and are always shown beside the others."""


def names() -> list[str]:
    """The names of all scores."""
    return list(SCORES)


def score(name: str) -> Score:
    """The score of that name; InputError lists the names."""
    if name not in SCORES:
        raise unknown("score", name, SCORES)
    return SCORES[name]


def make_score(name: str, space: str | SpaceNetworks, options: Mapping[str, Any] | None = None) -> ScoreFunction:
    """The function (architecture, batch, key) -> number of a score on a space's networks.

    Args:
        name: one of `names()`.
        space: a space that has networks (`nngp_dag.nas.spaces_with_networks()`), or a `SpaceNetworks` with sizes
            of your own.
        options: for `wot`, {"weights": "once" or "released"}.

    Raises:
        InputError: an unknown score or space, or an option that the score does not have.
    """
    chosen = score(name)
    options = dict(options or {})
    if unknown := set(options) - set(chosen.options):
        raise InputError(f"the score {name} has no option {', '.join(sorted(unknown))}")
    return chosen.make(space_networks(space) if isinstance(space, str) else space, **options)
