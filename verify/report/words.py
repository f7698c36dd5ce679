"""Evidence in words, for pages: values, and what belongs to a verdict."""

from __future__ import annotations

import re
from collections.abc import Mapping

from verify.framework.evidence import NEEDED
from verify.framework.record import EvidenceRecord, FindingRecord

__all__ = ["OUTCOMES", "claims_text", "expected", "number", "outcome", "printable", "sentence", "verdict_remarks"]

OUTCOMES = {True: "true", False: "false", None: "undecided"}
"""The outcome of a reading in words, by its `holds`."""

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")

_LABELS = {
    "condition": "condition",
    "inside": "case inside",
    "outside": "case outside",
    "counterexample": "counterexample",
    "would_decide": "what would decide it",
}


def verdict_remarks(verdict: str, evidence: EvidenceRecord) -> list[tuple[str, object]]:
    """(label, value) of what a verdict has to show (`NEEDED`); nothing for one that has nothing, or for a crash."""
    shown: Mapping[str, object] = dict(evidence)
    return [(_LABELS[name], shown[name]) for name in NEEDED.get(verdict, ()) if shown[name]]


def outcome(reading: FindingRecord) -> str:
    """The outcome of a reading, with its proof if it has one: `true (interval arithmetic)`."""
    return OUTCOMES[reading["holds"]] + (f" ({reading['proof']})" if reading["proof"] else "")


def number(value: object, digits: int = 5) -> str:
    """A table cell: floats with up to so many significant digits, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def sentence(value: object, digits: int = 5) -> str:
    """A mapping in words: `code: 1_11, margin: 2`."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {number(item, digits)}" for key, item in value.items())
    return str(value)


def expected(verdict: str | None) -> str:
    """The verdict that is expected, in words; of a claims file that cannot be imported none is known."""
    return verdict or "a verdict"


def claims_text(number: int) -> str:
    """So many claims in words: `1 claim`, `40 claims`."""
    return f"{number} claim{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """Text with its control characters, lone surrogates and noncharacters as escapes; lines and tabs stay as they are.

    None of them may stand in XML or UTF-8, and a terminal obeys some.
    """
    return _UNPRINTABLE.sub(lambda match: match.group().encode("unicode_escape", "backslashreplace").decode(), text)
