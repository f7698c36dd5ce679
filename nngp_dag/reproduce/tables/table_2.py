"""Table 2: the three searches on NAS-Bench-201, with and without the filter, beside the paper's figures."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import jax

from nngp_dag.accuracy import Benchmark
from nngp_dag.nas.images import Images
from nngp_dag.nas.networks.registry import space_networks
from nngp_dag.nas.search.filters import make_filter
from nngp_dag.nas.search.fp_nas import FpNasSettings
from nngp_dag.nas.search.run import SearchSettings
from nngp_dag.reproduce.tables.paper import DATASETS, TABLE_2
from nngp_dag.reproduce.tables.runs import Measured, Progress, largest_of_draws, measure, search_runs, wot_runs

__all__ = ["FILTERS", "reproduce", "settings_of"]

FILTERS = ("none", "half-radius", "released")
"""No filter, the paper's rule, and the form in the authors' released code."""


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
    images: Images, benchmark: Benchmark, *, profile: str, runs: int | None, seed: int, progress: Progress
) -> dict[str, Any]:
    """All rows as plain numbers: `rows`, a list, and what they were measured with.

    Args:
        images: CIFAR-10 images with labels.
        benchmark: test accuracies of NAS-Bench-201.
        profile: `quick` or `full`.
        runs: number of runs, by default the profile's.
        seed: of the first run; the next ones follow.
        progress: told what begins.
    """
    networks = space_networks("nasbench201")
    settings, default_runs, channels, cells = settings_of(profile)
    runs = default_runs if runs is None else runs
    filters = [make_filter(name, networks.space) for name in FILTERS]
    common: dict[str, Any] = {"runs": runs, "seed": seed}
    measured: dict[tuple[str, str], Measured] = {}
    small = networks.resized(channels, cells)
    for name in ("wot", "te-nas", "fp-nas"):
        if name == "wot":
            found = wot_runs(networks, images, filters, settings=settings, progress=progress, **common)
        else:
            target = small if name == "fp-nas" else networks
            found = search_runs(name, target, images, filters, settings=settings, progress=progress, **common)
        for filter_name, results in found.items():
            measured[name, filter_name] = measure(networks, results, benchmark)
    largest = largest_of_draws(networks, num=settings.num, **common)
    measured["largest of 100 draws", "none"] = replace(measure(networks, largest, benchmark), seconds=(0.0, None))
    return {
        "table": 2,
        "profile": profile,
        "runs": runs,
        "seed": seed,
        "images": images.source,
        "device": str(jax.devices()[0].device_kind),
        "sizes": {**asdict(settings), "fp_nas_channels": channels or 16, "fp_nas_cells": cells or 5},
        "ranges": {f.name: None if f.predicate is None else f.predicate.box.bounds for f in filters},
        "rows": [_row(key, figures, measured) for key, figures in measured.items()],
        "optimal": {name: float(values.max()) for name, values in benchmark.accuracy.items()},
    }


def _row(key: tuple[str, str], figures: Measured, measured: dict[tuple[str, str], Measured]) -> dict[str, Any]:
    name, filter_name = key
    printed = TABLE_2.get((name, "none" if filter_name == "none" else "filter"))
    saving = None if filter_name == "none" else figures.saving(measured[name, "none"])
    paper = None
    if printed is not None:
        paper = {
            "accuracy": dict(zip(DATASETS, printed.accuracy, strict=True)),
            "seconds": printed.seconds,
            "saving": printed.saving,
        }
    return {"search": name, "filter": filter_name, "measured": {**asdict(figures), "saving": saving}, "paper": paper}
