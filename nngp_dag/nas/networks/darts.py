"""The networks of the DARTS space."""

from __future__ import annotations

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.nas.networks.cell_darts import EDGES, INPUTS, NODES
from nngp_dag.nas.networks.choices import Choices
from nngp_dag.nas.networks.network_darts import DartsSpec, NetworkDarts
from nngp_dag.nas.networks.operations_darts import OPERATIONS
from nngp_dag.nas.networks.parameter_count import Parameters, SizeCounter
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.nas.networks.supernet import Layout
from nngp_dag.spaces import Space
from nngp_dag.spaces import genotype as notation

__all__ = ["edge_operations", "genotype", "is_cut", "make", "size"]

_PLACE = {edge: i for i, edge in enumerate(EDGES)}
_PAIRS = [[(a, b) for b in range(t) for a in range(b)] for t in range(INPUTS, INPUTS + NODES)]
"""The pairs of different predecessors of each node."""


def make(space: Space) -> SpaceNetworks:
    """The networks of the space `darts`.

    NAS-WOT scores the network of the DARTS search (eight layers, C=16); TE-NAS's two networks have a normal and a
    reduction cell with C=1, as in its released code.
    """
    small = DartsSpec(channels=1, cells=1, stages=2, bare_end=True, stem=1, last_relu=True, init="kaiming-fan-out")
    return SpaceNetworks(
        space=space,
        network=NetworkDarts,
        wot=DartsSpec(),
        ntk=small,
        regions=small.replace(inputs=1, stem=0, init="kaiming-fan-in"),
        train=DartsSpec(),
        genes=edge_operations,
        layout=Layout(
            operations=OPERATIONS,
            classes=tuple(notation.operation_class(name) for name in OPERATIONS),
            edges=EDGES,
            inputs=tuple(range(INPUTS)),
            outputs=tuple(range(INPUTS, INPUTS + NODES)),
            cells=2,
            prune=3,
            keep=2,
            to_architecture=lambda alive: genotype(np.where(alive.any(-1), alive.argmax(-1), 0)),
        ),
        supernet=lambda weights: weights,
        choices=Choices(_sizes(), decode=_decode, active=lambda options: np.ones(len(options), dtype=bool)),
        size=size,
        is_cut=is_cut,
    )


def edge_operations(rows: np.ndarray) -> np.ndarray:
    """The operation of every edge, int32 [2, 14], of an architecture [2, genes].

    Raises:
        InputError: a node with two edges from one predecessor, or an output that leaves out a node.
    """
    result = np.zeros((2, len(EDGES)), np.int32)
    for cell, row in enumerate(rows):
        pairs, concatenated = np.reshape(row[: 4 * NODES], (NODES, 2, 2)), row[4 * NODES :]
        if not concatenated.all():
            raise InputError("no network for this genotype: in DARTS all four nodes of a cell are concatenated")
        for node, edges in enumerate(pairs, start=INPUTS):
            if edges[0, 1] == edges[1, 1]:
                raise InputError(
                    f"no network for this genotype: node {node} has two edges from node {edges[0, 1]}, in DARTS a"
                    " node's two predecessors differ"
                )
            for operation, source in edges:
                result[cell, _PLACE[int(source), node]] = OPERATIONS.index(notation.OPERATIONS[operation])
    return result


def genotype(operations: np.ndarray) -> np.ndarray:
    """The architecture [2, genes] with these operations [2, 14], two other than `none` into every node."""
    rows = np.zeros((2, 5 * NODES), np.int8)
    rows[:, 4 * NODES :] = 1
    for cell, row in enumerate(rows):
        pairs = row[: 4 * NODES].reshape(NODES, 2, 2)
        for node in range(NODES):
            kept = [(s, i) for (s, t), i in _PLACE.items() if t == node + INPUTS and operations[cell, i]]
            for edge, (source, i) in enumerate(kept):
                pairs[node, edge] = notation.OPERATIONS.index(OPERATIONS[operations[cell, i]]), source
    return rows


def _sizes() -> tuple[int, ...]:
    """Of every node, the pair of predecessors (where there is a choice) and two operations; both cells."""
    cell = [
        size for pairs in _PAIRS for size in (*([len(pairs)] if len(pairs) > 1 else []), *[len(OPERATIONS) - 1] * 2)
    ]
    return tuple(cell + cell)


def _decode(options: np.ndarray) -> np.ndarray:
    chosen = iter(options)
    operations = np.zeros((2, len(EDGES)), np.int64)
    for cell in range(2):
        for node, pairs in enumerate(_PAIRS, start=INPUTS):
            pair = pairs[int(next(chosen)) if len(pairs) > 1 else 0]
            for source in pair:
                operations[cell, _PLACE[source, node]] = 1 + int(next(chosen))
    return genotype(operations)


def is_cut(spec: DartsSpec, genes: np.ndarray) -> bool:
    """True where no path leads from the images to the end of a network of these cells (operations [2, 14]).

    A cell also reads the output of the last cell but one: one that no path leads through cuts the network only where
    those behind it read nothing else.
    """
    through = [_inputs_read(cell) for cell in genes]
    older = newer = True
    for _, reduction in spec.layers():
        reads = through[int(reduction)]
        older, newer = newer, (reads[0] and older) or (reads[1] and newer)
    return not newer


def _inputs_read(cell: np.ndarray) -> tuple[bool, bool]:
    """True for each input of a cell from which a path leads to its output, that of all its nodes."""
    reached = np.zeros((INPUTS + NODES, INPUTS), dtype=bool)
    reached[:INPUTS] = np.eye(INPUTS, dtype=bool)
    for (source, target), operation in zip(EDGES, cell, strict=True):  # targets in their order
        if OPERATIONS[operation] != "none":
            reached[target] |= reached[source]
    return bool(reached[INPUTS:, 0].any()), bool(reached[INPUTS:, 1].any())


def size(spec: DartsSpec, genes: np.ndarray, image: int) -> Parameters:
    """Parameters and multiply-adds of the network that has only the chosen operations."""
    count = SizeCounter()

    def separable(channels: int, area: int, side: int) -> None:
        count.conv(channels, channels, side, area, groups=channels)
        count.conv(channels, channels, side)
        count.norm(channels)

    side, width = image, spec.stem * spec.channels if spec.stem else spec.inputs
    if spec.stem:
        count.conv(spec.inputs, width, side, 9)
        count.norm(width)
    before, last = width, width
    for channels, reduction in spec.layers():
        for inputs in (before, last):  # the older one may be halved: as many weights, at the size of the newer
            count.conv(inputs, channels, side)
            count.norm(channels)
        half = (side + 1) // 2 if reduction else side
        for (source, _), gene in zip(EDGES, genes[int(reduction)], strict=True):
            name = OPERATIONS[gene]
            if "conv" in name:
                area = 9 if "3x3" in name else 25
                for _ in range(2 if name.startswith("sep") else 1):
                    separable(channels, area, half)
            elif name == "skip_connect" and reduction and source < INPUTS:
                count.conv(channels, channels, half)
                count.norm(channels)
        before, last, side = last, NODES * channels, half
    if spec.last_relu:
        count.norm(last)
    return count.classifier(last, spec.classes)
