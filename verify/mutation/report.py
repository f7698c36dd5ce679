"""The outcomes of the faults, for people."""

from __future__ import annotations

from verify.mutation.faults import AREAS
from verify.mutation.suite import Outcome, Result

__all__ = ["mutation_markdown", "outcome_line"]


def outcome_line(outcome: Outcome) -> str:
    """One line on a fault."""
    if not outcome.reached:
        state = "NOT REACHED"
    elif outcome.caught:
        state = f"caught by {len(outcome.red)}: {', '.join(outcome.red)}"
    else:
        state = "NOT CAUGHT" + (f" (only crashes: {', '.join(outcome.crashed)})" if outcome.crashed else "")
    return f"{outcome.fault.name}: {state}, {outcome.seconds:.1f} s"


def mutation_markdown(result: Result, seconds: float) -> str:
    """The run as Markdown: the number that was caught, then a row per fault."""
    caught = sum(outcome.caught for outcome in result.outcomes)
    healthy = "green before and after" if not result.before and not result.after else "NOT GREEN"
    lines = [
        "# Deliberate faults",
        "",
        f"{caught} of {len(result.outcomes)} faults caught by {len(result.claims)} claims and {len(result.tests)} tests"
        f" in {seconds:.0f} s; the healthy runs are {healthy}.",
        "",
    ]
    for when, red in (("before", result.before), ("after", result.after)):
        lines += [f"- healthy run {when}: {name}: {reason}" for name, reason in red.items()]
    lines += _by_area(result)
    lines += [
        "| fault | what is wrong | where | reached | caught by | first reason | crashed |",
        "|---|---|---|---:|---|---|---|",
    ]
    for o in result.outcomes:
        first = next(iter(o.red.items()), ("", ""))
        by = f"{first[0]} and {len(o.red) - 1} more" if len(o.red) > 1 else first[0] or "**none**"
        cells = [o.fault.name, o.fault.words, f"{o.fault.module}:{o.fault.function}", str(o.reached), by, first[1]]
        cells.append(str(len(o.crashed)) if o.crashed else "")
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, ""])


def _by_area(result: Result) -> list[str]:
    """A row per area: faults, and how many of them claims, tests and nothing noticed."""
    lines = ["| area | faults | by claims | by tests | not noticed |", "|---|---:|---:|---:|---:|"]
    for area, faults in AREAS.items():
        names = {fault.name for fault in faults}
        found = [o for o in result.outcomes if o.fault.name in names]
        tested = sum(o.caught and o.fault.test in result.tests for o in found)
        caught = sum(o.caught for o in found)
        if found:
            lines.append(f"| {area} | {len(found)} | {caught - tested} | {tested} | {len(found) - caught} |")
    return [*lines, ""]
