"""The search of NAS-WOT: the best score among random architectures (arXiv:2006.04647, Algorithm 1)."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.nas.search.result import SearchResult
from nngp_dag.spaces import Space

__all__ = ["ScoreCache", "random_search"]


class ScoreCache:
    """Scores of architectures that are computed once, with the seconds each took.

    Args:
        score: from an architecture [cells, genes] to its score, higher is better.
    """

    def __init__(self, score: Callable[[np.ndarray], float]) -> None:
        self._score = score
        self.known: dict[bytes, tuple[float, float]] = {}

    def __call__(self, architecture: np.ndarray) -> tuple[float, float]:
        """The score, and the seconds that it took when it was computed."""
        key = architecture.tobytes()
        if key not in self.known:
            start = time.perf_counter()
            value = self._score(architecture)
            self.known[key] = value, time.perf_counter() - start
        return self.known[key]


def random_search(
    space: Space,
    score: ScoreCache,
    *,
    num: int = 100,
    rng: np.random.Generator,
    keep: Callable[[np.ndarray], bool] | None = None,
    on_step: Callable[[int], None] | None = None,
) -> SearchResult:
    """Draw architectures at random, drop those that the filter does not keep, and return the one with the best score.

    Args:
        space: where architectures are drawn from, uniformly and with replacement.
        score: what they are judged by; what it has computed before is not computed again, but its seconds count.
        num: number of draws n.
        rng: of the draws; a search with a filter and one without see the same draws.
        keep: the filter, a predicate; everything passes without one.
        on_step: called with the number of draws dealt with.

    Returns:
        Candidates are the draws, evaluations those that were scored.

    Raises:
        InputError: no draw passes the filter.
    """
    draws = space.sample(num, rng)
    best: tuple[float, np.ndarray] | None = None
    evaluations, seconds = 0, 0.0
    start = time.perf_counter()
    passing = [True] * num if keep is None else [keep(draw) for draw in draws]
    seconds += time.perf_counter() - start
    for step, (draw, passes) in enumerate(zip(draws, passing, strict=True), start=1):
        if passes:
            value, took = score(draw)
            evaluations += 1
            seconds += took
            if best is None or value > best[0]:
                best = value, draw
        if on_step is not None:
            on_step(step)
    if best is None:
        raise InputError(f"none of {num} random architectures passes the filter: draw more, or widen its ranges")
    return SearchResult(best[1], num, evaluations, seconds, 0.0, {"score": best[0]})
