"""Table 1: the training-free searches in the DARTS space, with and without the filter: what they cost and find.

The test errors of Table 1 are those of networks trained on ImageNet for 250 epochs, which is out of scope here.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import jax

from nngp_dag.nas.images import Images
from nngp_dag.nas.networks.registry import space_networks
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.search.filters import make_filter
from nngp_dag.nas.search.result import SearchResult
from nngp_dag.nas.search.run import SearchSettings
from nngp_dag.reproduce.tables.paper import TABLE_1
from nngp_dag.reproduce.tables.runs import Measured, Progress, measure, search_runs, wot_runs

__all__ = ["FILTERS", "reproduce", "settings_of"]

FILTERS = ("none", "half-radius", "released")
"""No filter, the paper's rule with the exact centre and radius of DARTS, and the form in the authors' released code."""

_TRAINED = {"channels": 36, "cells": 6}
"""Sizes of the network that is trained with a genotype found (on CIFAR-10), for its number of parameters."""


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
) -> dict[str, Any]:
    """All rows as plain numbers: `rows`, a list, and what they were measured with.

    Args:
        images: CIFAR-10 images.
        profile: `quick` or `full`.
        runs: number of runs, by default the profile's.
        seed: of the first run; the next ones follow.
        progress: told what begins.
        networks: of the DARTS space, by default at the sizes of its searches.
    """
    networks = space_networks("darts") if networks is None else networks
    settings, default_runs = settings_of(profile)
    runs = default_runs if runs is None else runs
    filters = [make_filter(name, networks.space) for name in FILTERS]
    rows = []
    for name in ("wot", "te-nas"):
        common: dict[str, Any] = {"runs": runs, "seed": seed, "settings": settings, "progress": progress}
        if name == "wot":
            found = wot_runs(networks, images, filters, **common)
        else:
            found = search_runs(name, networks, images, filters, **common)
        whole = measure(networks, found["none"], None)
        for chosen, results in found.items():
            rows.append(_row(networks, (name, chosen), results, measure(networks, results, None), whole))
    return {
        "table": 1,
        "profile": profile,
        "runs": runs,
        "seed": seed,
        "images": images.source,
        "device": str(jax.devices()[0].device_kind),
        "sizes": {**asdict(settings), "wot": asdict(networks.wot), "ntk": asdict(networks.ntk)},
        "ranges": {f.name: None if f.predicate is None else f.predicate.box.bounds for f in filters},
        "rows": rows,
    }


def _row(
    networks: SpaceNetworks, key: tuple[str, str], results: list[SearchResult], figures: Measured, whole: Measured
) -> dict[str, Any]:
    name, chosen = key
    saving = None if chosen == "none" else figures.saving(whole)
    totals = [networks.space.totals(r.architecture) for r in results]
    trained = networks.wot.replace(**_TRAINED)
    sizes = [networks.size(trained, networks.genes(r.architecture), 32) for r in results]
    return {
        "search": name,
        "filter": chosen,
        "measured": {**asdict(figures), "saving": saving},
        "effective_depth": [t.depth.tolist() for t in totals],
        "effective_width": [t.width.tolist() for t in totals],
        "parameters": [size.parameters for size in sizes],
        "paper": TABLE_1[name, "none" if chosen == "none" else "filter"],
    }
