"""Table 2: the three searches on NAS-Bench-201, with and without the filter, beside the paper's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import jax

from nngp_dag.accuracy import Benchmark
from nngp_dag.nas.images import Images
from nngp_dag.nas.networks.registry import space_networks
from nngp_dag.nas.search.filters import make_filter
from nngp_dag.nas.search.fp_nas import FpNasSettings
from nngp_dag.nas.search.kept_runs import RunSeries
from nngp_dag.nas.search.run import SearchSettings
from nngp_dag.reproduce.tables.measured import Measured, Saving, measure, saving
from nngp_dag.reproduce.tables.paper import DATASETS, TABLE_2, PrintedSearch
from nngp_dag.reproduce.tables.runs import (
    Conditions,
    Progress,
    RepeatedSearches,
    largest_of_draws,
    results_of,
    run_experiment,
)
from nngp_dag.support.progress import ProgressBar, no_progress

__all__ = ["FILTERS", "Table2", "Table2Row", "reproduce", "settings_of"]

FILTERS = ("none", "half-radius", "released")
"""No filter, the paper's rule, and the form in the authors' released code."""


@dataclass(frozen=True)
class Table2Row:
    """One search with one filter.

    Attributes:
        search, filter: their names.
        measured: statistics over the runs.
        saving: of the filter; None without one.
        paper: what the paper prints; None where it has no such row.
    """

    search: str
    filter: str
    measured: Measured
    saving: Saving | None
    paper: PrintedSearch | None

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        saved = None if self.saving is None else asdict(self.saving)
        paper = None
        if self.paper is not None:
            accuracy = dict(zip(DATASETS, self.paper.accuracy, strict=True))
            paper = {"accuracy": accuracy, "seconds": self.paper.seconds, "saving": self.paper.saving}
        return {
            "search": self.search,
            "filter": self.filter,
            "measured": {**self.measured.as_dict(), "saving": saved},
            "paper": paper,
        }


@dataclass(frozen=True)
class Table2:
    """Table 2 as measured.

    Attributes:
        profile: `quick` or `full`.
        conditions: what it was measured with.
        settings: sizes of the searches.
        fp_nas_channels, fp_nas_cells: C and N of FP-NAS's supernet.
        ranges: bounds of each filter's box.
        rows: those of which a run was finished, and the trivial baseline.
        optimal: the best accuracy of the benchmark, by data set.
    """

    profile: str
    conditions: Conditions
    settings: SearchSettings
    fp_nas_channels: int
    fp_nas_cells: int
    ranges: Mapping[str, tuple[object, ...] | None]
    rows: tuple[Table2Row, ...]
    optimal: Mapping[str, float]

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        fp_nas = {"fp_nas_channels": self.fp_nas_channels, "fp_nas_cells": self.fp_nas_cells}
        return {
            "table": 2,
            "profile": self.profile,
            **asdict(self.conditions),
            "sizes": {**asdict(self.settings), **fp_nas},
            "ranges": self.ranges,
            "rows": [row.as_dict() for row in self.rows],
            "optimal": self.optimal,
        }


def settings_of(profile: str) -> tuple[SearchSettings, int, int | None, int | None]:
    """Sizes of a profile: settings, runs, and channels and cells of FP-NAS's supernet (None: full size).

    `full` has the sizes of the paper, but for FP-NAS without a GPU. `quick` is one run; TE-NAS has 16 images and one
    repetition, FP-NAS a supernet with C=4, N=1.
    """
    if profile == "quick":
        return SearchSettings(ntk_images=16, repeats=1, fp_nas=FpNasSettings(steps=100, warmup=30)), 1, 4, 1
    small = (4, 1) if jax.default_backend() == "cpu" else (None, None)
    return SearchSettings(fp_nas=FpNasSettings(steps=1000, warmup=200)), 3, *small


def reproduce(
    images: Images,
    benchmark: Benchmark,
    *,
    profile: str,
    runs: int | None,
    seed: int,
    progress: Progress,
    out: Path | None = None,
    bar: ProgressBar = no_progress,
) -> Table2:
    """The table, measured.

    Args:
        images: CIFAR-10 images with labels.
        benchmark: test accuracies of NAS-Bench-201.
        profile: `quick` or `full`.
        runs: number of runs, by default the profile's.
        seed: of the first run; the next ones follow.
        progress: told what begins.
        out: a .jsonl file that keeps every run as it ends, and that a later start goes on from.
        bar: opens a progress bar over the runs.

    Raises:
        InputError: as `run_experiment`, and where the benchmark lacks what was found.
    """
    networks = space_networks("nasbench201")
    settings, default_runs, channels, cells = settings_of(profile)
    filters = [make_filter(name, networks.space) for name in FILTERS]
    searches = {"wot": networks, "te-nas": networks, "fp-nas": networks.resized(channels, cells)}
    experiment = RepeatedSearches(searches, filters, settings, default_runs if runs is None else runs, seed)
    series = run_experiment(experiment, images, progress=progress, out=out, bar=bar)
    rows = [_row(series, benchmark, name, chosen) for name in searches for chosen in FILTERS]
    largest = largest_of_draws(networks, num=settings.num, runs=experiment.runs, seed=seed)
    baseline = replace(measure(networks.space, largest, benchmark), seconds=(0.0, None))
    rows.append(Table2Row("largest of 100 draws", "none", baseline, None, None))
    return Table2(
        profile,
        Conditions.of(experiment, images, series),
        settings,
        channels or 16,
        cells or 5,
        experiment.ranges,
        tuple(row for row in rows if row is not None),
        {name: float(values.max()) for name, values in benchmark.accuracy.items()},
    )


def _row(series: RunSeries, benchmark: Benchmark, name: str, chosen: str) -> Table2Row | None:
    found = results_of(series, name, chosen)
    if not found:
        return None
    saved = None if chosen == "none" else saving(found, results_of(series, name, "none"))
    printed = TABLE_2.get((name, "none" if chosen == "none" else "filter"))
    return Table2Row(name, chosen, measure(benchmark.space, list(found.values()), benchmark), saved, printed)
