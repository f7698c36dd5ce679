"""Scores of untrained networks in one registry: each a function (architecture, batch, key) -> number.

    score = nngp_dag.nas.make_score("wot", "nasbench201")
    score("|nor_conv_3x3~0|+...", images, jax.random.key(0))

Adding a score is one file with the function that makes it, and its entry in `SCORES` (`nngp_dag.nas.scores.score`); the
command line, the tables and the tests then serve it.
"""

from __future__ import annotations

from collections.abc import Mapping

from nngp_dag.errors import InputError, unknown
from nngp_dag.nas.networks.registry import space_networks
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.scores.batches import NTK_IMAGES, WOT_IMAGES, image_batches, labelled_batches, patch_batches
from nngp_dag.nas.scores.score import Score, ScoreFunction, ScoreOption

__all__ = ["SCORES", "baselines", "make_score", "names", "score"]

_MAX_POOL = ScoreOption(
    "max_pool",
    ("refuse", "average"),
    "refuse",
    "Max pooling of DARTS has no kernel in closed form: refuse it, or put average pooling in its place.",
)

SCORES: dict[str, Score] = {
    "wot": Score(
        "nngp_dag.nas.scores.wot:make",
        title="log|det K| of the binary codes of all ReLUs",
        source="NAS-WOT, arXiv:2006.04647",
        higher_is_better=True,
        batch=image_batches(WOT_IMAGES),
        options=(
            ScoreOption(
                "weights",
                ("once", "released"),
                "once",
                "Count every ReLU once, or as often as NAS-WOT's released code does.",
            ),
        ),
    ),
    "ntk-cond": Score(
        "nngp_dag.nas.scores.ntk_condition:make",
        title="condition number of the tangent kernel",
        source="TE-NAS, arXiv:2102.11535",
        higher_is_better=False,
        batch=image_batches(NTK_IMAGES),
    ),
    "linear-regions": Score(
        "nngp_dag.nas.scores.linear_regions:make",
        title="distinct activation patterns of 3x3 patches",
        source="TE-NAS, arXiv:2102.11535",
        higher_is_better=True,
        batch=patch_batches(),
    ),
    "grad-norm": Score(
        "nngp_dag.nas.scores.grad_norm:make",
        title="norm of the loss's gradient, summed over layers",
        source="Abdelfattah et al., arXiv:2101.08134",
        higher_is_better=True,
        batch=labelled_batches(64),
    ),
    "snip": Score(
        "nngp_dag.nas.scores.snip:make",
        title="|w dL/dw| summed over all weights",
        source="SNIP, arXiv:1810.02340",
        higher_is_better=True,
        batch=labelled_batches(64),
    ),
    "grasp": Score(
        "nngp_dag.nas.scores.grasp:make",
        title="-w (H g) summed over all weights",
        source="GraSP, arXiv:2002.07376",
        higher_is_better=True,
        batch=labelled_batches(64),
    ),
    "synflow": Score(
        "nngp_dag.nas.scores.synflow:make",
        title="log of the flow through all weights",
        source="SynFlow, arXiv:2006.05467",
        higher_is_better=True,
    ),
    "jacob-cov": Score(
        "nngp_dag.nas.scores.jacob_cov:make",
        title="correlations of the gradients with respect to images",
        source="Mellor et al., arXiv:2006.04647, first version",
        higher_is_better=True,
        batch=image_batches(64),
    ),
    "fisher": Score(
        "nngp_dag.nas.scores.fisher:make",
        title="what the loss would lose with each channel",
        source="Fisher pruning, arXiv:1801.05787",
        higher_is_better=True,
        batch=labelled_batches(64),
        options=(
            ScoreOption(
                "counts",
                ("channel", "released"),
                "channel",
                "Count a channel once, or once per weight, as the released code does.",
            ),
        ),
    ),
    "zico": Score(
        "nngp_dag.nas.scores.zico:make",
        title="mean over deviation of gradients, log of their sum over each layer",
        source="ZiCo, arXiv:2301.11300",
        higher_is_better=True,
        batch=labelled_batches(128, batches=2),
    ),
    "exact-nngp": Score(
        "nngp_dag.nas.scores.exact_kernel:make_nngp",
        title="least eigenvalue over mean diagonal of the exact NNGP",
        source="infinite width, no weights",
        higher_is_better=True,
        batch=image_batches(NTK_IMAGES),
        options=(_MAX_POOL,),
        weights=False,
        on_all_cores=True,
    ),
    "exact-ntk": Score(
        "nngp_dag.nas.scores.exact_kernel:make_ntk",
        title="least eigenvalue over mean diagonal of the exact NTK",
        source="infinite width, no weights",
        higher_is_better=True,
        batch=image_batches(NTK_IMAGES),
        options=(_MAX_POOL,),
        weights=False,
        on_all_cores=True,
    ),
    "effective-depth": Score(
        "nngp_dag.nas.scores.effective_depth:make",
        title="effective depth of the (normal) cell",
        source="Eq. 13",
        higher_is_better=True,
        baseline=True,
    ),
    "effective-width": Score(
        "nngp_dag.nas.scores.effective_width:make",
        title="effective width of the (normal) cell",
        source="Eq. 13",
        higher_is_better=True,
        baseline=True,
    ),
    "num-parameterised": Score(
        "nngp_dag.nas.scores.num_parameterised:make",
        title="number of convolutions in the cells",
        source="counted",
        higher_is_better=True,
        baseline=True,
    ),
    "num-conv-3x3": Score(
        "nngp_dag.nas.scores.num_conv_3x3:make",
        title="number of 3x3 convolutions in the cells",
        source="counted",
        higher_is_better=True,
        baseline=True,
    ),
    "parameters": Score(
        "nngp_dag.nas.scores.parameters:make",
        title="parameters of the full-size network",
        source="counted",
        higher_is_better=True,
        baseline=True,
    ),
    "multiply-adds": Score(
        "nngp_dag.nas.scores.multiply_adds:make",
        title="multiply-adds of the full-size network for a 32x32 image",
        source="counted",
        higher_is_better=True,
        baseline=True,
    ),
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
