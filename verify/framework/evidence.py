"""Evidence: the findings of a claim with their numbers, and what else each verdict has to show.

Everything is checked where a claim makes it, and is written to report.json as plain data
(`verify.framework.record`).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from verify.framework.checks import as_number, case, instances, plain, text
from verify.framework.control import Control
from verify.framework.errors import EvidenceError
from verify.framework.finding import Finding
from verify.framework.plots.plot import Plot
from verify.framework.table import Table
from verify.framework.verdict import Verdict, overall_verdict

__all__ = ["NEEDED", "Evidence", "KeyValue"]

NEEDED: dict[str, tuple[str, ...]] = {
    Verdict.CONDITIONAL: ("condition", "inside", "outside"),
    Verdict.REFUTED: ("condition", "counterexample"),
    Verdict.INCONCLUSIVE: ("would_decide",),
}
"""The fields that each verdict has to show beside its findings. Claims may give more, in case another comes out."""


@dataclass(frozen=True)
class KeyValue:
    """A number that a baseline records: a later run must come within `tolerance` (relative) plus `absolute` of it.

    Raises:
        EvidenceError: no number, or a tolerance that is negative or undefined.
    """

    value: float | int | None
    tolerance: float = 1e-6
    absolute: float = 0.0

    def __post_init__(self) -> None:
        value = as_number(self.value, "a key value")
        if value is not None and abs(value) > sys.float_info.max:
            raise EvidenceError("a key value: an integer beyond float64")
        object.__setattr__(self, "value", value)
        for name in ("tolerance", "absolute"):
            allowed = as_number(getattr(self, name), f"{name} of a key value")
            if allowed is None or allowed < 0:
                raise EvidenceError(f"{name} of a key value: expected a number of at least 0")
            object.__setattr__(self, name, allowed)


@dataclass(frozen=True)
class Evidence:
    """All that a claim returns.

    Attributes:
        findings: one entry for every reading tried; the verdict follows from them.
        summary: one or two sentences for people: what was compared, on how many inputs, with what error.
        condition: the (structural) condition under which the statement is true, needed for `holds-conditionally` and
        `refuted`. inside, outside: for `holds-conditionally`, a case that meets the condition and one that does not.
        counterexample: for `refuted`, the smallest counterexample, its margin and how it was confirmed.
        would_decide: for `inconclusive`, what would decide it.
        certificates: interval-arithmetic certificates (`nngp_dag.proofs`), each re-checkable alone; those that
        findings name are among them.
        controls: neighbouring statements on which the evidence shows that it discriminates.
        tables: tables to show.
        plots: plots to draw (`verify.framework.plots`).
        key_values: numbers that a baseline records.
        notes: further observations, one sentence each.

    Raises:
        EvidenceError: a field of another type.
    """

    findings: Sequence[Finding]
    summary: str
    condition: str = ""
    inside: Mapping[str, object] | None = None
    outside: Mapping[str, object] | None = None
    counterexample: Mapping[str, object] | None = None
    would_decide: str = ""
    certificates: Sequence[Mapping[str, object]] = ()
    controls: Sequence[Control] = ()
    tables: Sequence[Table] = ()
    plots: Sequence[Plot] = ()
    key_values: Mapping[str, KeyValue] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name in ("summary", "condition", "would_decide"):
            text(getattr(self, name), name)
        for name in ("inside", "outside", "counterexample"):
            object.__setattr__(self, name, case(getattr(self, name), name))
        kinds = (
            ("findings", Finding),
            ("tables", Table),
            ("plots", Plot),
            ("notes", str),
            ("certificates", Mapping),
            ("controls", Control),
        )
        for name, kind in kinds:
            object.__setattr__(self, name, instances(getattr(self, name), kind, name))
        for certificate in self.certificates:
            plain(certificate, "certificates")
        if not isinstance(self.key_values, Mapping):
            raise EvidenceError(f"key_values: expected a mapping, got {type(self.key_values).__name__}")
        instances([text(name, "name of a key value") for name in self.key_values], str, "key_values")
        instances(self.key_values.values(), KeyValue, "key_values")

    def verdict(self) -> Verdict:
        """The verdict of the findings, once this evidence shows what that verdict needs.

        Raises:
            EvidenceError: something that the verdict needs is missing.
        """
        failed = self.failed_controls
        verdict = overall_verdict(self.findings, controls=not failed)
        missing = self._missing(verdict)
        if missing:
            raise EvidenceError(f"the readings say {verdict}, but the evidence lacks {', '.join(missing)}")
        return verdict

    @property
    def failed_controls(self) -> list[Control]:
        """The controls on which the evidence went wrong."""
        return [control for control in self.controls if not control.passed]

    def _missing(self, verdict: Verdict) -> list[str]:
        missing = []
        for finding in self.findings:
            if finding.holds is None:
                continue
            if finding.cases < 1 and not finding.proof:
                missing.append(f"the number of cases of {finding.name()!r}")
            if finding.tolerance is None and finding.confidence is None and not finding.proof:
                missing.append(f"a tolerance or a confidence level for {finding.name()!r}")
        missing += self._missing_of_proofs()
        missing += [name for name in NEEDED.get(verdict, ()) if not getattr(self, name)]
        shown = set(self.counterexample or {"margin", "confirmed"})
        if verdict is Verdict.REFUTED and not {"margin", "confirmed"} <= shown:
            missing.append("margin and confirmation of the counterexample")
        return missing

    def _missing_of_proofs(self) -> list[str]:
        held = {certificate.get("id") for certificate in self.certificates}
        missing = []
        for finding in self.findings:
            if finding.proof is None:
                continue
            if finding.proof.page and finding.cases < 1:
                missing.append(f"the exhaustive check beside the written proof of {finding.name()!r}")
            absent = [name for name in finding.proof.certificates if name not in held]
            missing += [f"certificate {name} of {finding.name()!r}" for name in absent]
        return missing
