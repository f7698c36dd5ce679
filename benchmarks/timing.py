"""Wall-clock and processor times of calls, alone and by turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

__all__ = ["Cost", "cheapest_by_turns", "fastest_by_turns", "seconds"]


class Cost(NamedTuple):
    """Seconds of wall-clock time, and of all processors: these depend less on what else the machine does."""

    wall: float
    processor: float


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


def cheapest_by_turns(ways: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, Cost]:
    """As `fastest_by_turns`, with the least processor time of a call beside its least wall-clock time."""
    best = {name: Cost(float("inf"), float("inf")) for name in ways}
    for call in ways.values():
        call()
    for _ in range(repeats):
        for name, call in ways.items():
            start = time.process_time()
            wall = seconds(call)
            best[name] = Cost(min(best[name].wall, wall), min(best[name].processor, time.process_time() - start))
    return best
