"""A page per claim, from the registry of `verify` and from the evidence of a recorded run (docs/evidence.json)."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nngp_dag.errors import InputError
from nngp_dag.support.files import write_text
from nngp_dag.support.strict_json import load_json
from nngp_dag.theme.notation import typeset, unicode_text
from nngp_dag.theme.palette import VERDICTS
from verify.framework.paper import Paper
from verify.framework.proof import PAGES, page_of
from verify.framework.record import ClaimRecord, EvidenceRecord
from verify.report.document import paper_record
from verify.report.papers import OTHERS, heading
from verify.report.words import number, outcome, sentence, verdict_remarks

__all__ = ["record", "write_claims"]

_DIGITS = 4
"""Significant digits of numbers on the pages."""

_OF_A_RUN = ("schema", "profile", "seed", "data", "started", "versions")


def record(report: Path, target: Path) -> None:
    """Take over from a report.json what the pages show: verdicts, readings, tables and plots, but no certificates.

    Of a run in which only some claims were asked for, these take the place of their own, and the others stay.

    Raises:
        InputError: a file that is no report of a run, a run in which a claim crashed, or one of some claims that is not
            like the run of the others; `target` is left as it was.
    """
    document: Any = load_json(report)
    if not isinstance(document, dict) or not document.keys() >= {*_OF_A_RUN, "claims"} or not _are_claims(document):
        raise InputError(f"{report} is no report.json of nngp-dag verify")
    kept = {key: document[key] for key in _OF_A_RUN}
    kept["claims"] = {}
    if document.get("selection") is not None and target.is_file():
        kept = _others(target, document, report)
    for claim in document["claims"]:
        if claim["error"] is not None:
            raise InputError(f"{claim['id']} crashed in the run of {report}: no evidence to take over")
        evidence = dict(claim["evidence"])
        evidence["certificates"] = len(evidence["certificates"])
        evidence.pop("key_values", None)
        kept["claims"][claim["id"]] = {"verdict": claim["verdict"], "evidence": _rounded(evidence)}
    write_text(target, json.dumps(kept, separators=(",", ":"), ensure_ascii=False) + "\n")


def _others(target: Path, document: Mapping[str, Any], report: Path) -> dict[str, Any]:
    """The evidence that is there, of a run like this one."""
    kept: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    unlike = [key for key in _OF_A_RUN if key != "started" and kept[key] != document[key]]
    if unlike:
        raise InputError(f"{report} is of other {', '.join(unlike)} than {target}: record a run of all claims")
    return kept


def _are_claims(document: Mapping[str, Any]) -> bool:
    """True where every claim and its evidence have the fields of this version's reports."""
    claims = document["claims"]
    return isinstance(claims, list) and all(
        isinstance(claim, dict)
        and claim.keys() == ClaimRecord.__annotations__.keys()
        and isinstance(claim["evidence"], dict)
        and claim["evidence"].keys() == EvidenceRecord.__annotations__.keys()
        for claim in claims
    )


def write_claims(evidence: Path) -> dict[Path, str | bytes]:
    """The pages by file name, with the table that lists them."""
    from verify.framework.claim import discover, papers_of

    run: Mapping[str, Any] = json.loads(evidence.read_text(encoding="utf-8")) if evidence.is_file() else {"claims": {}}
    claims = discover()
    pages: dict[Path, str | bytes] = {}
    rows: dict[Paper | None, list[str]] = {paper: [] for paper in [*papers_of(claims.values()), None]}
    for name in sorted(claims):
        claim, recorded = claims[name], run["claims"].get(name)
        text, drawn = _page(claim, recorded, run)
        pages[Path("claims") / f"{name}.md"] = text
        pages |= {Path("claims") / file: svg for file, svg in drawn.items()}
        verdict = recorded["verdict"] if recorded else str(claim.expected)
        cells = [f"[{name}]({name}.md)", _cell(claim.title), _cell(claim.source), _badge(verdict)]
        rows[claim.paper].append(f"| {' | '.join(cells)} |")
    meanings = "\n".join(
        f"- {_badge(verdict)} {look.meaning}." for verdict, look in VERDICTS.items() if verdict != "crashed"
    )
    listing = "\n".join(sorted(claims))
    tables = "\n\n".join(_of_paper(paper, lines) for paper, lines in rows.items() if lines)
    pages[Path("claims") / "index.md"] = (
        "# Claims\n\nStatements of papers that can be tried, with their verdicts. A *reading* fixes what a statement"
        " leaves open, as order, embedding and method; the verdict follows from the readings.\n\n"
        f"{meanings}\n\n"
        "`nngp-dag verify` runs them (the quick profile takes about a minute), and fails where a verdict differs from"
        " the one given here.\n\n"
        f"{tables}\n\n"
        f"```{{toctree}}\n:hidden:\n\n{listing}\n```\n"
    )
    return pages


def _of_paper(paper: Paper | None, rows: Sequence[str]) -> str:
    """The table of a paper's claims, and what it states beside them."""
    lines = [f"## {_text(OTHERS if paper is None else paper.title)}", ""]
    if paper is not None:
        reference = f"[{_text(paper.reference)}]({paper.url})" if paper.url else _text(paper.reference)
        lines += [f"{reference}. Alone: `nngp-dag verify --paper {paper.name}`.", ""]
    lines += ["| claim | statement | source | verdict |", "|---|---|---|---|", *rows]
    if paper is not None and paper.open:
        lines += ["", "What it states and no claim here tries:", ""]
        lines += [f"- {_text(statement)} {_text(reason)}" for statement, reason in paper.open]
    return "\n".join(lines)


