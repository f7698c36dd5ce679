"""Scores of untrained networks in one registry: each a function (architecture, batch, key) -> number.

    score = nngp_dag.nas.make_score("wot", "nasbench201")
    score("|nor_conv_3x3~0|+...", images, jax.random.key(0))

Adding a score is one file with a `Score` (`nngp_dag.nas.scores.score`), and its line in `SCORES`; the command line, the
tables and the tests then serve it.
"""

from __future__ import annotations

from collections.abc import Mapping

from nngp_dag.errors import InputError, unknown
from nngp_dag.nas.networks.registry import space_networks
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.scores import (
    effective_depth,
    effective_width,
    fisher,
    grad_norm,
    grasp,
    jacob_cov,
    linear_regions,
    multiply_adds,
    ntk_condition,
    num_parameterised,
    parameters,
    snip,
    synflow,
    wot,
    zico,
)
from nngp_dag.nas.scores.score import Score, ScoreFunction

__all__ = ["SCORES", "baselines", "make_score", "names", "score"]

SCORES: dict[str, Score] = {
    score.name: score
    for score in (
        wot.SCORE,
        ntk_condition.SCORE,
        linear_regions.SCORE,
        grad_norm.SCORE,
        snip.SCORE,
        grasp.SCORE,
        synflow.SCORE,
        jacob_cov.SCORE,
        fisher.SCORE,
        zico.SCORE,
        effective_depth.SCORE,
        effective_width.SCORE,
        num_parameterised.SCORE,
        parameters.SCORE,
        multiply_adds.SCORE,
    )
}
"""All scores by name, in the order in which they are listed."""


def names() -> list[str]:
    """The names of all scores."""
    return list(SCORES)


def baselines() -> list[str]:
    """The names of the trivial baselines, which need no data and no weights and are always shown beside the others."""
    return [name for name, score in SCORES.items() if score.baseline]


def score(name: str) -> Score:
    """The score of that name; InputError lists the names."""
    if name not in SCORES:
        raise unknown("score", name, SCORES)
    return SCORES[name]


def make_score(name: str, space: str | SpaceNetworks, options: Mapping[str, str] | None = None) -> ScoreFunction:
    """The function (architecture, batch, key) -> number of a score on a space's networks.

    Args:
        name: one of `names()`.
        space: a space that has networks (`nngp_dag.nas.spaces_with_networks()`), or a `SpaceNetworks` with sizes
            of your own.
        options: by name (`Score.options`); for `wot`, {"weights": "once" or "released"}.

    Raises:
        InputError: an unknown score or space, an option that the score does not have, or a value that it does not take.
    """
    chosen = score(name)
    options = dict(options or {})
    if unknown_options := set(options) - {option.name for option in chosen.options}:
        raise InputError(f"the score {name} has no option {', '.join(sorted(unknown_options))}")
    return chosen.make(space_networks(space) if isinstance(space, str) else space, **options)
