"""Everything that a space and a benchmark say about effective depth and width, as plain nested values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from nngp_dag.accuracy.correlation import Correlations
from nngp_dag.accuracy.draws import BestOfDraws, Distribution, best_of_draws, distribution
from nngp_dag.accuracy.filters import Kept, at_least, at_share, box_filters, measure
from nngp_dag.accuracy.groups import Groups, correlations, group
from nngp_dag.accuracy.table import Benchmark
from nngp_dag.reproduce.figure5.space_report import HALF

__all__ = ["BenchmarkReport", "DatasetReport", "analyse"]


@dataclass(frozen=True)
class DatasetReport:
    """The results on one data set.

    Attributes:
        correlations: see `groups.correlations`; with a fixed number of operations also over all architectures
            ("all_..."),
            where that number can be compared with.
        filters: what each filter keeps: boxes, 'at least k' at the same share (also among cells with d > 0, which any
            filter of this kind can tell), and every 'at least k'.
        passing: the accuracies of what passes each box, and counting at its share.
        draws: the best of 100 draws, drawn until 100 passed ("equal cost") or filtered from 100 ("equal draws"), by
            filter.
        sides: mean accuracy, and count, inside the half-radius box and beyond each of its sides.
    """

    correlations: Mapping[str, Mapping[str, Correlations]]
    filters: Mapping[str, Kept]
    passing: Mapping[str, Distribution]
    draws: Mapping[str, Mapping[str, BestOfDraws]]
    sides: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class BenchmarkReport:
    """The results of a benchmark about (d, m).

    Attributes:
        benchmark: the whole benchmark: filters are judged on it.
        fixed: the number of parameterised operations that groups and correlations are restricted to, if any.
        shown: the architectures so restricted.
        groups: their groups of equal (d, m).
        datasets: the results by data set.
    """

    benchmark: Benchmark
    fixed: int | None
    shown: Benchmark
    groups: Groups
    datasets: Mapping[str, DatasetReport]

    def summary(self) -> list[str]:
        """The gain of the half-radius filter over counting parameterised operations, a sentence per data set."""
        return [_sentence(name, found.filters) for name, found in self.datasets.items()]

    def as_dict(self) -> dict[str, object]:
        """Plain nested values, for JSON."""
        return {
            "sources": self.benchmark.sources,
            "num_rows": len(self.benchmark),
            "cell": self.benchmark.cell_name or self.benchmark.space.cells[0],
            "num_bad": self.benchmark.num_bad,
            "fixed_parameterised": self.fixed,
            "num_shown": len(self.shown),
            "num_groups": len(self.groups.counts),
            "summary": self.summary(),
            "datasets": {
                name: {
                    "groups": self.groups.rows(name),
                    "correlations": _plain(report.correlations),
                    "filters": _plain(report.filters),
                    "passing": _plain(report.passing),
                    "best_of_draws": _plain(report.draws),
                    "sides": report.sides,
                }
                for name, report in self.datasets.items()
            },
        }


def analyse(
    benchmark: Benchmark,
    fixed: int | None = None,
    seed: int = 0,
    resamples: int = 1000,
    track: Callable[[Iterable[str], int], Iterable[str]] | None = None,
) -> BenchmarkReport:
    """Figure 5's groups and correlations and Section 5.3's filters, for each data set of a benchmark.

    Args:
        benchmark: the architectures and accuracies.
        fixed: restrict groups and correlations (not filters) to cells with so many parameterised operations.
        seed: of the bootstrap and the draws.
        resamples: number of bootstrap resamples.
        track: shows progress over the data sets, given their names and how many they are.
    """
    shown = benchmark if fixed is None else benchmark.fixed(fixed)
    groups = group(shown)
    everything = groups if fixed is None else group(benchmark)
    boxes = box_filters(benchmark)
    filters: dict[str, np.ndarray] = {"no filter": np.ones(len(benchmark), dtype=bool)}
    counting = {name: f"at least k operations, share of {name}" for name in boxes}
    proper = benchmark.totals.nondegenerate
    for name, keep in boxes.items():
        share = float(keep.mean())
        filters[name] = keep
        filters[counting[name]] = at_share(benchmark.parameterised, share)
        filters[f"{counting[name]}, d > 0"] = at_share(benchmark.parameterised, share, among=proper)
    drawn = dict(filters)
    for k in range(1, int(benchmark.parameterised.max()) + 1):
        filters[f"at least {k} operations"] = at_least(benchmark.parameterised, k)
    datasets = {}
    names = list(benchmark.accuracy)
    for name in names if track is None else track(names, len(names)):
        accuracy, rng = benchmark.accuracy[name], np.random.default_rng([seed, names.index(name)])
        found = correlations(shown, groups, name, rng, resamples)
        if fixed is not None:
            over_all = correlations(benchmark, everything, name, rng, resamples)
            found |= {f"all_{over}": sets for over, sets in over_all.items()}
        datasets[name] = DatasetReport(
            found,
            measure(filters, accuracy, rng, resamples, counting=counting),
            {filter_name: distribution(accuracy, keep) for filter_name, keep in drawn.items()},
            {
                "equal cost": best_of_draws(drawn, accuracy, rng, refill=True),
                "equal draws": best_of_draws(drawn, accuracy, rng, refill=False),
            },
            _sides(benchmark, accuracy),
        )
    return BenchmarkReport(benchmark, fixed, shown, groups, datasets)


def _sentence(dataset: str, filters: Mapping[str, Kept]) -> str:
    name = f"{HALF} of the radius"
    box, count, everything = filters[name], filters[f"at least k operations, share of {name}"], filters["no filter"]
    proper = filters[f"at least k operations, share of {name}, d > 0"]
    if not np.isfinite(box.mean.value):
        return f"{dataset}: nothing lies within half the radius."
    difference = box.over_count
    better = "no clear difference in the mean"
    if difference.low > 0 or difference.high < 0:
        better = f"{abs(difference.value):.2f} {'above' if difference.value > 0 else 'below'} counting in the mean"
    return (
        f"{dataset}: half the radius keeps {100 * box.share:.1f} % of the architectures, mean accuracy"
        f" {box.mean.value:.2f} (all {everything.mean.value:.2f}); {better} ({count.mean.value:.2f}), with"
        f" {100 * box.recall_top100:.0f} % of the 100 best against {100 * count.recall_top100:.0f} %, and"
        f" {100 * box.bottom_tenth:.1f} % of the worst tenth against {100 * count.bottom_tenth:.1f} %. Counting among"
        f" cells with d > 0: mean {proper.mean.value:.2f}, {100 * proper.recall_top100:.0f} % of the best,"
        f" {100 * proper.bottom_tenth:.1f} % of the worst."
    )


def _sides(benchmark: Benchmark, accuracy: np.ndarray) -> dict[str, dict[str, float]]:
    totals = benchmark.totals
    box = benchmark.space.range.shrink(HALF)
    depth, width, proper = totals.depth, totals.width, totals.nondegenerate
    inside = totals.within(box)
    d_min, d_max, m_min, m_max = map(float, box.bounds)
    masks = {
        "inside": inside,
        "outside": ~inside,
        "d below": proper & ~inside & (depth < d_min),
        "d above": proper & ~inside & (depth > d_max),
        "m below": proper & ~inside & (width < m_min),
        "m above": proper & ~inside & (width > m_max),
        "degenerate": ~proper,
    }
    return {
        side: {
            "count": int(mask.sum()),
            "mean": float(accuracy[mask].mean()) if mask.any() else float("nan"),
            "std": float(accuracy[mask].std()) if mask.any() else float("nan"),
        }
        for side, mask in masks.items()
    }


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value.as_dict() if hasattr(value, "as_dict") else value
