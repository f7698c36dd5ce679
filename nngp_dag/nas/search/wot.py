"""The search of NAS-WOT: the best score among random architectures (arXiv:2006.04647, Algorithm 1)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.nas.search.result import SearchResult
from nngp_dag.spaces import Space
from nngp_dag.support.cores import SharedClock, in_order

__all__ = ["ScoreCache", "random_search"]


class ScoreCache:
    """Scores of architectures that are computed once, with the seconds each took.

    Args:
        score: from an architecture [cells, genes] to its score, higher is better; called by several threads.
        threads: scores that are computed at a time. They share their seconds (`SharedClock`).
    """

    def __init__(self, score: Callable[[np.ndarray], float], threads: int = 1) -> None:
        self._score, self._threads, self._clock = score, threads, SharedClock()
        self.known: dict[bytes, tuple[float, float]] = {}

    def __call__(self, architecture: np.ndarray) -> tuple[float, float]:
        """The score, and the seconds that it took when it was computed."""
        return next(self.each([architecture]))

    def each(self, architectures: Sequence[np.ndarray]) -> Iterator[tuple[float, float]]:
        """Score and seconds of each architecture, in their order."""
        fresh = {key: a for a in architectures if (key := a.tobytes()) not in self.known}
        computed = in_order(self._timed, fresh.values(), self._threads)  # in the order in which they come first
        for architecture in architectures:
            while (key := architecture.tobytes()) not in self.known:
                of, found = next(computed)
                self.known.setdefault(of, found)  # somebody may have asked for it meanwhile
            yield self.known[key]

    def _timed(self, architecture: np.ndarray) -> tuple[bytes, tuple[float, float]]:
        with self._clock.task() as seconds:
            value = self._score(architecture)
        return architecture.tobytes(), (value, seconds())


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
    scores = score.each([draw for draw, passes in zip(draws, passing, strict=True) if passes])
    for step, (draw, passes) in enumerate(zip(draws, passing, strict=True), start=1):
        if passes:
            value, took = next(scores)
            evaluations += 1
            seconds += took
            if best is None or value > best[0]:
                best = value, draw
        if on_step is not None:
            on_step(step)
    if best is None:
        raise InputError(f"none of {num} random architectures passes the filter: draw more, or widen its ranges")
    return SearchResult(best[1], num, evaluations, seconds, 0.0, {"score": best[0]})
