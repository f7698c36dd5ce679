"""Verdicts, and how the verdict of a claim follows from its findings.

A reading of a claim fixes order, embedding, method and activation; its finding is true, false or undecided. The verdict
is computed from the findings alone, so that no claim can write its own:

- `certified`: every finding is true, each by interval arithmetic, or by a written proof plus an exhaustive check;
- `holds`: every finding is true, numerically or statistically;
- `holds-conditionally`: some finding is true and another false;
- `refuted`: every finding is false;
- `inconclusive`: a finding is undecided and could still change the verdict.

`crashed` is no verdict on the mathematics: the claim raised, ran out of time, or its process died.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

from verify.framework.finding import Finding

__all__ = ["Verdict", "overall_verdict"]


class Verdict(enum.StrEnum):
    """The vocabulary of verdicts; the values are what reports and baselines carry."""

    CERTIFIED = "certified"
    HOLDS = "holds"
    CONDITIONAL = "holds-conditionally"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"
    CRASHED = "crashed"


def overall_verdict(findings: Iterable[Finding]) -> Verdict:
    """The verdict that a claim's findings amount to; without findings it is inconclusive."""
    findings = list(findings)
    outcomes = {finding.holds for finding in findings}
    if outcomes == {True}:
        return Verdict.CERTIFIED if all(finding.proof for finding in findings) else Verdict.HOLDS
    if outcomes == {False}:
        return Verdict.REFUTED
    if {True, False} <= outcomes:
        return Verdict.CONDITIONAL
    return Verdict.INCONCLUSIVE
