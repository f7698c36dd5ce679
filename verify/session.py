"""One run of the suite: select, run or resume, compare with a baseline, write every report."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nngp_dag.support.files import check_writable, make_folder, write_text
from nngp_dag.support.lock import Lock
from nngp_dag.support.progress import display, starting
from verify.baseline import (
    baseline_of,
    check_comparable,
    compare_with_baseline,
    load_baseline,
    merge_baselines,
    save_baseline,
)
from verify.framework.catalogue import broken_record, catalogue
from verify.framework.claim import Claim, papers_of
from verify.framework.fingerprint import checked_data, fingerprint
from verify.framework.options import Options
from verify.framework.record import BaselineRecord, ClaimRecord, Document
from verify.framework.runner import run
from verify.framework.store import Store
from verify.report.document import build_document
from verify.report.words import claims_text
from verify.work import Work

__all__ = ["REPORTS", "Request", "run_session", "update_baseline", "write_reports"]

REPORTS = ("report.json", "report.md", "junit.xml", "ctrf.json", "report.html")
"""Names of the reports, in the order in which they are written."""


@dataclass(frozen=True)
class Request:
    """A run that is asked for.

    Attributes:
        options: how claims are run.
        claims: comma-separated identifiers, or None for all.
        out: folder of the reports, created where it is missing.
        baseline: baseline file to compare with, or to write if `update_baseline`.
        fresh: ignore what an unfinished run left.
        paper: the name of the paper whose claims alone are run, or None.
    """

    options: Options
    claims: str | None = None
    out: Path = Path("verify-report")
    baseline: Path | None = None
    update_baseline: bool = False
    fresh: bool = False
    paper: str | None = None

    @property
    def partial(self) -> bool:
        """True where only some claims are asked for."""
        return self.claims is not None or self.paper is not None


def run_session(request: Request) -> Document:
    """Run the claims and write the reports; returns the content of report.json."""
    with contextlib.ExitStack() as held:
        if request.baseline is not None and request.update_baseline:
            check_writable(request.baseline, "a baseline file")
            # Of two runs that update it, one would lose what it recorded.
            held.enter_context(Lock(request.baseline))
        return _run_session(request)


def _run_session(request: Request) -> Document:
    start = time.perf_counter()
    known = _checked_baseline(request)
    if request.partial and not request.options.directories:  # an error shows before claims are imported
        catalogue(request.options, words_only=True).select(request.claims, request.paper)
    with starting("reading the claims"):
        found = catalogue(request.options)
    found.say_what_is_empty()
    claims = found.select(request.claims, request.paper)
    identity = fingerprint(request.options, checked_data(request.options))
    _check_reports(make_folder(request.out), request.baseline)
    with Lock(request.out), Store(request.out, identity, request.fresh) as store:
        _say_what_is_not_resumed(request.out, store.remarks)
        records, resumed = _run_or_resume(claims, request.options, store)
        records += [broken_record(file, request.options) for file in found.broken]
        selection = [claim.id for claim in claims] if request.partial else None
        papers = papers_of(claims)
        seconds = time.perf_counter() - start
        document = build_document(records, request.options, seconds, resumed, None, selection, papers)
        if known is not None and not request.update_baseline:
            comparison = compare_with_baseline(document, known, str(request.baseline), partial=request.partial)
            document = build_document(records, request.options, seconds, resumed, comparison, selection, papers)
        write_reports(document, request.out)
        if request.baseline and request.update_baseline:
            update_baseline(request.baseline, known, baseline_of(document), partial=request.partial)
        store.clear()
    return document


def _checked_baseline(request: Request) -> BaselineRecord | None:
    """The baseline to compare with or to update, if any; InputError where it, or its place, could not serve later.

    What is no baseline is never overwritten; one of another profile, seed or data only by a run of all claims.
    """
    if request.baseline is None:
        return None
    if request.update_baseline and not request.baseline.exists():
        return None
    known = load_baseline(request.baseline)
    if request.partial or not request.update_baseline:
        check_comparable(known, str(request.baseline), vars(request.options))
    return known


def update_baseline(path: Path, known: BaselineRecord | None, new: BaselineRecord, partial: bool) -> None:
    """Record a run; where only some claims were asked for, the others stay. What comes or goes is said on stderr."""
    before = {} if known is None else known["claims"]
    updated = merge_baselines(known, new) if known is not None and partial else new
    save_baseline(updated, path)
    counts = (
        f"{claims_text(len(new['claims']))} recorded, {len(updated['claims']) - len(new['claims'])} left as they were"
    )
    gone = sorted(before.keys() - updated["claims"].keys())
    print(f"nngp-dag: {path}: {counts}{', removed: ' if gone else ''}{', '.join(gone)}", file=sys.stderr)


def _check_reports(out: Path, baseline: Path | None) -> None:
    for name in REPORTS:
        check_writable(out / name, "a report", [baseline])


def _run_or_resume(claims: Sequence[Claim], options: Options, store: Store) -> tuple[list[ClaimRecord], list[str]]:
    """The records of the claims, and the identifiers of those that an unfinished run had finished."""
    done = store.records
    resumed = [claim.id for claim in claims if claim.id in done]
    with _progress(claims, resumed) as (on_start, on_record):

        def keep(record: ClaimRecord) -> None:
            store.save(record)
            on_record(record)

        left = [claim for claim in claims if claim.id not in done]
        try:
            fresh = run(left, replace(options, compiled=str(store.compiled)), on_start, keep)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"{len(store)} of {claims_text(len(claims))} are done") from None
    known = {**done, **{record["id"]: record for record in fresh}}
    return [known[claim.id] for claim in claims], resumed


def _say_what_is_not_resumed(out: Path, remarks: Sequence[str]) -> None:
    if remarks:
        print(f"nngp-dag: the unfinished run in {out}: {'; '.join(remarks)}: computed again", file=sys.stderr)


def write_reports(document: Document, folder: Path) -> None:
    """Write report.json, and from it report.md, report.html, junit.xml and ctrf.json."""
    from verify.report.html import html_report
    from verify.report.machine import ctrf_report, junit_report
    from verify.report.markdown import markdown_report

    makers: dict[str, Callable[[Document], str]] = {
        "report.json": lambda run: json.dumps(run, indent=1, allow_nan=False) + "\n",
        "report.md": markdown_report,
        "junit.xml": junit_report,
        "ctrf.json": lambda run: json.dumps(ctrf_report(run), indent=1, allow_nan=False) + "\n",
        "report.html": html_report,
    }
    for name in REPORTS:
        write_text(folder / name, makers[name](document))


@contextlib.contextmanager
def _progress(
    claims: Sequence[Claim], resumed: Sequence[str]
) -> Iterator[tuple[Callable[[Claim], None], Callable[[ClaimRecord], None]]]:
    """Progress on stderr: a bar on a terminal, a line per finished claim elsewhere."""
    from rich.progress import MofNCompleteColumn, TextColumn, TimeElapsedColumn

    work = Work(claims, resumed)
    columns = (
        TextColumn("verify"),
        work.column(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with display(*columns) as progress:
        progress.console.print(f"verify: {claims_text(len(claims))}", highlight=False)
        if resumed:
            progress.console.print(
                f"Resuming: {len(resumed)} of {claims_text(len(claims))} were done.", highlight=False
            )
        task = progress.add_task("", total=len(claims), completed=len(resumed))

        def on_start(claim: Claim) -> None:
            work.start(claim.id)
            progress.update(task, description=", ".join(work.running))

        def on_record(record: ClaimRecord) -> None:
            work.end(record["id"])
            progress.update(task, advance=1, description=", ".join(work.running))
            note = "" if record["as_expected"] else f" (expected {record['expected']})"
            progress.console.print(
                f"{record['id']}: {record['verdict']}{note}, {record['seconds']:.1f} s", highlight=False
            )

        yield on_start, on_record
