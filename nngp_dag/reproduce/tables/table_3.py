"""Table 3: NAS-WOT on NAS-Bench-201 under several ranges of the filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from nngp_dag.accuracy import Benchmark
from nngp_dag.nas.images import Images
from nngp_dag.nas.networks.registry import space_networks
from nngp_dag.nas.search.filters import make_filter
from nngp_dag.nas.search.kept_runs import RunSeries
from nngp_dag.nas.search.run import SearchSettings
from nngp_dag.reproduce.tables.measured import Measured, measure, saving
from nngp_dag.reproduce.tables.paper import TABLE_3
from nngp_dag.reproduce.tables.runs import (
    Conditions,
    Progress,
    RepeatedSearches,
    largest_of_draws,
    results_of,
    run_experiment,
)
from nngp_dag.spaces import Space
from nngp_dag.support.progress import ProgressBar, no_progress

__all__ = ["FILTERS", "FoundCells", "Table3", "Table3Row", "reproduce"]

FILTERS = ("none", "radius:1", "radius:3/4", "radius:1/2", "radius:1/4", "released")
"""The ranges of Table 3, no filter at all (the whole radius drops only cells without a place in the plane), and the
box of the released code."""


@dataclass(frozen=True)
class Table3Row:
    """NAS-WOT with one range, or the trivial baseline.

    Attributes:
        filter: name of the range.
        ranges: its bounds; None without a box.
        measured: statistics over the runs.
        saving_seconds: seconds that the range saves, in percent; None where no run compares.
        paper_cifar100: (mean, deviation) of the accuracy that the paper prints, where it does.
    """

    filter: str
    ranges: tuple[object, ...] | None
    measured: Measured
    saving_seconds: float | None
    paper_cifar100: tuple[float, float] | None

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return {
            "filter": self.filter,
            "ranges": self.ranges,
            "measured": {**self.measured.as_dict(), "saving_seconds": self.saving_seconds},
            "paper_cifar100": self.paper_cifar100,
        }


@dataclass(frozen=True)
class FoundCells:
    """The cells that the searches of one seed found.

    Attributes:
        seed: of the draws that all of them saw.
        cells: by cell, the ranges that led to it.
    """

    seed: int
    cells: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Table3:
    """Table 3 as measured.

    Attributes:
        conditions: what it was measured with.
        num: architectures that a run drew.
        rows: the ranges of which a run was finished, and the trivial baseline.
        found: the cells found, by seed.
    """

    conditions: Conditions
    num: int
    rows: tuple[Table3Row, ...]
    found: tuple[FoundCells, ...]

    @property
    def one_cell_each(self) -> bool:
        """True where all ranges found the same cell in every run: the accuracies tell no range from another then."""
        return all(len(found.cells) == 1 for found in self.found)

    @property
    def alike(self) -> tuple[tuple[str, ...], ...]:
        """Ranges that found the same cell in every run, in groups of two or more: no accuracy tells them apart."""
        cells: dict[str, list[tuple[int, str]]] = {}
        for found in self.found:
            for cell, ranges in found.cells.items():
                for name in ranges:
                    cells.setdefault(name, []).append((found.seed, cell))
        groups: dict[tuple[tuple[int, str], ...], tuple[str, ...]] = {}
        for name, runs in cells.items():
            groups[tuple(runs)] = (*groups.get(tuple(runs), ()), name)
        return tuple(names for names in groups.values() if len(names) > 1)

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return {
            "table": 3,
            **asdict(self.conditions),
            "num": self.num,
            "rows": [row.as_dict() for row in self.rows],
            "found": [asdict(found) for found in self.found],
            "one_cell_each": self.one_cell_each,
            "alike": self.alike,
        }


def reproduce(
    images: Images,
    benchmark: Benchmark,
    *,
    num: int,
    runs: int,
    seed: int,
    progress: Progress,
    out: Path | None = None,
    bar: ProgressBar = no_progress,
) -> Table3:
    """The table, measured. Every range sees the same draws.

    Args:
        images: CIFAR-10 images.
        benchmark: test accuracies of NAS-Bench-201.
        num: architectures that a run draws.
        runs: number of runs.
        seed: of the first run; the next ones follow.
        progress: told what begins.
        out: a .jsonl file that keeps every run as it ends, and that a later start goes on from.
        bar: opens a progress bar over the runs.

    Raises:
        InputError: as `run_experiment`, and where the benchmark lacks what was found.
    """
    networks = space_networks("nasbench201")
    filters = [make_filter(name, networks.space) for name in FILTERS]
    experiment = RepeatedSearches({"wot": networks}, filters, SearchSettings(num=num), runs, seed)
    series = run_experiment(experiment, images, progress=progress, out=out, bar=bar)
    rows = [_row(series, benchmark, name, ranges) for name, ranges in experiment.ranges.items()]
    baseline = measure(networks.space, largest_of_draws(networks, num=num, runs=runs, seed=seed), benchmark)
    rows.append(Table3Row(f"largest of {num} draws", None, baseline, 100.0, None))
    conditions = Conditions.of(experiment, images, series)
    found = _found(networks.space, series, range(seed, seed + runs))
    return Table3(conditions, num, tuple(row for row in rows if row is not None), found)


def _row(series: RunSeries, benchmark: Benchmark, name: str, ranges: tuple[object, ...] | None) -> Table3Row | None:
    found = results_of(series, "wot", name)
    if not found:
        return None
    saved = saving(found, results_of(series, "wot", "none"))
    return Table3Row(
        name,
        ranges,
        measure(benchmark.space, list(found.values()), benchmark),
        None if saved is None else saved.seconds,
        TABLE_3.get(name.removeprefix("radius:")),
    )


def _found(space: Space, series: RunSeries, seeds: Sequence[int]) -> tuple[FoundCells, ...]:
    by_seed: dict[int, dict[str, tuple[str, ...]]] = {seed: {} for seed in seeds}
    for run, result in series.results.items():
        cells, text = by_seed[run.seed], space.write(result.architecture)
        cells[text] = (*cells.get(text, ()), run.filter)
    return tuple(FoundCells(seed, cells) for seed, cells in by_seed.items() if cells)
