"""The findings of a run, for the first screen of a report: a line for each verdict, and the smallest counterexample."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nngp_dag.dag import Dag, Op
from nngp_dag.errors import InputError
from verify.framework.record import ClaimRecord, Document
from verify.report.order import in_order
from verify.report.papers import by_paper
from verify.report.words import claims_text

__all__ = ["DrawnCounterexample", "Line", "lines", "smallest_counterexample", "sum_up"]

_WORDS = {
    "crashed": "could not be checked",
    "refuted": "refuted: false in every reading",
    "holds-conditionally": "true only under a condition, which is given",
    "certified": "proved, by interval arithmetic or in writing",
    "holds": "true in every reading that was tried",
    "inconclusive": "not decided",
}
"""Verdicts in the order of the lines, in words that follow a number."""


class Line(NamedTuple):
    """The claims of one verdict, in the paper's order."""

    verdict: str
    words: str
    claims: list[ClaimRecord]


class DrawnCounterexample(NamedTuple):
    """A claim that is refuted, the DAG that refutes it, and the rest of its counterexample."""

    claim: ClaimRecord
    code: str
    facts: dict[str, object]


def lines(document: Document) -> list[Line]:
    """A line for each verdict that there is."""
    groups = by_paper(in_order(document["claims"]), document["papers"])
    ordered = [claim for _, claims in groups for claim in claims]
    found = [(verdict, words, [c for c in ordered if c["verdict"] == verdict]) for verdict, words in _WORDS.items()]
    return [Line(verdict, words, claims) for verdict, words, claims in found if claims]


def sum_up(document: Document) -> str:
    """The run in a sentence."""
    count = {line.verdict: len(line.claims) for line in lines(document)}
    parts = [
        (count.get("certified", 0) + count.get("holds", 0), "true as stated"),
        (count.get("holds-conditionally", 0), "true only under a condition that is not in the statement"),
        (count.get("refuted", 0), "false in every reading"),
        (count.get("inconclusive", 0), "undecided"),
        (count.get("crashed", 0), "not checked"),
    ]
    told = [f"{number} {words}" for number, words in parts if number]
    total = claims_text(len(document["claims"]))
    listed = " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)
    return f"Of {total}: {listed}." if told else f"{total}."


def smallest_counterexample(claims: Sequence[ClaimRecord]) -> DrawnCounterexample | None:
    """Of the refuted claims' counterexamples that are one DAG and proved, that of the fewest nodes, then edges."""
    found = []
    for claim in in_order([claim for claim in claims if claim["verdict"] == "refuted"]):
        facts = claim["evidence"]["counterexample"] or {}
        dag = _dag(facts)
        if dag is not None and re.search("arithmetic", str(facts.get("confirmed", ""))):
            edges = sum(dag.op(s, t) is not Op.ZERO for t in range(dag.num_nodes) for s in range(t))
            found.append(((dag.num_nodes, edges), claim, dag, facts))
    if not found:
        return None
    _, claim, dag, facts = min(found, key=lambda entry: entry[0])
    return DrawnCounterexample(claim, dag.to_code(), {key: value for key, value in facts.items() if key != "code"})


def _dag(facts: Mapping[str, object]) -> Dag | None:
    try:
        return Dag.from_code(str(facts["code"]))
    except (KeyError, InputError):  # a counterexample of another kind
        return None
