"""report.json: one document per run, from which all other reports are made.

    {"schema": 1, "profile", "seed", "data", "jobs", "started", "seconds", "resumed": [...], "versions": {...},
    "hardware": {...},
     "selection": null | [id], "passed": bool, "summary": {verdict: count}, "unexpected": [{id, verdict, expected}],
     "papers": [{name, title, reference, url}], "baseline": null | {...},
     "claims": [{"id", "title", "paper", "source", "statement", "latex", "settings", "verdict", "expected",
     "as_expected", "seed", "seconds",
                 "evidence": {...}, "error": null | {"reason", "traceback"}}]}

The types of all this are in `verify.framework.record`. Undefined numbers are null. docs/report-schema.md
says more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TypedDict

from verify.framework.environment import hardware, versions
from verify.framework.options import Options
from verify.framework.paper import Paper
from verify.framework.record import BaselineComparison, ClaimRecord, Document, PaperRecord, Unexpected
from verify.framework.verdict import Verdict

__all__ = ["SCHEMA", "RunOutcome", "build_document", "outcome", "paper_record"]

SCHEMA = 1


def build_document(
    records: Sequence[ClaimRecord],
    options: Options,
    seconds: float,
    resumed: Sequence[str] = (),
    baseline: BaselineComparison | None = None,
    selection: Sequence[str] | None = None,
    papers: Sequence[Paper] = (),
) -> Document:
    """The content of report.json.

    Args:
        records: one record per claim (`verify.framework.execute`).
        options: how they were run.
        seconds: wall-clock time of this run, which ends now.
        resumed: identifiers of claims taken over from an unfinished run.
        baseline: the comparison with a baseline (`verify.baseline.compare_with_baseline`), if one was given.
        selection: identifiers of the claims that were asked for; None for all.
        papers: the papers of the claims, in the order in which reports group them.
    """
    return {
        "schema": SCHEMA,
        "profile": options.profile,
        "seed": options.seed,
        "data": options.data,
        "jobs": options.jobs,
        "started": (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "resumed": list(resumed),
        "versions": versions(),
        "hardware": hardware(),
        "selection": None if selection is None else list(selection),
        **outcome(records, baseline),
        "papers": [paper_record(paper) for paper in papers],
        "baseline": baseline,
        "claims": list(records),
    }


def paper_record(paper: Paper) -> PaperRecord:
    """A paper as reports have it."""
    return {"name": paper.name, "title": paper.title, "reference": paper.reference, "url": paper.url}


class RunOutcome(TypedDict):
    """The fields of report.json that follow from its claims and its baseline."""

    passed: bool
    summary: dict[str, int]
    unexpected: list[Unexpected]


def outcome(records: Sequence[ClaimRecord], baseline: BaselineComparison | None) -> RunOutcome:
    """The outcome of a run: that it passed or not, its claims by verdict, and those whose verdict was not expected."""
    counts = Counter(record["verdict"] for record in records)
    unexpected = [
        Unexpected(id=record["id"], verdict=record["verdict"], expected=record["expected"])
        for record in records
        if not record["as_expected"]
    ]
    return {
        "passed": not unexpected and (baseline is None or baseline["passed"]),
        "summary": {str(verdict): counts[str(verdict)] for verdict in Verdict if counts[str(verdict)]},
        "unexpected": unexpected,
    }
