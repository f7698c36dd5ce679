"""Evidence in words, for pages: values, and what belongs to a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from verify.framework.evidence import NEEDED

__all__ = ["OUTCOMES", "number", "outcome", "remarks", "sentence"]

OUTCOMES = {True: "true", False: "false", None: "undecided"}
"""How a reading came out, by its `holds`."""

_LABELS = {
    "condition": "condition",
    "inside": "case inside",
    "outside": "case outside",
    "counterexample": "counterexample",
    "would_decide": "what would decide it",
}


def remarks(verdict: str, evidence: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """(label, value) of what a verdict has to show (`NEEDED`); nothing for one that has nothing, or for a crash."""
    return [(_LABELS[name], evidence[name]) for name in NEEDED.get(verdict, ()) if evidence[name]]


def outcome(reading: Mapping[str, Any]) -> str:
    """How a reading came out, with its proof if it has one: `true (interval arithmetic)`."""
    return OUTCOMES[reading["holds"]] + (f" ({reading['proof']})" if reading["proof"] else "")


def number(value: Any, digits: int = 5) -> str:
    """A table cell: floats with up to so many significant digits, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def sentence(value: Any, digits: int = 5) -> str:
    """A mapping in words: `code: 1_11, margin: 2`."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {number(item, digits)}" for key, item in value.items())
    return str(value)
