"""Statistics of what a filter keeps: its share, its accuracy, the best and the worst; against a filter that only counts
operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from nngp_dag.accuracy.correlation import resample_chunks
from nngp_dag.accuracy.table import Benchmark
from nngp_dag.spaces import Box
from nngp_dag.support.statistics import UNDEFINED, Estimate

__all__ = ["AUTHORS_BOX", "SHARES", "Kept", "at_least", "at_share", "box_filters", "measure"]

SHARES = (Fraction(1), Fraction(3, 4), Fraction(1, 2), Fraction(1, 4))
"""The shares of the radius in Table 3."""

AUTHORS_BOX = {"nasbench201": Box.make("0.99", "2.51", "0.99", "3.01")}
"""The box that the authors' released code uses, by space (it is not the half radius of the paper's text)."""


@dataclass(frozen=True)
class Kept:
    """Statistics of what a filter keeps of a benchmark, for one data set.

    Attributes:
        share: share of the architectures kept.
        mean: mean accuracy of those kept, with a bootstrap interval over architectures.
        gain: that mean minus the mean of all architectures, with an interval.
        recall_top100: share of the 100 best architectures kept.
        bottom_tenth: share of the worst tenth kept.
        over_count: that mean minus the mean that counting operations keeps at the same share, with an interval; NaN for
            filters that are not compared with counting.
        optimum: probability that the best architecture is kept (0 or 1 for a filter that does not draw lots).
    """

    share: float
    mean: Estimate
    gain: Estimate
    recall_top100: float
    bottom_tenth: float
    optimum: float
    over_count: Estimate

    def as_dict(self) -> dict[str, object]:
        """Nested plain numbers."""
        return asdict(self)


def box_filters(benchmark: Benchmark) -> dict[str, np.ndarray]:
    """The boxes of Table 3 and the authors' own, by name: whether each architecture's first cell passes, bool [A]."""
    space_range = benchmark.space.range
    boxes = {f"{share} of the radius": space_range.shrink(share) for share in SHARES}
    if benchmark.space.name in AUTHORS_BOX:
        boxes["released code"] = AUTHORS_BOX[benchmark.space.name]
    return {name: benchmark.totals.within(box) for name, box in boxes.items()}


def at_least(parameterised: np.ndarray, number: int) -> np.ndarray:
    """Keep cells with at least `number` parameterised operations, bool [A]."""
    return np.asarray(parameterised >= number)


def at_share(parameterised: np.ndarray, share: float, among: np.ndarray | None = None) -> np.ndarray:
    """'At least k operations' at exactly a given share: all cells above k, and those with k kept at random.

    Args:
        parameterised: number of parameterised operations of each cell, [A].
        share: share of all architectures to keep.
        among: which architectures may be kept, bool [A]; by default all.

    Returns:
        The probability that each architecture is kept, float64 [A]; its mean is `share`, or less where `among` has
        less.
    """
    allowed = np.ones(len(parameterised), dtype=bool) if among is None else np.asarray(among, dtype=bool)
    values, counts = np.unique(parameterised[allowed], return_counts=True)
    room = share * len(parameterised)
    probability = np.zeros(len(parameterised))
    for value, count in zip(values[::-1], counts[::-1], strict=True):
        kept = min(1.0, max(0.0, room / count))
        probability[allowed & (parameterised == value)] = kept
        room -= kept * count
    return probability


def measure(
    filters: Mapping[str, npt.ArrayLike],
    accuracy: npt.ArrayLike,
    rng: np.random.Generator,
    resamples: int = 1000,
    level: float = 0.95,
    counting: Mapping[str, str] | None = None,
) -> dict[str, Kept]:
    """Statistics of what each of several filters keeps.

    Args:
        filters: by name, whether, or with which probability, each architecture is kept, [A].
        accuracy: accuracies, [A].
        rng: for the bootstrap; all filters see the same resamples.
        resamples: number of bootstrap resamples of architectures.
        level: of the intervals.
        counting: the name of the filter that counts operations at the same share, by name of the filter it stands
            against.

    Returns:
        Expected values over a filter's lots, by name; NaN means where nothing is kept.
    """
    y = np.asarray(accuracy, dtype=np.float64)
    keep = np.column_stack([np.asarray(p, dtype=np.float64) for p in filters.values()])
    columns = np.column_stack([keep, keep * y[:, None], y])
    sums = np.concatenate([counts @ columns for counts in resample_chunks(len(y), resamples, rng)])
    size, weighted, total = sums[:, : keep.shape[1]], sums[:, keep.shape[1] : -1], sums[:, -1:]
    means = np.divide(weighted, size, out=np.full(size.shape, np.nan), where=size > 1e-9)
    gains = means - total / len(y)
    ordered = np.sort(y)
    top = y >= ordered[-min(100, len(y))]
    bottom = y <= ordered[max(1, len(y) // 10) - 1]
    result = {}
    kept = [float((p * y).sum() / p.sum()) if p.any() else float("nan") for p in keep.T]
    names = list(filters)
    for i, name in enumerate(names):
        p, mean = keep[:, i], kept[i]
        against = names.index(counting[name]) if counting and name in counting else None
        result[name] = Kept(
            share=float(p.mean()),
            mean=Estimate.percentile(mean, means[:, i], level),
            gain=Estimate.percentile(mean - float(y.mean()), gains[:, i], level),
            recall_top100=float(p[top].mean()),
            bottom_tenth=float(p[bottom].mean()),
            optimum=float(p[y == ordered[-1]].max()),
            over_count=UNDEFINED
            if against is None
            else Estimate.percentile(mean - kept[against], means[:, i] - means[:, against], level),
        )
    return result
