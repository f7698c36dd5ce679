"""The claims of a run: those of this package, and those of folders of claim files.

A claims file is a program, and importing it runs it: it may raise, exit, print or hang. So files of folders are
imported in a process of their own, which tells what they register; a file that does not come to its end is reported as
crashed, and the claims of the others are checked.
"""

from __future__ import annotations

import contextlib
import json
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nngp_dag.errors import InputError
from nngp_dag.support.reading_files import Kind, kind_of
from verify.framework.claim import Claim, elsewhere, import_claims, listed, own_modules, papers_of, registry, select
from verify.framework.declared import declared_claims
from verify.framework.evidence import Evidence
from verify.framework.options import Options
from verify.framework.paper import Paper
from verify.framework.process import START_SECONDS, Worker
from verify.framework.record import ClaimRecord, evidence_record
from verify.framework.verdict import Verdict
from verify.framework.worker import ImportReport, report_imports

__all__ = ["BrokenFile", "Catalogue", "broken_record", "catalogue"]

IMPORT_SECONDS = 60.0
"""Seconds that a claims file may take to be imported."""


@dataclass(frozen=True)
class BrokenFile:
    """A claims file that could not be imported.

    Attributes:
        id: its name in reports, where a claim's identifier stands.
        path: the file.
        reason: one line.
        traceback: the traceback, where there is one.
    """

    id: str
    path: str
    reason: str
    traceback: str = ""


@dataclass
class Catalogue:
    """The claims that there are.

    Attributes:
        claims: by identifier; those of folders cannot be checked in this process.
        broken: the files of folders that could not be imported.
        empty: the files of folders that register no claim.
    """

    claims: dict[str, Claim]
    broken: list[BrokenFile] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)

    def select(self, identifiers: str | None, paper: str | None = None) -> list[Claim]:
        """The claims of a comma-separated list of identifiers, or all of them; of one paper where it is named.

        Where files are broken, a claim that is not there may be one of theirs: that is said on stderr, and the run,
        which fails for those files, goes on with the others.

        Raises:
            InputError: an identifier that no claim has and no broken file can have, an empty list, or a paper of none.
        """
        if identifiers is None or not self.broken:
            return select(self.claims, identifiers, paper)
        wanted = listed(identifiers)
        absent = [name for name in wanted if name not in self.claims]
        if absent:
            files = ", ".join(file.id for file in self.broken)
            print(f"nngp-dag: no claim {', '.join(absent)}: unless in {files}, not imported", file=sys.stderr)
        there = [name for name in wanted if name in self.claims]
        return select(self.claims, ",".join(there), paper) if there or not wanted else []

    def say_what_is_empty(self) -> None:
        """A line on stderr for each file that registers no claim."""
        for path in self.empty:
            print(f"nngp-dag: claims file {path} registers no claim", file=sys.stderr)


def catalogue(options: Options, *, words_only: bool = False) -> Catalogue:
    """The claims of this package and of every `*.py` in `options.directories` whose name does not start with `_`.

    Args:
        options: with the folders.
        words_only: read the claims of this package without importing them, where their files allow it: in a tenth of
            the time, but what is no word (`settings`, `needs`, the check) is missing.

    Raises:
        InputError: a folder that does not exist, holds no claims file, or whose files register no claim.
    """
    folders = {folder: _claims_files(Path(folder)) for folder in options.directories}
    found = Catalogue({})
    for module in own_modules():
        with _breaking(found, module):
            declared = declared_claims(module) if words_only else None
            if declared is None:
                import_claims(module)
                declared = [claim for claim in registry.values() if claim.module == module]
            found.claims.update({claim.id: claim for claim in declared})
    found.claims.update({name: claim for name, claim in registry.items() if name not in found.claims})
    for file, report in _imported([file for files in folders.values() for file in files], options):
        _join(found, file, report)
    for folder, files in folders.items():
        if set(map(str, files)) <= set(found.empty):
            raise InputError(f"claims folder {folder} registers no claim (a claim is a function under @claim)")
    return found


