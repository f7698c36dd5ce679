"""Evidence in words, for pages: values, and what belongs to a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from verify.framework.evidence import NEEDED

__all__ = ["number", "remarks", "sentence"]

_LABELS = {
    "condition": "condition",
    "inside": "case inside",
    "outside": "case outside",
    "counterexample": "counterexample",
    "would_decide": "what would decide it",
}


def remarks(verdict: str, evidence: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """(label, value) of what a verdict has to show (`NEEDED`); nothing for one that has nothing, or for a crash."""
    needed = {str(known): names for known, names in NEEDED.items()}.get(verdict, ())
    return [(_LABELS[name], evidence[name]) for name in needed if evidence[name]]


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
