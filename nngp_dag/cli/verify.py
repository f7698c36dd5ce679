"""`nngp-dag verify` = `python -m verify`: check the claims, compare with a baseline, write reports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nngp_dag.cli.common import counts, emit_json, json_option, open_option, seed_option
from nngp_dag.cli.completion import claim_names
from nngp_dag.errors import InputError
from nngp_dag.support.suite import check_suite

if TYPE_CHECKING:
    from verify.framework.options import Options
    from verify.framework.paper import Paper
    from verify.framework.record import Document

__all__ = ["command"]


@click.command("verify")
@click.option(
    "--profile",
    type=click.Choice(["quick", "full"]),
    default="quick",
    show_default=True,
    help="A minute on two cores, or up to an hour.",
)
@click.option("--claims", metavar="ID,...", shell_complete=claim_names, help="Only these claims.")
@click.option("--paper", metavar="NAME", help="Only the claims of this paper; --list names the papers.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("verify-report"),
    show_default=True,
    help="Folder of the reports.",
)
@click.option(
    "--baseline",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Recorded run to compare verdicts and key values with; builtin:quick is the one that comes with nngp-dag.",
)
@click.option(
    "--update-baseline",
    is_flag=True,
    help="Record this run in --baseline instead of comparing; with --claims, those claims alone.",
)
@click.option(
    "--claims-dir",
    "directories",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Folder of further claim files (repeatable).",
)
@click.option(
    "--data",
    default="digits",
    show_default=True,
    metavar="SPEC",
    help="Data of the claims that use real data; with --recheck, the rows that a certificate speaks of.",
)
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder with original MNIST or CIFAR-10 files, for claims that use them too.",
)
@click.option("--jobs", type=counts(1), help="Processes; by default one per core.")
@click.option("--fresh", is_flag=True, help="Start anew even where an unfinished run could be resumed.")
@click.option("--list", "list_only", is_flag=True, help="List the claims and their expected verdicts, run nothing.")
@click.option(
    "--recheck",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.json",
    help="Prove a certificate, or all of a report.json and that its verdicts follow, again; run no claim.",
)
@open_option
@seed_option
@json_option
def command(
    profile: str,
    claims: str | None,
    paper: str | None,
    out: Path,
    baseline: Path | None,
    update_baseline: bool,
    directories: tuple[Path, ...],
    data: str,
    data_dir: Path | None,
    jobs: int | None,
    fresh: bool,
    list_only: bool,
    recheck: Path | None,
    open_page: bool,
    seed: int,
    as_json: bool,
) -> int:
    """Check the claims of papers and report verdicts with their evidence.

    Exit status 1 where a verdict differs from the claim's expected one, or from the baseline.
    """
    check_suite()
    if recheck is not None:
        return _recheck(recheck, data, None if data_dir is None else str(data_dir), as_json)
    if update_baseline and baseline is None:
        raise InputError("--update-baseline needs --baseline FILE, the file to write")
    if update_baseline and str(baseline).startswith("builtin:"):
        raise InputError(f"{baseline} comes with nngp-dag and is not written to: name a file")
    folders = tuple(str(directory.resolve()) for directory in directories)
    from nngp_dag.support.cores import available_cores
    from verify.framework.options import Options

    options = Options(
        folders, profile, seed, data, jobs or available_cores(), None if data_dir is None else str(data_dir.resolve())
    )
    if list_only:
        return _list(options, claims, paper, as_json)

    from verify.session import Request, run_session

    document = run_session(Request(options, claims, out, baseline, update_baseline, fresh, paper))
    _show(document, out, as_json)
    if open_page:
        click.launch(str(out / "report.html"))
    return 0 if document["passed"] else 1


def _show(document: Document, out: Path, as_json: bool) -> None:
    """The outcome on stdout."""
    from verify.report.terminal import print_document

    if as_json:
        emit_json(document)
        return
    print_document(document)
    click.echo(f"Report: {out / 'report.html'} (also report.json, report.md, junit.xml, ctrf.json)")


def _list(options: Options, identifiers: str | None, paper: str | None, as_json: bool) -> int:
    from verify.framework.catalogue import broken_record, catalogue
    from verify.framework.claim import papers_of
    from verify.report.words import printable

    found = catalogue(options, words_only=True)
    found.say_what_is_empty()
    chosen = found.select(identifiers, paper)
    records = [_listed(vars(claim) | {"paper": claim.paper and claim.paper.name}) for claim in chosen]
    records += [_listed(dict(broken_record(file, options))) for file in found.broken]
    if as_json:
        emit_json(records)
    else:
        _print_claims(records, papers_of(chosen))
    for file in found.broken:
        click.echo(f"nngp-dag: {file.path} cannot be imported: {' '.join(printable(file.reason).split())}", err=True)
    return 1 if found.broken else 0


def _listed(claim: Mapping[str, Any]) -> dict[str, str | None]:
    """A claim as `--list --json` has it."""
    fields = ("id", "title", "paper", "source", "statement", "expected")
    return {name: None if claim[name] is None else str(claim[name]) for name in fields}


def _print_claims(listed: list[dict[str, str | None]], papers: list[Paper]) -> None:
    """A table per paper, and one of the claims of none."""
    from nngp_dag.cli.common import print_table
    from verify.report.document import paper_record
    from verify.report.papers import by_paper, heading
    from verify.report.words import expected, printable

    for of, claims in by_paper(listed, [paper_record(paper) for paper in papers]):
        rows = [[str(c["id"]), expected(c["expected"]), f"{c['title']} ({c['source']})"] for c in claims]
        title = "Claims" if of is None else f"Paper {of['name']}: {heading(of)}"
        print_table(title, ["claim", "expected", "statement"], [[printable(cell) for cell in row] for row in rows])


def _recheck(path: Path, data: str, data_dir: str | None, as_json: bool) -> int:
    from verify.recheck import recheck_report
    from verify.report.words import printable

    result = recheck_report(path, data, data_dir)
    if as_json:
        emit_json(result)
        return 0 if result["proved"] else 1
    for item in result["items"]:
        outcome = "proved" if item["proved"] else f"NOT PROVED ({item['reason']})"
        click.echo(printable(f"{outcome}: {item['statement']} ({item['boxes']} boxes, {item['seconds']:.2f} s)"))
    for claim in result["claims"]:
        outcome = f"NOT CONFIRMED: {'; '.join(claim['problems'])}" if claim["problems"] else "follows from its readings"
        click.echo(printable(f"{claim['id']}: {claim['verdict']}, {claim['certificates']} certificates, {outcome}"))
    if result["problems"]:
        click.echo(printable(f"the report: NOT CONFIRMED: {'; '.join(result['problems'])}"))
    if result["unrecorded"]:
        names = ", ".join(result["unrecorded"])
        click.echo(printable(f"not compared with a recorded run, so that a reading left out would not show: {names}"))
    return 0 if result["proved"] else 1
