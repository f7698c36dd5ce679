"""The order of DAGs in early training accuracy, as paired differences over seeds with confidence intervals."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nngp_dag.errors import InputError
from nngp_dag.support.statistics import Estimate

__all__ = ["Difference", "early_accuracy", "paired_differences", "ranking"]


@dataclass(frozen=True)
class Difference:
    """Early accuracy of `faster` less that of `slower`, over seeds.

    Attributes:
        faster: the DAG that should be ahead.
        slower: the DAG that should be behind.
        mean: mean difference.
        interval: its two-sided confidence interval (Student's t, paired by seed).
        verdict: `holds` (the interval is above zero), `reversed` (below), `undecided` (zero is inside).
    """

    faster: str
    slower: str
    mean: float
    interval: tuple[float, float]
    verdict: str


def early_accuracy(accuracy: npt.ArrayLike, share: float = 0.5) -> np.ndarray:
    """Mean over the first `share` of the points of curves [P, ...]: the area under the early curve, [...]."""
    curves = np.asarray(accuracy, np.float64)
    return curves[: max(1, int(np.ceil(share * len(curves))))].mean(axis=0)


def paired_differences(
    early: npt.ArrayLike, names: Sequence[str], claimed: Sequence[str], confidence: float = 0.95
) -> list[Difference]:
    """Every two neighbours of the claimed order (fastest first), compared seed by seed.

    Args:
        early: early accuracies [D, S].
        names: the D DAGs.
        claimed: the order that is claimed.
        confidence: level of each interval.

    Raises:
        InputError: fewer than two seeds.
    """
    values = np.asarray(early, np.float64)
    if values.shape[1] < 2:
        raise InputError("a confidence interval over seeds needs at least 2 seeds")
    found = []
    for faster, slower in itertools.pairwise(claimed):
        difference = values[names.index(faster)] - values[names.index(slower)]
        mean = Estimate.mean(difference, confidence)
        verdict = "holds" if mean.low > 0 else "reversed" if mean.high < 0 else "undecided"
        found.append(Difference(faster, slower, mean.value, mean.interval, verdict))
    return found


def ranking(values: npt.ArrayLike, names: Sequence[str]) -> list[str]:
    """Names by descending value."""
    return [names[i] for i in np.argsort(-np.asarray(values, np.float64), kind="stable")]
