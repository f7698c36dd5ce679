"""NAS-Bench-201: four nodes, one of five operations on each of six edges, 15,625 cells.

Notation: `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`, node by node, `~s` naming the predecessor (Dong & Yang, ICLR 2020,
arXiv:2001.00326). Genes: the operation of each edge (0,1), (0,2), (1,2), (0,3), (1,3), (2,3), as a position in
`OPERATIONS`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nngp_dag.dag import Dag, num_edges
from nngp_dag.errors import InputError, unknown
from nngp_dag.paths import path_counts_array
from nngp_dag.spaces.base import Space
from nngp_dag.spaces.shape import PathTotals, ShapeTable, code_totals

__all__ = ["OPERATIONS", "NasBench201"]

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
"""The publisher's five operations, in the publisher's order."""

_CLASSES = np.array([0, 1, 2, 2, 1], dtype=np.int8)  # zero, skip, linear, linear, pooling counts as skip (Remark 4.2)
_NODES = 4
_EDGES = num_edges(_NODES)
_EDGE = re.compile(r"([^~|]+)~(\d+)")


class NasBench201(Space):
    """The space of NAS-Bench-201. A complete space: any two of its four nodes may be joined."""

    name = "nasbench201"
    title = "NAS-Bench-201"
    complete = True
    genes = _EDGES

    def parse(self, text: str) -> np.ndarray:
        """See `Space.parse`; the predecessors of a node may be listed in any order, each exactly once."""
        groups = text.strip().split("+")
        if len(groups) != _NODES - 1:
            raise InputError(
                f"malformed NAS-Bench-201 cell {text.strip()[:80]!r}: expected {_NODES - 1} nodes joined by +,"
                f" got {len(groups)}"
            )
        row = np.full(_EDGES, -1, dtype=np.int8)
        for t, group in enumerate(groups, start=1):
            edges = group.strip("|").split("|")
            if len(edges) != t or not (group.startswith("|") and group.endswith("|")):
                raise InputError(
                    f"malformed NAS-Bench-201 node {t} {group!r}: {t} edges as |op~0|..., got {len(edges)}"
                )
            for edge in edges:
                match = _EDGE.fullmatch(edge)
                if match is None or int(match[2]) >= t:
                    raise InputError(f"malformed NAS-Bench-201 edge {edge!r} of node {t}: expected op~s with s < {t}")
                if match[1] not in OPERATIONS:
                    raise unknown("NAS-Bench-201 operation", match[1], OPERATIONS)
                position = num_edges(t) + int(match[2])
                if row[position] >= 0:
                    raise InputError(f"NAS-Bench-201 node {t} {group!r} has two edges from node {match[2]}")
                row[position] = OPERATIONS.index(match[1])
        return row[None]

    def write(self, architecture: npt.ArrayLike) -> str:
        """See `Space.write`."""
        (row,) = np.asarray(architecture)
        return "+".join(
            "|" + "".join(f"{OPERATIONS[row[num_edges(t) + s]]}~{s}|" for s in range(t)) for t in range(1, _NODES)
        )

    @property
    def num_cells(self) -> int:
        """5^6 = 15,625."""
        return len(OPERATIONS) ** _EDGES

    def cells_at(self, index: npt.ArrayLike) -> np.ndarray:
        """See `Space.cells_at`: the number's digits in base 5, the first edge the most significant."""
        powers = len(OPERATIONS) ** np.arange(_EDGES - 1, -1, -1)
        return (np.asarray(index, dtype=np.int64)[:, None] // powers % len(OPERATIONS)).astype(np.int8)

    def codes(self, rows: npt.ArrayLike) -> np.ndarray:
        """Flat three-operation codes of cells, int8 [A, 6]: what `nngp_dag.path_counts_array` takes."""
        return _CLASSES[np.asarray(rows)]

    def cell_dag(self, row: npt.ArrayLike) -> Dag:
        """See `Space.cell_dag`: genes are in code order, so the code is read off edge by edge."""
        return Dag.from_array(self.codes(row))

    def path_counts(self, rows: npt.ArrayLike) -> np.ndarray:
        """See `Space.path_counts`."""
        return path_counts_array(self.codes(rows))

    def num_parameterised(self, rows: npt.ArrayLike) -> np.ndarray:
        """Number of convolutions in each cell."""
        return np.asarray((self.codes(rows) == 2).sum(axis=1))

    def distribution(self) -> ShapeTable:
        """See `Space.distribution`: 3^6 cells by class of operation, each standing for 1, 2 or 2 a zero, skip or
        linear edge.
        """
        representatives = np.array(list(itertools.product((0, 1, 2), repeat=_EDGES)), dtype=np.int8)
        weights = np.prod(np.bincount(_CLASSES)[_CLASSES[representatives]], axis=1)
        totals = PathTotals.from_counts(self.path_counts(representatives))
        return ShapeTable.count(totals, self.num_parameterised(representatives), weights)

    def other_counts(self) -> dict[str, int]:
        """The publisher's 6,466 unique strings, and the expressions that remain when zeros and skips are worked out.

        The publisher writes each node as the sorted sum of its inputs, with `#` for zero and a skip's input in its
        place, but keeps `#` as a term and does not merge sums; worked out fully, 4,930 expressions remain. Both forget,
        as graph isomorphism does not, which branches share a node.
        """
        cells = self.enumerate().tolist()
        return {
            "publisher's unique strings": len({_unique_string(cell) for cell in cells}),
            "expressions without zeros and skips": len({_expression(cell) for cell in cells}),
        }

    def cell_totals(self, row: npt.ArrayLike) -> tuple[int, int, int]:
        """See `Space.cell_totals`."""
        return code_totals(_CLASSES[np.asarray(row)].tolist())

    def classes(self) -> tuple[np.ndarray, np.ndarray]:
        """The cells that differ as pruned graphs up to relabelling of nodes, the five operations told apart.

        Only nodes 1 and 2 can be relabelled: exchanged where no edge joins them, and a single remaining one renamed.

        Returns:
            the first cell of each class, int8 [C, 6]; and the class of every cell in `enumerate`'s order, int64 [A].
        """
        cells = self.enumerate()
        a, b, c, _, e, f = (cells[:, i].copy() for i in range(_EDGES))  # edges (0,1), (0,2), (1,2), (0,3), (1,3), (2,3)
        live1 = (a > 0) & ((e > 0) | ((c > 0) & (f > 0)))
        live2 = (f > 0) & ((b > 0) | ((a > 0) & (c > 0)))
        pruned = np.where(np.stack([live1, live2, live1 & live2, a >= 0, live1, live2], axis=1), cells, 0)
        swapped = np.where((pruned[:, 2] == 0)[:, None], pruned[:, [1, 0, 2, 3, 5, 4]], pruned)
        powers = len(OPERATIONS) ** np.arange(_EDGES)
        keys = np.minimum(pruned @ powers, swapped @ powers)
        _, first, members = np.unique(keys, return_index=True, return_inverse=True)
        return cells[first], members.reshape(-1)

    def count_distinct(self) -> int:
        """See `Space.count_distinct`."""
        return len(self.classes()[0])


def _incoming(cell: Sequence[int]) -> list[list[tuple[int, str]]]:
    """The edges (predecessor, operation) into nodes 1, 2, 3."""
    return [[(s, OPERATIONS[cell[num_edges(t) + s]]) for s in range(t)] for t in range(1, _NODES)]


def _unique_string(cell: Sequence[int]) -> str:
    """The string that the publisher's `to_unique_str(consider_zero=True)` makes of a cell."""
    nodes = ["0"]
    for edges in _incoming(cell):
        terms = []
        for s, op in edges:
            zero = op == "none" or nodes[s] == "#"
            terms.append("#" if zero else nodes[s] if op == "skip_connect" else f"({nodes[s]})@{op}")
        nodes.append("+".join(sorted(terms)))
    return nodes[-1]


def _expression(cell: Sequence[int]) -> str:
    """The output as a sum of terms in a fixed order, zeros dropped and sums merged through skips."""
    nodes: list[list[str]] = [["0"]]
    for edges in _incoming(cell):
        terms: list[str] = []
        for s, op in edges:
            if op == "skip_connect":
                terms += nodes[s]
            elif op != "none" and nodes[s]:
                terms.append(f"({'+'.join(nodes[s])})@{op}")
        nodes.append(sorted(terms))
    return "+".join(nodes[-1])
