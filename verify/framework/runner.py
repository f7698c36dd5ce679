"""Run claims side by side in worker processes; one that crashes, dies or hangs does not take the others down.

The pools of concurrent.futures end with the first process that dies, and those that survive it (pebble) take a claim
that ends its process with status 0 for one that goes on; so the processes are managed here, each by a pipe of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import wait

from verify.framework.claim import Claim
from verify.framework.execute import crash_record
from verify.framework.options import Options
from verify.framework.process import Worker
from verify.framework.record import ClaimRecord

__all__ = ["run"]

_LOOK = 0.5
"""Seconds between two looks at whether a claim's time is over."""


def run(
    claims: Sequence[Claim],
    options: Options,
    on_start: Callable[[Claim], None] = lambda claim: None,
    on_record: Callable[[ClaimRecord], None] = lambda record: None,
    workers: list[Worker] | None = None,
) -> list[ClaimRecord]:
    """Check every claim in `options.jobs` processes.

    Args:
        claims: what to check.
        options: how.
        on_start: called in this process when a claim begins.
        on_record: called in this process when its record is there.
        workers: idle processes of an earlier call with the same options, and the place of new ones, which the caller
            then stops; without it they are stopped here.

    Returns:
        One record per claim, in the order of `claims`.
    """
    queue = sorted(claims, key=lambda claim: -claim.duration)
    records: dict[str, ClaimRecord] = {}
    pool = [] if workers is None else workers
    try:
        while queue or any(worker.claim for worker in pool):
            for worker in _idle(pool, len(queue), options):
                claim = queue.pop(0)
                worker.begin(claim)
                on_start(claim)
            for record in _finished(pool, options):
                records[record["id"]] = record
                on_record(record)
    finally:
        if workers is None:
            for worker in pool:
                worker.stop()
    return [records[claim.id] for claim in claims]


def _idle(pool: list[Worker], wanted: int, options: Options) -> Iterator[Worker]:
    """Up to `wanted` processes without a claim: those of the pool, then new ones, which join it."""
    idle = [worker for worker in pool if worker.claim is None]
    yield from idle[:wanted]
    for _ in range(min(wanted - len(idle), options.jobs - len(pool))):
        pool.append(Worker.launch(options))
        yield pool[-1]


def _finished(pool: list[Worker], options: Options) -> Iterator[ClaimRecord]:
    """The records of claims that came to an end; a process that died or took too long leaves the pool."""
    busy = [worker for worker in pool if worker.claim]
    ready = wait([worker.connection for worker in busy], timeout=_LOOK)
    for worker in busy:
        claim, seconds = worker.claim, worker.seconds()
        assert claim is not None
        if worker.connection in ready:
            record = worker.receive()
            if record is not None:
                yield record
                continue
            reason = f"the process died (exit status {worker.exit_status()})"
        elif seconds > worker.limit():
            reason = f"no verdict after {claim.timeout:g} s: stopped"
        else:
            continue
        worker.stop()
        pool.remove(worker)
        yield crash_record(claim, options.context(claim.id), reason, seconds)
