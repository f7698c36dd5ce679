"""`pytest --nngp-dag-claims`: each claim as a test item, passed where its verdict is the expected one.

Claims run in a process of their own beside pytest's, so that they change nothing of the tests around them; with
pytest-xdist each worker has one. Without paths on pytest's command line only the claims run.

pytest loads this module in every project of an environment that has nngp_dag, most of which know nothing of it: so
until claims are asked for it imports nothing but pytest, and nothing called `verify`, which may be theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from verify.framework.catalogue import BrokenFile
    from verify.framework.claim import Claim
    from verify.framework.options import Options
    from verify.framework.process import Worker
    from verify.framework.record import ClaimRecord, RunRecord

__all__ = ["BrokenFileItem", "ClaimFailure", "ClaimItem"]

_OPTION = "nngp_dag_claims"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of this plugin."""
    group = parser.getgroup("nngp-dag claims")
    group.addoption("--nngp-dag-claims", dest=_OPTION, action="store_true", help="run the claims of nngp-dag as tests")
    group.addoption(
        "--nngp-dag-claims-dir",
        action="append",
        default=[],
        metavar="DIR",
        help="folder of further claim files (repeatable)",
    )
    group.addoption("--nngp-dag-select", metavar="ID,...", help="only these claims")
    group.addoption("--nngp-dag-profile", choices=["quick", "full"], default="quick", help="default: quick")
    group.addoption("--nngp-dag-baseline", metavar="FILE", help="recorded run to compare with")


class ClaimFailure(Exception):
    """A claim whose verdict or key values are not the known ones; the message says what differs."""


class _Claims(pytest.Collector):
    """The collector of all claims: one worker process, started at the first claim."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._workers: list[Worker] = []

    def options(self) -> Options:
        """The options with which claims are run."""
        from verify.framework.options import Options

        directories = tuple(str(Path(folder).resolve()) for folder in self.config.getoption("nngp_dag_claims_dir"))
        return Options(directories, self.config.getoption("nngp_dag_profile"))

    def collect(self) -> Iterator[ClaimItem | BrokenFileItem]:
        """One item per claim, and per claims file that cannot be imported."""
        from nngp_dag.errors import InputError
        from verify.framework.catalogue import catalogue

        try:
            found = catalogue(self.options())
            claims = found.select(self.config.getoption("nngp_dag_select"))
        except InputError as error:
            raise pytest.UsageError(str(error)) from error
        found.say_what_is_empty()
        for file in found.broken:
            yield BrokenFileItem.from_parent(self, name=file.id, file=file)
        for claim in claims:
            yield ClaimItem.from_parent(self, name=claim.id, claim=claim)

    def record(self, claim: Claim) -> ClaimRecord:
        """Run one claim."""
        from verify.framework.runner import run

        return run([claim], self.options(), workers=self._workers)[0]

    def teardown(self) -> None:
        """Stop the worker process."""
        while self._workers:
            self._workers.pop().stop()


class ClaimItem(pytest.Item):
    """One claim."""

    parent: _Claims

    def __init__(self, *, claim: Claim, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.claim = claim

    def runtest(self) -> None:
        """Run the claim; ClaimFailure where it is not as expected, or not as in the baseline."""
        record = self.parent.record(self.claim)
        self.user_properties.append(("verdict", record["verdict"]))
        self.add_report_section("call", "evidence", record["evidence"]["summary"])
        lines = [] if record["as_expected"] else [f"verdict {record['verdict']}, expected {record['expected']}"]
        if record["error"] is not None:
            lines.append(record["error"]["traceback"] or record["error"]["reason"])
        file = self.config.getoption("nngp_dag_baseline")
        if file is not None:
            lines += self._differences(record, Path(file))
        if lines:
            raise ClaimFailure("\n".join(lines))

    def _differences(self, record: ClaimRecord, file: Path) -> list[str]:
        from verify.baseline import compare_with_baseline, load_baseline

        options = self.parent.options()
        document: RunRecord = {
            "profile": options.profile,
            "seed": options.seed,
            "data": options.data,
            "claims": [record],
        }
        return list(compare_with_baseline(document, load_baseline(file), str(file), partial=True)["differences"])

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The differences, without pytest's own frames."""
        if isinstance(excinfo.value, ClaimFailure):
            return f"{self.claim.id}: {self.claim.statement}\n{excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[str, int | None, str]:
        """The file of the claim, and its title."""
        return self.claim.path, None, f"{self.claim.id}: {self.claim.title}"


class BrokenFileItem(pytest.Item):
    """A claims file that cannot be imported: it fails."""

    def __init__(self, *, file: BrokenFile, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.file = file

    def runtest(self) -> None:
        """Fail with the reason."""
        raise ClaimFailure(f"{self.file.path} cannot be imported: {self.file.reason}\n{self.file.traceback}".rstrip())

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The reason, without pytest's own frames."""
        return str(excinfo.value) if isinstance(excinfo.value, ClaimFailure) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[str, int | None, str]:
        """The file."""
        return self.file.path, None, self.file.id


def _only_claims(config: pytest.Config) -> bool:
    return bool(config.getoption(_OPTION)) and config.args_source is not pytest.Config.ArgsSource.ARGS


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where no paths were given, pass over every file."""
    return True if _only_claims(config) and collection_path.is_file() else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the claims before anything selects among items."""
    if config.getoption(_OPTION):
        _check_suite()
        items.extend(_Claims.from_parent(session, name="claims", nodeid="claims").collect())


def _check_suite() -> None:
    """UsageError, which pytest prints as one line, where `verify` is not ours."""
    from nngp_dag.errors import InputError
    from nngp_dag.support.suite import check_suite

    try:
        check_suite()
    except InputError as error:
        raise pytest.UsageError(str(error)) from error


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Show the verdict beside PASSED."""
    verdict = dict(report.user_properties).get("verdict") if isinstance(report, pytest.TestReport) else None
    if verdict is None or report.when != "call" or not report.passed:
        return None
    return "passed", ".", f"PASSED ({verdict})"
