"""Multiple and rank correlations of accuracy with some features of an architecture, with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from nngp_dag.support.statistics import UNDEFINED, Estimate, student_margin

__all__ = ["Correlations", "correlate", "multiple_correlation", "multiple_correlations", "resample_chunks"]

_CHUNK_DRAWS = 1 << 20


@dataclass(frozen=True)
class Correlations:
    """Correlations of accuracy with a set of features.

    Attributes:
        multiple: R, the correlation of accuracy with its least-squares fit on the features (|Pearson r| for one
            feature).
        spearman, kendall: rank correlations of accuracy with that fit; a single feature keeps its sign.
        size: number of observations.
    """

    multiple: Estimate
    spearman: Estimate
    kendall: Estimate
    size: int

    def as_dict(self) -> dict[str, object]:
        """Nested plain numbers."""
        return {
            "r": self.multiple.as_dict(),
            "spearman": self.spearman.as_dict(),
            "kendall": self.kendall.as_dict(),
            "size": self.size,
        }


def multiple_correlation(features: npt.ArrayLike, target: npt.ArrayLike) -> float:
    """The multiple correlation R of a target [A] with features [A, p], R^2 = c^T C^+ c / v.

    C is the covariance of the features, c theirs with the target, v the target's variance; the pseudo-inverse C^+ makes
    R right where features are dependent. NaN where the target or all features are constant.
    """
    columns = np.column_stack([features, target])
    return float(multiple_correlations(_covariances(columns, np.ones((1, len(columns)))))[0])


def _covariances(columns: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Covariance matrices [B, c, c] of standardised columns [A, c] under counts [B, A]."""
    scale = columns.std(axis=0)
    columns = (columns - columns.mean(axis=0)) / np.where(scale > 0, scale, 1)
    i, j = np.triu_indices(columns.shape[1])
    sums = weights @ np.column_stack([np.ones(len(columns)), columns, columns[:, i] * columns[:, j]])
    means, moments = np.split(sums[:, 1:] / sums[:, :1], [columns.shape[1]], axis=1)
    covariance = np.empty((len(weights), columns.shape[1], columns.shape[1]))
    covariance[:, i, j] = covariance[:, j, i] = moments - means[:, i] * means[:, j]
    return covariance


def multiple_correlations(covariance: np.ndarray) -> np.ndarray:
    """R [B] of the last variable with the others, from covariance matrices [B, c, c] of variables of order one."""
    inner, cross, variance = covariance[:, :-1, :-1], covariance[:, :-1, -1], covariance[:, -1, -1]
    explained = np.einsum("bi,bij,bj->b", cross, np.linalg.pinv(inner, rcond=1e-10, hermitian=True), cross)
    defined = (variance > 1e-12) & (np.einsum("bii->b", inner) > 1e-12)
    squared = np.divide(explained, variance, out=np.full(len(covariance), np.nan), where=defined)
    return np.sqrt(np.clip(squared, 0, 1))


def resample_chunks(size: int, resamples: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Counts of each of `size` observations in each bootstrap resample, float64 [B, size], some resamples at a time."""
    chunk = max(1, _CHUNK_DRAWS // max(size, 1))
    for start in range(0, resamples, chunk):
        rows = min(chunk, resamples - start)
        drawn = rng.integers(size, size=(rows, size)) + size * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size).astype(np.float64)


def correlate(
    columns: Mapping[str, npt.ArrayLike],
    sets: Iterable[Sequence[str]],
    target: npt.ArrayLike,
    rng: np.random.Generator,
    resamples: int = 1000,
    level: float = 0.95,
) -> dict[tuple[str, ...], Correlations]:
    """Multiple and rank correlations of a target [A] with several sets of features.

    R has a percentile bootstrap interval over observations, from the same resamples for all sets. The rank
    correlations have
    Fisher-z intervals with the standard errors of Bonett and Wright (2000): sqrt((1 + r^2 / 2) / (n - 3)) for Spearman,
    sqrt(0.437 / (n - 4)) for Kendall's tau-b.

    Args:
        columns: features by name, [A] each.
        sets: names of the features of each set.
        target: [A].
        rng: for the bootstrap.
        resamples: number of bootstrap resamples.
        level: of the intervals.
    """
    names = list(columns)
    y = np.asarray(target, dtype=np.float64)
    if not len(y):  # a benchmark of degenerate cells alone has no others
        return {tuple(features): Correlations(UNDEFINED, UNDEFINED, UNDEFINED, 0) for features in sets}
    table = np.column_stack([*(np.asarray(columns[name], dtype=np.float64) for name in names), y])
    covariance = np.concatenate([_covariances(table, counts) for counts in resample_chunks(len(y), resamples, rng)])
    result = {}
    for features in map(tuple, sets):
        index = [*(names.index(name) for name in features), len(names)]
        resampled = multiple_correlations(covariance[:, index][:, :, index])
        x = table[:, index[:-1]]
        spearman, kendall = _rank_correlations(x, y)
        result[features] = Correlations(
            Estimate.percentile(multiple_correlation(x, y), resampled, level),
            _fisher(spearman, (1 + spearman**2 / 2) / max(len(y) - 3, 1), level),
            _fisher(kendall, 0.437 / max(len(y) - 4, 1), level),
            len(y),
        )
    return result


def _rank_correlations(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Spearman and Kendall (tau-b) of the target [A] with the least-squares fit on features [A, p]; NaN if constant."""
    design = np.column_stack([np.ones(len(y)), x])
    fit = x[:, 0] if x.shape[1] == 1 else design @ np.linalg.lstsq(design, y, rcond=None)[0]
    fit = np.round(fit, 9)  # equal features have equal fits, whatever the order of the sums
    if len(y) < 3 or np.ptp(fit) == 0 or np.ptp(y) == 0:
        return float("nan"), float("nan")
    return float(stats.spearmanr(fit, y).statistic), float(stats.kendalltau(fit, y).statistic)


def _fisher(r: float, variance: float, level: float) -> Estimate:
    if not np.isfinite(r):
        return UNDEFINED
    z = np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12))
    half = student_margin(float(np.sqrt(variance)), np.inf, level)
    return Estimate(r, float(np.tanh(z - half)), float(np.tanh(z + half)))
