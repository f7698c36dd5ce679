"""The searches of a table: every search with every filter, repeated over seeds, each run kept as it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import jax
import numpy as np

from nngp_dag.nas.images import Images
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.search.filters import SearchFilter
from nngp_dag.nas.search.kept_runs import KeptRuns, RunSeries, SearchRun, run_series, settings_digest
from nngp_dag.nas.search.result import SearchResult
from nngp_dag.nas.search.run import SearchSettings, run_search, wot_cache
from nngp_dag.nas.search.wot import ScoreCache, random_search
from nngp_dag.support.progress import ProgressBar, no_progress

__all__ = ["Conditions", "Progress", "RepeatedSearches", "largest_of_draws", "results_of", "run_experiment"]

Progress = Callable[[str], object]
"""Told what begins."""


@dataclass(frozen=True)
class RepeatedSearches:
    """The searches of a table.

    Attributes:
        networks: by search, the networks that it looks at, all of one space.
        filters: every search has a run with each, for each seed.
        settings: sizes of the searches.
        runs: number of seeds.
        seed: the first one; the next ones follow. Runs of equal seed see equal draws.
    """

    networks: Mapping[str, SpaceNetworks]
    filters: Sequence[SearchFilter]
    settings: SearchSettings
    runs: int
    seed: int

    @property
    def plan(self) -> list[SearchRun]:
        """All runs, in the order in which they are made."""
        seeds = range(self.seed, self.seed + self.runs)
        return [
            SearchRun(name, chosen.name, seed) for name in self.networks for seed in seeds for chosen in self.filters
        ]

    @property
    def ranges(self) -> dict[str, tuple[object, ...] | None]:
        """The bounds of each filter's box."""
        return {f.name: None if f.predicate is None else f.predicate.box.bounds for f in self.filters}


@dataclass(frozen=True)
class Conditions:
    """The conditions under which a table was measured.

    Attributes:
        runs: number of runs that were asked for.
        seed: the first run's.
        images: where they came from.
        device: its kind.
        failed: runs without a result, in words.
    """

    runs: int
    seed: int
    images: str
    device: str
    failed: tuple[str, ...]

    @classmethod
    def of(cls, experiment: RepeatedSearches, images: Images, series: RunSeries) -> Conditions:
        """Those of an experiment on this machine."""
        device = str(jax.devices()[0].device_kind)
        return cls(experiment.runs, experiment.seed, images.source, device, series.failures)


def run_experiment(
    experiment: RepeatedSearches,
    images: Images,
    *,
    progress: Progress,
    out: Path | None = None,
    bar: ProgressBar = no_progress,
) -> RunSeries:
    """Every run of every search.

    NAS-WOT scores a draw once a seed: all filters see the same draws, and a run's seconds are the sum of what its own
    evaluations took.

    Args:
        experiment: the searches.
        images: CIFAR-10 images.
        progress: told what begins, and how many runs were done before.
        out: a .jsonl file that keeps every run as it ends, and that a later start goes on from.
        bar: opens a progress bar over the runs.

    Raises:
        InputError: too few images, or `out` cannot be written or holds runs of another kind.
    """
    if "wot" in experiment.networks:
        images.choose(experiment.settings.batch_size)  # too few images are an error before anything begins
    networks = list(experiment.networks.values())
    settings = settings_digest(networks, images, experiment.settings)
    with KeptRuns(networks[0].space, out, settings) as kept:
        return run_series(
            experiment.plan,
            _computing(experiment, images, progress),
            kept,
            on_resumed=lambda done, total: progress(f"{done} of {total} runs were done"),
            progress=bar,
        )


def _computing(experiment: RepeatedSearches, images: Images, progress: Progress) -> Callable[[SearchRun], SearchResult]:
    filters = {chosen.name: chosen for chosen in experiment.filters}
    caches: dict[int, tuple[ScoreCache, float]] = {}  # of NAS-WOT, for the seed at hand

    def compute(run: SearchRun) -> SearchResult:
        place = run.seed - experiment.seed + 1
        progress(f"{run.search}, filter {run.filter}, run {place} of {experiment.runs}")
        networks, chosen = experiment.networks[run.search], filters[run.filter]
        if run.search != "wot":
            return run_search(run.search, networks, images, chosen=chosen, seed=run.seed, settings=experiment.settings)
        if run.seed not in caches:
            caches.clear()
            caches[run.seed] = wot_cache(networks, images, run.seed, experiment.settings)
        score, compile_seconds = caches[run.seed]
        rng = np.random.default_rng(run.seed)
        found = random_search(networks.space, score, num=experiment.settings.num, rng=rng, keep=chosen.predicate)
        return replace(found, compile_seconds=compile_seconds)

    return compute


def results_of(series: RunSeries, search: str, filter_name: str) -> dict[int, SearchResult]:
    """The results of one search with one filter, by seed."""
    return {
        run.seed: result for run, result in series.results.items() if (run.search, run.filter) == (search, filter_name)
    }


def largest_of_draws(networks: SpaceNetworks, *, num: int, runs: int, seed: int, image: int = 32) -> list[SearchResult]:
    """The trivial baseline: of the draws that NAS-WOT sees, the one with the most parameters, without any network."""
    results = []
    for run in range(runs):
        draws = networks.space.sample(num, np.random.default_rng(seed + run))
        sizes = [networks.size(networks.wot, networks.genes(draw), image).parameters for draw in draws]
        results.append(SearchResult(draws[int(np.argmax(sizes))], num, 0, 0.0, 0.0))
    return results
