"""`verify --recheck FILE`: certificates proved again, and of a report also that its verdicts follow from them.

Of a certificate, or a list of them, each is evaluated anew (`nngp_dag.proofs.recheck`). Of a report.json, moreover:

- each reading that claims a proof names certificates that are there, state what the claim needs
  (`verify.framework.needs`) and are proved;
- each verdict is the one that the readings and controls amount to, and its claim says what it says here;
- the counts of the whole report, and the claims in it, are those of its verdicts and of its selection;
- a run like the recorded one (verify/baselines/quick.json) has its verdicts, key values, readings and controls.

The claims are this installation's; of a claim that it does not know, which certificates it needs cannot be said, and
the report does not pass. docs/report-schema.md says what only a run can tell.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, cast

from nngp_dag.datasets.checksum import rows_finder
from nngp_dag.errors import InputError
from nngp_dag.proofs.recheck import FindRows, Recheck, recheck, recheck_all
from nngp_dag.support.strict_json import load_json
from verify.baseline import compare_with_baseline, load_baseline
from verify.framework.claim import Claim, discover, papers_of
from verify.framework.errors import EvidenceError
from verify.framework.evidence import Evidence
from verify.framework.needs import lacking
from verify.framework.proof import INTERVALS, find_page, page_of
from verify.framework.stored import Stored, differences, read_evidence
from verify.framework.verdict import Verdict, overall_verdict
from verify.report.document import SCHEMA, outcome, paper_record

if TYPE_CHECKING:
    from verify.framework.record import BaselineComparison, ClaimRecord, FindingRecord, RunRecord

__all__ = ["RECORDED", "RecheckedClaim", "RecheckedReport", "recheck_report"]

RECORDED = Path(__file__).resolve().parent / "baselines" / "quick.json"
"""The recorded run of this project."""

_STATED = ("title", "paper", "source", "statement", "latex", "settings", "expected")
"""The fields of a claim of a report that are the claim's own."""


class RecheckedClaim(TypedDict):
    """A claim of a report: its verdict, the one that follows from its readings, and what is wrong with it."""

    id: str
    verdict: str
    follows: str
    certificates: int
    problems: list[str]


class RecheckedReport(TypedDict):
    """The outcome: proved where every certificate is, and neither a claim nor the report has a problem.

    Without a report there are no `claims`; `problems` are those of the report as a whole. `unrecorded` are the claims
    of which no readings and controls are recorded, so that one left out is not noticed.
    """

    proved: bool
    items: list[Recheck]
    claims: list[RecheckedClaim]
    problems: list[str]
    unrecorded: list[str]


def recheck_report(path: Path, data: str | None = None, data_dir: str | None = None) -> RecheckedReport:
    """Check a certificate, a list of certificates, or a report.json again.

    `data` (a SPEC) has the rows of certificates about spectra, if they are not of the embedded digits.

    Raises:
        InputError: a file that cannot be read, is not JSON, or is neither certificate nor report, in one line.
    """
    content, find_rows = load_json(path), rows_finder(data, data_dir)
    try:
        if not isinstance(content, dict) or "claims" not in content:
            items = recheck_all(content, find_rows)
            proved = all(item["proved"] for item in items)
            return {"proved": proved, "items": items, "claims": [], "problems": [], "unrecorded": []}
        return _recheck_document(content, find_rows)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _recheck_document(content: Stored, find_rows: FindRows) -> RecheckedReport:
    claims, known = content["claims"], discover()
    if not isinstance(claims, list) or not claims:
        raise InputError("a report without claims")
    if content.get("schema") != SCHEMA or content["schema"] is True:
        raise InputError(f"no report of schema {SCHEMA}")
    checked = [_recheck_claim(entry, known, find_rows) for entry in claims]
    items = [item for _, of_claim in checked for item in of_claim]
    defaults = {"paper": None, "expected": None, "as_expected": False, "error": None}
    records = [cast("ClaimRecord", {**defaults, **claim}) for claim in claims]
    recorded, unrecorded = _recorded_problems(content, records)
    problems = _count_problems(content, records) + _selection_problems(content, records, known)
    problems += _paper_problems(content, records, known) + recorded
    proved = not problems and all(item["proved"] for item in items) and not any(c["problems"] for c, _ in checked)
    found = [claim for claim, _ in checked]
    return {"proved": proved, "items": items, "claims": found, "problems": problems, "unrecorded": unrecorded}


