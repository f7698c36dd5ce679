"""Helpers of the tests that run `verify`: what an unfinished run holds, claims as text, exit statuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from nngp_dag.cli import main
from nngp_dag.support.row_log import open_log
from verify.framework.store import NAME

__all__ = ["LOG", "claim_text", "finished", "status"]

LOG = "finished-claims"
"""Name of the file of finished claims in the folder of an unfinished run."""


def finished(out: Path, claim: str) -> bool:
    """True once the unfinished run in a folder has finished a claim."""
    log = open_log(out / NAME / LOG)
    return log is not None and claim in log.rows


def claim_text(name: str, check: str = "pass", before: str = "", **words: object) -> str:
    """A claims file with one claim, which holds where the lines of its check neither raise nor return.

    Args:
        name: its identifier.
        check: lines of the check, before it holds.
        before: lines before the claim.
        words: arguments of the decorator instead of plain ones.
    """
    arguments = {"title": name, "source": "a test", "statement": f"{name}.", "expected": "holds", **words}
    indented = "\n".join(f"    {line}" for line in check.splitlines())
    return (
        f"from verify import Evidence, Finding, claim\n{before}\n\n"
        f"@claim({name!r}, **{arguments!r})\ndef check(context):\n{indented}\n"
        f"    return Evidence([Finding(True, cases=1, tolerance=0.0, label='one')], summary='a summary')\n"
    )


def status(arguments: list[str]) -> int:
    """The exit status of the command line, in this process."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert isinstance(stop.value.code, int)
    return stop.value.code
