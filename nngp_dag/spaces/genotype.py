"""Two-input cells: DARTS, NASNet, AmoebaNet, PNAS and ENAS genotypes.

A cell has two inputs (the outputs of the two cells before it), a number of nodes that each sum two operations on
earlier nodes, and an output that concatenates nodes. Paths from both inputs count; the edges to the output carry no
parameters.

Genes of a cell: operation and predecessor of every edge, two edges per node, then a flag per node: concatenated or not.
An operation is a position in `OPERATIONS`; -1 stands for an edge that the cell does not have (a four-node cell in a
five-node space).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from math import comb

import numpy as np
import numpy.typing as npt

from nngp_dag.dag import Dag, Op
from nngp_dag.errors import InputError
from nngp_dag.spaces.base import Space
from nngp_dag.spaces.genotype_count import GenotypeRules, count_shapes
from nngp_dag.spaces.genotype_text import CELLS, Cell, format_genotype, parse_genotype
from nngp_dag.spaces.shape import PathTotals, ShapeTable

__all__ = ["OPERATIONS", "GenotypeSpace", "operation_class"]

OPERATIONS = (
    "none",
    "skip_connect",
    "avg_pool_3x3",
    "max_pool_3x3",
    "max_pool_5x5",
    "max_pool_7x7",
    "conv_1x1",
    "conv_3x3",
    "conv_3x1_1x3",
    "conv_7x1_1x7",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "sep_conv_7x7",
    "dil_conv_3x3",
    "dil_conv_5x5",
    "dil_sep_conv_3x3",
)
"""All operations of these spaces, by the names that DARTS and NDS use."""


def operation_class(name: str) -> Op:
    """Zero, skip or linear (Remark 4.2): pooling counts as skip; a separable or dilated convolution is one linear
    operation.
    """
    if name == "none":
        return Op.ZERO
    return Op.LINEAR if "conv" in name else Op.SKIP


_CLASSES = np.array([operation_class(name) for name in OPERATIONS] + [Op.ZERO], dtype=np.int8)  # the last one is -1
_CLASS_LIST = _CLASSES.tolist()
_PACKED_CHUNK = 1 << 14


class GenotypeSpace(Space):
    """A space of genotypes.

    Args:
        name, title: see `Space`.
        operations: the operations that an edge may carry.
        nodes: number of nodes of a cell, inputs and output apart.
        distinct: the two predecessors of a node differ, in no order (DARTS); otherwise both are chosen independently,
            in order (NDS).
        loose_ends: only nodes that no other node uses are concatenated; otherwise all nodes.
        also_read: operations that notations may contain although the space does not list them.
    """

    cells = CELLS

    def __init__(
        self,
        name: str,
        title: str,
        operations: tuple[str, ...],
        nodes: int,
        distinct: bool = False,
        loose_ends: bool = False,
        also_read: tuple[str, ...] = (),
    ) -> None:
        self.name, self.title = name, title
        self.operations, self.nodes, self.distinct, self.loose_ends = operations, nodes, distinct, loose_ends
        self._accepted = {op: OPERATIONS.index(op) for op in operations + also_read}

    @property
    def genes(self) -> int:
        """Two genes per edge and one per node."""
        return 5 * self.nodes

    def edges(self, rows: npt.ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Operations [A, nodes, 2], predecessors [A, nodes, 2] and concatenation flags [A, nodes] of cells [A,
        genes].
        """
        rows = np.asarray(rows)
        pairs = rows[:, : 4 * self.nodes].reshape(len(rows), self.nodes, 2, 2)
        return pairs[..., 0], pairs[..., 1], rows[:, 4 * self.nodes :]

    # ---- notation ---------------------------------------------------------------------------------------------------

    def parse(self, text: str | Mapping[str, object]) -> np.ndarray:
        """See `Space.parse`; also takes a mapping with the keys of a genotype."""
        return np.stack([self._encode(cell, name) for name, cell in zip(CELLS, parse_genotype(text), strict=True)])

    def _encode(self, cell: Cell, name: str) -> np.ndarray:
        edges, concat = cell
        num_nodes = len(edges) // 2
        self._check_nodes(num_nodes, name)
        row = np.full(self.genes, -1, dtype=np.int8)
        row[1 : 4 * self.nodes : 2] = 0
        row[4 * self.nodes :] = 0
        for i, (op, node) in enumerate(edges):
            if op not in self._accepted:
                raise InputError(
                    f"unknown operation {op!r} in the {name} cell: {self.title} has {', '.join(self._accepted)}"
                )
            row[2 * i : 2 * i + 2] = self._accepted[op], node
        row[[4 * self.nodes + v - 2 for v in concat]] = 1
        return row

    def _check_nodes(self, num_nodes: int, name: str) -> None:
        if num_nodes != self.nodes:
            raise InputError(
                f"the {name} cell has {2 * num_nodes} edges: a {self.title} cell has {2 * self.nodes}, two for each of"
                f" its {self.nodes} nodes"
            )

    def write(self, architecture: npt.ArrayLike) -> str:
        """See `Space.write`: the Python text of the genotype."""
        cells = []
        for op, node, concat in zip(*self.edges(architecture), strict=True):
            edges = tuple((OPERATIONS[o], int(v)) for o, v in zip(op.ravel(), node.ravel(), strict=True) if o >= 0)
            cells.append((edges, tuple(int(v) + 2 for v in np.flatnonzero(concat))))
        return format_genotype(cells)

    # ---- counting and listing ---------------------------------------------------------------------------------------

    @cached_property
    def rules(self) -> GenotypeRules:
        """The space by class of operation: what its path statistics depend on."""
        classes = [operation_class(op) for op in self.operations]
        return GenotypeRules(
            self.nodes, tuple(classes.count(op) for op in Op), distinct=self.distinct, loose_ends=self.loose_ends
        )

    @property
    def _node_choices(self) -> list[int]:
        """Number of choices of predecessors of each node."""
        return [comb(i + 2, 2) if self.distinct else (i + 2) ** 2 for i in range(self.nodes)]

    @property
    def num_cells(self) -> int:
        """Operations to the power of the edges, times the choices of predecessors of every node."""
        return int(np.prod([n * len(self.operations) ** 2 for n in self._node_choices], dtype=object))

    def cells_at(self, index: npt.ArrayLike) -> np.ndarray:
        """See `Space.cells_at`: mixed radix, node by node, the operations of a node before its predecessors."""
        remaining = np.asarray(index, dtype=np.int64)
        rows = np.zeros((len(remaining), self.genes), dtype=np.int8)
        pairs = rows[:, : 4 * self.nodes].reshape(len(rows), self.nodes, 2, 2)
        table = np.array([OPERATIONS.index(op) for op in self.operations], dtype=np.int8)
        for i in range(self.nodes - 1, -1, -1):
            remaining, choice = np.divmod(remaining, self._node_choices[i])
            if self.distinct:
                high, low = np.tril_indices(i + 2, -1)
                pairs[:, i, 0, 1], pairs[:, i, 1, 1] = low[choice], high[choice]
            else:
                pairs[:, i, 0, 1], pairs[:, i, 1, 1] = np.divmod(choice, i + 2)
            for edge in (1, 0):
                remaining, op = np.divmod(remaining, len(self.operations))
                pairs[:, i, edge, 0] = table[op]
        rows[:, 4 * self.nodes :] = 1
        if self.loose_ends:
            for i in range(self.nodes):
                rows[:, 4 * self.nodes + i] = ~(pairs[:, i + 1 :, :, 1] == i + 2).any(axis=(1, 2))
        return rows

    def distribution(self) -> ShapeTable:
        """See `Space.distribution`; counted over classes of equal cells, in about a second (`count_shapes`)."""
        return count_shapes(self.rules)

    # ---- paths ------------------------------------------------------------------------------------------------------

    def cell_dag(self, row: npt.ArrayLike) -> Dag:
        """See `Space.cell_dag`.

        Node 0 stands for the network before the cell: skips lead to the two inputs, nodes 1 and 2. A second edge
        between the same two nodes runs through a node of its own. The output sums the concatenated nodes: the same
        paths as a concatenation (kernels differ: a concatenation averages the kernels of its parts, without their
        covariances).
        """
        ops, nodes, concat = (part[0] for part in self.edges(np.asarray(row)[None]))
        edges: dict[tuple[int, int], Op] = {(0, 1): Op.SKIP, (0, 2): Op.SKIP}
        number, size = [1, 2], 3
        for i in range(self.nodes):
            (first, second), (u, v) = _CLASSES[ops[i]], (number[nodes[i, 0]], number[nodes[i, 1]])
            if u == v and first and second:
                edges[u, size] = Op(int(first))
                u, first, size = size, Op.SKIP, size + 1
            for source, op in ((u, first), (v, second)):
                if op:
                    edges[source, size] = Op(int(op))
            number.append(size)
            size += 1
        edges |= {(number[i + 2], size): Op.SKIP for i in range(self.nodes) if concat[i]}
        return Dag.from_edges(edges, num_nodes=size + 1)

    def path_counts(self, rows: npt.ArrayLike) -> np.ndarray:
        """See `Space.path_counts`: a polynomial per node, gathered from its two predecessors."""
        ops, nodes, concat = self.edges(rows)
        cells, depth = len(ops), self.nodes + 1
        classes = _CLASSES[ops]
        polynomials = np.zeros((cells, self.nodes + 2, depth), dtype=np.int64)
        polynomials[:, :2, 0] = 1
        flat = polynomials.reshape(-1, depth)
        start = np.arange(cells) * (self.nodes + 2)
        for i in range(self.nodes):
            target = polynomials[:, i + 2]
            for edge in (0, 1):
                source = flat[start + nodes[:, i, edge]]
                op = classes[:, i, edge, None]
                target += source * (op == Op.SKIP)
                target[:, 1:] += source[:, :-1] * (op == Op.LINEAR)
        return np.einsum("and,an->ad", polynomials[:, 2:], concat.astype(np.int64))

    def totals(self, rows: npt.ArrayLike) -> PathTotals:
        """See `Space.totals`: the three totals of a node in one integer, so that an edge is a few operations per cell.

        P, S and n_0 of a node take 16 bits each (five nodes have at most 2^6 paths); an edge adds up packed integers.
        """
        ops, predecessors, concat = self.edges(rows)
        parts = [
            self._packed_totals(
                _CLASSES[ops[i : i + _PACKED_CHUNK]], predecessors[i : i + _PACKED_CHUNK], concat[i : i + _PACKED_CHUNK]
            )
            for i in range(0, max(len(ops), 1), _PACKED_CHUNK)
        ]
        packed = np.concatenate(parts)
        paths = packed & 0xFFFF
        return PathTotals(paths, packed >> 16 & 0xFFFF, paths - (packed >> 32))

    def _packed_totals(self, classes: np.ndarray, predecessors: np.ndarray, concat: np.ndarray) -> np.ndarray:
        cells = len(classes)
        values = np.zeros((self.nodes + 2, cells), dtype=np.int64)
        values[:2] = 1 | 1 << 32
        flat, column = values.reshape(-1), np.arange(cells)
        output = np.zeros(cells, dtype=np.int64)
        for i in range(self.nodes):
            for edge in (0, 1):
                source = flat[predecessors[:, i, edge].astype(np.int64) * cells + column]
                op = classes[:, i, edge]
                through = (source & 0xFFFFFFFF) + ((source & 0xFFFF) << 16)  # (P, S + P, 0)
                values[i + 2] += np.where(op == Op.LINEAR, through, source * (op == Op.SKIP))
            output += values[i + 2] * concat[:, i]
        return output

    def cell_totals(self, row: npt.ArrayLike) -> tuple[int, int, int]:
        """See `Space.cell_totals`: for one cell, plain integers are ten times faster than arrays."""
        genes = np.asarray(row).tolist()
        nodes = [(1, 0, 1), (1, 0, 1)]  # paths, length, paths without a parameterised operation
        for i in range(self.nodes):
            paths = length = inactive = 0
            for edge in (4 * i, 4 * i + 2):
                op = _CLASS_LIST[genes[edge]]
                if op:
                    p, s, z = nodes[genes[edge + 1]]
                    paths += p
                    length += s + p if op == 2 else s
                    inactive += 0 if op == 2 else z
            nodes.append((paths, length, inactive))
        flags = genes[4 * self.nodes :]
        paths, length, inactive = (
            sum(node[j] for node, flag in zip(nodes[2:], flags, strict=True) if flag) for j in range(3)
        )
        return paths, length, paths - inactive

    def num_parameterised(self, rows: npt.ArrayLike) -> np.ndarray:
        """Number of convolutions in each cell."""
        return np.asarray((_CLASSES[self.edges(rows)[0]] == Op.LINEAR).sum(axis=(1, 2)))
