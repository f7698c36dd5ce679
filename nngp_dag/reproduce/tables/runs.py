"""Repeated searches, and what is measured over the repetitions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nngp_dag.accuracy import Benchmark
from nngp_dag.errors import InputError
from nngp_dag.nas.images import Images
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.search.filters import SearchFilter
from nngp_dag.nas.search.result import SearchResult
from nngp_dag.nas.search.run import SearchSettings, run_search, wot_cache
from nngp_dag.nas.search.wot import random_search

__all__ = ["Measured", "accuracy_of", "largest_of_draws", "measure", "search_runs", "wot_runs"]


@dataclass(frozen=True)
class Measured:
    """Figures of a search over its runs.

    Attributes:
        accuracy: (mean, deviation) by data set, in percent; deviation None for a single run.
        seconds: (mean, deviation) of the search's seconds, compilation apart.
        compile_seconds: mean.
        evaluations: mean number of evaluations.
        candidates: mean number of candidates.
        filtered_share: mean share of candidates that were not evaluated.
        architectures: what each run found.
        runs: number of runs.
    """

    accuracy: dict[str, tuple[float, float | None]]
    seconds: tuple[float, float | None]
    compile_seconds: float
    evaluations: float
    candidates: float
    filtered_share: float
    architectures: tuple[str, ...]
    runs: int

    def saving(self, whole: Measured) -> dict[str, float]:
        """Savings of this search in evaluations and seconds of the whole one, in percent."""
        return {
            "evaluations": 100 * (1 - self.evaluations / whole.evaluations),
            "seconds": 100 * (1 - self.seconds[0] / whole.seconds[0]),
        }


def accuracy_of(benchmark: Benchmark, architecture: np.ndarray) -> dict[str, float]:
    """Accuracies of an architecture [cells, genes]; InputError where the benchmark does not have it."""
    match = np.flatnonzero((benchmark.architectures == architecture).all((1, 2)))
    if not len(match):
        raise InputError(
            f"{benchmark.space.write(architecture)}, which the search found, is not in {', '.join(benchmark.sources)}"
        )
    return {name: float(values[match[0]]) for name, values in benchmark.accuracy.items()}


def measure(networks: SpaceNetworks, results: Sequence[SearchResult], benchmark: Benchmark | None) -> Measured:
    """Means and deviations over the runs of one search."""
    accuracies = [accuracy_of(benchmark, r.architecture) for r in results] if benchmark is not None else []
    names = list(accuracies[0]) if accuracies else []
    return Measured(
        {name: _mean_deviation([a[name] for a in accuracies]) for name in names},
        _mean_deviation([r.seconds for r in results]),
        float(np.mean([r.compile_seconds for r in results])),
        float(np.mean([r.evaluations for r in results])),
        float(np.mean([r.candidates for r in results])),
        float(np.mean([r.filtered_share for r in results])),
        tuple(networks.space.write(r.architecture) for r in results),
        len(results),
    )


def _mean_deviation(values: Sequence[float]) -> tuple[float, float | None]:
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None


Progress = Callable[[str], object]
"""Told what begins."""


def search_runs(
    name: str,
    networks: SpaceNetworks,
    images: Images,
    filters: Sequence[SearchFilter],
    *,
    runs: int,
    seed: int,
    settings: SearchSettings,
    progress: Progress,
) -> dict[str, list[SearchResult]]:
    """Every run of a search with every filter; runs of equal seed see equal draws. Results by filter."""
    results: dict[str, list[SearchResult]] = {chosen.name: [] for chosen in filters}
    for run in range(runs):
        for chosen in filters:
            progress(f"{name}, filter {chosen.name}, run {run + 1} of {runs}")
            result = run_search(name, networks, images, chosen=chosen, seed=seed + run, settings=settings)
            results[chosen.name].append(result)
    return results


def wot_runs(
    networks: SpaceNetworks,
    images: Images,
    filters: Sequence[SearchFilter],
    *,
    runs: int,
    seed: int,
    settings: SearchSettings,
    progress: Progress,
) -> dict[str, list[SearchResult]]:
    """`search_runs` of NAS-WOT, where every draw is scored once a run: all filters see the same draws, and a search's
    seconds are the sum of what its own evaluations took.
    """
    images.choose(settings.batch_size)  # too few images are an error before anything begins
    results: dict[str, list[SearchResult]] = {chosen.name: [] for chosen in filters}
    for run in range(runs):
        progress(f"wot, run {run + 1} of {runs}")
        score, compile_seconds = wot_cache(networks, images, seed + run, settings)
        for chosen in filters:
            rng = np.random.default_rng(seed + run)
            result = random_search(networks.space, score, num=settings.num, rng=rng, keep=chosen.predicate)
            results[chosen.name].append(replace(result, compile_seconds=compile_seconds))
    return results


def largest_of_draws(networks: SpaceNetworks, *, num: int, runs: int, seed: int, image: int = 32) -> list[SearchResult]:
    """The trivial baseline: of the draws that NAS-WOT sees, the one with the most parameters, without any network."""
    results = []
    for run in range(runs):
        draws = networks.space.sample(num, np.random.default_rng(seed + run))
        sizes = [networks.size(networks.wot, networks.genes(draw), image).parameters for draw in draws]
        results.append(SearchResult(draws[int(np.argmax(sizes))], num, 0, 0.0, 0.0))
    return results
