"""The table of verdicts for people, on stdout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["STYLES", "print_document"]

STYLES = {
    "certified": "bold green",
    "holds": "green",
    "holds-conditionally": "yellow",
    "refuted": "magenta",
    "inconclusive": "cyan",
    "crashed": "bold red",
}


def print_document(document: Mapping[str, Any]) -> None:
    """Print one line a claim (verdict, whether it was expected, seconds, summary) and what went wrong."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    table = Table(title="Claims", title_justify="left", show_lines=True)
    for column in ("claim", "source", "verdict", "s", "evidence"):
        table.add_column(
            column, overflow="fold", no_wrap=column == "claim", justify="right" if column == "s" else "left"
        )
    for claim in document["claims"]:
        verdict = f"[{STYLES[claim['verdict']]}]{claim['verdict']}[/]"
        if not claim["as_expected"]:
            verdict += f"\n[bold red]expected {claim['expected']}[/]"
        text = claim["evidence"]["summary"] if claim["error"] is None else claim["error"]["reason"]
        table.add_row(claim["id"], escape(claim["source"]), verdict, f"{claim['seconds']:.1f}", escape(text))
    console.print(table)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in document["summary"].items())
    console.print(f"{len(document['claims'])} claims in {document['seconds']:.1f} s: {counts}.")
    for item in document["unexpected"]:
        console.print(f"[bold red]{item['id']}: {item['verdict']}, expected {item['expected']}[/]")
    if document["baseline"] is not None:
        for line in document["baseline"]["differences"]:
            console.print(f"[bold red]baseline: {escape(line)}[/]")
        if not document["baseline"]["differences"]:
            console.print("Baseline: no difference.")
    console.print("[green]As expected.[/]" if document["passed"] else "[bold red]Not as expected.[/]")
