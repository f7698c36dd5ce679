"""Table 3: the accuracy of what passes each range, and of the best of 100 random draws, over 500 repetitions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import stats

from nngp_dag.benchmarks.correlation import Estimate

__all__ = ["DRAWS", "QUANTILES", "REPETITIONS", "BestOfDraws", "Distribution", "best_of_draws", "distribution"]

DRAWS, REPETITIONS = 100, 500
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


@dataclass(frozen=True)
class Distribution:
    """The accuracies of what passes a filter.

    Attributes:
        count: number of architectures.
        mean, deviation: of their accuracies.
        quantiles: accuracies at `QUANTILES`.
    """

    count: int
    mean: float
    deviation: float
    quantiles: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers."""
        return asdict(self)


@dataclass(frozen=True)
class BestOfDraws:
    """The best accuracy among random draws, over repetitions.

    Attributes:
        mean: of the best, with its interval (Student's t over repetitions).
        deviation: of the best over repetitions.
        gain: that mean minus the mean of unfiltered draws, with its interval (Welch).
        evaluated: mean number of architectures that were left to evaluate.
    """

    mean: Estimate
    deviation: float
    gain: Estimate
    evaluated: float

    def as_dict(self) -> dict[str, Any]:
        """Nested plain numbers."""
        return asdict(self)


def distribution(accuracy: Any) -> Distribution:
    """Summary of accuracies [A]; NaN where there is none."""
    values = np.asarray(accuracy, dtype=np.float64)
    if not len(values):
        return Distribution(0, float("nan"), float("nan"), {f"{q:g}": float("nan") for q in QUANTILES})
    quantiles = np.quantile(values, QUANTILES)
    return Distribution(
        len(values),
        float(values.mean()),
        float(values.std()),
        {f"{q:g}": float(v) for q, v in zip(QUANTILES, quantiles, strict=True)},
    )


def best_of_draws(
    keep: Any,
    accuracy: Any,
    rng: np.random.Generator,
    refill: bool,
    draws: int = DRAWS,
    repetitions: int = REPETITIONS,
    level: float = 0.95,
) -> BestOfDraws:
    """The best of random draws with a filter against none, an oracle choosing among those that pass.

    Args:
        keep: which architectures pass, bool [A].
        accuracy: accuracies, [A].
        rng: for the draws (with replacement, as in the authors' code).
        refill: draw until `draws` architectures have passed (equal cost); otherwise draw so many and drop those that do
            not pass (the authors' way: the filter saves evaluations).
        draws: number of draws.
        repetitions: number of repetitions.
        level: of the intervals.
    """
    keep, y = np.asarray(keep, dtype=bool), np.asarray(accuracy, dtype=np.float64)
    unfiltered = y[rng.integers(len(y), size=(repetitions, draws))].max(axis=1)
    nothing = Estimate(float("nan"), float("nan"), float("nan"))
    if not keep.any():
        return BestOfDraws(nothing, float("nan"), nothing, 0.0)
    if refill:
        passing = y[keep]
        best = passing[rng.integers(len(passing), size=(repetitions, draws))].max(axis=1)
        evaluated = float(draws)
    else:
        drawn = rng.integers(len(y), size=(repetitions, draws))
        best = np.where(keep[drawn], y[drawn], -np.inf).max(axis=1)
        evaluated = float(keep[drawn].sum(axis=1).mean())
        best = best[np.isfinite(best)]  # repetitions in which nothing passed have no best
        if len(best) < 2:
            return BestOfDraws(nothing, float("nan"), nothing, evaluated)
    mean = stats.ttest_1samp(best, 0.0).confidence_interval(level) if np.ptp(best) else (best[0], best[0])
    gain = stats.ttest_ind(best, unfiltered, equal_var=False).confidence_interval(level)
    return BestOfDraws(
        Estimate(float(best.mean()), float(mean[0]), float(mean[1])),
        float(best.std(ddof=1)),
        Estimate(float(best.mean() - unfiltered.mean()), float(gain[0]), float(gain[1])),
        evaluated,
    )
