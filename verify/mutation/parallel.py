"""Faults shared among processes: each injects its share one at a time, between healthy runs of its own."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from verify.framework.claim import discover, select
from verify.framework.options import Options
from verify.framework.worker import configure_jax
from verify.mutation.inject import Fault
from verify.mutation.report import outcome_line
from verify.mutation.suite import Outcome, Result, run_faults
from verify.mutation.tested import run_tested

__all__ = ["run_side_by_side"]


def run_side_by_side(faults: Sequence[Fault], claims: str | None, jobs: int, every_claim: bool = False) -> Result:
    """Share the faults among processes, and join what they found in the order of `faults`.

    Args:
        faults: those that name a test are tried on it, the others on claims, in processes of their own: tests and
            claims configure JAX differently.
        claims: identifiers, `all`, or None for the fast ones; with any of them each fault is tried on claims.
        jobs: number of processes.
        every_claim: go on after the first claim that notices.
    """
    tested = [fault for fault in faults if fault.test] if claims is None else []
    others = [fault for fault in faults if fault not in tested]
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        running = [pool.submit(_share, share, claims, every_claim) for share in _shares(others, jobs)]
        running += [pool.submit(run_tested, share, _progress) for share in _shares(_by_test(tested), jobs)]
        results = [future.result() for future in running]
    joined = Result([])
    for result in results:
        joined.claims = joined.claims or result.claims
        joined.tests = sorted({*joined.tests, *result.tests})
        joined.before |= result.before
        joined.after |= result.after
        joined.outcomes += result.outcomes
    order = {fault.name: i for i, fault in enumerate(faults)}
    joined.outcomes.sort(key=lambda outcome: order[outcome.fault.name])
    return joined


def _by_test(faults: Sequence[Fault]) -> list[Fault]:
    """Faults of one test next to each other: a share runs it without a fault once."""
    return sorted(faults, key=lambda fault: fault.test)


def _shares(faults: Sequence[Fault], jobs: int) -> list[list[Fault]]:
    """The faults in at most `jobs` parts of consecutive ones."""
    size = -(-len(faults) // jobs)
    return [list(faults[start : start + size]) for start in range(0, len(faults), max(size, 1))]


def _share(faults: Sequence[Fault], claims: str | None, every_claim: bool) -> Result:
    """The outcomes of one process's share, by claims."""
    options = Options()
    configure_jax(options)
    known = discover()
    fast = [claim for claim in known.values() if claim.fast]
    chosen = fast if claims is None else select(known, None if claims == "all" else claims)
    return run_faults(chosen, faults, options, _progress, until_noticed=not every_claim)


def _progress(outcome: Outcome) -> None:
    print(outcome_line(outcome), file=sys.stderr, flush=True)