# ---- a claim ---------------------------------------------------------------------------------------------------------


def _recheck_claim(
    entry: object, known: Mapping[str, Claim], find_rows: FindRows
) -> tuple[RecheckedClaim, list[Recheck]]:
    if not isinstance(entry, dict):
        raise InputError(f"a claim is an object, not {type(entry).__name__}")
    name, verdict, stored = entry.get("id"), entry.get("verdict"), entry.get("evidence")
    if not isinstance(name, str):
        raise InputError("a claim without an id")
    if not isinstance(verdict, str) or not isinstance(stored, dict):
        raise InputError(f"claim {name[:60]} has no verdict and evidence")
    try:
        evidence = read_evidence(stored)
        items = [recheck(certificate, find_rows) for certificate in evidence.certificates]
    except (EvidenceError, InputError) as error:
        raise InputError(f"claim {name[:60]}: {error}") from None
    crashed = entry.get("error") is not None
    follows = Verdict.CRASHED if crashed else overall_verdict(evidence.findings, not evidence.failed_controls)
    problems = differences(stored, evidence)
    problems += [f"certificate {item['id']}: {item['reason']}" for item in items if not item["proved"]]
    problems += _stated_otherwise(entry, known.get(name))
    problems += _verdict_problems(entry, verdict, follows, evidence)
    if name in known and _is_own(known[name]) and evidence.findings and not evidence.controls:
        problems.append("it has no control, as every claim of this project has")
    problems += _proof_problems(stored, items, known.get(name))
    number = len(items)
    return {"id": name, "verdict": verdict, "follows": follows, "certificates": number, "problems": problems}, items


def _is_own(claim: Claim) -> bool:
    """True for a claim of this project, not of a folder."""
    return claim.module.startswith("verify.claims.")


def _stated_otherwise(entry: Stored, claim: Claim | None) -> list[str]:
    """The fields in which a claim of the report is not the one of this installation."""
    if claim is None:
        return []
    own = {name: getattr(claim, name) for name in _STATED}
    own |= {"settings": dict(claim.settings), "expected": str(claim.expected)}
    own["paper"] = None if claim.paper is None else claim.paper.name
    return [f"its {name} is not that of this installation's claim" for name in _STATED if entry.get(name) != own[name]]


def _verdict_problems(entry: Stored, verdict: str, follows: Verdict, evidence: Evidence) -> list[str]:
    """The ways in which a verdict is not that of the readings and controls, or lacks what it needs beside them."""
    problems = []
    if verdict != follows:
        problems.append(f"verdict {verdict} does not follow from its readings and controls, which amount to {follows}")
    expected = verdict == entry.get("expected")
    if entry.get("as_expected") is not expected:
        problems.append(f"as_expected is not {str(expected).lower()}")
    if expected and follows is not Verdict.CRASHED:  # as in the run, which does not ask for what another verdict needs
        try:
            evidence.verdict()
        except EvidenceError as error:
            problems.append(str(error))
    return problems


def _proof_problems(stored: Stored, items: Sequence[Recheck], claim: Claim | None) -> list[str]:
    """The shortcomings of the proofs that readings name."""
    readings = cast("list[FindingRecord]", stored["readings"])
    certificates = cast("list[dict[str, object]]", stored["certificates"])
    problems = []
    if certificates or any(reading["certificates"] for reading in readings):
        if claim is None:
            problems.append("an unknown claim: which certificates it needs cannot be said")
        named = [{**certificate, "id": item["id"]} for certificate, item in zip(certificates, items, strict=True)]
        try:
            problems += lacking(readings, named, None if claim is None else claim.needs)
        except (LookupError, StopIteration) as error:  # a claim asked about readings that it does not make
            problems.append(f"its readings are not those of the claim ({type(error).__name__}: {error})")
    for reading in readings:
        words, page = reading["proof"], page_of(reading["proof"])
        if words == INTERVALS and not certificates:
            problems.append(f"{reading['name']}: interval arithmetic without a certificate")
        elif words and words != INTERVALS and not (page and find_page(page, claim.path if claim else "")):
            problems.append(f"{reading['name']}: {words[:60]!r} is no proof that is known here")
    return problems


