"""Verdicts, and how the verdict of a claim follows from its findings.

A reading of a claim fixes order, embedding, method and activation; its finding is true, false or undecided. The verdict
is computed from the findings alone, so that no claim can write its own:

- `certified`: every finding is true, each by certificates of interval arithmetic, or by a written proof plus an
  exhaustive check;
- `holds`: every finding is true, numerically or statistically;
- `holds-conditionally`: some finding is true and another false;
- `refuted`: every finding is false;
- `inconclusive`: a finding is undecided and could still change the verdict, or a control failed.

`crashed` is no verdict on the mathematics: the claim raised, ran out of time, or its process died.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence

from verify.framework.finding import Finding

__all__ = ["Verdict", "overall_verdict", "verdict_of"]


class Verdict(enum.StrEnum):
    """The vocabulary of verdicts; the values are what reports and baselines carry."""

    CERTIFIED = "certified"
    HOLDS = "holds"
    CONDITIONAL = "holds-conditionally"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"
    CRASHED = "crashed"


def overall_verdict(findings: Iterable[Finding], controls: bool = True) -> Verdict:
    """The verdict that a claim's findings amount to; without findings it is inconclusive.

    Args:
        findings: one per reading.
        controls: whether every control passed.
    """
    return verdict_of([(finding.holds, finding.proof is not None) for finding in findings], controls)


def verdict_of(outcomes: Sequence[tuple[bool | None, bool]], controls: bool = True) -> Verdict:
    """The verdict of readings given as pairs: the outcome, and whether it is proved."""
    holds = {outcome for outcome, _ in outcomes}
    if not controls:
        return Verdict.INCONCLUSIVE
    if holds == {True}:
        return Verdict.CERTIFIED if all(proved for _, proved in outcomes) else Verdict.HOLDS
    if holds == {False}:
        return Verdict.REFUTED
    if {True, False} <= holds:
        return Verdict.CONDITIONAL
    return Verdict.INCONCLUSIVE
