"""Scores against the best trivial baseline: paired differences of rank correlations, with bootstrap intervals.

A score that ranks no better than the number of parameters costs a forward pass for nothing. Two intervals that overlap
do not tell: the score and the baseline rank the same architectures, so it is their difference that is resampled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from nngp_dag.nas.scores.resampling import Resamples, kendall, mean_score, spearman
from nngp_dag.support.statistics import Estimate

__all__ = ["PairedDifference", "ScoreComparison", "Verdict", "compare"]

Verdict = Literal["above", "below", "undecided"]
"""A score's place beside the best baseline: its interval of the difference lies above zero, below it, or holds it."""


@dataclass(frozen=True)
class PairedDifference:
    """A score's rank correlation less that of the best baseline.

    Attributes:
        baseline: the baseline whose correlation is largest on these architectures.
        estimate: the difference, with its interval.
    """

    baseline: str
    estimate: Estimate

    @property
    def verdict(self) -> Verdict:
        """The side of zero on which the interval lies; undecided where it has none, too."""
        if self.estimate.low > 0:
            return "above"
        return "below" if self.estimate.high < 0 else "undecided"

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return {"baseline": self.baseline, **self.estimate.as_dict(), "verdict": self.verdict}


@dataclass(frozen=True)
class ScoreComparison:
    """A score against the best baseline.

    Attributes:
        spearman, kendall: the differences of both correlations; the best baselines may differ.
    """

    spearman: PairedDifference
    kendall: PairedDifference

    def as_dict(self) -> dict[str, object]:
        """Nested plain values, for JSON."""
        return {"spearman": self.spearman.as_dict(), "kendall": self.kendall.as_dict()}


def compare(
    scores: Mapping[str, npt.ArrayLike],
    baselines: Mapping[str, npt.ArrayLike],
    accuracy: npt.ArrayLike,
    *,
    seed: int = 0,
    resamples: int = 1000,
    level: float = 0.95,
) -> dict[str, ScoreComparison]:
    """By score, the difference between its rank correlation with accuracy and that of the best baseline.

    The best baseline is not known: the one that looks best on these architectures looks better than it is. The interval
    of the difference to the best is therefore made of those to every baseline b: its lower end is the least of their
    lower ends (a score is above where it is above each of them), its upper end the least of their upper ends, the error
    of that end divided by the number of baselines (Bonferroni; a score is below where it is below any of them). Each
    end then errs at most with half of 1 - `level`, up to the error of the percentile bootstrap.

    Args:
        scores: by name, [A], or [R, A] with R draws whose mean is ranked; larger is better.
        baselines: by name, [A]; larger is better. Those that are constant are left out.
        accuracy: [A], finite.
        seed: of the resamples, the same for all scores and baselines.
        resamples: their number (`Resamples.make`).
        level: of the intervals.

    Returns:
        Nothing where no baseline varies.

    Raises:
        ValueError: arrays of other shapes.
    """
    target = np.asarray(accuracy, dtype=np.float64)
    found = {name: _Resampled.make(values, target, seed, resamples) for name, values in baselines.items()}
    found = {name: resampled for name, resampled in found.items() if np.isfinite(resampled.values).all()}
    if not found:
        return {}
    compared = {name: _Resampled.make(values, target, seed, resamples) for name, values in scores.items()}
    return {
        name: ScoreComparison(*(_difference(resampled, found, which, level) for which in (0, 1)))
        for name, resampled in compared.items()
    }


@dataclass(frozen=True)
class _Resampled:
    """Spearman's and Kendall's correlation, [2], and those of the resamples, [2, B]."""

    values: np.ndarray
    resampled: np.ndarray

    @classmethod
    def make(cls, score: npt.ArrayLike, accuracy: np.ndarray, seed: int, resamples: int) -> _Resampled:
        every = np.atleast_2d(np.asarray(score, dtype=np.float64))
        if every.ndim != 2 or every.shape[1:] != accuracy.shape:
            raise ValueError(f"scores must have the shape [A] or [R, A] with A = {accuracy.size}, got {every.shape}")
        mean = mean_score(every)
        chosen = Resamples.make(accuracy.size, len(every), np.random.default_rng(seed), resamples)
        values = np.array([spearman(mean, accuracy), kendall(mean, accuracy)])
        return cls(values, chosen.correlations(every, accuracy))


def _difference(score: _Resampled, baselines: Mapping[str, _Resampled], which: int, level: float) -> PairedDifference:
    """The difference of one of the two correlations, see `compare`."""
    best = max(baselines, key=lambda name: float(baselines[name].values[which]))
    value = float(score.values[which] - baselines[best].values[which])
    strict = 1 - (1 - level) / len(baselines)
    resampled = [score.resampled[which] - baseline.resampled[which] for baseline in baselines.values()]
    low = min(Estimate.percentile(value, differences, level).low for differences in resampled)
    high = min(Estimate.percentile(value, differences, strict).high for differences in resampled)
    return PairedDifference(best, Estimate(value, low, high))
