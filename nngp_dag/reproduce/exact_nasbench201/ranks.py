"""Rank correlations of many columns with one target at once, plain and with other columns held fixed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from nngp_dag.support.statistics import Estimate

__all__ = ["RankCorrelations", "explained", "explained_more", "rank_correlations"]

_MAX_DRAWS = 2_000_000


@dataclass(frozen=True)
class RankCorrelations:
    """Agreement of a column with a target.

    Attributes:
        spearman: Spearman's rank correlation.
        partial: the same with the first control held fixed; NaN for the control itself.
        partial_all: the same with all controls held fixed.
    """

    spearman: Estimate
    partial: Estimate
    partial_all: Estimate

    def as_dict(self) -> dict[str, object]:
        """Nested plain numbers."""
        return {
            "spearman": self.spearman.as_dict(),
            "partial": self.partial.as_dict(),
            "partial_all": self.partial_all.as_dict(),
        }


def rank_correlations(
    columns: Mapping[str, np.ndarray], target: np.ndarray, controls: Sequence[str], seed: int = 0, resamples: int = 1000
) -> dict[str, RankCorrelations]:
    """Correlations of columns [A] (infinities have their rank) with a target [A], and 95 % percentile intervals.

    A partial correlation is that of what a linear fit of ranks on the controls' ranks leaves.

    Args:
        columns: by name.
        target: what they are compared with.
        controls: the columns that are held fixed.
        seed: of the bootstrap over rows, the same resamples for all columns.
        resamples: their number; fewer for very many rows.
    """
    names = list(columns)
    table = np.column_stack([*(columns[name] for name in names), target])
    fixed = [names.index(name) for name in controls]
    value = _all(table, fixed)
    rng = np.random.default_rng(seed)
    count = max(100, min(resamples, _MAX_DRAWS // len(table)))
    draws = np.array([_all(table[rng.integers(len(table), size=len(table))], fixed) for _ in range(count)])
    return {
        name: RankCorrelations(*(Estimate.percentile(value[k, i], draws[:, k, i]) for k in range(3)))
        for i, name in enumerate(names)
    }


def explained(columns: Mapping[str, np.ndarray], target: np.ndarray, seed: int = 0, resamples: int = 1000) -> Estimate:
    """The share R^2 of the variance of a target's ranks [A] that a linear fit on the columns' ranks explains."""
    table = np.column_stack([*columns.values(), target])
    return _resampled(_share, table, seed, resamples)


def explained_more(
    columns: Mapping[str, np.ndarray],
    others: Mapping[str, np.ndarray],
    target: np.ndarray,
    seed: int = 0,
    resamples: int = 1000,
) -> Estimate:
    """The share that columns [A] explain (`explained`) less the share that others do, on the same resamples."""
    first, last = list(range(len(columns))), list(range(len(columns), len(columns) + len(others)))
    table = np.column_stack([*columns.values(), *others.values(), target])
    return _resampled(lambda t: _share(t[:, [*first, -1]]) - _share(t[:, [*last, -1]]), table, seed, resamples)


def _resampled(statistic: Callable[[np.ndarray], float], table: np.ndarray, seed: int, resamples: int) -> Estimate:
    """A statistic of the rows of a table, and its 95 % percentile interval over resampled rows."""
    rng = np.random.default_rng(seed)
    count = max(100, min(resamples, _MAX_DRAWS // len(table)))
    draws = [statistic(table[rng.integers(len(table), size=len(table))]) for _ in range(count)]
    return Estimate.percentile(statistic(table), np.array(draws))


def _correlations(table: np.ndarray) -> np.ndarray:
    ranks = stats.rankdata(table, axis=0)
    ranks -= ranks.mean(0)
    size = np.linalg.norm(ranks, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((ranks / size).T @ (ranks / size))


def _all(table: np.ndarray, fixed: Sequence[int]) -> np.ndarray:
    """Spearman, and partial correlations with the first and with all controls fixed, [3, c], with the last column."""
    r = _correlations(table)
    return np.stack([r[:-1, -1], *([_partial(r, i, held) for i in range(len(r) - 1)] for held in (fixed[:1], fixed))])


def _partial(r: np.ndarray, column: int, fixed: Sequence[int]) -> float:
    """The partial correlation of a column with the last one, from the correlations of all; NaN where it is fixed."""
    if column in fixed:
        return float("nan")
    chosen = [column, len(r) - 1, *fixed]
    precision = np.linalg.pinv(r[np.ix_(chosen, chosen)], hermitian=True)
    return float(-precision[0, 1] / np.sqrt(precision[0, 0] * precision[1, 1]))


def _share(table: np.ndarray) -> float:
    r = _correlations(table)
    return float(r[:-1, -1] @ np.linalg.pinv(r[:-1, :-1], hermitian=True) @ r[:-1, -1])
