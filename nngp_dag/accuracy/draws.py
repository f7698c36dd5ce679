"""Table 3: the accuracy of what passes each range, and of the best of 100 random draws, over 500 repetitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from nngp_dag.support.statistics import UNDEFINED, Estimate

__all__ = ["DRAWS", "QUANTILES", "REPETITIONS", "BestOfDraws", "Distribution", "best_of_draws", "distribution"]

DRAWS, REPETITIONS = 100, 500
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


@dataclass(frozen=True)
class Distribution:
    """The accuracies of what passes a filter.

    Attributes:
        count: number of architectures (expected, for a filter that draws lots).
        mean, deviation: of their accuracies.
        quantiles: accuracies at `QUANTILES`.
    """

    count: float
    mean: float
    deviation: float
    quantiles: dict[str, float]

    def as_dict(self) -> dict[str, object]:
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

    def as_dict(self) -> dict[str, object]:
        """Nested plain numbers."""
        return asdict(self)


def distribution(accuracy: npt.ArrayLike, keep: npt.ArrayLike) -> Distribution:
    """Summary of the accuracies [A] of what a filter keeps: whether, or with which probability, [A]; NaN for
    nothing.
    """
    values, weights = np.asarray(accuracy, dtype=np.float64), np.asarray(keep, dtype=np.float64)
    if not weights.any():
        return Distribution(0.0, float("nan"), float("nan"), {f"{q:g}": float("nan") for q in QUANTILES})
    kept = weights > 0
    values, weights = values[kept], weights[kept]
    mean = float(np.average(values, weights=weights))
    quantiles = np.quantile(values, QUANTILES, weights=weights, method="inverted_cdf")
    return Distribution(
        float(weights.sum()),
        mean,
        float(np.sqrt(np.average((values - mean) ** 2, weights=weights))),
        {f"{q:g}": float(v) for q, v in zip(QUANTILES, quantiles, strict=True)},
    )


def best_of_draws(
    filters: Mapping[str, npt.ArrayLike],
    accuracy: npt.ArrayLike,
    rng: np.random.Generator,
    refill: bool,
    draws: int = DRAWS,
    repetitions: int = REPETITIONS,
    level: float = 0.95,
) -> dict[str, BestOfDraws]:
    """The best of random draws with each filter against none, an oracle choosing among those that pass.

    Args:
        filters: by name, whether, or with which probability, each architecture passes, [A].
        accuracy: accuracies, [A].
        rng: for the draws (with replacement, as in the authors' code).
        refill: draw until `draws` architectures have passed (equal cost); otherwise draw so many and drop those that do
            not pass (the authors' way: the filter saves evaluations).
        draws: number of draws.
        repetitions: number of repetitions.
        level: of the intervals.
    """
    y = np.asarray(accuracy, dtype=np.float64)
    without = y[rng.integers(len(y), size=(repetitions, draws))].max(axis=1)
    result = {}
    for name, keep in filters.items():
        p = np.asarray(keep, dtype=np.float64)
        if not p.any():
            result[name] = BestOfDraws(UNDEFINED, float("nan"), UNDEFINED, 0.0)
        elif refill:
            drawn = np.searchsorted(np.cumsum(p), rng.random((repetitions, draws)) * p.sum(), side="right")
            result[name] = _compared(y[drawn].max(axis=1), without, float(draws), level)
        else:
            drawn = rng.integers(len(y), size=(repetitions, draws))
            passes = rng.random((repetitions, draws)) < p[drawn]
            best = np.where(passes, y[drawn], -np.inf).max(axis=1)
            # Repetitions in which nothing passed have no best.
            result[name] = _compared(best[np.isfinite(best)], without, float(passes.sum(axis=1).mean()), level)
    return result


def _compared(best: np.ndarray, without: np.ndarray, evaluated: float, level: float) -> BestOfDraws:
    if len(best) < 2:
        return BestOfDraws(UNDEFINED, float("nan"), UNDEFINED, evaluated)
    means, variances = (
        (float(best.mean()), float(without.mean())),
        (float(best.var(ddof=1)), float(without.var(ddof=1))),
    )
    gain = Estimate.difference(means, variances, (len(best), len(without)), level)
    return BestOfDraws(Estimate.mean(best, level), float(best.std(ddof=1)), gain, evaluated)
