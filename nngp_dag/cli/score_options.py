"""Command-line options and help of scores, read off the registry, so that a new score brings its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import click

from nngp_dag.nas.scores.registry import SCORES, baselines

__all__ = ["batch_sizes", "by_score", "score_list", "score_options"]

_F = TypeVar("_F", bound=Callable[..., object])


def score_options(*names: str) -> Callable[[_F], _F]:
    """Decorator of a command that adds `--SCORE-OPTION` for every option of the scores named, of all by default."""

    def decorate(function: _F) -> _F:
        for name in reversed(names or tuple(SCORES)):
            for option in reversed(SCORES[name].options):
                function = click.option(
                    f"--{name}-{option.name}",
                    type=click.Choice(option.choices),
                    default=option.default,
                    show_default=True,
                    help=option.help,
                )(function)
        return function

    return decorate


def by_score(values: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The values of `score_options`, by score and option, from what click passes: {"wot_weights": "once"}."""
    found: dict[str, dict[str, str]] = {}
    for name, score in SCORES.items():
        keys = {option.name: f"{name}-{option.name}".replace("-", "_") for option in score.options}
        given = {option: values[key] for option, key in keys.items() if key in values}
        if given:
            found[name] = given
    return found


def batch_sizes() -> str:
    """The default batch sizes in words: "128 for wot, 32 for ntk-cond"."""
    sizes = {name: score.batch.size for name, score in SCORES.items() if score.batch is not None}
    return ", ".join(f"{size} for {name}" for name, size in sizes.items() if size is not None)


def score_list() -> str:
    """All scores in words, the trivial baselines apart."""
    trivial = baselines()
    others = [name for name in SCORES if name not in trivial]
    return f"{', '.join(others)}, or of the trivial baselines {', '.join(trivial)}"
