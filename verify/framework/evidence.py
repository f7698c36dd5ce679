"""Evidence: the readings of a claim with their numbers, and what else each verdict has to show.

Everything here is plain data that goes into report.json as it is; figures are given as the data to draw
(`verify.report.figures`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from verify.framework.verdict import Verdict, overall_verdict

__all__ = ["CLEARLY_FALSE", "NEEDED", "Evidence", "EvidenceError", "KeyFigure", "Reading", "Undecided"]

CLEARLY_FALSE = 1000.0
"""An identity is false only where its error exceeds the tolerance this many times; in between it is undecided."""

NEEDED: dict[str, tuple[str, ...]] = {
    Verdict.CONDITIONAL: ("condition", "inside", "outside"),
    Verdict.REFUTED: ("condition", "counterexample"),
    Verdict.INCONCLUSIVE: ("would_decide",),
}
"""What each verdict has to show beside its readings. Claims may give more, in case another verdict comes out."""


class EvidenceError(ValueError):
    """A claim that does not show what its verdict needs. It is reported as crashed, never as a verdict."""


class Undecided(Exception):
    """Raised by a claim that cannot come to a verdict: it is inconclusive, and the message becomes its summary."""


@dataclass(frozen=True)
class Reading:
    """One reading of a claim and how it came out.

    Attributes:
        holds: True, False, or None where the numbers do not decide.
        order, embedding, method, activation: what was fixed; None where the statement does not depend on it.
        label: what else distinguishes the reading ("smallest eigenvalue", "MNIST", ...).
        proof: how it was proved ("interval arithmetic", or a written proof plus the exhaustive check); empty otherwise.
        cases: number of cases compared.
        tolerance: the largest error that still counts as agreement; for a strict inequality the margin that it must
        exceed. worst: the largest error found, or the smallest margin.
        confidence: confidence level of a statistical reading.
        detail: one sentence with what was compared.
        counterexample: for a false reading, a case outside: code, point and margin.
    """

    holds: bool | None
    order: str | None = None
    embedding: str | None = None
    method: str | None = None
    activation: str | None = "relu"
    label: str = ""
    proof: str = ""
    cases: int = 0
    tolerance: float | None = None
    worst: float | None = None
    confidence: float | None = None
    detail: str = ""
    counterexample: Mapping[str, Any] | None = None

    @classmethod
    def agreement(cls, error: float, *, tolerance: float, cases: int, **fields: Any) -> Reading:
        """An identity checked by its largest error over `cases` cases.

        True up to `tolerance`, false beyond `CLEARLY_FALSE` times that, undecided in between or where the error is
        undefined.
        """
        holds = None
        if math.isfinite(error):
            holds = True if error <= tolerance else False if error > CLEARLY_FALSE * tolerance else None
        return cls._settled(holds, tolerance=tolerance, worst=float(error), cases=cases, **fields)

    @classmethod
    def inequality(cls, margin: float, *, tolerance: float, cases: int, strict: bool = True, **fields: Any) -> Reading:
        """An inequality checked by its smallest margin (left side subtracted from right side) over `cases` cases.

        A strict one is true beyond `tolerance`, false below minus that; one that allows equality is true from minus
        `tolerance` on and false below `-CLEARLY_FALSE * tolerance`. In between it is undecided.
        """
        holds = None
        if math.isfinite(margin):
            true_from, false_below = (tolerance, -tolerance) if strict else (-tolerance, -CLEARLY_FALSE * tolerance)
            holds = True if margin > true_from else False if margin < false_below else None
            if not strict and margin == true_from:
                holds = True
        return cls._settled(holds, tolerance=tolerance, worst=float(margin), cases=cases, **fields)

    @classmethod
    def _settled(cls, holds: bool | None, proof: str = "", **fields: Any) -> Reading:
        """A reading whose proof counts only where its numbers agree."""
        return cls(holds, proof=proof if holds else "", **fields)

    def name(self) -> str:
        """The reading in words, for tables: `activation-last, gaussian, exact, relu`, with its label."""
        parts = [part for part in (self.order, self.embedding, self.method, self.activation) if part]
        return ", ".join(parts) + (f" ({self.label})" if self.label and parts else self.label)


@dataclass(frozen=True)
class KeyFigure:
    """A number that a baseline records: a later run must come within `tolerance` (relative) plus `absolute` of it."""

    value: float | int | None
    tolerance: float = 1e-6
    absolute: float = 0.0


@dataclass(frozen=True)
class Evidence:
    """What a claim returns.

    Attributes:
        readings: one entry for every reading tried; the verdict follows from them.
        summary: one or two sentences for people: what was compared, on how many inputs, with what error.
        condition: the (structural) condition under which the statement is true, needed for `holds-conditionally` and
        `refuted`. inside, outside: for `holds-conditionally`, a case that meets the condition and one that does not.
        counterexample: for `refuted`, the smallest counterexample, its margin and how it was confirmed.
        would_decide: for `inconclusive`, what would decide it.
        certificates: interval-arithmetic certificates (`nngp_dag.proofs`), each re-checkable alone.
        tables: {title, columns, rows}.
        figures: data to draw (`verify.report.figures`).
        key_figures: numbers that a baseline records.
        notes: further findings, one sentence each.
    """

    readings: Sequence[Reading]
    summary: str
    condition: str = ""
    inside: Mapping[str, Any] | None = None
    outside: Mapping[str, Any] | None = None
    counterexample: Mapping[str, Any] | None = None
    would_decide: str = ""
    certificates: Sequence[Mapping[str, Any]] = ()
    tables: Sequence[Mapping[str, Any]] = ()
    figures: Sequence[Mapping[str, Any]] = ()
    key_figures: Mapping[str, KeyFigure] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def verdict(self) -> Verdict:
        """The verdict of the readings, once this evidence shows what that verdict needs.

        Raises:
            EvidenceError: something that the verdict needs is missing.
        """
        verdict = overall_verdict(self.readings)
        missing = self._missing(verdict)
        if missing:
            raise EvidenceError(f"the readings say {verdict}, but the evidence lacks {', '.join(missing)}")
        return verdict

    def _missing(self, verdict: Verdict) -> list[str]:
        missing = []
        for reading in self.readings:
            if reading.holds is None:
                continue
            if reading.cases < 1 and not reading.proof:
                missing.append(f"the number of cases of {reading.name()!r}")
            if reading.tolerance is None and reading.confidence is None and not reading.proof:
                missing.append(f"a tolerance or a confidence level for {reading.name()!r}")
        missing += [name for name in NEEDED.get(verdict, ()) if not getattr(self, name)]
        if (
            verdict is Verdict.REFUTED
            and self.counterexample
            and not {"margin", "confirmed"} <= set(self.counterexample)
        ):
            missing.append("margin and confirmation of the counterexample")
        return missing
