"""report.json: one document per run, from which all other reports are made.

    {"schema": 1, "profile", "seed", "data", "jobs", "started", "seconds", "resumed": [...], "versions": {...},
    "hardware": {...},
     "passed": bool, "summary": {verdict: count}, "unexpected": [{id, verdict, expected}], "baseline": null | {...},
     "claims": [{"id", "title", "source", "statement", "latex", "settings", "verdict", "expected", "as_expected",
     "seed", "seconds",
                 "evidence": {...}, "error": null | {"reason", "traceback"}}]}

The types of all this are in `verify.framework.record`. Undefined numbers are null. docs/report-schema.md
says more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from verify.framework.environment import hardware, versions
from verify.framework.options import Options
from verify.framework.record import BaselineComparison, ClaimRecord, Document, Unexpected
from verify.framework.verdict import Verdict

__all__ = ["SCHEMA", "build_document"]

SCHEMA = 1


def build_document(
    records: Sequence[ClaimRecord],
    options: Options,
    seconds: float,
    resumed: Sequence[str] = (),
    baseline: BaselineComparison | None = None,
) -> Document:
    """The content of report.json.

    Args:
        records: one record per claim (`verify.framework.execute`).
        options: how they were run.
        seconds: wall-clock time of this run, which ends now.
        resumed: identifiers of claims taken over from an unfinished run.
        baseline: the comparison with a baseline (`verify.baseline.compare_with_baseline`), if one was given.
    """
    counts = Counter(record["verdict"] for record in records)
    unexpected = [
        Unexpected(id=record["id"], verdict=record["verdict"], expected=record["expected"])
        for record in records
        if not record["as_expected"]
    ]
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
        "passed": not unexpected and (baseline is None or baseline["passed"]),
        "summary": {str(verdict): counts[str(verdict)] for verdict in Verdict if counts[str(verdict)]},
        "unexpected": unexpected,
        "baseline": baseline,
        "claims": list(records),
    }
