"""Claims in the order in which their paper states them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from verify.framework.record import ClaimRecord

__all__ = ["in_order", "place", "short_source"]

_CONNECTIVITY = (
    *("Section 3.1", "Eq. 1", "Eq. 2", "Section 3.2", "Theorem 3.1", "Eq. 3", "Remark 3.2", "Lemma 3.1"),
    *("Section 3.3", "Lemma 3.2", "Eq. 4", "Remark 3.3", "Remark 3.4", "Lemma 3.3", "Eq. 5"),
    *("Eq. 6", "Eq. 7", "Eq. 8", "Eq. 9", "Eq. 10", "Eq. 11", "Section 3.3, conclusion", "Eq. 12"),
    *("Section 4", "Definition 4.1", "Eq. 13", "Remark 4.2"),
    *("Section 5.1", "Figure 4", "Section 5.2", "Figure 5", "Remark 5.1", "Section 5.3", "Table 1", "Table 2"),
    "Table 3",
)
_PLACES = {"connectivity": _CONNECTIVITY}
"""By name of a paper: its places from beginning to end. Claims of other papers keep the order in which they come."""

_PLACE = re.compile(
    r"Section 3\.3, conclusion|(?:Section|Theorem|Lemma|Remark|Definition|Figure|Table) \d+(?:\.\d+)?|Eq\. \d+"
)


def place(claim: ClaimRecord) -> int:
    """The number of a claim's place in its paper; beyond all others where its source names none that is known.

    It is the first place that the source names, or what a subsection that comes first narrows down to.
    """
    places = _PLACES.get(claim["paper"] or "", ())
    named = [name for name in _PLACE.findall(claim["source"]) if name in places]
    if len(named) > 1 and re.fullmatch(r"Section \d\.\d", named[0]):
        named = named[1:]
    return places.index(named[0]) if named else len(places)


def in_order(claims: Sequence[ClaimRecord]) -> list[ClaimRecord]:
    """Claims as their papers have them; those of one place, or of no known one, as they come."""
    return sorted(claims, key=place)


def short_source(source: str) -> str:
    """The place alone, for a list of links: without remarks in brackets, quotations and what follows a comma."""
    return re.split(r"[,(:']", source)[0].strip() or source
