"""A worker process as its parent sees it: started, given a claim, asked for the record, stopped."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from verify.framework.claim import Claim, elsewhere
from verify.framework.options import Options
from verify.framework.record import ClaimRecord
from verify.framework.worker import work

__all__ = ["START_SECONDS", "Worker"]

START_SECONDS = 120.0
"""Seconds a worker may take to start and import, beside the claim's own timeout."""
_PATIENCE = 5.0
"""Seconds a process is given to end by itself."""


@dataclass(eq=False)
class Worker:
    """A process that checks one claim after another.

    Attributes:
        process: the process.
        connection: this end of the pipe to it.
        claim: the claim that it is at; None where it is idle.
    """

    process: BaseProcess
    connection: Connection
    claim: Claim | None = None
    _started: float = 0.0
    _imported: set[str] = field(default_factory=set)

    @classmethod
    def launch(cls, options: Options, target: Callable[[Connection, Options], None] = work) -> Worker:
        """A new process, which starts while the caller goes on; `target` is what it does."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=target, args=(theirs, options), daemon=True)
        process.start()
        theirs.close()
        return cls(process, ours)

    def begin(self, claim: Claim) -> None:
        """Have the process check a claim."""
        self.claim, self._started = claim, time.monotonic()
        # Where the process died between claims, the closed pipe is noticed, and reported, when the record is awaited.
        with contextlib.suppress(BrokenPipeError, ConnectionError):
            self.connection.send(replace(claim, check=elsewhere))

    def seconds(self) -> float:
        """Seconds since the claim began."""
        return time.monotonic() - self._started

    def limit(self) -> float:
        """Seconds that the claim may take, with time to start and to import where its module is new to the process."""
        assert self.claim is not None
        return self.claim.timeout + (0.0 if self.claim.module in self._imported else START_SECONDS)

    def receive(self) -> ClaimRecord | None:
        """The record of the claim, once the connection is ready; None where the process died instead."""
        try:
            record: ClaimRecord = self.connection.recv()
        except (EOFError, ConnectionError):  # the latter where it died before it read what it was sent
            return None
        if self.claim is not None:
            self._imported.add(self.claim.module)
        self.claim = None
        return record

    def exit_status(self) -> int | None:
        """The exit status of a process that died: negative where a signal ended it."""
        self.process.join(_PATIENCE)
        return self.process.exitcode

    def stop(self) -> None:
        """End the process, and those that its claims have started."""
        self.connection.close()
        self.process.terminate()
        self._signal_group("SIGTERM")
        self.process.join(_PATIENCE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self._signal_group("SIGKILL")

    def _signal_group(self, name: str) -> None:
        """Signal the group that the process leads, where there are groups, and where any of it is left."""
        if self.process.pid is not None and hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, getattr(signal, name))
