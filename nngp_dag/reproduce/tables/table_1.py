"""Table 1: the training-free searches in the DARTS space, with and without the filter: what they cost and find.

The test errors of Table 1 are those of networks trained on ImageNet for 250 epochs, which is out of scope here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from nngp_dag.nas.images import Images
from nngp_dag.nas.networks.registry import space_networks
from nngp_dag.nas.networks.sizes import NetworkSizes
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.search.filters import make_filter
from nngp_dag.nas.search.kept_runs import RunSeries
from nngp_dag.nas.search.run import SearchSettings
from nngp_dag.reproduce.tables.measured import Measured, Saving, measure, saving
from nngp_dag.reproduce.tables.paper import TABLE_1
from nngp_dag.reproduce.tables.runs import Conditions, Progress, RepeatedSearches, results_of, run_experiment
from nngp_dag.support.progress import ProgressBar, no_progress

__all__ = ["FILTERS", "Table1", "Table1Row", "reproduce", "settings_of"]

FILTERS = ("none", "half-radius", "released")
"""No filter, the paper's rule with the exact centre and radius of DARTS, and the form in the authors' released code."""

_TRAINED = {"channels": 36, "cells": 6}
"""Sizes of the network that is trained with a genotype found (on CIFAR-10), for its number of parameters."""


@dataclass(frozen=True)
class Table1Row:
    """One search with one filter.

    Attributes:
        search, filter: their names.
        measured: statistics over the runs.
        saving: of the filter; None without one.
        effective_depth, effective_width: of the cells of what each run found.
        parameters: of the network that is trained with it.
        paper: what the paper prints.
    """

    search: str
    filter: str
    measured: Measured
    saving: Saving | None
    effective_depth: tuple[list[float], ...]
    effective_width: tuple[list[float], ...]
    parameters: tuple[int, ...]
    paper: Mapping[str, float | None]

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        saved = None if self.saving is None else asdict(self.saving)
        return {
            "search": self.search,
            "filter": self.filter,
            "measured": {**self.measured.as_dict(), "saving": saved},
            "effective_depth": self.effective_depth,
            "effective_width": self.effective_width,
            "parameters": self.parameters,
            "paper": self.paper,
        }


@dataclass(frozen=True)
class Table1:
    """Table 1 as measured.

    Attributes:
        profile: `quick` or `full`.
        conditions: what it was measured with.
        settings: sizes of the searches.
        wot, ntk: sizes of the networks of NAS-WOT and of TE-NAS's tangent kernels.
        ranges: bounds of each filter's box.
        rows: those of which a run was finished.
    """

    profile: str
    conditions: Conditions
    settings: SearchSettings
    wot: NetworkSizes
    ntk: NetworkSizes
    ranges: Mapping[str, tuple[object, ...] | None]
    rows: tuple[Table1Row, ...]

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return {
            "table": 1,
            "profile": self.profile,
            **asdict(self.conditions),
            "sizes": {**asdict(self.settings), "wot": asdict(self.wot), "ntk": asdict(self.ntk)},
            "ranges": self.ranges,
            "rows": [row.as_dict() for row in self.rows],
        }


def settings_of(profile: str) -> tuple[SearchSettings, int]:
    """Sizes of a profile, and runs.

    `full` has those of the released code (for CIFAR-10). `quick` is one run, with half the draws of NAS-WOT, and 8
    images and one repetition for TE-NAS.
    """
    if profile == "quick":
        return SearchSettings(num=50, ntk_images=8, repeats=1), 1
    return SearchSettings(ntk_images=14), 3


def reproduce(
    images: Images,
    *,
    profile: str,
    runs: int | None,
    seed: int,
    progress: Progress,
    networks: SpaceNetworks | None = None,
    out: Path | None = None,
    bar: ProgressBar = no_progress,
) -> Table1:
    """The table, measured.

    Args:
        images: CIFAR-10 images.
        profile: `quick` or `full`.
        runs: number of runs, by default the profile's.
        seed: of the first run; the next ones follow.
        progress: told what begins.
        networks: of the DARTS space, by default at the sizes of its searches.
        out: a .jsonl file that keeps every run as it ends, and that a later start goes on from.
        bar: opens a progress bar over the runs.

    Raises:
        InputError: as `run_experiment`.
    """
    networks = space_networks("darts") if networks is None else networks
    settings, default_runs = settings_of(profile)
    filters = [make_filter(name, networks.space) for name in FILTERS]
    searches = {"wot": networks, "te-nas": networks}
    experiment = RepeatedSearches(searches, filters, settings, default_runs if runs is None else runs, seed)
    series = run_experiment(experiment, images, progress=progress, out=out, bar=bar)
    rows = [_row(networks, series, name, chosen) for name in searches for chosen in FILTERS]
    return Table1(
        profile,
        Conditions.of(experiment, images, series),
        settings,
        networks.wot,
        networks.ntk,
        experiment.ranges,
        tuple(row for row in rows if row is not None),
    )


def _row(networks: SpaceNetworks, series: RunSeries, name: str, chosen: str) -> Table1Row | None:
    found = results_of(series, name, chosen)
    if not found:
        return None
    results = list(found.values())
    totals = [networks.space.totals(r.architecture) for r in results]
    trained = networks.wot.replace(**_TRAINED)
    return Table1Row(
        name,
        chosen,
        measure(networks.space, results, None),
        None if chosen == "none" else saving(found, results_of(series, name, "none")),
        tuple(t.depth.tolist() for t in totals),
        tuple(t.width.tolist() for t in totals),
        tuple(networks.size(trained, networks.genes(r.architecture), 32).parameters for r in results),
        TABLE_1[name, "none" if chosen == "none" else "filter"],
    )
