"""Run claims side by side in worker processes; one that crashes, dies or hangs does not take the others down."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from verify.framework.claim import Claim
from verify.framework.context import Context
from verify.framework.execute import crash_record

__all__ = ["Options", "Worker", "available_cores", "run", "stop"]

_START_GRACE = 120.0
"""Seconds a worker may take to start and import, beside the claim's own timeout."""


@dataclass(frozen=True)
class Options:
    """How claims are run.

    Attributes:
        directories: folders of further claims.
        profile, seed, data, data_dir: what claims get (`Context`).
        jobs: number of processes.
        compiled: folder in which the processes share compiled programs; None: each compiles its own.
    """

    directories: tuple[str, ...] = ()
    profile: str = "quick"
    seed: int = 0
    data: str = "digits"
    jobs: int = 1
    data_dir: str | None = None
    compiled: str | None = None

    def context(self, claim: str) -> Context:
        """What a claim gets."""
        return Context(claim, self.profile, self.seed, self.data, self.data_dir)


@dataclass
class Worker:
    """A process that checks claims, and which one it is at."""

    process: BaseProcess
    connection: Connection
    claim: Claim | None = None
    started: float = 0.0
    first: bool = True


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(
    claims: Sequence[Claim],
    options: Options,
    on_start: Callable[[Claim], None] = lambda claim: None,
    on_record: Callable[[dict[str, Any]], None] = lambda record: None,
    workers: list[Worker] | None = None,
) -> list[dict[str, Any]]:
    """Check every claim in `options.jobs` processes.

    Args:
        claims: what to check.
        options: how.
        on_start: called in this process when a claim begins.
        on_record: called in this process when its record is there.
        workers: idle processes of an earlier call with the same options, and the place of new ones, which the caller
            then stops; without it they are stopped here.

    Returns:
        One record a claim, in the order of `claims`.
    """
    queue = sorted(claims, key=lambda claim: -claim.duration)
    records: dict[str, dict[str, Any]] = {}
    keep = workers is not None
    workers = [] if workers is None else workers

    def finish(worker: Worker, record: dict[str, Any]) -> None:
        worker.claim = None
        records[record["id"]] = record
        on_record(record)

    try:
        while queue or any(worker.claim for worker in workers):
            for worker in workers:
                if worker.claim is None and queue:
                    _send(worker, queue.pop(0), on_start)
            while queue and len(workers) < options.jobs:
                workers.append(_launch(options))
                _send(workers[-1], queue.pop(0), on_start)
            busy = [worker for worker in workers if worker.claim]
            ready = wait([worker.connection for worker in busy], timeout=0.5)
            for worker in busy:
                claim = worker.claim
                assert claim is not None
                context = options.context(claim.id)
                seconds = time.monotonic() - worker.started
                if worker.connection in ready:
                    try:
                        finish(worker, worker.connection.recv())
                        worker.first = False
                        continue
                    except EOFError:
                        worker.process.join(5)
                        reason = f"the process died (exit status {worker.process.exitcode})"
                elif seconds > claim.timeout + (_START_GRACE if worker.first else 0):
                    reason = f"no verdict after {claim.timeout:g} s: stopped"
                else:
                    continue
                stop(worker)
                workers.remove(worker)
                finish(worker, crash_record(claim, context, reason, seconds))
    finally:
        for worker in [] if keep else workers:
            stop(worker)
    return [records[claim.id] for claim in claims]


def _launch(options: Options) -> Worker:
    from verify.framework.worker import work

    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs, options), daemon=True)
    process.start()
    theirs.close()
    return Worker(process, ours)


def _send(worker: Worker, claim: Claim, on_start: Callable[[Claim], None]) -> None:
    worker.claim, worker.started = claim, time.monotonic()
    on_start(claim)
    # Where the process died between claims, the closed pipe is noticed, and reported, at the next wait.
    with contextlib.suppress(BrokenPipeError, ConnectionError):
        worker.connection.send(claim.id)


def stop(worker: Worker) -> None:
    """End a worker's process."""
    worker.connection.close()
    worker.process.terminate()
    worker.process.join(5)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()