# ---- the report as a whole -------------------------------------------------------------------------------------------


def _count_problems(content: Stored, records: Sequence[ClaimRecord]) -> list[str]:
    """The fields of a report that are not what its claims, each well-formed, amount to."""
    baseline = content.get("baseline")
    lines = baseline.get("differences") if isinstance(baseline, dict) else None
    passed = baseline.get("passed") if isinstance(baseline, dict) else None
    if baseline is not None and (not isinstance(lines, list) or passed is not (not lines)):
        return ["its baseline is no comparison, or it passed in spite of differences"]
    made = outcome(records, cast("BaselineComparison | None", baseline))
    return [
        f"its {name} is not what its claims amount to"
        for name, value in made.items()
        if not _same(content, name, value)
    ]


def _same(content: Stored, name: str, value: object) -> bool:
    """Equality as JSON, in which 1 and true differ."""
    return json.dumps(content.get(name), sort_keys=True) == json.dumps(value, sort_keys=True)


def _selection_problems(content: Stored, records: Sequence[ClaimRecord], known: Mapping[str, Claim]) -> list[str]:
    """Claims that stand in a report twice, are absent though asked for, or are there though not asked for."""
    asked = content.get("selection")
    if asked is not None and not (isinstance(asked, list) and all(isinstance(name, str) for name in asked)):
        return ["its selection is no list of claims"]
    # Files that could not be imported stand by their names, which need not differ and which nobody asks for.
    there = Counter(record["id"] for record in records if record["expected"] is not None)
    problems = [f"claim {name[:60]} stands in it {times} times" for name, times in there.items() if times > 1]
    own = [name for name, claim in known.items() if _is_own(claim)]
    problems += [f"claim {name[:60]} is absent" for name in (own if asked is None else asked) if name not in there]
    if asked is not None:
        problems += [f"claim {name[:60]} is there, and was not asked for" for name in there if name not in asked]
    return problems


def _paper_problems(content: Stored, records: Sequence[ClaimRecord], known: Mapping[str, Claim]) -> list[str]:
    """Papers in the report that are not those of its claims, or not what this installation knows by their names."""
    papers, own = content.get("papers"), {paper.name: paper_record(paper) for paper in papers_of(known.values())}
    if not isinstance(papers, list) or not all(isinstance(p, dict) and isinstance(p.get("name"), str) for p in papers):
        return ["its papers are no list of objects with names"]
    named = [record["paper"] for record in records if record["paper"] is not None]
    if not all(isinstance(name, str) for name in named) or {p["name"] for p in papers} != set(named):
        return ["its papers are not those of its claims"]
    if len(papers) != len(set(named)):
        return ["a paper stands in it more than once"]
    others = [paper for paper in papers if paper != own.get(paper["name"], paper)]
    return [f"its paper {paper['name'][:60]} is not that of this installation" for paper in others]


def _recorded_problems(content: Stored, records: list[ClaimRecord]) -> tuple[list[str], list[str]]:
    """The differences from the recorded run, and the claims of which it does not list readings and controls."""
    names = [record["id"] for record in records]
    if not RECORDED.is_file():
        return [], names
    recorded = load_baseline(RECORDED)
    if any(not _same(content, key, recorded[key]) for key in ("profile", "seed", "data")):  # type: ignore[literal-required]
        return [], names
    run = cast("RunRecord", {**content, "claims": records})
    found = compare_with_baseline(run, recorded, RECORDED.name, partial=True)
    listed = [name for name, claim in recorded["claims"].items() if "readings" in claim and "controls" in claim]
    lines = [f"otherwise than recorded: {line}" for line in found["differences"]]
    return lines, [name for name in names if name not in listed]
