"""Controls: statements next to a claim's own, whose truth is known, on which its evidence has to show that it
discriminates.

A verdict is worth what its evidence would have rejected. So a claim that is to come out true tries the same evidence
on a neighbouring *false* statement and has to reject it; one that is to come out false tries its search for
counterexamples on a neighbouring *true* statement and has to find none. A control that fails makes the claim
inconclusive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from verify.framework.checks import as_number, text
from verify.framework.errors import EvidenceError
from verify.framework.finding import Finding

__all__ = ["Control"]

_MOST_FALSE = 0.1
"""The largest share of permutations that may look like evidence."""


@dataclass(frozen=True)
class Control:
    """A neighbouring statement, tried with the evidence of the claim.

    Attributes:
        statement: the neighbouring statement, in one sentence.
        truth: what it is known to be: False (has to be rejected) or True (must not be).
        passed: whether the evidence came to that.
        detail: how, with the numbers.
        worst: the error or margin found. tolerance: what it is compared with.
        cases: number of cases tried.

    Raises:
        EvidenceError: a field of another type.
    """

    statement: str
    truth: bool
    passed: bool
    detail: str = ""
    worst: float | None = None
    tolerance: float | None = None
    cases: int = 0

    def __post_init__(self) -> None:
        for name in ("statement", "detail"):
            text(getattr(self, name), f"{name} of a control")
        if not self.statement:
            raise EvidenceError("a control has a statement")
        for name in ("truth", "passed"):
            object.__setattr__(self, name, bool(getattr(self, name)))
        for name in ("worst", "tolerance"):
            object.__setattr__(self, name, as_number(getattr(self, name), f"{name} of a control"))

    @classmethod
    def rejects(cls, statement: str, finding: Finding, detail: str = "") -> Control:
        """A false statement; `finding` is what the evidence says of it, and has to be False."""
        return cls._of(statement, False, finding.holds is False, finding, detail)

    @classmethod
    def keeps(cls, statement: str, finding: Finding, detail: str = "") -> Control:
        """A true statement; `finding` is what the evidence says of it, and has to be True."""
        return cls._of(statement, True, finding.holds is True, finding, detail)

    @classmethod
    def not_proved(cls, statement: str, proved: bool, detail: str = "") -> Control:
        """A false statement that a prover is asked to prove: it has to fail."""
        return cls(statement, truth=False, passed=not proved, detail=detail or ("proved" if proved else "not proved"))

    @classmethod
    def by_chance(cls, statement: str, fooled: Sequence[bool]) -> Control:
        """A statement about permuted data, which is false: so often the evidence of each permutation says it is true.

        One in forty should, by intervals of 95 %; more than one in ten fail.
        """
        mistaken, cases = sum(fooled), len(fooled)
        detail = f"{mistaken} of {cases} permutations look so, by chance"
        return cls(statement, truth=False, passed=mistaken <= _MOST_FALSE * cases, detail=detail, cases=cases)

    @classmethod
    def _of(cls, statement: str, truth: Literal[True, False], passed: bool, finding: Finding, detail: str) -> Control:
        return cls(statement, truth, passed, detail or finding.detail, finding.worst, finding.tolerance, finding.cases)

    @property
    def outcome(self) -> str:
        """The outcome in words."""
        if self.truth:
            return "true, and not refuted" if self.passed else "TRUE, BUT REFUTED"
        return "false, and rejected" if self.passed else "FALSE, BUT NOT REJECTED"
