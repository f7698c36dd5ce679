"""Progress bars on stderr, shown only where stderr is a terminal.

A computation that knows its own size takes a `ProgressBar` (`progress_bar`, or by default `no_progress`) and opens it;
one whose caller knows the size takes what such a bar yields, a function of the number of units done so far.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

__all__ = ["ProgressBar", "no_progress", "progress_bar"]


class ProgressBar(Protocol):
    """A progress bar to be opened: (description, total, unit, start) as for `progress_bar`."""

    def __call__(
        self, description: str, total: int, unit: str, start: int = 0
    ) -> AbstractContextManager[Callable[[int], None]]: ...


@contextmanager
def no_progress(description: str, total: int, unit: str, start: int = 0) -> Iterator[Callable[[int], None]]:
    """A progress bar that shows nothing."""
    yield lambda done: None


@contextmanager
def progress_bar(description: str, total: int, unit: str, start: int = 0) -> Iterator[Callable[[int], None]]:
    """Within the context, call the yielded function with the number of units done so far.

    Args:
        description: what is being done.
        total: number of units.
        unit: what is counted, in the plural, for the rate ("networks").
        start: units that were done before (a resumed run); they do not count towards the rate.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:.3g} {unit}/s")

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeLeft())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(description, total=total, completed=start)
        yield lambda done: progress.update(task, completed=done)
