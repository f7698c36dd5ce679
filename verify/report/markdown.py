"""A Markdown summary that fits a GitHub step summary (which takes up to 1 MiB)."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence

from nngp_dag.theme.palette import VERDICTS
from verify.framework.record import ClaimRecord, Document
from verify.report.papers import by_paper, heading
from verify.report.words import claims_text, expected, outcome, printable, verdict_remarks

__all__ = ["markdown_report"]


def markdown_report(document: Document) -> str:
    """The run as Markdown: differences, verdicts by paper, then each claim's readings, condition and tables."""
    lines = ["# Verification report", "", _headline(document), ""]
    lines += _differences(document)
    groups = by_paper(document["claims"], document["papers"])
    for paper, claims in groups:
        lines += [f"## {_text(heading(paper))}", "", *_verdicts(claims), ""]
    for _, claims in groups:
        for claim in claims:
            lines += [*_claim_section(claim), ""]
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items() if version)
    machine = document["hardware"]
    lines += [f"{versions}. {machine['processor']}, {machine['cores']} cores, {machine['platform']}.", ""]
    return printable("\n".join(lines))


def _verdicts(claims: Sequence[ClaimRecord]) -> list[str]:
    lines = ["| claim | statement | verdict | as expected | s |", "|---|---|---|---|---:|"]
    for claim in claims:
        as_expected = "yes" if claim["as_expected"] else f"**no: {expected(claim['expected'])}**"
        name = f"{_code(claim['id'])} ({_text(claim['source'])})"
        verdict = f"{VERDICTS[claim['verdict']].mark} {claim['verdict']}"
        lines.append(f"| {name} | {_text(claim['title'])} | {verdict} | {as_expected} | {claim['seconds']:.1f} |")
    return lines


def _headline(document: Document) -> str:
    counts = ", ".join(f"{count} {verdict}" for verdict, count in document["summary"].items())
    state = "**as expected**" if document["passed"] else "**NOT as expected**"
    return (
        f"{claims_text(len(document['claims']))}, {counts}: {state}. Profile {document['profile']}, data"
        f" {_text(document['data'])}, seed {document['seed']}, {document['seconds']:.0f} s, started"
        f" {document['started']}."
    )


def _differences(document: Document) -> list[str]:
    lines = [f"- {_code(u['id'])}: {u['verdict']}, expected {expected(u['expected'])}" for u in document["unexpected"]]
    if document["baseline"] is not None:
        lines += [f"- baseline: {_text(difference)}" for difference in document["baseline"]["differences"]]
    return ["Differences:", "", *lines, ""] if lines else []


def _claim_section(claim: ClaimRecord) -> list[str]:
    evidence = claim["evidence"]
    lines = [f"## {_text(claim['id'])}: {_text(claim['title'])}", ""]
    lines += [f"{_text(claim['statement'])} ({_text(claim['source'])})", ""]
    if claim["error"] is not None:
        trace = claim["error"]["traceback"].rstrip()
        return [*lines, f"**crashed**: {_text(claim['error']['reason'])}", "", *_block(trace)]
    lines += [f"**{claim['verdict']}**. {_text(evidence['summary'])}", ""]
    lines += [f"- {label}: {_text(value)}" for label, value in _remarks(claim)]
    lines += ["", "| reading | outcome | cases | error or margin | tolerance | |", "|---|---|---:|---:|---:|---|"]
    for reading in evidence["readings"]:
        cells = [
            reading["name"],
            outcome(reading),
            reading["cases"],
            _number(reading["worst"]),
            _number(reading["tolerance"]),
        ]
        lines.append("| " + " | ".join(_text(cell) for cell in [*cells, reading["detail"]]) + " |")
    for control in evidence["controls"]:
        lines += ["", f"- control: {_text(control['statement'])}: {_text(control['outcome'])}"]
    for table in evidence["tables"]:
        lines += ["", f"{_text(table['title'])}:", "", "| " + " | ".join(map(_text, table["columns"])) + " |"]
        lines.append("|" + "---|" * len(table["columns"]))
        lines += ["| " + " | ".join(_text(_number(cell)) for cell in row) + " |" for row in table["rows"]]
    return lines


def _remarks(claim: ClaimRecord) -> list[tuple[str, object]]:
    shown: list[tuple[str, object]] = [
        (label, _sentence(value)) for label, value in verdict_remarks(claim["verdict"], claim["evidence"])
    ]
    return shown + [("note", note) for note in claim["evidence"]["notes"]]


def _sentence(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_number(item)}" for key, item in value.items())
    return str(value)


def _number(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _text(value: object) -> str:
    """Words on one line that show as they are, wherever they stand: no HTML, no mark-up, no end of a table's cell."""
    line = html.escape(" ".join(str(value).split()), quote=False)
    line = re.sub(r"([\\`*\[\]|~$])|(?<!\w)(_)|(_)(?!\w)", lambda match: "\\" + match.group(), line)
    return re.sub(r"^(\d*)([-+#=.)])", r"\1\\\2", line)


def _code(value: object) -> str:
    """An identifier as code; words where it holds what would end the code."""
    text = " ".join(str(value).split())
    return _text(text) if set(text) & set("`|<") else f"`{text}`"


def _block(text: str) -> list[str]:
    """Lines of code, between fences that are longer than any in them."""
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return [fence, text, fence]
