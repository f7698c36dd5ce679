"""Records: what claims came to as plain data, as report.json and the files of an unfinished run hold it.

docs/report-schema.md says what each field is. Undefined numbers are None.
"""

from __future__ import annotations

import dataclasses
from typing import NotRequired, TypedDict, cast

from verify.framework.checks import plain
from verify.framework.evidence import Evidence
from verify.framework.finding import Finding

__all__ = [
    "BaselineClaim",
    "BaselineComparison",
    "BaselineRecord",
    "ClaimRecord",
    "ControlRecord",
    "Document",
    "ErrorRecord",
    "EvidenceRecord",
    "FindingRecord",
    "KeyValueRecord",
    "PaperRecord",
    "RunRecord",
    "TableRecord",
    "Unexpected",
    "evidence_record",
]


class FindingRecord(TypedDict):
    """The outcome of one reading (`verify.framework.finding.Finding`), with its name in words.

    `proof` says in words how it was proved, `certificates` which ones prove it.
    """

    name: str
    holds: bool | None
    order: str | None
    embedding: str | None
    method: str | None
    activation: str | None
    label: str
    proof: str
    certificates: list[str]
    cases: int
    tolerance: float | None
    worst: float | None
    confidence: float | None
    detail: str
    counterexample: dict[str, object] | None


class ControlRecord(TypedDict):
    """A control (`verify.framework.control.Control`), with its outcome in words."""

    statement: str
    truth: bool
    passed: bool
    outcome: str
    detail: str
    worst: float | None
    tolerance: float | None
    cases: int


class TableRecord(TypedDict):
    """A table (`verify.framework.table.Table`)."""

    title: str
    columns: list[str]
    rows: list[list[object]]


class KeyValueRecord(TypedDict):
    """A number that a baseline records (`verify.framework.evidence.KeyValue`)."""

    value: float | None
    tolerance: float
    absolute: float


class EvidenceRecord(TypedDict):
    """The evidence of a claim (`verify.framework.evidence.Evidence`); each of `readings` is a finding."""

    readings: list[FindingRecord]
    summary: str
    condition: str
    inside: dict[str, object] | None
    outside: dict[str, object] | None
    counterexample: dict[str, object] | None
    would_decide: str
    certificates: list[dict[str, object]]
    controls: list[ControlRecord]
    tables: list[TableRecord]
    plots: list[dict[str, object]]
    key_values: dict[str, KeyValueRecord]
    notes: list[str]


class ErrorRecord(TypedDict):
    """Why a claim crashed."""

    reason: str
    traceback: str


class ClaimRecord(TypedDict):
    """A claim, its verdict and its evidence: an entry of `claims` in report.json."""

    id: str
    title: str
    paper: str | None
    source: str
    statement: str
    latex: str
    settings: dict[str, str]
    verdict: str
    expected: str | None
    as_expected: bool
    seed: int
    seconds: float
    evidence: EvidenceRecord
    error: ErrorRecord | None


class PaperRecord(TypedDict):
    """A paper of which a run has claims (`verify.framework.paper.Paper`)."""

    name: str
    title: str
    reference: str
    url: str


class RunRecord(TypedDict):
    """The claims of a run, and what they depend on."""

    profile: str
    seed: int
    data: str
    claims: list[ClaimRecord]


class BaselineClaim(TypedDict):
    """A claim in a baseline file: beside its verdict and key values the names of its readings, and what its controls
    state; earlier files have neither of these.
    """

    verdict: str
    key_values: dict[str, KeyValueRecord]
    readings: NotRequired[list[str]]
    controls: NotRequired[list[str]]


class BaselineRecord(TypedDict):
    """A baseline file: the verdicts and key values of a recorded run."""

    schema: int
    profile: str
    seed: int
    data: str
    claims: dict[str, BaselineClaim]


class BaselineComparison(TypedDict):
    """The differences of a run from a baseline (`verify.baseline.compare_with_baseline`)."""

    file: str
    passed: bool
    differences: list[str]
    by_claim: dict[str, list[str]]
    new: list[str]


class Unexpected(TypedDict):
    """A claim whose verdict is not the expected one."""

    id: str
    verdict: str
    expected: str | None


class Document(RunRecord):
    """The content of report.json."""

    schema: int
    jobs: int
    started: str
    seconds: float
    resumed: list[str]
    versions: dict[str, str | None]
    hardware: dict[str, str | int | None]
    selection: list[str] | None
    passed: bool
    summary: dict[str, int]
    unexpected: list[Unexpected]
    papers: list[PaperRecord]
    baseline: BaselineComparison | None


def evidence_record(evidence: Evidence) -> EvidenceRecord:
    """The evidence as plain data."""
    fields = {field.name: getattr(evidence, field.name) for field in dataclasses.fields(evidence)}
    findings = fields.pop("findings")
    readings = [{"name": finding.name(), **_fields(finding)} for finding in findings]
    fields["controls"] = [{**vars(control), "outcome": control.outcome} for control in evidence.controls]
    fields["certificates"] = list({c.get("id", i): c for i, c in enumerate(evidence.certificates)}.values())
    fields["tables"] = [vars(table) for table in evidence.tables]
    fields["plots"] = [plot.as_record() for plot in evidence.plots]
    fields["key_values"] = {name: vars(value) for name, value in evidence.key_values.items()}
    return cast(EvidenceRecord, plain({"readings": readings, **fields}, "evidence"))


def _fields(finding: Finding) -> dict[str, object]:
    """The fields of a finding; its setting is there by its names, its proof by words and certificates."""
    proof = finding.proof
    return {
        **{name: value for name, value in vars(finding).items() if name != "setting"},
        "proof": "" if proof is None else proof.words,
        "certificates": [] if proof is None else list(proof.certificates),
    }
