"""Verdicts, and how the verdict of a claim follows from its readings.

A *reading* fixes order, embedding, method and activation; it comes out true, false or undecided. The verdict is
computed from the readings alone, so that no claim can write its own:

- `certified`: every reading is true, each by interval arithmetic, or by a written proof plus an exhaustive check;
- `holds`: every reading is true, numerically or statistically;
- `holds-conditionally`: some reading is true and another false;
- `refuted`: every reading is false;
- `inconclusive`: a reading is undecided and could still change the verdict.

`crashed` is no verdict on the mathematics: the claim raised, ran out of time, or its process died.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verify.framework.evidence import Reading

__all__ = ["Verdict", "overall_verdict"]


class Verdict(enum.StrEnum):
    """The vocabulary of verdicts; the values are what reports and baselines carry."""

    CERTIFIED = "certified"
    HOLDS = "holds"
    CONDITIONAL = "holds-conditionally"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"
    CRASHED = "crashed"


def overall_verdict(readings: Iterable[Reading]) -> Verdict:
    """The verdict that a claim's readings amount to; without readings it is inconclusive."""
    readings = list(readings)
    outcomes = {reading.holds for reading in readings}
    if outcomes == {True}:
        return Verdict.CERTIFIED if all(reading.proof for reading in readings) else Verdict.HOLDS
    if outcomes == {False}:
        return Verdict.REFUTED
    if {True, False} <= outcomes:
        return Verdict.CONDITIONAL
    return Verdict.INCONCLUSIVE
