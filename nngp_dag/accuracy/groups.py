"""Figure 5: architectures of equal effective depth and width as groups, and how accuracy varies over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from nngp_dag.accuracy.correlation import Correlations, correlate
from nngp_dag.accuracy.table import Benchmark
from nngp_dag.spaces.shape import unique_rows

__all__ = ["FEATURES", "Groups", "correlations", "group"]

FEATURES = ("d, m", "d", "m", "parameterised", "d, m, parameterised")
"""Sets of features that are compared: the paper's two, each alone, and what the number of parameterised operations
does.
"""


@dataclass(frozen=True)
class Groups:
    """Groups of architectures with exactly equal (d, m), by increasing d, then m.

    Attributes:
        shapes: (d, m) of each group as exact fractions; (0, 0) for cells without a parameterised path.
        counts: architectures of each group, int64 [G].
        mean, deviation: of the accuracy (population deviation) by data set, float64 [G] each.
        member: the group of each architecture, int64 [A].
    """

    shapes: tuple[tuple[Fraction, Fraction], ...]
    counts: np.ndarray
    mean: Mapping[str, np.ndarray]
    deviation: Mapping[str, np.ndarray]
    member: np.ndarray

    @property
    def depth(self) -> np.ndarray:
        """Effective depth of each group, float64 [G]."""
        return np.array([float(d) for d, _ in self.shapes])

    @property
    def width(self) -> np.ndarray:
        """Effective width of each group, float64 [G]."""
        return np.array([float(m) for _, m in self.shapes])

    def rows(self, dataset: str) -> list[dict[str, object]]:
        """A plain mapping per group: depth, width, count, mean, std."""
        return [
            {"depth": d, "width": m, "count": int(n), "mean": float(a), "std": float(s)}
            for (d, m), n, a, s in zip(
                self.shapes, self.counts, self.mean[dataset], self.deviation[dataset], strict=True
            )
        ]


def group(benchmark: Benchmark) -> Groups:
    """The groups of a benchmark; equality of (d, m) is exact."""
    totals = benchmark.totals
    keys, first, member = unique_rows(totals.keys())
    shapes = [totals.fractions(int(i)) for i in first]
    order = sorted(range(len(keys)), key=shapes.__getitem__)
    rank = np.empty(len(keys), dtype=np.int64)
    rank[order] = np.arange(len(keys))
    member = rank[member]
    counts = np.bincount(member, minlength=len(keys))
    mean, deviation = {}, {}
    for name, values in benchmark.accuracy.items():
        mean[name] = np.bincount(member, values) / counts
        deviation[name] = np.sqrt(np.bincount(member, (values - mean[name][member]) ** 2) / counts)
    return Groups(tuple(shapes[i] for i in order), counts, mean, deviation, member)


def correlations(
    benchmark: Benchmark, groups: Groups, dataset: str, rng: np.random.Generator, resamples: int = 1000
) -> dict[str, dict[str, Correlations]]:
    """Correlations of accuracy with each of `FEATURES`, over architectures and over groups.

    Returns:
        {"architectures": {features: ...}, "groups": {features: ...}}, and the same two without degenerate cells,
        "architectures_nondegenerate" and "groups_nondegenerate". Groups all have equal weight, as the dots of Figure 5;
        their number of parameterised operations is the mean of their members'.
    """
    depth, width = groups.depth, groups.width
    columns = {"d": depth[groups.member], "m": width[groups.member], "parameterised": benchmark.parameterised}
    number = np.bincount(groups.member, benchmark.parameterised) / groups.counts
    dots = {"d": depth, "m": width, "parameterised": number}
    proper = benchmark.totals.nondegenerate
    result = {}
    for suffix in ("", "_nondegenerate"):
        mask = proper if suffix else np.ones(len(benchmark), dtype=bool)
        kept = depth > 0 if suffix else np.ones(len(depth), dtype=bool)
        for name, features, sets, target, rows in (
            ("architectures", columns, FEATURES, benchmark.accuracy[dataset], mask),
            ("groups", dots, FEATURES, groups.mean[dataset], kept),
        ):
            selected = {column: values[rows] for column, values in features.items()}
            split = [tuple(features.split(", ")) for features in sets]
            found = correlate(selected, split, target[rows], rng, resamples)
            result[name + suffix] = {", ".join(key): value for key, value in found.items()}
    return result
