"""Run the test of each fault with the fault in place: does it fail, and does it pass without?

A test notices a fault by an assertion that fails; one that only breaks (another exception) has not noticed it, like a
claim that crashes. Faults are put in place after the tests were collected, and taken out before the next session.
"""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from nngp_dag.errors import InputError
from verify.mutation.inject import Fault, Reached, clear_caches, inject
from verify.mutation.suite import Outcome, Result

__all__ = ["ROOT", "run_tested", "test_file"]

ROOT = Path(__file__).resolve().parents[2]
"""The checkout, which holds the tests."""


def test_file(fault: Fault) -> Path:
    """The file of a fault's test.

    Raises:
        InputError: the file is not there; an installed package has no tests.
    """
    file = ROOT / fault.test.split("::")[0]
    if not file.is_file():
        raise InputError(f"the fault {fault.name} is noticed by {fault.test}, which only a checkout has")
    return file


def run_tested(faults: Sequence[Fault], on_outcome: Callable[[Outcome], None] = lambda outcome: None) -> Result:
    """Run the test of each fault with that fault, then all these tests without any.

    Args:
        faults: each with a test.
        on_outcome: called as outcomes come.
    """
    result = Result([], tests=sorted({fault.test for fault in faults}))
    for fault in faults:
        test_file(fault)
        start = time.perf_counter()
        failures, crashes, reached = _run([fault.test], fault)
        outcome = Outcome(fault, reached.count, failures, crashes, time.perf_counter() - start)
        result.outcomes.append(outcome)
        on_outcome(outcome)
    if result.tests:
        clear_caches()
        failures, crashes, _ = _run(result.tests, None)
        result.after = failures | dict.fromkeys(crashes, "breaks off")
    return result


def _run(tests: Sequence[str], fault: Fault | None) -> tuple[dict[str, str], list[str], Reached]:
    """Tests whose assertions fail, with the first line of the reason; tests that break otherwise; and the counter."""
    import pytest

    session = _Session(fault)
    arguments = [*(str(ROOT / test) for test in tests), "-q", "-c", str(ROOT / "pyproject.toml"), "-m", ""]
    arguments += ["-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:nngp_dag_claims"]
    arguments += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # the library is imported already
    arguments += ["--rootdir", str(ROOT), "--hypothesis-profile", "faults"]
    arguments += [] if fault is None else ["--maxfail", "1"]
    output = io.StringIO()
    with _inside(ROOT), contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        status = pytest.main(arguments, plugins=[session])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        last = output.getvalue().strip().splitlines()[-1:]
        raise InputError(f"pytest cannot run {' '.join(tests)}: {' '.join(last)}")
    if skipped := [test for test in tests if not any(node.startswith(test) for node in session.ran)]:
        raise InputError(f"{' '.join(skipped)} did not run")
    return session.failures, session.crashes, session.reached


class _Session:
    """A plugin of pytest: it puts the fault in place while tests run, and keeps what failed and why."""

    def __init__(self, fault: Fault | None) -> None:
        import pytest

        self.reached = Reached()
        self.ran: list[str] = []
        self.failures: dict[str, str] = {}
        self.crashes: list[str] = []
        self._assertions: tuple[type[BaseException], ...] = (AssertionError, pytest.fail.Exception)

        @pytest.hookimpl(wrapper=True)
        def loop(session: Any) -> Generator[None, object, object]:
            del session
            if fault is None:
                return (yield)
            with inject(fault) as self.reached:
                return (yield)

        self.pytest_runtestloop = loop

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note a test that ran."""
        if report.when == "call" and not report.skipped:
            self.ran.append(report.nodeid)

    def pytest_exception_interact(self, node: Any, call: Any, report: Any) -> None:
        """Note a test that failed, or that broke."""
        del report
        error = call.excinfo.value
        if any(isinstance(part, self._assertions) for part in _parts(error)):
            self.failures[node.nodeid] = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        else:
            self.crashes.append(node.nodeid)


def _parts(error: BaseException) -> list[BaseException]:
    """An exception, or those of a group: Hypothesis raises several failures together."""
    inner = getattr(error, "exceptions", None)
    return [error] if inner is None else [part for each in inner for part in _parts(each)]


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
