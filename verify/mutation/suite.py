"""Run the fast claims with each fault in place: which claims turn red, and did the faulty line run?

One process does it all. A claim is red where its verdict differs from the expected one, or a key value from the
healthy run; a claim that only crashes has not noticed the fault. (Faults that name a test: `tested`.)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from verify.baseline import baseline_of, compare_with_baseline
from verify.framework.claim import Claim
from verify.framework.execute import execute
from verify.framework.options import Options
from verify.framework.record import BaselineRecord, Document
from verify.mutation.inject import Fault, clear_caches, inject
from verify.report.document import build_document

__all__ = ["Outcome", "Result", "run_faults", "run_healthy"]


@dataclass(frozen=True)
class Outcome:
    """The outcome of one fault.

    Attributes:
        reached: how often the faulty statement was reached.
        red: claims, or tests, that noticed, with what they said.
        crashed: claims, or tests, that raised.
        seconds: time.
    """

    fault: Fault
    reached: int
    red: dict[str, str]
    crashed: list[str]
    seconds: float

    @property
    def caught(self) -> bool:
        """True where the fault ran, and some claim came to another verdict or key value, or its test failed."""
        return self.reached > 0 and bool(self.red)


@dataclass
class Result:
    """Healthy runs before and after (what is red in each; both should be empty), and an outcome per fault."""

    claims: list[str]
    tests: list[str] = field(default_factory=list)
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """True where every fault was caught and the healthy runs were green."""
        return not self.before and not self.after and all(outcome.caught for outcome in self.outcomes)

    def as_json(self) -> dict[str, object]:
        """Plain data for a report."""
        return {
            "passed": self.passed,
            "claims": self.claims,
            "tests": self.tests,
            "before": self.before,
            "after": self.after,
            "faults": [
                {
                    "name": o.fault.name,
                    "words": o.fault.words,
                    "where": f"{o.fault.module}:{o.fault.function}",
                    "change": f"{o.fault.old.strip()} -> {o.fault.new.strip()}",
                    "test": o.fault.test,
                    "reached": o.reached,
                    "caught": o.caught,
                    "caught_by": o.red,
                    "crashed": o.crashed,
                    "seconds": round(o.seconds, 2),
                }
                for o in self.outcomes
            ],
        }


def run_healthy(claims: Sequence[Claim], options: Options) -> Document:
    """The claims' document without a fault, in this process."""
    records = [execute(claim, options.context(claim.id)) for claim in claims]
    return build_document(records, options, 0.0)


def run_faults(
    claims: Sequence[Claim],
    faults: Sequence[Fault],
    options: Options,
    on_outcome: Callable[[Outcome], None] = lambda outcome: None,
    until_noticed: bool = False,
) -> Result:
    """Inject every fault in turn and run the claims, between two healthy runs.

    Args:
        claims: fast ones, or all of them.
        faults: each is tried on all claims.
        options: profile, seed and data.
        on_outcome: called as outcomes come.
        until_noticed: leave out the claims after the first that notices, the quickest being tried first.
    """
    result = Result([claim.id for claim in claims])
    clear_caches()
    healthy = run_healthy(claims, options)
    known = baseline_of(healthy)
    result.before, _ = _red(healthy, known)
    if until_noticed:
        seconds = {claim["id"]: claim["seconds"] for claim in healthy["claims"]}
        claims = sorted(claims, key=lambda claim: seconds[claim.id])
    for fault in faults:
        start = time.perf_counter()
        red: dict[str, str] = {}
        crashed: list[str] = []
        with inject(fault) as reached:
            for some in [[claim] for claim in claims] if until_noticed else [claims]:
                found, broken = _red(run_healthy(some, options), known)
                red, crashed = red | found, crashed + broken
                if until_noticed and red:
                    break
        outcome = Outcome(fault, reached.count, red, crashed, time.perf_counter() - start)
        result.outcomes.append(outcome)
        on_outcome(outcome)
    clear_caches()
    result.after, _ = _red(run_healthy(claims, options), known)
    return result


def _red(document: Document, known: BaselineRecord) -> tuple[dict[str, str], list[str]]:
    """Claims that noticed (not by crashing), with the reason, and claims that crashed."""
    differences = compare_with_baseline(document, known, "the healthy run")["by_claim"]
    red, crashed = {}, []
    for claim in document["claims"]:
        if claim["error"] is not None:
            crashed.append(claim["id"])
        elif not claim["as_expected"]:
            red[claim["id"]] = f"{claim['verdict']}, expected {claim['expected']}"
        elif claim["id"] in differences:
            red[claim["id"]] = differences[claim["id"]][0]
    return red, crashed
