"""Progress on stderr, drawn only where stderr is a terminal.

A computation that knows its own size takes a `ProgressBar` (`progress_bar`, or by default `no_progress`) and opens it;
one whose caller knows the size takes the function that such a bar yields, called with the number of units done so far.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

__all__ = [
    "Advance",
    "ProgressBar",
    "Transfer",
    "display",
    "no_progress",
    "progress_bar",
    "shown_seconds",
    "stages",
    "starting",
    "track",
]

_T = TypeVar("_T")

Advance = Callable[[int], None]
"""Called with the number of units done so far."""


class ProgressBar(Protocol):
    """A progress bar to be opened: (description, total, unit, start) as for `progress_bar`."""

    def __call__(self, description: str, total: int, unit: str, start: int = 0) -> AbstractContextManager[Advance]: ...


@contextmanager
def no_progress(description: str, total: int, unit: str, start: int = 0) -> Iterator[Advance]:
    """A progress bar that shows nothing."""
    yield lambda done: None


@contextmanager
def display(*columns: ProgressColumn, transient: bool = False) -> Iterator[Progress]:
    """A display of progress with these columns; its console prints on stderr, drawn or not.

    Args:
        columns: of rich.
        transient: the display vanishes when the context ends.
    """
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=transient) as progress:
        yield progress


@contextmanager
def progress_bar(description: str, total: int, unit: str, start: int = 0) -> Iterator[Advance]:
    """Within the context, call the yielded function with the number of units done so far; rate and time left are shown.

    Args:
        description: what is being done.
        total: number of units.
        unit: what is counted, in the plural, for the rate ("networks").
        start: units that were done before (a resumed run); they do not count towards the rate.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:.3g} {unit}/s")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with display(*columns) as progress:
        task = progress.add_task(description, total=total, completed=start)
        yield lambda done: progress.update(task, completed=done)


@contextmanager
def stages(total: int) -> Iterator[Callable[[str], None]]:
    """A function that begins a named stage, drawn as a bar with the time spent; it vanishes at the end."""
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn

    text = TextColumn("{task.description}")
    with display(SpinnerColumn(), text, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), transient=True) as bar:
        task = bar.add_task("", total=total)
        begun = 0

        def stage(description: str) -> None:
            nonlocal begun
            bar.update(task, description=description, completed=begun)
            begun += 1

        yield stage


def track(items: Iterable[_T], description: str, total: int | None = None) -> Iterator[_T]:
    """Iterate with a progress bar that shows the share done and the time left."""
    from rich.progress import Progress

    with display(*Progress.get_default_columns()) as progress:
        yield from progress.track(items, total=total, description=description)


@contextmanager
def starting(words: str = "starting") -> Iterator[None]:
    """Say on a terminal that something is going on before there is a result or a bar; the line vanishes."""
    shown = sys.stderr.isatty()
    if shown:
        print(f"nngp-dag: {words} ...", end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        if shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


class Transfer:
    """The progress bar that a downloader fills (pooch's interface, as tqdm offers it), with size and speed.

    Args:
        name: of the file.
    """

    def __init__(self, name: str) -> None:
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn

        columns = (TextColumn(name), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        self._display = display(*columns)
        self._bar = self._display.__enter__()
        self._task = self._bar.add_task(name, total=None)

    @property
    def total(self) -> float | None:
        """Number of bytes, None where it is not known."""
        return self._bar.tasks[0].total

    @total.setter
    def total(self, value: float) -> None:
        self._bar.update(self._task, total=value or None)

    def update(self, count: float) -> None:
        """Add bytes that have come."""
        self._bar.advance(self._task, count)

    def reset(self) -> None:
        """Begin again."""
        self._bar.update(self._task, completed=0)

    def close(self) -> None:
        """End the display."""
        self._display.__exit__(None, None, None)


def shown_seconds(seconds: float) -> str:
    """A time for people: minutes, hours or days."""
    minutes, hours, days = seconds / 60, seconds / 3600, seconds / 86400
    return f"{minutes:.0f} minutes" if hours < 2 else f"{hours:.0f} hours" if days < 3 else f"{days:,.0f} days"
