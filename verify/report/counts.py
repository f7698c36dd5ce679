"""Sentences that list counts by reading, taken apart into a table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from verify.framework.record import EvidenceRecord

__all__ = ["Counted", "counted", "settings_of"]


class Counted(NamedTuple):
    """A text with one list of counts taken out of it: what stands before it, (reading, count) rows, what follows."""

    before: str
    rows: list[tuple[str, str]]
    after: str


def settings_of(evidence: EvidenceRecord) -> list[str]:
    """The readings of a claim as its sentences name them: "exact, activation-last, gaussian"."""
    parts = [(reading["method"], reading["order"], reading["embedding"]) for reading in evidence["readings"]]
    return [", ".join(part for part in named if part) for named in parts]


def counted(text: str, settings: Sequence[str]) -> Counted:
    """A text whose list "45 in SETTING, 128 in SETTING, ..." or "617 (SETTING), ..." of three or more is taken out.

    Args:
        text: a summary or a note of a claim.
        settings: the words of the readings that there are, as "exact, activation-last, gaussian".

    Returns:
        The parts; no rows where there is no such list.
    """
    words = "|".join(re.escape(name) for name in sorted(set(settings), key=len, reverse=True) if "," in name)
    if not words:
        return Counted(text, [], "")
    item = rf"(\d[\d,]*(?: of \d[\d,]*)?(?: DAGs)?) (?:in (?=\w)|\()({words})(?:, \d+ nodes)?\)?"
    found = re.search(rf"{item}(?:, {item}){{2,}}", text)
    if found is None:
        return Counted(text, [], "")
    rows = [(match[2], match[1]) for match in re.finditer(item, found[0])]
    before = re.sub(r"[:\s]+$", "", text[: found.start()])
    return Counted(before, rows, text[found.end() :].lstrip(" .;,"))
