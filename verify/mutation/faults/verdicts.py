"""Faults in the suite itself: verdicts, controls, and reports that are checked again."""

from __future__ import annotations

from verify.mutation.inject import Fault

__all__ = ["FAULTS"]

FAULTS = (
    Fault(
        "controls-ignored",
        "a failed control changes no verdict",
        "verify.framework.verdict",
        "verdict_of",
        "if not controls",
        "if False",
        test="tests/test_verify_framework.py::test_a_failed_control_leaves_every_verdict_open",
    ),
    Fault(
        "one-proof-for-all",
        "one proved reading makes a claim certified",
        "verify.framework.verdict",
        "verdict_of",
        "if all(proved",
        "if any(proved",
        test="tests/test_verify_framework.py::test_the_verdict_follows_from_the_findings",
    ),
    Fault(
        "clearly-false",
        "an error beyond the tolerance, however small, is a refutation",
        "verify.framework.finding",
        "Finding.agreement",
        "error > CLEARLY_FALSE * tolerance",
        "error > tolerance",
        test="tests/test_verify_framework.py::test_an_identity_is_false_only_far_beyond_its_tolerance",
    ),
    Fault(
        "strict-margin",
        "a strict inequality holds at margins within the tolerance",
        "verify.framework.finding",
        "Finding.inequality",
        "(tolerance, -tolerance) if strict",
        "(-tolerance, -tolerance) if strict",
        test="tests/test_verify_framework.py::test_inequalities",
    ),
    Fault(
        "undecided-control",
        "an undecided control counts as rejected",
        "verify.framework.control",
        "Control.rejects",
        "finding.holds is False",
        "finding.holds is not True",
        test="tests/test_verify_framework.py::test_a_control_passes_only_where_it_is_decided",
    ),
    Fault(
        "certificate-of-another",
        "certificates need not be those that the claim needs",
        "verify.framework.needs",
        "lacking",
        "if not need.is_met",
        "if False and not need.is_met",
        test="tests/test_verify_recheck.py::test_a_tampered_report_is_not_confirmed",
    ),
    Fault(
        "readings-gone",
        "a reading that is gone is no difference from a baseline",
        "verify.baseline",
        "_differences",
        'known.get("readings", [])',
        "[]",
        test="tests/test_verify_recheck.py::test_what_a_report_says_of_itself_is_compared",
    ),
    Fault(
        "any-page",
        "any words are a written proof",
        "verify.framework.proof",
        "find_page",
        "path.is_file() and path.stat().st_size",
        "True",
        test="tests/test_verify_recheck.py::test_words_are_no_proof",
    ),
)
