"""Command-line options and help of scores, read off the registry, so that a new score brings its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import click

from nngp_dag.nas.scores.registry import SCORES, baselines

__all__ = ["BATCH_SIZE", "batch_sizes", "by_score", "option_keys", "score_list", "score_options"]

_F = TypeVar("_F", bound=Callable[..., object])


def score_options(*names: str) -> Callable[[_F], _F]:
    """Decorator of a command that adds `--SCORE-OPTION` for every option of the scores named, of all by default."""

    def decorate(function: _F) -> _F:
        for name in reversed(names or tuple(SCORES)):
            for option in reversed(SCORES[name].options):
                function = click.option(
                    f"--{name}-{option.name}".replace("_", "-"),
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


def option_keys() -> list[str]:
    """The keys of the values of `score_options`, as click passes them."""
    return [f"{name}-{option.name}".replace("-", "_") for name, score in SCORES.items() for option in score.options]


class _BatchSize(click.ParamType[int | dict[str, int]]):
    """One number for all scores, or SCORE=N,... by score."""

    name = "batch size"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int | dict[str, int]:
        """The number, or numbers by score; every one at least 2."""
        if "=" not in value:
            return self._number(value, param, ctx)
        found: dict[str, int] = {}
        for part in value.split(","):
            name, _, number = (piece.strip() for piece in part.partition("="))
            if name not in SCORES:
                self.fail(f"unknown score {name!r} in {value!r}: accepted are {', '.join(SCORES)}", param, ctx)
            if name in found:
                self.fail(f"{name} is given twice in {value!r}", param, ctx)
            found[name] = self._number(number, param, ctx)
        return found

    def _number(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= 2):
            self.fail(f"{text!r} is no number of images, at least 2 (N, or SCORE=N,...)", param, ctx)
        return int(text)


BATCH_SIZE = _BatchSize()
"""Type of `--batch-size`."""


def batch_sizes() -> str:
    """The default batch sizes in words: "128 for wot, 32 for ntk-cond"."""
    sizes = {name: score.batch.size for name, score in SCORES.items() if score.batch is not None}
    return ", ".join(f"{size} for {name}" for name, size in sizes.items() if size is not None)


def score_list() -> str:
    """All scores in words, the trivial baselines apart."""
    trivial = baselines()
    others = [name for name in SCORES if name not in trivial]
    return f"{', '.join(others)}, or of the trivial baselines {', '.join(trivial)}"
