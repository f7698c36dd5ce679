"""Values of evidence in words, for pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["number", "remarks", "sentence"]

_REMARKS = {
    "condition": ("condition", {"holds-conditionally", "refuted"}),
    "inside": ("case inside", {"holds-conditionally"}),
    "outside": ("case outside", {"holds-conditionally"}),
    "counterexample": ("counterexample", {"holds-conditionally", "refuted"}),
    "would_decide": ("what would decide it", {"inconclusive"}),
}
"""Label of each part of the evidence, and the verdicts that it belongs to."""


def remarks(verdict: str, evidence: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """(label, value) of what a verdict has to show: claims may give more, in case another verdict comes out."""
    return [(label, evidence[key]) for key, (label, of) in _REMARKS.items() if verdict in of and evidence[key]]


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
