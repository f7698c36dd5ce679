"""The networks of NAS-Bench-201, from a cell's string (Dong & Yang, arXiv:2001.00326): without normalisation, or with
layer norm over channels wherever the published ones have batch normalisation.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nngp_dag.conv.cell import ConvCell, Edge
from nngp_dag.conv.network import ConvNetwork
from nngp_dag.conv.operations import Convolution, Operation, Pool, Skip
from nngp_dag.dag import num_edges
from nngp_dag.errors import InputError
from nngp_dag.spaces.base import Architecture
from nngp_dag.spaces.nasbench201 import OPERATIONS, NasBench201

__all__ = ["REDUCTION", "nasbench201_cell", "nasbench201_network"]

REDUCTION = ConvCell(
    (
        (0, 1, Convolution(3, stride=2)),
        (0, 2, Pool(2, stride=2)),
        (1, 3, Convolution(3)),
        (2, 3, Convolution(1, activated=False)),
    )
)
"""Between two stages: two ReLU-convolutions, the first of stride 2, beside a 2x2 mean and a 1x1 convolution."""


def nasbench201_cell(
    architecture: Architecture, weight_scale: float = 1.0, bias_scale: float = 0.0, normalized: bool = False
) -> ConvCell:
    """The cell of an architecture: a string, or integers [1, 6] as in `nngp_dag.spaces.nasbench201`.

    Args:
        architecture: the cell.
        weight_scale: w of every convolution.
        bias_scale: v of every convolution.
        normalized: layer norm behind every convolution.

    Raises:
        InputError: a string that is malformed or names an unknown operation.
    """
    conv = Convolution(normalized=normalized, weight_scale=weight_scale, bias_scale=bias_scale)
    operations: dict[str, Operation] = {
        "skip_connect": Skip(),
        "nor_conv_1x1": replace(conv, size=1),
        "nor_conv_3x3": conv,
        "avg_pool_3x3": Pool(3),
    }
    rows = NasBench201().parse(architecture) if isinstance(architecture, str) else np.asarray(architecture)
    if rows.shape != (1, NasBench201.genes) or not ((rows >= 0) & (rows < len(OPERATIONS))).all():
        raise InputError(f"a cell of NAS-Bench-201 is a string or integers [1, 6] from 0 to 4, got shape {rows.shape}")
    names = {(s, t): OPERATIONS[rows[0, num_edges(t) + s]] for t in range(1, 4) for s in range(t)}
    edges: list[Edge] = [(s, t, operations[name]) for (s, t), name in names.items() if name != "none"]
    return ConvCell(tuple(edges)).pruned(3)


def nasbench201_network(
    architecture: Architecture,
    cells: int = 1,
    stages: int = 3,
    *,
    weight_scale: float = 1.0,
    bias_scale: float = 0.0,
    normalized: bool = False,
) -> ConvNetwork:
    """The network of an architecture: 3x3 stem, `stages` stages of `cells` cells with reductions between them, mean.

    With layer norm (`normalized`) it follows the stem, every convolution with an activation, and the last cell.

    Raises:
        InputError: as `nasbench201_cell`, or fewer than one cell or stage.
    """
    if min(cells, stages) < 1:
        raise InputError(f"a network has at least one cell and one stage, got {cells} and {stages}")
    stage = (nasbench201_cell(architecture, weight_scale, bias_scale, normalized),) * cells
    halving = ((s, t, _normalized(op) if normalized else op) for s, t, op in REDUCTION.edges)
    cells_of_all = (*stage, ConvCell(tuple(halving))) * (stages - 1) + stage
    return ConvNetwork(Convolution(3, normalized=normalized), cells_of_all, normalized_end=normalized)


def _normalized(operation: Operation) -> Operation:
    if isinstance(operation, Convolution) and operation.activated:
        return replace(operation, normalized=True)
    return operation
