"""Agreement of a score's ranking with accuracy: Spearman, Kendall and top-k recall, with bootstrap intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from nngp_dag.support.statistics import Estimate

__all__ = ["Ranking", "best_rank", "kendall", "mean_score", "rank", "rank_stability", "spearman", "top_recall"]

_MAX_DRAWS = 2_000_000
_MAX_PAIRWISE = 1000


@dataclass(frozen=True)
class Ranking:
    """Agreement of a score with accuracy over a set of architectures.

    Attributes:
        spearman: Spearman's rank correlation.
        kendall: Kendall's tau-b.
        recall: share of the `top` most accurate architectures that are among the `top` best by score; as both are as
            many, it is the precision at the top, too.
        best_rank: rank by accuracy, 1 the best, of the most accurate among the `top` best by score.
        top: k.
        size: number of architectures.
        draws: number of draws of weights and batches whose mean the score is.
    """

    spearman: Estimate
    kendall: Estimate
    recall: Estimate
    best_rank: float
    top: int
    size: int
    draws: int = 1

    def as_dict(self) -> dict[str, object]:
        """Nested plain numbers."""
        return {
            "spearman": self.spearman.as_dict(),
            "kendall": self.kendall.as_dict(),
            "top_recall": self.recall.as_dict(),
            "best_rank": self.best_rank,
            "top": self.top,
            "size": self.size,
            "draws": self.draws,
        }


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


def top_recall(score: np.ndarray, accuracy: np.ndarray, top: int) -> float:
    """Expected share of the `top` most accurate architectures among the `top` best by score, ties broken at random."""

    def chance(values: np.ndarray) -> np.ndarray:
        """Probability that each architecture is among the `top` largest."""
        threshold = np.sort(values)[-top]
        above, equal = values > threshold, values == threshold
        return np.where(above, 1.0, np.where(equal, (top - above.sum()) / equal.sum(), 0.0))

    return float(chance(score) @ chance(accuracy) / top)


def best_rank(score: np.ndarray, accuracy: np.ndarray, top: int) -> float:
    """Expected rank by accuracy (1 the best) of the most accurate among the `top` best by score.

    Of architectures that share the last place among the `top`, as many as fit are chosen at random. Equal accuracies
    share the best of their ranks.
    """
    ranks = stats.rankdata(-accuracy, method="min")
    threshold = np.sort(score)[-top]
    above, equal = score > threshold, score == threshold
    best = float(ranks[above].min()) if above.any() else np.inf
    free, total, missed = top - int(above.sum()), int(equal.sum()), 1.0
    expected = 0.0
    for place, rank in enumerate(np.sort(ranks[equal])):  # `missed`: the chance that no better one of these is chosen
        if rank >= best or missed == 0:
            break
        chosen = free / (total - place)
        expected += missed * chosen * float(rank)
        missed *= max(0.0, 1 - chosen)
    return expected + (missed * best if missed > 0 else 0.0)


def rank_stability(draws: np.ndarray) -> float:
    """Mean Spearman correlation between the scores [R, A] of every two draws; NaN with fewer than two draws."""
    pairs = [spearman(draws[i], draws[j]) for i in range(len(draws)) for j in range(i)]
    return float(np.mean(pairs)) if pairs else float("nan")


def mean_score(draws: np.ndarray) -> np.ndarray:
    """The mean [A] of scores [R, A]; infinite where a draw is."""
    with np.errstate(invalid="ignore"):
        return np.asarray(draws.mean(0))


def rank(
    score: npt.ArrayLike,
    accuracy: npt.ArrayLike,
    *,
    higher_is_better: bool = True,
    top: int = 10,
    rng: np.random.Generator | None = None,
    resamples: int = 1000,
) -> Ranking:
    """Agreement of a score with accuracy, positive where better scores go with higher accuracy.

    Args:
        score: [A], may hold infinities (of one sign); or [R, A], draws of it with weights and batches of their own,
            whose mean is ranked.
        accuracy: [A], finite.
        higher_is_better: whether large scores are good; otherwise their sign is changed first.
        top: k of the recall, cut to half of A.
        rng: of the bootstrap over architectures, and over draws where there are several; by default default_rng(0).
        resamples: number of resamples; fewer for very many architectures (at most 2 million draws in all).
    """
    every = np.atleast_2d(np.asarray(score, dtype=np.float64)) * (1 if higher_is_better else -1)
    target = np.asarray(accuracy, dtype=np.float64)
    if np.ndim(score) not in (1, 2) or every.shape[1:] != target.shape:
        raise ValueError(f"score and accuracy must have one equal shape [A], got {np.shape(score)} and {target.shape}")
    rng = np.random.default_rng(0) if rng is None else rng
    size = len(target)
    top = max(1, min(top, size // 2))
    chosen = np.stack(
        [rng.integers(size, size=size) for _ in range(max(100, min(resamples, _MAX_DRAWS // max(size, 1))))]
    )
    values = mean_score(every)
    if len(every) > 1:
        means = [mean_score(every[rng.integers(len(every), size=len(every))]) for _ in chosen]
        resampled = [(mean[i], target[i]) for mean, i in zip(means, chosen, strict=True)]
    else:
        resampled = [(values[i], target[i]) for i in chosen]
    if size <= _MAX_PAIRWISE and len(every) == 1:
        correlations = _pairwise(values, target, chosen)
    else:
        correlations = np.transpose([(spearman(*pair), kendall(*pair)) for pair in resampled])
    return Ranking(
        Estimate.percentile(spearman(values, target), correlations[0]),
        Estimate.percentile(kendall(values, target), correlations[1]),
        Estimate.percentile(top_recall(values, target, top), np.array([top_recall(*pair, top) for pair in resampled])),
        best_rank(values, target, top),
        top,
        size,
        len(every),
    )


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
