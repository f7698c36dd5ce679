"""Wall-clock times of calls, alone and by turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

__all__ = ["fastest_by_turns", "seconds"]


def seconds(call: Callable[[], object]) -> float:
    """The seconds that one call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def fastest_by_turns(ways: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Seconds of the fastest of `repeats` calls of each, by turns, after one of each, which compiles, off the clock."""
    best = dict.fromkeys(ways, float("inf"))
    for call in ways.values():
        call()
    for _ in range(repeats):
        for name, call in ways.items():
            best[name] = min(best[name], seconds(call))
    return best