def _page(claim: Any, recorded: Mapping[str, Any] | None, run: Mapping[str, Any]) -> tuple[str, dict[str, bytes]]:
    verdict = recorded["verdict"] if recorded else str(claim.expected)
    lines = [f"# {claim.id}", "", f"**{_text(claim.title)}**", "", _text(claim.statement), ""]
    if claim.latex:
        lines += ["$$", claim.latex, "$$", ""]
    paper = "" if claim.paper is None else f" of {_text(heading(paper_record(claim.paper)))}"
    lines += [f"Source: {_text(claim.source)}{paper}", ""]
    lines += [f"{_badge(verdict)} {VERDICTS[verdict].meaning}", ""]
    drawn: dict[str, bytes] = {}
    if recorded:
        lines += _evidence(claim.id, verdict, recorded["evidence"], drawn)
    lines += ["## How it is tried", "", _text(inspect.getdoc(claim.check) or ""), ""]
    lines += [f"- {_text(key)}: {_text(value)}" for key, value in claim.settings.items()]
    file = "/".join(Path(claim.path).parts[-3:])
    lines += ["", f"Defined in `{file}`; run it alone with `nngp-dag verify --claims {claim.id}`.", ""]
    if recorded:
        versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items() if version)
        lines += [f"*Evidence: {run['profile']} profile, data {run['data']}, seed {run['seed']}; {versions}.*", ""]
    return "\n".join(lines), drawn


def _evidence(name: str, verdict: str, evidence: Mapping[str, Any], drawn: dict[str, bytes]) -> list[str]:
    from verify.report.plots import draw_svg

    lines = [_text(evidence["summary"]), ""]
    for label, value in verdict_remarks(verdict, evidence):
        lines += [f"**{label.capitalize()}.** {_text(sentence(value, _DIGITS))}", ""]
    lines += [f"- {_text(note)}" for note in evidence["notes"]]
    lines.append("")
    for place, plot in enumerate(evidence["plots"], start=1):
        file = f"{name}-{place}.svg"
        drawn[file] = draw_svg(plot).encode("utf-8")
        lines += [
            f"```{{figure}} {file}",
            f":alt: {json.dumps(_plain(plot['title']), ensure_ascii=False)}",
            "",
            _text(plot["title"]),
            "```",
            "",
        ]
    lines += [
        "## Readings",
        "",
        "| reading | outcome | cases | error or margin | tolerance | |",
        "|---|---|--:|--:|--:|---|",
    ]
    for reading in evidence["readings"]:
        cells = [
            reading["name"],
            outcome(reading),
            reading["cases"],
            reading["worst"],
            reading["tolerance"],
            reading["detail"],
        ]
        texts = [_cell(number(cell, _DIGITS)) for cell in cells]
        texts[1] = _linked(texts[1], page_of(reading["proof"]))
        lines.append("| " + " | ".join(texts) + " |")
    lines.append("")
    if evidence.get("controls"):
        lines += ["## Controls", "", "Neighbouring statements, which the same evidence has to tell apart.", ""]
        lines += ["| statement | outcome | error or margin | tolerance | |", "|---|---|--:|--:|---|"]
        for control in evidence["controls"]:
            cells = [control[key] for key in ("statement", "outcome", "worst", "tolerance", "detail")]
            lines.append("| " + " | ".join(_cell(number(cell, _DIGITS)) for cell in cells) + " |")
        lines.append("")
    if evidence["certificates"]:
        lines += [f"{evidence['certificates']} certificates of interval arithmetic, in the report of every run.", ""]
    for table in evidence["tables"]:
        lines += [f"**{_text(table['title'])}**", "", "| " + " | ".join(map(_cell, table["columns"])) + " |"]
        lines.append("|" + "---|" * len(table["columns"]))
        lines += ["| " + " | ".join(_cell(number(cell, _DIGITS)) for cell in row) + " |" for row in table["rows"]]
        lines.append("")
    return lines


def _linked(outcome_text: str, page: str) -> str:
    """The text of an outcome, with the written proof that it names as a link where this project has the page."""
    if not page or not (PAGES / f"{page}.md").is_file():
        return outcome_text
    return outcome_text.replace(_cell(page), f"[{_cell(page)}](../proofs/{page}.md)")


def _badge(verdict: str) -> str:
    return f'<span class="verdict {verdict}">{verdict}</span>'


def _rounded(value: Any) -> Any:
    """Numbers with five significant digits: pages show no more."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value


def _text(text: Any) -> str:
    """Plain text as Markdown that shows it unchanged, but for its mathematics, which is set."""
    html = str(typeset(" ".join(str(text).split())))
    return "".join(part if part.startswith("<") else _escaped(part) for part in re.split(r"(<[^>]*>)", html))


def _escaped(text: str) -> str:
    for mark in "\\*_`[]$#~^{}":
        text = text.replace(mark, "\\" + mark)
    # Entities keep their number sign.
    return re.sub(r"&\\#(\d+);", r"&#\1;", text)


def _cell(text: Any) -> str:
    return _text(text).replace("|", "\\|")


def _plain(text: Any) -> str:
    """Words of an alternative text: on one line, with Greek letters."""
    return unicode_text(" ".join(str(text).split()))
