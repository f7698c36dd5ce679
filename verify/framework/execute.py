"""Run one claim in this process and turn what it returns, or how it fails, into a plain record."""

from __future__ import annotations

import dataclasses
import time
import traceback
from typing import Any

from nngp_dag.support.strict_json import strict_json
from verify.framework.claim import Claim
from verify.framework.context import Context
from verify.framework.evidence import Evidence, EvidenceError, KeyFigure, Reading, Undecided
from verify.framework.verdict import Verdict, overall_verdict

__all__ = ["crash_record", "execute", "record_of"]


def execute(claim: Claim, context: Context) -> dict[str, Any]:
    """Check a claim and return its record (an entry of `claims` in report.json); what it raises becomes `crashed`."""
    start = time.perf_counter()
    try:
        evidence = claim.check(context)
        if not isinstance(evidence, Evidence):
            raise EvidenceError(f"a claim returns Evidence, got {type(evidence).__name__}")
        verdict = evidence.verdict() if overall_verdict(evidence.readings) == claim.expected else _surprise(evidence)
    except Undecided as undecided:
        evidence = Evidence(
            (), str(undecided), would_decide="a look at why: what this claim takes for granted is not so"
        )
        return record_of(
            claim, context, Verdict.INCONCLUSIVE, time.perf_counter() - start, evidence=_plain(evidence), error=None
        )
    except Exception as error:  # the boundary that keeps one claim's failure from the others
        reason = f"{type(error).__name__}: {error}"
        return crash_record(claim, context, reason, time.perf_counter() - start, traceback.format_exc())
    return record_of(claim, context, verdict, time.perf_counter() - start, evidence=_plain(evidence), error=None)


def _surprise(evidence: Evidence) -> Verdict:
    """The verdict of readings that came out other than expected: a claim cannot have its evidence ready for it."""
    return overall_verdict(evidence.readings)


def crash_record(claim: Claim, context: Context, reason: str, seconds: float, trace: str = "") -> dict[str, Any]:
    """The record of a claim that came to no verdict: `crashed`, with the reason."""
    empty = _plain(Evidence(readings=(), summary=""))
    return record_of(
        claim, context, Verdict.CRASHED, seconds, evidence=empty, error={"reason": reason, "traceback": trace}
    )


def record_of(
    claim: Claim,
    context: Context,
    verdict: Verdict,
    seconds: float,
    evidence: dict[str, Any],
    error: dict[str, str] | None,
) -> dict[str, Any]:
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


def _plain(evidence: Evidence) -> dict[str, Any]:
    fields = {field.name: getattr(evidence, field.name) for field in dataclasses.fields(evidence)}
    fields["readings"] = [{"name": reading.name(), **_fields(reading)} for reading in evidence.readings]
    fields["key_figures"] = {name: _fields(figure) for name, figure in evidence.key_figures.items()}
    plain = strict_json(fields)
    assert isinstance(plain, dict)
    return plain


def _fields(value: Reading | KeyFigure) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
