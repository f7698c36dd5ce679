"""The cores that a process may use."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["available_cores", "on_all_cores"]

_T = TypeVar("_T")
_R = TypeVar("_R")


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def on_all_cores(work: Callable[[_T], _R], items: Iterable[_T]) -> list[_R]:
    """The results of work on each item, in their order, a thread on each core: for work outside Python's lock."""
    with ThreadPoolExecutor(available_cores()) as pool:
        return list(pool.map(work, items))
