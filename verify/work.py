"""The work of a run as a bar shows it: expected seconds of claims, of which slow ones count as they go on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from verify.framework.claim import Claim

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

__all__ = ["Work"]

_MOST = 0.95
"""Share of a claim's expected seconds that count before it has ended."""


class Work:
    """Expected seconds, done and under way.

    Args:
        claims: all claims of the run.
        done: identifiers of those that an earlier run has finished.
    """

    def __init__(self, claims: Sequence[Claim], done: Sequence[str] = ()) -> None:
        self._expected = {claim.id: claim.duration for claim in claims}
        self._done = set(done)
        self.running: dict[str, float] = {}

    def start(self, name: str) -> None:
        """A claim begins."""
        self.running[name] = time.monotonic()

    def end(self, name: str) -> None:
        """A claim has ended."""
        del self.running[name]
        self._done.add(name)

    def share(self) -> float:
        """The share of the work that is done, from 0 to 1; it never falls."""
        now, total = time.monotonic(), sum(self._expected.values())
        done = sum(self._expected[name] for name in self._done & self._expected.keys())
        going = sum(min(now - begun, _MOST * self._expected[name]) for name, begun in self.running.items())
        return (done + going) / total if total else 1.0

    def column(self) -> ProgressColumn:
        """A bar of rich, drawn anew twice a second."""
        from rich.progress import ProgressColumn, Task
        from rich.progress_bar import ProgressBar

        work = self

        class Bar(ProgressColumn):
            max_refresh = 0.5

            def render(self, task: Task) -> ProgressBar:
                return ProgressBar(total=1.0, completed=1.0 if task.finished else work.share(), width=40)

        return Bar()
