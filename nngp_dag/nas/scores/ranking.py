"""Agreement of a score's ranking with accuracy: Spearman, Kendall and top-k recall, with bootstrap intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from nngp_dag.nas.scores.resampling import Resamples, kendall, mean_score, spearman
from nngp_dag.support.statistics import Estimate

__all__ = ["Ranking", "best_rank", "rank", "rank_stability", "top_recall"]


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
    chosen = Resamples.make(size, len(every), rng, resamples)
    values = mean_score(every)
    means, place = chosen.means(every)
    resampled = [(means[m][i], target[i]) for m, i in zip(place, chosen.architectures, strict=True)]
    correlations = chosen.correlations(every, target)
    return Ranking(
        Estimate.percentile(spearman(values, target), correlations[0]),
        Estimate.percentile(kendall(values, target), correlations[1]),
        Estimate.percentile(top_recall(values, target, top), np.array([top_recall(*pair, top) for pair in resampled])),
        best_rank(values, target, top),
        top,
        size,
        len(every),
    )
