"""Run one claim in this process and turn what it returns, or how it fails, into a plain record."""

from __future__ import annotations

import time
import traceback

from verify.framework.claim import Claim
from verify.framework.context import Context
from verify.framework.errors import EvidenceError, Undecided
from verify.framework.evidence import Evidence
from verify.framework.record import ClaimRecord, ErrorRecord, EvidenceRecord, evidence_record
from verify.framework.verdict import Verdict, overall_verdict

__all__ = ["crash_record", "execute", "record_of"]


def execute(claim: Claim, context: Context) -> ClaimRecord:
    """Check a claim and return its record (an entry of `claims` in report.json); what it raises becomes `crashed`."""
    start = time.perf_counter()
    try:
        evidence, verdict = _checked(claim, context)
        record = evidence_record(evidence)
    except Exception as error:  # the boundary that keeps one claim's failure from the others
        reason = f"{type(error).__name__}: {error}"
        return crash_record(claim, context, reason, time.perf_counter() - start, traceback.format_exc())
    return record_of(claim, context, verdict, time.perf_counter() - start, record)


def _checked(claim: Claim, context: Context) -> tuple[Evidence, Verdict]:
    """A claim's evidence and verdict.

    A claim cannot have its evidence ready for another verdict than it expects: what that one needs is not asked for.
    """
    try:
        evidence = claim.check(context)
    except Undecided as undecided:
        would_decide = "a look at why: what this claim takes for granted is not so"
        return Evidence((), str(undecided), would_decide=would_decide), Verdict.INCONCLUSIVE
    if not isinstance(evidence, Evidence):
        raise EvidenceError(f"a claim returns Evidence, got {type(evidence).__name__}")
    verdict = overall_verdict(evidence.findings)
    return evidence, evidence.verdict() if verdict == claim.expected else verdict


def crash_record(claim: Claim, context: Context, reason: str, seconds: float, trace: str = "") -> ClaimRecord:
    """The record of a claim that came to no verdict: `crashed`, with the reason."""
    empty = evidence_record(Evidence(findings=(), summary=""))
    return record_of(claim, context, Verdict.CRASHED, seconds, empty, {"reason": reason, "traceback": trace})


def record_of(
    claim: Claim,
    context: Context,
    verdict: Verdict,
    seconds: float,
    evidence: EvidenceRecord,
    error: ErrorRecord | None = None,
) -> ClaimRecord:
    """An entry of `claims` in report.json."""
    return {
        "id": claim.id,
        "title": claim.title,
        "source": claim.source,
        "statement": claim.statement,
        "latex": claim.latex,
        "settings": dict(claim.settings),
        "verdict": str(verdict),
        "expected": str(claim.expected),
        "as_expected": verdict == claim.expected,
        "seed": context.seed,
        "seconds": round(seconds, 3),
        "evidence": evidence,
        "error": error,
    }
