"""Statistics over the runs of a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from nngp_dag.accuracy import Benchmark
from nngp_dag.errors import InputError
from nngp_dag.nas.search.result import SearchResult
from nngp_dag.spaces import Space

__all__ = ["Measured", "Saving", "accuracy_of", "measure", "saving"]


@dataclass(frozen=True)
class Saving:
    """The savings of a filtered search, in percent of the evaluations and the seconds of the whole one."""

    evaluations: float
    seconds: float


@dataclass(frozen=True)
class Measured:
    """Statistics of a search over its runs.

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

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return asdict(self)


def accuracy_of(benchmark: Benchmark, architecture: np.ndarray) -> dict[str, float]:
    """Accuracies of an architecture [cells, genes]; InputError where the benchmark does not have it."""
    match = np.flatnonzero((benchmark.architectures == architecture).all((1, 2)))
    if not len(match):
        raise InputError(
            f"{benchmark.space.write(architecture)}, which the search found, is not in {', '.join(benchmark.sources)}"
        )
    return {name: float(values[match[0]]) for name, values in benchmark.accuracy.items()}


def measure(space: Space, results: Sequence[SearchResult], benchmark: Benchmark | None) -> Measured:
    """Means and deviations over the runs of one search, of which there is at least one."""
    accuracies = [accuracy_of(benchmark, r.architecture) for r in results] if benchmark is not None else []
    names = list(accuracies[0]) if accuracies else []
    return Measured(
        {name: _mean_deviation([a[name] for a in accuracies]) for name in names},
        _mean_deviation([r.seconds for r in results]),
        float(np.mean([r.compile_seconds for r in results])),
        float(np.mean([r.evaluations for r in results])),
        float(np.mean([r.candidates for r in results])),
        float(np.mean([r.filtered_share for r in results])),
        tuple(space.write(r.architecture) for r in results),
        len(results),
    )


def saving(results: Mapping[int, SearchResult], whole: Mapping[int, SearchResult]) -> Saving | None:
    """The savings of a filter, over the seeds that both have results of (by seed); None where there are none."""
    pairs = [(result, whole[seed]) for seed, result in results.items() if seed in whole]
    if not pairs:
        return None
    evaluations, seconds = (
        [np.mean([getattr(result, name) for result in side]) for side in zip(*pairs, strict=True)]
        for name in ("evaluations", "seconds")
    )
    return Saving(float(100 * (1 - evaluations[0] / evaluations[1])), float(100 * (1 - seconds[0] / seconds[1])))


def _mean_deviation(values: Sequence[float]) -> tuple[float, float | None]:
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None
