"""The networks of DARTS genotypes without normalisation (Liu et al., arXiv:1806.09055), as one DAG of convolutions.

As in the released code (github.com/quark0/darts, cnn/model.py and cnn/operations.py), batch normalisation left out: a
3x3 convolution; cells, two of them reductions; the mean over pixels, and a linear classifier with no activation before
it. Cell k has two inputs, the outputs of cells k - 1 and k - 2 (the stem for the first), each through a ReLU and a 1x1
convolution, or the older one after a reduction through a factorised reduction. Each node sums two edges, and the output
is the nodes side by side. In reduction cells, edges from the inputs have stride 2. Convolutions are ReLU-first:

    sep_conv_kxk   twice ReLU, depthwise k x k, 1x1; stride in the first
    dil_conv_kxk   ReLU, depthwise k x k of dilation 2, 1x1
    skip_connect   a copy; with stride 2 a factorised reduction
    avg_pool_3x3   the mean over the pixels inside
    none           nothing

A **factorised reduction** is a ReLU and two 1x1 convolutions of stride 2, the second one from a pixel further down and
right on, each making half of the channels. With V = f(K), channels of one half have the kernel V(2p, 2p'), those of the
other V(2p + 1, 2p' + 1): they are not identically distributed. Copies keep the halves apart, so that a node that a half
reaches by copies is two nodes here, one for each half of its channels; whatever convolves it is one convolution of both
(`nngp_dag.conv.channels`). To give all channels the mean of both kernels instead is wrong wherever an activation
follows, since f is not linear. White noise nearly hides it (half a percent of a kernel); of two 4x4 images that are
bright at pixel (1, 1) and at pixel (2, 2) the NNGP comes out 18 % too large and the NTK 14 %, which networks of finite
width reject (tests/test_conv_darts_finite.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np

from nngp_dag.conv.cell import ConvCell, Edge
from nngp_dag.conv.channels import Channels, convolved, side_by_side
from nngp_dag.conv.network import ConvNetwork
from nngp_dag.conv.operations import Convolution, Pool, Skip
from nngp_dag.errors import InputError, unknown
from nngp_dag.spaces.base import Architecture
from nngp_dag.spaces.genotype import OPERATIONS
from nngp_dag.spaces.genotype_spaces import darts
from nngp_dag.spaces.genotype_text import CELLS, Cell

__all__ = ["MAX_POOL", "Genotype", "MaxPool", "chosen_max_pool", "darts_cells", "darts_network", "read_genotype"]

Genotype: TypeAlias = Architecture | Mapping[str, object]
"""A DARTS genotype: its text, the mapping that was read from JSON, or integers [2, 20]."""

MaxPool: TypeAlias = Literal["refuse", "average"]
"""The treatment of max pooling, which has no closed form."""

MAX_POOL: tuple[MaxPool, ...] = ("refuse", "average")

_SPACE = darts()
_DEPTHWISE = 2  # trained matrices behind one filter: depthwise and pointwise


def darts_network(
    genotype: Genotype,
    cells: int | Sequence[str] = 8,
    *,
    max_pool: MaxPool = "refuse",
    last_activation: bool = False,
    weight_scale: float = 1.0,
) -> ConvNetwork:
    """The network of a genotype, activation-first: its kernels are those of the DARTS network as its width grows.

    Nodes that nothing reaches are left out, as if sigma(0) = 0.

    Args:
        genotype: see `Genotype`.
        cells: number of cells, reductions as in DARTS (`darts_cells`); or "normal" and "reduce" for every cell.
        max_pool: "refuse" max pooling, whose kernel has no closed form, or compute an "average" pooling in its place,
            which is another network.
        last_activation: whether a ReLU comes before the mean over pixels (in TE-NAS's network, not in DARTS).
        weight_scale: w of every convolution of a cell, depthwise and 1x1 together.

    Raises:
        InputError: a malformed genotype, max pooling, or less than one cell.
    """
    chosen = dict(zip(CELLS, read_genotype(genotype, max_pool), strict=True))
    dag = _Dag(weight_scale)
    before = last = Channels.alike(0)
    halved = False
    for kind in darts_cells(cells):
        inputs = dag.reduced(before) if halved else dag.convolved(before, 1), dag.convolved(last, 1)
        before, last = last, dag.cell(inputs, chosen[kind], reduction=kind == "reduce")
        halved = kind == "reduce"
    dag.add(convolved(last, dag.node(), Convolution(1, activated=last_activation)))
    network = ConvCell(tuple(dag.edges)).pruned()
    return ConvNetwork(Convolution(3), (network,), weights=False, order="activation-first")


def darts_cells(cells: int | Sequence[str]) -> tuple[str, ...]:
    """The kind of every cell, "normal" or "reduce": of L cells, numbers L // 3 and 2 L // 3 (from 0) are reductions.

    Raises:
        InputError: less than one cell, or a kind that is none.
    """
    if not isinstance(cells, Sequence):
        cells = int(cells)
        kinds = ["reduce" if i in (cells // 3, 2 * cells // 3) else "normal" for i in range(cells)]
    else:
        kinds = list(cells)
    for kind in kinds:
        if kind not in CELLS:
            raise unknown("kind of cell", kind, CELLS)
    if not kinds:
        raise InputError(f"a network has at least one cell, got {cells}")
    return tuple(kinds)


def read_genotype(genotype: Genotype, max_pool: MaxPool = "refuse") -> tuple[Cell, Cell]:
    """Normal and reduction cell of a genotype, without max pooling.

    Raises:
        InputError: a malformed genotype, a cell without output, max pooling that is to be refused, or another
            `max_pool`.
    """
    chosen_max_pool(max_pool)
    rows = _SPACE.parse(genotype) if isinstance(genotype, str | Mapping) else _checked_rows(np.asarray(genotype))
    cells: list[Cell] = []
    for name, operation, source, flags in zip(CELLS, *_SPACE.edges(rows), strict=True):
        edges = [(OPERATIONS[o], int(s)) for o, s in zip(operation.ravel(), source.ravel(), strict=True)]
        if not flags.any():
            raise InputError(f"the {name} cell of this genotype concatenates no node: it has no output")
        for i, (op, s) in enumerate(edges):
            if op == "max_pool_3x3" and max_pool == "refuse":
                raise InputError(
                    f"edge ({s}, {i // 2 + 2}) of the {name} cell is max_pool_3x3: the largest of correlated Gaussian"
                    " pixels has no kernel in closed form; the option max_pool=average puts average pooling"
                    " in its place"
                )
        kept = tuple((op.replace("max_pool", "avg_pool"), s) for op, s in edges)
        cells.append((kept, tuple(int(v) + 2 for v in np.flatnonzero(flags))))
    return cells[0], cells[1]


def chosen_max_pool(text: str) -> MaxPool:
    """The treatment of max pooling of that name; InputError lists the names."""
    for choice in MAX_POOL:
        if text == choice:
            return choice
    raise unknown("max_pool", text, MAX_POOL)


def _checked_rows(rows: np.ndarray) -> np.ndarray:
    """Integers [2, 20] that are a genotype: written and read, they are the same."""
    if rows.shape == (len(CELLS), _SPACE.genes) and rows.dtype.kind in "iu":
        try:
            if (_SPACE.parse(_SPACE.write(rows)) == rows).all():
                return rows
        except IndexError:
            pass  # a gene that is no operation: refused below
    raise InputError(f"a DARTS genotype is its text or integers [2, {_SPACE.genes}], got {rows.dtype} {rows.shape}")


class _Dag:
    """The DAG of a network while it grows: node 0 is the stem's features."""

    def __init__(self, weight_scale: float) -> None:
        self.edges: list[Edge] = []
        self._weight_scale = weight_scale
        self._nodes = 1

    def node(self) -> int:
        """A new node, after all others."""
        self._nodes += 1
        return self._nodes - 1

    def add(self, edges: Sequence[Edge]) -> None:
        """More edges."""
        self.edges.extend(edges)

    def convolved(self, source: Channels, size: int, stride: int = 1, dilation: int = 1, matrices: int = 1) -> Channels:
        """A convolution of all channels, in a node of its own."""
        target = self.node()
        self._convolve(source, target, size, stride, dilation, matrices)
        return Channels.alike(target)

    def reduced(self, source: Channels) -> Channels:
        """A factorised reduction, in two nodes."""
        halves = self.node(), self.node()
        self._reduce(source, halves)
        return Channels.alike(*halves)

    def cell(self, inputs: tuple[Channels, Channels], cell: Cell, reduction: bool) -> Channels:
        """A cell after its inputs have been prepared; its output, nodes side by side."""
        edges, concat = cell
        nodes = list(inputs)
        for i in range(len(edges) // 2):
            pair = [(op, nodes[s], 2 if reduction and s < 2 else 1) for op, s in edges[2 * i : 2 * i + 2]]
            nodes.append(self._sum(pair))
        return side_by_side([nodes[v] for v in concat])

    def _sum(self, pair: list[tuple[str, Channels, int]]) -> Channels:
        """A node: what its edges (operation, source, stride) bring, added up."""
        convolutions = [self._before(*edge) for edge in pair if "conv" in edge[0]]
        split = any(
            (op == "skip_connect" and stride > 1) or (op in ("skip_connect", "avg_pool_3x3") and len(source.nodes) > 1)
            for op, source, stride in pair
        )
        shared = self.node() if convolutions and split else None  # what both halves receive alike, computed once
        nodes = (self.node(), self.node()) if split else (self.node(),)
        for source, size, stride, dilation in convolutions:
            self._convolve(source, nodes[0] if shared is None else shared, size, stride, dilation, _DEPTHWISE)
        if shared is not None:
            self.add([(shared, node, Skip()) for node in nodes])
        for op, source, stride in pair:
            if op == "skip_connect" and stride > 1:
                self._reduce(source, nodes)
            elif op in ("skip_connect", "avg_pool_3x3"):
                copy = Skip() if op == "skip_connect" else Pool(3, stride)
                sources = source.nodes * (len(nodes) // len(source.nodes))
                self.add([(s, node, copy) for s, node in zip(sources, nodes, strict=True)])
        return Channels.alike(*nodes)

    def _before(self, op: str, source: Channels, stride: int) -> tuple[Channels, int, int, int]:
        """The last depthwise convolution of an operation: its source, size, stride and dilation."""
        size = 5 if op.endswith("5x5") else 3
        if op.startswith("dil"):
            return source, size, stride, 2
        return self.convolved(source, size, stride, matrices=_DEPTHWISE), size, 1, 1

    def _reduce(self, source: Channels, halves: tuple[int, ...]) -> None:
        for offset, half in enumerate(halves):
            scale = self._weight_scale
            self.add(convolved(source, half, Convolution(1, stride=2, offset=offset, weight_scale=scale)))

    def _convolve(self, source: Channels, target: int, size: int, stride: int, dilation: int, matrices: int) -> None:
        scale = self._weight_scale
        made = Convolution(size, stride, dilation, matrices=matrices, weight_scale=scale)
        self.add(convolved(source, target, made))
