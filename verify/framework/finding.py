"""Findings: the outcome of one reading of a claim, with the numbers that say so."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict, Unpack

import numpy as np

from nngp_dag.reading import Reading, Setting
from nngp_dag.support.statistics import Estimate
from verify.framework.checks import as_number, case, text
from verify.framework.errors import EvidenceError
from verify.framework.proof import Proof

__all__ = ["CLEARLY_FALSE", "Finding", "examples"]

CLEARLY_FALSE = 1000.0
"""An identity is false only where its error exceeds the tolerance this many times; in between it is undecided."""


class _Words(TypedDict, total=False):
    """Fields of `Finding` beside its numbers."""

    setting: Setting | Reading | None
    order: str | None
    embedding: str | None
    method: str | None
    activation: str | None
    label: str
    confidence: float | None
    detail: str
    counterexample: Mapping[str, object] | None


@dataclass(frozen=True)
class Finding:
    """The outcome of one reading of a claim.

    Attributes:
        holds: True, False, or None where the numbers do not decide.
        setting: the reading, with its method or without.
        order, embedding, method, activation: the names of what is fixed; those of `setting` where it is given, None
        where the statement does not depend on it.
        label: what else distinguishes the reading ("smallest eigenvalue", "MNIST", ...).
        proof: how it was proved (`verify.framework.proof.Proof`); None where it was not.
        cases: number of cases compared.
        tolerance: the largest error that still counts as agreement; for a strict inequality the margin that it must
        exceed. worst: the largest error found, or the smallest margin.
        confidence: confidence level of a statistical finding.
        detail: one sentence with what was compared.
        counterexample: for a false reading, a case outside: code, point and margin.

    Raises:
        EvidenceError: a field of another type.
    """

    holds: bool | None
    setting: Setting | Reading | None = None
    order: str | None = None
    embedding: str | None = None
    method: str | None = None
    activation: str | None = "relu"
    label: str = ""
    proof: Proof | None = None
    cases: int = 0
    tolerance: float | None = None
    worst: float | None = None
    confidence: float | None = None
    detail: str = ""
    counterexample: Mapping[str, object] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.holds, bool | np.bool_ | None):
            raise EvidenceError(f"holds: expected True, False or None, got {type(self.holds).__name__}")
        self._name_setting()
        for name in ("order", "embedding", "method", "activation"):
            if (value := getattr(self, name)) is not None:
                text(value, name)
        for name in ("label", "detail"):
            text(getattr(self, name), name)
        if not isinstance(self.proof, Proof | None):
            raise EvidenceError(f"proof: expected a Proof, got {type(self.proof).__name__}")
        cases = as_number(self.cases, "cases")
        if not isinstance(cases, int):
            raise EvidenceError(f"cases: expected a whole number, got {self.cases!r}")
        object.__setattr__(self, "holds", None if self.holds is None else bool(self.holds))
        object.__setattr__(self, "cases", cases)
        for name in ("tolerance", "worst", "confidence"):
            object.__setattr__(self, name, as_number(getattr(self, name), name))
        object.__setattr__(self, "counterexample", case(self.counterexample, "counterexample"))

    def _name_setting(self) -> None:
        """Take the names of `setting`."""
        if self.setting is None:
            return
        if not isinstance(self.setting, Setting | Reading):
            raise EvidenceError(f"setting: expected Setting or Reading, got {type(self.setting).__name__}")
        names: dict[str, str] = {"order": self.setting.order, "embedding": self.setting.embedding}
        if isinstance(self.setting, Setting):
            names["method"] = self.setting.method
        if any(getattr(self, name) is not None for name in names):
            raise EvidenceError("a finding has a setting, or names, not both")
        names["activation"] = self.setting.activation.name
        for name, value in names.items():
            object.__setattr__(self, name, value)

    @classmethod
    def agreement(
        cls, error: float, *, tolerance: float, cases: int, proof: Proof | None = None, **words: Unpack[_Words]
    ) -> Finding:
        """An identity checked by its largest error over `cases` cases.

        True up to `tolerance`, false beyond `CLEARLY_FALSE` times that, undecided in between or where the error is
        undefined. A proof counts only where the numbers agree.
        """
        holds = None
        if math.isfinite(error):
            holds = True if error <= tolerance else False if error > CLEARLY_FALSE * tolerance else None
        shown = proof if holds else None
        return cls(holds, tolerance=tolerance, worst=float(error), cases=cases, proof=shown, **words)

    @classmethod
    def above(
        cls, value: Estimate, threshold: float, *, cases: int, worst: float | None = None, **words: Unpack[_Words]
    ) -> Finding:
        """A number said to lie above a threshold: true or false where its whole interval says so, else undecided.

        `worst` is the number itself, unless another is given.
        """
        return cls(value.above(threshold), cases=cases, worst=value.value if worst is None else worst, **words)

    @classmethod
    def inequality(
        cls,
        margin: float,
        *,
        tolerance: float,
        cases: int,
        strict: bool = True,
        proof: Proof | None = None,
        **words: Unpack[_Words],
    ) -> Finding:
        """An inequality checked by its smallest margin (left side subtracted from right side) over `cases` cases.

        A strict one is true beyond `tolerance`, false below minus that; one that allows equality is true from minus
        `tolerance` on and false below `-CLEARLY_FALSE * tolerance`. In between it is undecided. A proof counts only
        where the numbers agree.
        """
        holds = None
        if math.isfinite(margin):
            true_from, false_below = (tolerance, -tolerance) if strict else (-tolerance, -CLEARLY_FALSE * tolerance)
            holds = True if margin > true_from else False if margin < false_below else None
            if not strict and margin == true_from:
                holds = True
        shown = proof if holds else None
        return cls(holds, tolerance=tolerance, worst=float(margin), cases=cases, proof=shown, **words)

    def name(self) -> str:
        """The reading in words, for tables: `activation-last, gaussian, exact, relu`, with its label."""
        parts = [part for part in (self.order, self.embedding, self.method, self.activation) if part]
        return ", ".join(parts) + (f" ({self.label})" if self.label and parts else self.label)


def examples(findings: Sequence[Finding]) -> tuple[Finding | None, Finding | None]:
    """The first finding that holds, and the first that does not; None where there is none."""
    true, false = (next((f for f in findings if f.holds is outcome), None) for outcome in (True, False))
    return true, false
