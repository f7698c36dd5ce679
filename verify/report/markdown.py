"""A Markdown summary that fits a GitHub step summary (which takes up to 1 MiB)."""

from __future__ import annotations

from collections.abc import Mapping

from verify.framework.record import ClaimRecord, Document
from verify.report.words import outcome, verdict_remarks

__all__ = ["markdown_report"]

_MARKS = {
    "certified": "🟢",
    "holds": "🟢",
    "holds-conditionally": "🟡",
    "refuted": "🟣",
    "inconclusive": "🔵",
    "crashed": "🔴",
}


def markdown_report(document: Document) -> str:
    """The run as Markdown: a table of verdicts, differences, then each claim's readings, condition and tables."""
    lines = ["# Verification report", "", _headline(document), ""]
    lines += _differences(document)
    lines += ["| claim | statement | verdict | as expected | s |", "|---|---|---|---|---:|"]
    for claim in document["claims"]:
        expected = "yes" if claim["as_expected"] else f"**no: {claim['expected']}**"
        name = f"`{claim['id']}` ({_cell(claim['source'])})"
        verdict = f"{_MARKS[claim['verdict']]} {claim['verdict']}"
        lines.append(f"| {name} | {_cell(claim['title'])} | {verdict} | {expected} | {claim['seconds']:.1f} |")
    for claim in document["claims"]:
        lines += ["", *_claim_section(claim)]
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items() if version)
    machine = document["hardware"]
    lines += ["", f"{versions}. {machine['processor']}, {machine['cores']} cores, {machine['platform']}.", ""]
    return "\n".join(lines)


def _headline(document: Document) -> str:
    counts = ", ".join(f"{count} {verdict}" for verdict, count in document["summary"].items())
    state = "**as expected**" if document["passed"] else "**NOT as expected**"
    return (
        f"{len(document['claims'])} claims, {counts}: {state}. Profile {document['profile']}, data {document['data']},"
        f" seed {document['seed']}, {document['seconds']:.0f} s, started {document['started']}."
    )


def _differences(document: Document) -> list[str]:
    lines = [f"- `{u['id']}`: {u['verdict']}, expected {u['expected']}" for u in document["unexpected"]]
    if document["baseline"] is not None:
        lines += [f"- baseline: {difference}" for difference in document["baseline"]["differences"]]
    return ["Differences:", "", *lines, ""] if lines else []


def _claim_section(claim: ClaimRecord) -> list[str]:
    evidence = claim["evidence"]
    lines = [f"## {claim['id']}: {claim['title']}", "", f"{claim['statement']} ({claim['source']})", ""]
    if claim["error"] is not None:
        return [
            *lines,
            f"**crashed**: {claim['error']['reason']}",
            "",
            "```",
            claim["error"]["traceback"].rstrip(),
            "```",
        ]
    lines += [f"**{claim['verdict']}**. {evidence['summary']}", ""]
    lines += [f"- {label}: {_cell(value)}" for label, value in _remarks(claim)]
    lines += ["", "| reading | outcome | cases | error or margin | tolerance | |", "|---|---|---:|---:|---:|---|"]
    for reading in evidence["readings"]:
        cells = [
            reading["name"],
            outcome(reading),
            reading["cases"],
            _number(reading["worst"]),
            _number(reading["tolerance"]),
        ]
        lines.append("| " + " | ".join(_cell(cell) for cell in [*cells, reading["detail"]]) + " |")
    for table in evidence["tables"]:
        lines += ["", f"{_cell(table['title'])}:", "", "| " + " | ".join(map(_cell, table["columns"])) + " |"]
        lines.append("|" + "---|" * len(table["columns"]))
        lines += ["| " + " | ".join(_cell(_number(cell)) for cell in row) + " |" for row in table["rows"]]
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


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")
