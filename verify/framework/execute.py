"""Run one claim in this process and turn what it returns, or how it fails, into a plain record."""

from __future__ import annotations

import dataclasses
import time
import traceback

from verify.framework.claim import Claim
from verify.framework.context import Context
from verify.framework.errors import EvidenceError, Undecided, reason_of
from verify.framework.evidence import Evidence
from verify.framework.proof import find_page
from verify.framework.record import ClaimRecord, ErrorRecord, EvidenceRecord, evidence_record
from verify.framework.verdict import Verdict, overall_verdict

__all__ = ["crash_record", "execute", "record_of"]


def execute(claim: Claim, context: Context) -> ClaimRecord:
    """Check a claim and return its record (an entry of `claims` in report.json); what it raises becomes `crashed`."""
    start = time.perf_counter()
    try:
        evidence, verdict = _checked(claim, context)
        record = evidence_record(evidence)
        _check_proofs(claim, context, evidence, record)
    except Exception as error:  # the boundary that keeps one claim's failure from the others
        reason = reason_of(error)
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
    if failed := evidence.failed_controls:
        would_decide = "evidence that discriminates; these controls failed: " + " ".join(c.statement for c in failed)
        return dataclasses.replace(evidence, would_decide=would_decide), Verdict.INCONCLUSIVE
    return evidence, evidence.verdict() if verdict == claim.expected else verdict


def _check_proofs(claim: Claim, context: Context, evidence: Evidence, record: EvidenceRecord) -> None:
    """Check that what findings name as their proofs is there, and proves.

    Raises:
        EvidenceError: a written proof without a page, a certificate that is not proved when checked again, or one that
            is of something else than the claim needs.
    """
    for page in sorted({finding.proof.page for finding in evidence.findings if finding.proof and finding.proof.page}):
        if find_page(page, claim.path) is None:
            raise EvidenceError(f"no written proof {page}: neither verify/proofs/{page}.md nor beside the claim's file")
    if record["certificates"]:
        from nngp_dag.datasets.checksum import rows_finder
        from nngp_dag.proofs import recheck
        from verify.framework.needs import lacking

        named = {name for reading in record["readings"] for name in reading["certificates"]}
        find_rows = rows_finder(context.data, context.data_dir)
        for item in (recheck(certificate, find_rows) for certificate in record["certificates"]):
            if item["id"] in named and not item["proved"]:
                raise EvidenceError(f"not proved again ({item['reason']}): {item['statement']}")
        if lines := lacking(record["readings"], record["certificates"], claim.needs):
            raise EvidenceError("; ".join(lines))


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
        "paper": None if claim.paper is None else claim.paper.name,
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
