"""The verdicts for people, on stdout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

from nngp_dag.theme.notation import unicode_text
from nngp_dag.theme.palette import VERDICTS
from verify.framework.record import BaselineComparison, ClaimRecord, Document
from verify.report.papers import by_paper, heading
from verify.report.words import claims_text, expected, printable

__all__ = ["print_document"]

_EVIDENCE_LINES = 3
"""Lines of evidence shown a claim; the reports have all of it."""


def print_document(document: Document, console: Console | None = None) -> None:
    """Print each paper's claims (verdict, whether it was expected, source, seconds; evidence below), then what
    went wrong.

    Args:
        document: content of report.json.
        console: where to; by default stdout, as wide as the terminal (80 columns where there is none).
    """
    from rich.console import Console

    console = console or Console(highlight=False)
    claims = document["claims"]
    names = max((len(claim["id"]) for claim in claims), default=0)
    verdicts = max((len(claim["verdict"]) for claim in claims), default=0)
    for paper, group in by_paper(claims, document["papers"]):
        console.print(f"[bold underline]{_safe(heading(paper))}[/]", no_wrap=True, overflow="ellipsis")
        _print_claims(group, (names, verdicts), console)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in document["summary"].items())
    console.print(f"\n{claims_text(len(claims))} in {document['seconds']:.1f} s: {counts}.")
    for item in document["unexpected"]:
        console.print(f"[bold red]{_safe(item['id'])}: {item['verdict']}, expected {expected(item['expected'])}[/]")
    if document["baseline"] is not None:
        _print_comparison(document["baseline"], console)
    console.print("[green]As expected.[/]" if document["passed"] else "[bold red]Not as expected.[/]")


def _print_claims(claims: Sequence[ClaimRecord], widths: tuple[int, int], console: Console) -> None:
    """Print claims, their identifiers and verdicts as wide as `widths`."""
    names, verdicts = widths
    for claim in claims:
        verdict = f"[{VERDICTS[claim['verdict']].terminal}]{claim['verdict']:{verdicts}}[/]"
        console.print(
            f"[bold]{_safe(claim['id']):{names}}[/]  {verdict}  {claim['seconds']:5.1f} s  {_safe(claim['source'])}",
            no_wrap=True,
            overflow="ellipsis",
        )
        if not claim["as_expected"]:
            console.print(f"  [bold red]expected {expected(claim['expected'])}[/]")
        text = claim["evidence"]["summary"] if claim["error"] is None else claim["error"]["reason"]
        for line in _wrapped(unicode_text(text), console):
            console.print(line)


def _print_comparison(comparison: BaselineComparison, console: Console) -> None:
    for line in comparison["differences"]:
        console.print(f"[bold red]baseline: {_safe(line)}[/]")
    if not comparison["differences"]:
        console.print(f"Baseline {_safe(comparison['file'])}: no difference.")
    if comparison["new"]:
        console.print(f"Not in the baseline: {', '.join(comparison['new'])}; record them with --update-baseline.")


def _safe(text: str) -> str:
    """Text as it is, whatever it says to rich or to a terminal."""
    from rich.markup import escape

    return escape(" ".join(printable(text).split()))


def _wrapped(text: str, console: Console) -> list[Text]:
    """The text within two columns of margin, no longer than `_EVIDENCE_LINES`."""
    from rich.text import Text

    lines = list(Text(printable(text)).wrap(console, max(20, console.width - 4)))
    if len(lines) > _EVIDENCE_LINES:
        lines = lines[:_EVIDENCE_LINES]
        last = lines[-1].plain.rstrip()
        lines[-1] = Text((last if len(last) < console.width - 5 else last[:-1]) + "…")
    return [Text("  ") + line for line in lines]
