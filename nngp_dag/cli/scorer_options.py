"""The options that say which networks are scored, on what, and how often."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import click

from nngp_dag.cli.common import counts
from nngp_dag.cli.score_options import BATCH_SIZE, batch_sizes, by_score, option_keys, score_options
from nngp_dag.nas.networks.sizes import INITIALIZATIONS

if TYPE_CHECKING:
    from nngp_dag.nas import Images, SpaceNetworks
    from nngp_dag.nas.scores.scorer import Scorer

__all__ = ["ScorerChoices", "scorer_options"]

_T = TypeVar("_T")

_INIT_HELP = (
    "Initial weights of all networks that are scored. By default kaiming-fan-out for ntk-cond and kaiming-fan-in for"
    " linear-regions, as TE-NAS's code means to (its launcher asks by a name that the code does not know, so that the"
    " released code really gets pytorch); pytorch for the other scores, as their released code."
)


@dataclass(frozen=True)
class ScorerChoices:
    """Networks and draws that were asked for on the command line.

    Attributes:
        space: name of the space.
        channels, cells: sizes of the full-size network, None for the default.
        init: initial weights of all networks, None for each score's own.
        batch_size: images of a batch, for all scores or by score.
        repeats: number of draws.
        options: by score and name, the scores' own options.
    """

    space: str
    channels: int | None
    cells: int | None
    init: str | None
    batch_size: int | Mapping[str, int] | None
    repeats: int
    options: Mapping[str, Mapping[str, str]]

    def networks(self) -> SpaceNetworks:
        """The space's networks with these sizes and initial weights."""
        from nngp_dag.nas.networks import registry

        return registry.space_networks(self.space).resized(self.channels, self.cells).initialised(self.init)

    def scorer(self, names: list[str], networks: SpaceNetworks, images: Images | None, seed: int) -> Scorer:
        """The scores of these names."""
        from nngp_dag.nas.scores.scorer import Scorer

        return Scorer.make(
            names,
            networks,
            images,
            seed=seed,
            batch_size=self.batch_size,
            options=self.options,
            repeats=self.repeats,
        )

    def as_dict(self) -> dict[str, object]:
        """The choices that are shown beside the scores."""
        return {"repeats": self.repeats, "init": self.init}


def scorer_options(function: Callable[..., _T]) -> Callable[..., _T]:
    """Add --space, --batch-size, --repeats, --init, --channels, --cells and the scores' own options, and hand the
    command one `scoring: ScorerChoices`.
    """

    @functools.wraps(function)
    def command(
        *args: object,
        space: str,
        channels: int | None,
        cells: int | None,
        init: str | None,
        batch_size: int | dict[str, int] | None,
        repeats: int,
        **given: object,
    ) -> _T:
        own = {key: value for key, value in given.items() if key in keys and isinstance(value, str)}
        rest = {key: value for key, value in given.items() if key not in keys}
        scoring = ScorerChoices(space, channels, cells, init, batch_size, repeats, by_score(own))
        return function(*args, scoring=scoring, **rest)

    keys = set(option_keys())
    options = (
        click.option("--space", default="nasbench201", show_default=True, help="nasbench201 or darts."),
        click.option(
            "--batch-size", type=BATCH_SIZE, metavar="N|SCORE=N,...", help=f"Images of a batch ({batch_sizes()})."
        ),
        click.option(
            "--repeats",
            type=counts(1),
            default=1,
            show_default=True,
            metavar="R",
            help="Draws of weights and batches per architecture; with more, also standard errors and rank stability.",
        ),
        click.option("--init", type=click.Choice(INITIALIZATIONS), help=_INIT_HELP),
        click.option("--channels", type=counts(1), help="C of the full-size network (16)."),
        click.option("--cells", type=counts(1), help="N, cells of a stage of that network (5; darts 2)."),
        score_options(),
    )
    for option in reversed(options):
        command = option(command)
    return command
