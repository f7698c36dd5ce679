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

__all__ = ["run_side_by_side"]


def run_side_by_side(faults: Sequence[Fault], claims: str | None, jobs: int) -> Result:
    """Share the faults among processes, and join what they found in the order of `faults`."""
    shares = [list(faults[i::jobs]) for i in range(min(jobs, len(faults)))]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(shares), mp_context=context) as pool:
        results = list(pool.map(_share, shares, [claims] * len(shares)))
    joined = Result(results[0].claims)
    for result in results:
        joined.before |= result.before
        joined.after |= result.after
        joined.outcomes += result.outcomes
    order = {fault.name: i for i, fault in enumerate(faults)}
    joined.outcomes.sort(key=lambda outcome: order[outcome.fault.name])
    return joined


def _share(faults: Sequence[Fault], claims: str | None) -> Result:
    """The outcomes of one process's share."""
    options = Options()
    configure_jax(options)
    known = discover()
    fast = [claim for claim in known.values() if claim.fast]
    chosen = fast if claims is None else select(known, None if claims == "all" else claims)
    return run_faults(chosen, faults, options, _progress)


def _progress(outcome: Outcome) -> None:
    print(outcome_line(outcome), file=sys.stderr, flush=True)
