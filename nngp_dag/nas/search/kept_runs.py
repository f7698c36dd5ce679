"""Runs of searches, each kept in a file as soon as it has ended: a killed series goes on where it was.

    with KeptRuns(networks.space, Path("runs.jsonl"), settings) as kept:
        series = run_series(plan, compute, kept)

The file has a line per finished run (JSON). A run that fails takes no other with it: the others are computed and kept,
and the series says which ones failed, and why.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from nngp_dag.errors import InputError
from nngp_dag.nas.images import Images
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.search.result import SearchResult
from nngp_dag.nas.search.run import SearchSettings
from nngp_dag.spaces import Space
from nngp_dag.support.digest import digest
from nngp_dag.support.files import check_writable
from nngp_dag.support.progress import ProgressBar, no_progress
from nngp_dag.support.row_format import JsonRows, Row
from nngp_dag.support.table import GrowingTable

__all__ = ["FailedRun", "KeptRuns", "RunSeries", "SearchRun", "check_runs_file", "run_series", "settings_digest"]

_COLUMNS = (
    *("run", "search", "filter", "seed", "architecture", "candidates", "evaluations", "seconds", "compile_seconds"),
    *("passes_filter", "details", "settings"),
)
_TEXT = ("run", "search", "filter", "architecture", "details", "settings")


@dataclass(frozen=True)
class SearchRun:
    """One run of a series.

    Attributes:
        search: name of the search.
        filter: name of the filter.
        seed: of everything random.
    """

    search: str
    filter: str
    seed: int

    def __str__(self) -> str:
        return f"{self.search}, filter {self.filter}, seed {self.seed}"


@dataclass(frozen=True)
class FailedRun:
    """A run that has no result, and why."""

    run: SearchRun
    error: Exception

    @property
    def reason(self) -> str:
        """The error in words, with its type where it is not one that speaks to people."""
        words = str(self.error)
        return words if isinstance(self.error, InputError) else f"{type(self.error).__name__}: {words}".rstrip(": ")


@dataclass(frozen=True)
class RunSeries:
    """Runs that have ended.

    Attributes:
        results: of the runs that were finished, in the order of the plan.
        failed: the others.
        num_resumed: number of results that an earlier start had left.
    """

    results: dict[SearchRun, SearchResult]
    failed: tuple[FailedRun, ...]
    num_resumed: int

    @property
    def failures(self) -> tuple[str, ...]:
        """A line per run that failed, with its reason."""
        return tuple(f"{failure.run}: {failure.reason}" for failure in self.failed)

    def raise_failures(self) -> None:
        """Raise one error that names every run that failed (InputError); nothing where none did."""
        if self.failed:
            total = len(self.failed) + len(self.results)
            words = f"{len(self.failed)} of {total} runs failed: {'; '.join(self.failures)}"
            raise InputError(words) from self.failed[0].error


class KeptRuns:
    """Finished runs in a file, or in no file. Use it as a context.

    Args:
        space: of the architectures.
        out: a .jsonl file in an existing folder, or None.
        settings: a digest of everything that a run depends on but for what `SearchRun` holds; runs of other settings
            are refused.

    Raises:
        InputError: the file cannot be written, or holds something else.
    """

    def __init__(self, space: Space, out: Path | None, settings: str) -> None:
        self._space, self._out = space, out
        self._table: GrowingTable | None = None
        if out is not None:
            check_runs_file(out)
            self._is_new = not out.exists()
            rows = JsonRows(_COLUMNS, _TEXT)
            self._table = GrowingTable(out, rows, settings, "other searches (other sizes, data or filter)", "runs")

    def get(self, run: SearchRun) -> SearchResult | None:
        """The result of a run that was kept."""
        if self._table is None or str(run) not in self._table:
            return None
        return _result(self._space, self._table[str(run)])

    def add(self, run: SearchRun, result: SearchResult) -> None:
        """Keep a result; it is on the disk when this returns."""
        if self._table is not None:
            self._table.add([(str(run), _row(self._space, run, result))])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._table is None or self._out is None:
            return
        nothing = self._is_new and not len(self._table)
        if nothing:
            self._out.unlink(missing_ok=True)
        if kind is None or nothing:
            self._table.finish()
        self._table.__exit__(kind, error, trace)


def settings_digest(
    networks: Sequence[SpaceNetworks], images: Images, settings: SearchSettings, *others: object
) -> str:
    """A short digest of everything that a run depends on but for what `SearchRun` holds.

    Args:
        networks: that are searched.
        images: that they are judged on.
        settings: sizes of the searches.
        others: anything else, by its representation.
    """
    sizes = [(n.space.name, *(repr(getattr(n, name)) for name in ("wot", "ntk", "regions", "train"))) for n in networks]
    labels = [] if images.y is None else [images.y]
    return digest(repr((sizes, settings, others)), images.x, *labels)[:16]


def check_runs_file(path: Path, inputs: Iterable[Path | None] = ()) -> None:
    """InputError where runs cannot be written to that path, by its name or its folder, or as it is one of `inputs`."""
    if path.suffix != ".jsonl":
        raise InputError(f"cannot write {path}: the name has to end in .jsonl")
    check_writable(path, "a .jsonl file", inputs)


def run_series(
    plan: Sequence[SearchRun],
    compute: Callable[[SearchRun], SearchResult],
    kept: KeptRuns,
    *,
    on_resumed: Callable[[int, int], object] | None = None,
    progress: ProgressBar = no_progress,
) -> RunSeries:
    """The results of all runs of a plan: those that are kept, and the others computed and kept one by one.

    Args:
        plan: the runs, each once.
        compute: the result of one run.
        kept: where results are taken from and kept.
        on_resumed: told how many of how many runs were done before, where there are any.
        progress: opens a progress bar over the runs.

    Raises:
        Exception: the first run's own error, where every run failed; InputError where a result cannot be kept.
    """
    before = {run: result for run in plan if (result := kept.get(run)) is not None}
    if before and on_resumed is not None:
        on_resumed(len(before), len(plan))
    results, failed = dict(before), []
    with progress("Runs", len(plan), "runs", start=len(before)) as advance:
        for run in plan:
            if run in results:
                continue
            try:
                result = compute(run)
            except Exception as error:  # whatever it was, the other runs are worth their time
                failed.append(FailedRun(run, error))
                continue
            kept.add(run, result)
            results[run] = result
            advance(len(results))
    if not results:
        raise failed[0].error
    return RunSeries({run: results[run] for run in plan if run in results}, tuple(failed), len(before))


def _row(space: Space, run: SearchRun, result: SearchResult) -> Row:
    return {
        "run": str(run),
        "search": run.search,
        "filter": run.filter,
        "seed": run.seed,
        "architecture": space.write(result.architecture),
        "candidates": result.candidates,
        "evaluations": result.evaluations,
        "seconds": result.seconds,
        "compile_seconds": result.compile_seconds,
        "passes_filter": result.passes,
        "details": json.dumps(result.details),
    }


def _result(space: Space, row: Row) -> SearchResult:
    numbers = {
        column: float(row[column] or 0) for column in ("candidates", "evaluations", "seconds", "compile_seconds")
    }
    passes = row["passes_filter"]
    assert isinstance(passes, float)
    return SearchResult(
        space.parse(str(row["architecture"])),
        int(numbers["candidates"]),
        int(numbers["evaluations"]),
        numbers["seconds"],
        numbers["compile_seconds"],
        json.loads(str(row["details"])),
        None if math.isnan(passes) else bool(passes),
    )
