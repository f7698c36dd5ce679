"""Evidence read back out of a report: findings and controls made again, with the checks that they passed then."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import TypeVar, cast

from verify.framework.checks import text
from verify.framework.control import Control
from verify.framework.errors import EvidenceError
from verify.framework.evidence import Evidence, KeyValue
from verify.framework.finding import Finding
from verify.framework.proof import INTERVALS, Proof, page_of
from verify.framework.record import evidence_record
from verify.framework.table import Table

__all__ = ["Stored", "differences", "read_evidence"]

_T = TypeVar("_T")

Stored = Mapping[str, object]
"""An object of a report, whose form shows while it is read."""

_WORDS = ("summary", "condition", "inside", "outside", "counterexample", "would_decide", "notes")


def read_evidence(record: Stored) -> Evidence:
    """The evidence of a report's claim, without its plots.

    Raises:
        EvidenceError: a field is absent, or is none that evidence may have.
    """
    certificates = _objects(record, "certificates")
    if not all(isinstance(certificate.get("id", ""), str) for certificate in certificates):
        raise EvidenceError("the id of a certificate is text")
    _objects(record, "plots")
    values = _field(record, "key_values")
    if not isinstance(values, Mapping) or not all(isinstance(value, Mapping) for value in values.values()):
        raise EvidenceError("key_values are objects by name")
    return Evidence(
        findings=[_finding(reading) for reading in _objects(record, "readings")],
        certificates=certificates,
        controls=[_make(Control, control) for control in _objects(record, "controls")],
        tables=[_make(Table, table) for table in _objects(record, "tables")],
        key_values={name: _make(KeyValue, value) for name, value in values.items()},
        **{name: _field(record, name) for name in _WORDS},  # type: ignore[arg-type]
    )


def differences(record: Stored, evidence: Evidence) -> list[str]:
    """The readings and controls of a report that say otherwise than what was read from them, one line each."""
    again = cast("Stored", evidence_record(evidence))
    lines = []
    for key, one in (("readings", "reading"), ("controls", "control")):
        pairs = zip(_objects(record, key), _objects(again, key), strict=True)
        for number, (found, made) in enumerate(pairs, start=1):
            names = [name for name in (*made, *(found.keys() - made.keys())) if _text(found, name) != _text(made, name)]
            lines += [f"{one} {number}: its {name[:40]} is not what its other fields say" for name in names]
    return lines


def _finding(record: Stored) -> Finding:
    text(_field(record, "name"), "name of a reading")
    return _make(Finding, record, {"setting": None, "proof": _proof(record)})


def _proof(record: Stored) -> Proof | None:
    """The proof that a reading names; None where its words and certificates name none."""
    words, ids = _field(record, "proof"), _field(record, "certificates")
    if not isinstance(words, str) or not isinstance(ids, list) or not all(isinstance(name, str) for name in ids):
        raise EvidenceError("a reading has its proof in words, and a list of certificates' ids")
    if ids:
        return Proof(certificates=tuple(ids)) if words == INTERVALS else None
    return Proof.written(page_of(words)) if page_of(words) else None


def _make(kind: type[_T], record: Stored, given: Stored | None = None) -> _T:
    """An instance of a dataclass with the fields of a record, and those that are given."""
    given = given or {}
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    try:
        return kind(**{name: given[name] if name in given else _field(record, name) for name in names})
    except (TypeError, ValueError) as error:
        raise EvidenceError(f"a {kind.__name__.lower()} that is none: {error}") from None


def _field(record: Stored, name: str) -> object:
    if name not in record:
        raise EvidenceError(f"{name} is absent")
    return record[name]


def _objects(record: Stored, name: str) -> list[Stored]:
    found = _field(record, name)
    if not isinstance(found, list) or not all(isinstance(item, Mapping) for item in found):
        raise EvidenceError(f"{name} are a list of objects")
    return found


def _text(record: Stored, name: str) -> str:
    """A field as JSON, in which 1 and true differ; empty where it is absent."""
    return json.dumps(record[name], sort_keys=True) if name in record else ""