@contextlib.contextmanager
def _breaking(found: Catalogue, module: str) -> Iterator[None]:
    """A module of this package that does not come to its end is broken, too."""
    try:
        yield
    except (Exception, SystemExit) as error:  # the boundary that keeps one module's failure from the others
        reason = f"{type(error).__name__}: {error}"
        found.broken.append(BrokenFile(module, module, reason, traceback.format_exc()))


def _join(found: Catalogue, file: str, report: ImportReport) -> None:
    """Add what a file registers, or that it is broken; a claim that is there already makes it so."""
    claims = [_claim(fields, file) for fields in report["claims"]]
    taken = [claim for claim in claims if claim.id in found.claims]
    reason = report["reason"]
    reason = reason or _other_paper(claims, found)
    if taken and not reason:
        reason = f"claim {taken[0].id} is defined twice: in {found.claims[taken[0].id].path} and in {file}"
    if reason:
        names = {*found.claims, *(broken.id for broken in found.broken)}
        name = next(name for name in (Path(file).name, "/".join(Path(file).parts[-2:]), file) if name not in names)
        found.broken.append(BrokenFile(name, file, reason, report["traceback"]))
    elif claims:
        found.claims.update({claim.id: claim for claim in claims})
    else:
        found.empty.append(file)


def _claim(fields: Mapping[str, Any], file: str) -> Claim:
    """A claim that another process told of."""
    paper = None if fields["paper"] is None else Paper(**fields["paper"])
    return Claim(**{**fields, "expected": Verdict(fields["expected"]), "paper": paper}, check=elsewhere, module=file)


def _other_paper(claims: Sequence[Claim], found: Catalogue) -> str:
    """Why claims of a file cannot stand beside those that are there: a paper of theirs has the name of another."""
    known = {paper.name: paper for paper in papers_of(found.claims.values())}
    others = [paper for paper in papers_of(claims) if known.get(paper.name, paper) != paper]
    return f"another paper is named {others[0].name}: {known[others[0].name].title}" if others else ""


def _claims_files(folder: Path) -> list[str]:
    if kind_of(folder) is not Kind.FOLDER:
        raise InputError(f"claims folder {folder} does not exist")
    files = [str(path) for path in sorted(folder.glob("*.py")) if not path.name.startswith("_")]
    if not files:
        raise InputError(f"claims folder {folder} holds no *.py file")
    return files


def _imported(files: Iterable[str], options: Options) -> Iterator[tuple[str, ImportReport]]:
    """The claims of each file, or why it cannot be imported; a process that it ends is replaced for the next one."""
    worker: Worker | None = None
    try:
        for file in dict.fromkeys(files):
            worker = worker or Worker.launch(options, report_imports)
            report, reason = _asked(worker, file)
            if report is None:
                worker.stop()
                worker = None
            yield file, report or {"claims": [], "reason": reason, "traceback": ""}
    finally:
        if worker is not None:
            worker.stop()


def _asked(worker: Worker, file: str) -> tuple[ImportReport | None, str]:
    """A process's message about a file; None where it tells nothing, with the reason."""
    connection = worker.connection
    try:
        if not connection.poll(START_SECONDS):
            return None, f"no process for claims files after {START_SECONDS:g} s"
        connection.recv_bytes()  # it is ready
        connection.send(file)
        if not connection.poll(IMPORT_SECONDS):
            return None, f"not imported after {IMPORT_SECONDS:g} s: stopped"
        report: ImportReport = json.loads(connection.recv_bytes())
    except (EOFError, OSError):
        return None, f"importing it ended the process (exit status {worker.exit_status()})"
    return report, ""


def broken_record(file: BrokenFile, options: Options) -> ClaimRecord:
    """The record of a broken file: it stands among the claims, crashed, with no verdict that is expected."""
    return {
        "id": file.id,
        "title": "a claims file that cannot be imported",
        "paper": None,
        "source": file.path,
        "statement": "Importing the file registers its claims.",
        "latex": "",
        "settings": {},
        "verdict": str(Verdict.CRASHED),
        "expected": None,
        "as_expected": False,
        "seed": options.seed,
        "seconds": 0.0,
        "evidence": evidence_record(Evidence(findings=(), summary="")),
        "error": {"reason": file.reason, "traceback": file.traceback},
    }
