"""Table 3: NAS-WOT on NAS-Bench-201 under several ranges of the filter."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import jax

from nngp_dag.accuracy import Benchmark
from nngp_dag.nas.images import Images
from nngp_dag.nas.networks.registry import space_networks
from nngp_dag.nas.search.filters import make_filter
from nngp_dag.nas.search.run import SearchSettings
from nngp_dag.reproduce.tables.paper import TABLE_3
from nngp_dag.reproduce.tables.runs import Progress, largest_of_draws, measure, wot_runs

__all__ = ["FILTERS", "reproduce"]

FILTERS = ("none", "radius:1", "radius:3/4", "radius:1/2", "radius:1/4", "released")
"""The ranges of Table 3, no filter at all (the whole radius drops only cells without a place in the plane), and the
box of the released code."""


def reproduce(
    images: Images, benchmark: Benchmark, *, num: int, runs: int, seed: int, progress: Progress
) -> dict[str, Any]:
    """All rows as plain numbers, with what they were measured with. Every range sees the same draws.

    Args:
        images: CIFAR-10 images.
        benchmark: test accuracies of NAS-Bench-201.
        num: architectures that a run draws.
        runs: number of runs.
        seed: of the first run; the next ones follow.
        progress: told what begins.
    """
    networks = space_networks("nasbench201")
    filters = [make_filter(name, networks.space) for name in FILTERS]
    settings = SearchSettings(num=num)
    found = wot_runs(networks, images, filters, runs=runs, seed=seed, settings=settings, progress=progress)
    rows = []
    whole = measure(networks, found["none"], benchmark)
    for chosen in filters:
        figures = measure(networks, found[chosen.name], benchmark)
        rows.append(
            {
                "filter": chosen.name,
                "ranges": None if chosen.predicate is None else chosen.predicate.box.bounds,
                "measured": {**asdict(figures), "saving_seconds": figures.saving(whole)["seconds"]},
                "paper_cifar100": TABLE_3.get(chosen.name.removeprefix("radius:")),
            }
        )
    baseline = measure(networks, largest_of_draws(networks, num=num, runs=runs, seed=seed), benchmark)
    rows.append(
        {"filter": f"largest of {num} draws", "ranges": None, "measured": {**asdict(baseline), "saving_seconds": 100.0},
         "paper_cifar100": None}
    )  # fmt: skip
    return {
        "table": 3,
        "runs": runs,
        "num": num,
        "seed": seed,
        "images": images.source,
        "device": str(jax.devices()[0].device_kind),
        "rows": rows,
    }
