"""Claims grouped by the paper that states them, as every report shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from verify.framework.record import PaperRecord

__all__ = ["OTHERS", "by_paper", "heading"]

OTHERS = "Claims of no paper"
"""Heading of the claims that name none."""

_Claim = TypeVar("_Claim", bound=Mapping[str, object])


def by_paper(claims: Sequence[_Claim], papers: Sequence[PaperRecord]) -> list[tuple[PaperRecord | None, list[_Claim]]]:
    """The claims (records, of which `paper` names the paper) of each paper in turn, then those of none of them."""
    known = {paper["name"] for paper in papers}
    groups: list[tuple[PaperRecord | None, list[_Claim]]] = [
        (paper, [claim for claim in claims if claim["paper"] == paper["name"]]) for paper in papers
    ]
    groups.append((None, [claim for claim in claims if claim["paper"] not in known]))
    return [(paper, group) for paper, group in groups if group]


def heading(paper: PaperRecord | None) -> str:
    """The title of a paper, with who wrote it."""
    return OTHERS if paper is None else f"{paper['title']} ({paper['reference']})"
