"""The command line, run in the process of the tests."""

from __future__ import annotations

import pytest

from nngp_dag.cli import main

__all__ = ["run_command"]


def run_command(capture: pytest.CaptureFixture[str], *arguments: object) -> tuple[int | str, str, str]:
    """Status, stdout and stderr of `nngp-dag` with these arguments, whose text counts."""
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in arguments])
    output = capture.readouterr()
    return stop.value.code or 0, output.out, output.err
