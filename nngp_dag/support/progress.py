"""A progress bar on stderr with the rate and the time left, shown only where stderr is a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["progress_bar"]


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
