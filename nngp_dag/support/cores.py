"""The cores that a process may use."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

__all__ = ["SharedClock", "available_cores", "in_order", "on_all_cores"]

_T = TypeVar("_T")
_R = TypeVar("_R")


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def on_all_cores(work: Callable[[_T], _R], items: Iterable[_T]) -> list[_R]:
    """The results of work on each item, in their order, a thread on each core: for work outside Python's lock."""
    with ThreadPoolExecutor(available_cores()) as pool:
        return list(pool.map(work, items))


def in_order(work: Callable[[_T], _R], items: Iterable[_T], threads: int) -> Iterator[_R]:
    """The results of work on each item, in their order.

    A result comes when it and those before it are there, and no item is waited for meanwhile: a source that pauses
    holds back what has been found.

    Items are taken from their source when a thread is about to need them: at most two for each thread are ahead of the
    result that comes next, and are lost where the iteration ends early. One thread takes an item, and gives its result,
    before it takes the next.

    Raises:
        Exception: what work on an item raised, in the place of its result, or what the source of items raised.
    """
    if threads == 1:
        yield from map(work, items)
        return
    pool, ahead = ThreadPoolExecutor(threads), deque[Future[_R]]()
    source, broken = iter(items), None
    try:
        while True:
            try:
                ahead.append(pool.submit(work, next(source)))
            except StopIteration:
                break
            except Exception as error:  # the results of what came before are given first
                broken = error
                break
            while ahead and (len(ahead) == 2 * threads or ahead[0].done()):
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
    if broken is not None:
        raise broken


class SharedClock:
    """Wall-clock seconds dealt out to what goes on at the same time: of n tasks each gets a second in n seconds.

    So the seconds of all tasks add up to the time for which any of them ran.

        >>> clock = SharedClock()
        >>> with clock.task() as seconds:
        ...     pass
        >>> seconds() >= 0
        True
    """

    def __init__(self) -> None:
        self._lock, self._running = threading.Lock(), 0
        self._share, self._then = 0.0, time.perf_counter()

    @contextmanager
    def task(self) -> Iterator[Callable[[], float]]:
        """Within it a task runs; what it yields gives the seconds of the task, until its end at most."""
        ended: list[float] = []
        start = self._turn(+1)
        try:
            yield lambda: (ended[0] if ended else self._turn(0)) - start
        finally:
            ended.append(self._turn(-1))

    def _turn(self, more: int) -> float:
        """Seconds of a task that has run ever since; from now on so many more tasks run."""
        with self._lock:
            now = time.perf_counter()
            self._share += (now - self._then) / max(self._running, 1)
            self._then, self._running = now, self._running + more
            return self._share
