"""The network of an architecture in either notation: a cell of NAS-Bench-201, or a genotype of DARTS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np

from nngp_dag.conv.darts import Genotype, MaxPool, darts_network
from nngp_dag.conv.nasbench201 import nasbench201_network
from nngp_dag.conv.network import ConvNetwork
from nngp_dag.errors import InputError

__all__ = ["architecture_network", "is_genotype", "network_sizes"]


_RAGGED = "an architecture is text, a mapping or integers [cells, genes], got lists of unequal lengths"
_NO_MAX_POOL = "max_pool is an option of DARTS genotypes: cells of NAS-Bench-201 have no max pooling"
_NO_NORM = (
    "layer norm is not computed for networks of DARTS, where it would tie nodes side by side and the two halves of the"
    " channels behind a factorised reduction: the option normalization is none there"
)


def is_genotype(architecture: Genotype) -> bool:
    """True for what is read as a genotype of DARTS: text in parentheses or braces, a mapping, or integers [2, n]."""
    if isinstance(architecture, str):
        return architecture.strip().startswith("{") or "(" in architecture
    if isinstance(architecture, Mapping):
        return True
    try:
        return np.shape(architecture)[:1] == (2,)
    except ValueError:
        raise InputError(_RAGGED) from None


def network_sizes(architecture: Genotype, cells: int | None, stages: int | None) -> tuple[int, int | None]:
    """Cells and stages with their defaults: 1 and 3 of NAS-Bench-201; 8 and None of DARTS, as its search has 8 in all.

    Raises:
        InputError: stages for DARTS.
    """
    if not is_genotype(architecture):
        return 1 if cells is None else cells, 3 if stages is None else stages
    if stages is not None:
        raise InputError("networks of DARTS have three stages: give the number of all their cells alone")
    return 8 if cells is None else cells, None


def architecture_network(
    architecture: Genotype,
    cells: int | None = None,
    stages: int | None = None,
    *,
    readout: Literal["average", "flatten"] = "average",
    weight_scale: float = 1.0,
    bias_scale: float = 0.0,
    normalized: bool = False,
    max_pool: MaxPool = "refuse",
) -> ConvNetwork:
    """The network of an architecture; see `nasbench201_network` and `darts_network`.

    Args:
        architecture: a string of NAS-Bench-201 or integers [1, 6]; a genotype's text or mapping, or integers [2, 20].
        cells: cells of a stage of NAS-Bench-201, or all cells of DARTS; by default as in `network_sizes`.
        stages: of NAS-Bench-201 alone.
        readout: "average" or "flatten".
        weight_scale: w of every convolution of a cell.
        bias_scale: v of every convolution of a cell, of NAS-Bench-201 alone.
        normalized: layer norm over channels in the place of batch normalisation, of NAS-Bench-201 alone.
        max_pool: of DARTS alone, "refuse" or "average".

    Raises:
        InputError: a malformed architecture, an option that its networks do not have, or sizes below 1.
    """
    cells, stages = network_sizes(architecture, cells, stages)
    if stages is None:
        if bias_scale:
            raise InputError(f"convolutions of DARTS have no biases: the bias scale must be 0, got {bias_scale}")
        if normalized:
            raise InputError(_NO_NORM)
        made = darts_network(architecture, cells, max_pool=max_pool, weight_scale=weight_scale)
    else:
        if max_pool != "refuse":
            raise InputError(_NO_MAX_POOL)
        assert not isinstance(architecture, Mapping)  # which is a genotype
        scales = {"weight_scale": weight_scale, "bias_scale": bias_scale}
        made = nasbench201_network(architecture, cells, stages, **scales, normalized=normalized)
    return replace(made, readout=readout)
