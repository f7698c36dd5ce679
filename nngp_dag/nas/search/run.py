"""One run of a search by name, from images and a seed to a result."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from nngp_dag.errors import InputError, unknown
from nngp_dag.nas.images import Images
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.scores.batches import NTK_IMAGES, WOT_IMAGES
from nngp_dag.nas.scores.registry import make_score
from nngp_dag.nas.scores.scorer import architecture_key, scoring_threads
from nngp_dag.nas.search.filters import SearchFilter
from nngp_dag.nas.search.fp_nas import FpNasSettings, fp_nas
from nngp_dag.nas.search.judge import SupernetJudge
from nngp_dag.nas.search.result import SearchResult
from nngp_dag.nas.search.rules import BoxRule, KeepAll, NearestCentroid, Rule
from nngp_dag.nas.search.te_nas import prune_search
from nngp_dag.nas.search.wot import ScoreCache, random_search
from nngp_dag.spaces.prefilter import Prefilter

__all__ = ["SEARCHES", "SearchSettings", "final_filter", "make_rule", "run_search", "wot_cache"]


@dataclass(frozen=True)
class SearchSettings:
    """Sizes of all searches.

    Attributes:
        num: architectures that NAS-WOT and searches by an exact kernel draw.
        batch_size: images of NAS-WOT's batch.
        wot_weights: `once` or `released`, see `nngp_dag.nas.scores.wot`.
        ntk_images: images of TE-NAS's tangent kernels, and of exact kernels.
        patches: patches of each of the three batches on which TE-NAS counts linear regions.
        repeats: new initial weights for every statistic of TE-NAS.
        fp_nas: sizes of FP-NAS.
        max_pool: `refuse` or `average`, for max pooling in searches of DARTS by an exact kernel.
    """

    num: int = 100
    batch_size: int = WOT_IMAGES
    wot_weights: str = "once"
    ntk_images: int = NTK_IMAGES
    patches: int = 1000
    repeats: int = 3
    fp_nas: FpNasSettings = field(default_factory=FpNasSettings)
    max_pool: str = "refuse"


def wot_cache(networks: SpaceNetworks, images: Images, seed: int, settings: SearchSettings) -> tuple[ScoreCache, float]:
    """NAS-WOT's scores on a random batch, cached, and the seconds that compiling took."""
    batch = images.batch(settings.batch_size, np.random.default_rng([seed, 1]))
    function = make_score("wot", networks, {"weights": settings.wot_weights})

    def score(architecture: np.ndarray) -> float:
        return function(architecture, batch, architecture_key(seed, networks.space.write(architecture)))

    start = time.perf_counter()
    score(networks.choices.decode(np.ones(len(networks.choices.sizes), dtype=np.int64)))
    return ScoreCache(score, scoring_threads()), time.perf_counter() - start


def final_filter(name: str, chosen: SearchFilter) -> Prefilter | None:
    """The box that a search's result should pass: None without a filter, and where TE-NAS's has none (`released`)."""
    return None if name == "te-nas" and chosen.released else chosen.predicate


def make_rule(chosen: SearchFilter) -> Rule:
    """The filter's form within TE-NAS."""
    if chosen.released:
        return NearestCentroid()
    return KeepAll() if chosen.predicate is None else BoxRule(chosen.predicate.box)


@dataclass(frozen=True)
class _Run:
    """The start of any search; the attributes are the arguments of `run_search`."""

    networks: SpaceNetworks
    images: Images
    chosen: SearchFilter
    seed: int
    settings: SearchSettings
    on_step: Callable[[int], None] | None


def _wot(run: _Run) -> SearchResult:
    score, compile_seconds = wot_cache(run.networks, run.images, run.seed, run.settings)
    return replace(_best_of_random(run, score), compile_seconds=compile_seconds)


def _exact(name: str, run: _Run) -> SearchResult:
    """The best exact score among random architectures; it draws no weights."""
    batch = run.images.batch(run.settings.ntk_images, np.random.default_rng([run.seed, 1]))
    function = make_score(name, run.networks, {"max_pool": run.settings.max_pool})
    return _best_of_random(run, ScoreCache(lambda architecture: function(architecture, batch, None)))


def _best_of_random(run: _Run, score: ScoreCache) -> SearchResult:
    rng = np.random.default_rng(run.seed)
    keep = run.chosen.predicate
    return random_search(run.networks.space, score, num=run.settings.num, rng=rng, keep=keep, on_step=run.on_step)


def _te_nas(run: _Run) -> SearchResult:
    judge = SupernetJudge(
        run.networks,
        run.images,
        np.random.default_rng(run.seed),
        batch_size=run.settings.ntk_images,
        patches=run.settings.patches,
        repeats=run.settings.repeats,
    )
    judge.compile()
    result = prune_search(
        run.networks.layout, judge, rule=make_rule(run.chosen), threads=scoring_threads(), on_step=run.on_step
    )
    if not result.evaluations:
        raise InputError("no operation's removal stays inside the filter's box, so none was judged: widen its ranges")
    return replace(result, compile_seconds=judge.compile_seconds)


def _fp_nas(run: _Run) -> SearchResult:
    return fp_nas(
        run.networks,
        run.images,
        seed=run.seed,
        settings=run.settings.fp_nas,
        keep=run.chosen.predicate,
        on_step=run.on_step,
    )


SEARCHES: dict[str, Callable[[_Run], SearchResult]] = {
    "wot": _wot,
    "te-nas": _te_nas,
    "fp-nas": _fp_nas,
    "exact-nngp": partial(_exact, "exact-nngp"),
    "exact-ntk": partial(_exact, "exact-ntk"),
}
"""All searches by name."""


def run_search(
    name: str,
    networks: SpaceNetworks,
    images: Images,
    *,
    chosen: SearchFilter,
    seed: int = 0,
    settings: SearchSettings | None = None,
    on_step: Callable[[int], None] | None = None,
) -> SearchResult:
    """Run a search once.

    Args:
        name: `wot`, `te-nas`, `fp-nas`, `exact-nngp` or `exact-ntk`.
        networks: the space's networks.
        images: real images, with labels for `fp-nas`.
        chosen: the filter (`nngp_dag.nas.search.filters.make_filter`).
        seed: of everything random; runs with and without a filter see the same draws where they can.
        settings: sizes.
        on_step: called with the number of draws (wot), candidates (te-nas) or steps (fp-nas) dealt with.

    Raises:
        InputError: an unknown search, too few images, or a filter that nothing passes.
    """
    if name not in SEARCHES:
        raise unknown("search", name, SEARCHES)
    result = SEARCHES[name](_Run(networks, images, chosen, seed, settings or SearchSettings(), on_step))
    passes = final_filter(name, chosen)
    return result if passes is None else replace(result, passes=passes(result.architecture))
