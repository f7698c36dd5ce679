"""Bootstrap of rank correlations: architectures are resampled, and so are the draws of weights and batches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

__all__ = ["Resamples", "kendall", "mean_score", "spearman"]

_MAX_DRAWS = 2_000_000
_MAX_PAIRWISE = 1000


def spearman(score: np.ndarray, accuracy: np.ndarray) -> float:
    """Pearson correlation of the (averaged) ranks of two arrays [A]; NaN where one is constant."""
    a, b = stats.rankdata(score), stats.rankdata(accuracy)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def kendall(score: np.ndarray, accuracy: np.ndarray) -> float:
    """Kendall's tau-b of two arrays [A]; NaN where one is constant."""
    a, b = stats.rankdata(score), stats.rankdata(accuracy)  # ranks: infinite scores have their place
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(stats.kendalltau(a, b).statistic)


def mean_score(draws: np.ndarray) -> np.ndarray:
    """The mean [A] of scores [R, A]; infinite where a draw is."""
    with np.errstate(invalid="ignore"):
        return np.asarray(draws.mean(0))


@dataclass(frozen=True)
class Resamples:
    """Resamples of architectures and of draws; scores that share one are compared on equal terms.

    Attributes:
        architectures: indices of architectures, integers [B, A].
        draws: indices of draws, sorted, integers [B, R]; all zero where there is a single draw.
    """

    architectures: np.ndarray
    draws: np.ndarray

    @classmethod
    def make(cls, size: int, num_draws: int, rng: np.random.Generator, resamples: int = 1000) -> Resamples:
        """Resamples of that many architectures and draws.

        The architectures come first from the generator: those of equal generators are equal for any number of draws.

        Args:
            size: number of architectures A.
            num_draws: number of draws R.
            rng: of the resamples.
            resamples: their number B; fewer for very many architectures (at most 2 million indices, at least 100).
        """
        count = max(100, min(resamples, _MAX_DRAWS // max(size, 1)))
        chosen = np.stack([rng.integers(size, size=size) for _ in range(count)])
        draws = np.zeros((count, 1), dtype=np.int64)
        if num_draws > 1:
            draws = np.sort(np.stack([rng.integers(num_draws, size=num_draws) for _ in range(count)]), axis=1)
        return cls(chosen, draws)

    def means(self, every: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The different means [M, A] of resampled draws of scores [R, A], and the mean's place for each resample [B].

        Means of the same draws are equal in every bit, whatever the order in which these were drawn.
        """
        different, place = np.unique(self.draws, axis=0, return_inverse=True)
        return np.stack([mean_score(every[draws]) for draws in different]), place.reshape(-1)

    def correlations(self, every: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
        """Spearman's and Kendall's correlation of every resample, [2, B]; NaN where one is undefined.

        Args:
            every: draws of a score [R, A].
            accuracy: [A].
        """
        means, place = self.means(every)
        if len(accuracy) > _MAX_PAIRWISE:
            pairs = [(means[m][i], accuracy[i]) for m, i in zip(place, self.architectures, strict=True)]
            return np.transpose([(spearman(*pair), kendall(*pair)) for pair in pairs])
        found = np.empty((2, len(place)))
        for m, mean in enumerate(means):
            found[:, place == m] = _pairwise(mean, accuracy, self.architectures[place == m])
        return found


def _pairwise(score: np.ndarray, accuracy: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Spearman and Kendall of every resample [B, A] at once, [2, B], from the order of all pairs.

    With w_i how often i was drawn: the mid-rank of i is sum_j w_j ([x_j < x_i] + [x_j = x_i] / 2) + 1/2, and tau-b is
    the weighted sum of sign products over the roots of those of squared signs.
    """
    size = len(score)
    weights = np.stack([np.bincount(draw, minlength=size) for draw in draws]).astype(np.float64)
    signs = [_signs(values) for values in (score, accuracy)]
    ranks = [weights @ (1 + sign).T / 2 for sign in signs]
    centered = [rank - (weights * rank).sum(1, keepdims=True) / size for rank in ranks]
    moments = [(weights * a * b).sum(1) for a, b in ((centered[0], centered[1]), *((c, c) for c in centered))]
    products = [((weights @ matrix) * weights).sum(1) for matrix in (signs[0] * signs[1], *(s * s for s in signs))]
    return np.array([_quotient(*moments), _quotient(*products)])


def _signs(values: np.ndarray) -> np.ndarray:
    """The sign of x_i - x_j, [A, A]; infinities compare as they should."""
    ranks = stats.rankdata(values)
    return np.sign(ranks[:, None] - ranks[None, :])


def _quotient(mixed: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    scale = np.sqrt(first * second)
    return np.divide(mixed, scale, out=np.full(len(mixed), np.nan), where=scale > 1e-9)
