"""NAS-Bench-101: operations on vertices, an adjacency matrix of at most seven vertices and nine edges; 423,624 cells.

Notation: a JSON object with the publisher's fields (Ying et al., ICML 2019, arXiv:1902.09635),

    {"module_adjacency": [[0, 1, ...], ...], "module_operations": ["input", "conv3x3-bn-relu", ..., "output"]}

A vertex sums what enters it and applies its operation. The 1x1 projections that the network puts on edges from the
input are no part of the notation and do not count.

Genes: the adjacency bit of every pair u < v of seven vertices, in the order of codes, then the operation of vertices
1..5 as a position in `OPERATIONS` plus one; 0 where the cell has no such vertex. The output is always vertex 6.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeGuard

import numpy as np
import numpy.typing as npt

from nngp_dag.dag import Dag, Op, edge_index, num_edges
from nngp_dag.errors import InputError, unknown
from nngp_dag.spaces.base import Space
from nngp_dag.spaces.nasbench101_cells import MAX_EDGES, OPERATIONS, VERTICES, all_cells

__all__ = ["NasBench101"]

_PAIRS = num_edges(VERTICES)
_INNER = VERTICES - 2
_CLASSES = np.array([Op.ZERO, Op.LINEAR, Op.LINEAR, Op.SKIP], dtype=np.int8)
_FORM = 'expected {"module_adjacency": [[0, 1], [0, 0]], "module_operations": ["input", "output"]}'


class NasBench101(Space):
    """The cells of NAS-Bench-101, each once: different as pruned graphs, the operations told apart."""

    name = "nasbench101"
    title = "NAS-Bench-101"
    genes = _PAIRS + _INNER

    def parse(self, text: str | Mapping[str, object]) -> np.ndarray:
        """See `Space.parse`; also takes a mapping with the two fields. Vertices off every path stay in the
        architecture.
        """
        fields = text if isinstance(text, Mapping) else _read_json(text)
        matrix, operations = _checked(fields)
        n = len(operations)
        row = np.zeros(self.genes, dtype=np.int8)
        place = [*range(n - 1), VERTICES - 1]
        for u, v in zip(*np.nonzero(matrix), strict=True):
            row[edge_index(place[u], place[v])] = 1
        for v in range(1, n - 1):
            row[_PAIRS + v - 1] = 1 + OPERATIONS.index(operations[v])
        if not self.path_counts(row[None]).any():
            raise InputError("malformed NAS-Bench-101 cell: no path leads from the input to the output")
        return row[None]

    def write(self, architecture: npt.ArrayLike) -> str:
        """See `Space.write`."""
        (row,) = np.asarray(architecture)
        inner = [v for v in range(1, VERTICES - 1) if row[_PAIRS + v - 1]]
        vertices = [0, *inner, VERTICES - 1]
        matrix = [[int(u < v and row[edge_index(u, v)]) for v in vertices] for u in vertices]
        operations = ["input", *(OPERATIONS[row[_PAIRS + v - 1] - 1] for v in inner), "output"]
        return json.dumps({"module_adjacency": matrix, "module_operations": operations})

    @property
    def num_cells(self) -> int:
        """Number of cells that differ as pruned graphs, the publisher's 423,624; counted here, in about a second."""
        return len(all_cells())

    def count_distinct(self) -> int:
        """All cells differ."""
        return self.num_cells

    def cells_at(self, index: npt.ArrayLike) -> np.ndarray:
        """See `Space.cells_at`."""
        return np.asarray(all_cells()[np.asarray(index, dtype=np.int64)])

    def cell_dag(self, row: npt.ArrayLike) -> Dag:
        """See `Space.cell_dag`: a vertex with a convolution becomes two nodes joined by a linear edge."""
        row = np.asarray(row)
        inner = [v for v in range(1, VERTICES - 1) if row[_PAIRS + v - 1]]
        edges: dict[tuple[int, int], Op] = {}
        leaves, size = {0: 0}, 1
        for v in (*inner, VERTICES - 1):
            entry = size
            for u, source in leaves.items():
                if row[edge_index(u, v)]:
                    edges[source, entry] = Op.SKIP
            size += 1
            if v < VERTICES - 1 and _CLASSES[row[_PAIRS + v - 1]] == Op.LINEAR:
                edges[entry, size] = Op.LINEAR
                size += 1
            leaves[v] = size - 1
        return Dag.from_edges(edges, num_nodes=size)

    def path_counts(self, rows: npt.ArrayLike) -> np.ndarray:
        """See `Space.path_counts`: a polynomial per vertex, shifted where its operation is a convolution."""
        rows = np.asarray(rows)
        polynomials = np.zeros((VERTICES, _INNER + 1, len(rows)), dtype=np.int64)
        polynomials[0, 0] = 1
        for v in range(1, VERTICES):
            for u in range(v):
                polynomials[v] += polynomials[u] * rows[:, edge_index(u, v)]
            if v < VERTICES - 1:
                kind = _CLASSES[rows[:, _PAIRS + v - 1]]
                shifted = np.zeros_like(polynomials[v])
                shifted[1:] = polynomials[v, :-1] * (kind == Op.LINEAR)
                polynomials[v] = polynomials[v] * (kind == Op.SKIP) + shifted
        return np.ascontiguousarray(polynomials[-1].T)

    def num_parameterised(self, rows: npt.ArrayLike) -> np.ndarray:
        """Number of vertices with a convolution."""
        return np.asarray((_CLASSES[np.asarray(rows)[:, _PAIRS:]] == Op.LINEAR).sum(axis=1))


def _read_json(text: str) -> Mapping[str, object]:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError(f"malformed NAS-Bench-101 cell {text.strip()[:60]!r}: {_FORM}") from None
    if not isinstance(fields, Mapping):
        raise InputError(f"malformed NAS-Bench-101 cell {text.strip()[:60]!r}: {_FORM}")
    return fields


def _is_square(lines: object, n: int) -> TypeGuard[list[list[object]]]:
    return isinstance(lines, list) and len(lines) == n and all(isinstance(x, list) and len(x) == n for x in lines)


def _checked(fields: Mapping[str, object]) -> tuple[np.ndarray, list[str]]:
    for name in ("module_adjacency", "module_operations"):
        if name not in fields:
            raise InputError(f"a NAS-Bench-101 cell needs the field {name!r}: {_FORM}")
    operations = fields["module_operations"]
    if not isinstance(operations, list) or not all(isinstance(op, str) for op in operations):
        raise InputError("module_operations must be a list of names")
    n = len(operations)
    if not 2 <= n <= VERTICES or operations[0] != "input" or operations[-1] != "output":
        raise InputError(f"module_operations must be 'input', up to {_INNER} operations, 'output', got {operations}")
    for op in operations[1:-1]:
        if op not in OPERATIONS:
            raise unknown("NAS-Bench-101 operation", op, OPERATIONS)
    lines = fields["module_adjacency"]
    if not _is_square(lines, n) or any(entry not in (0, 1) for line in lines for entry in line):
        raise InputError(f"module_adjacency must be {n} lists of {n} zeros and ones")
    matrix = np.array(lines, dtype=np.int8)
    if np.tril(matrix).any():
        raise InputError(
            "module_adjacency must be upper triangular: an edge goes from an earlier vertex to a later one"
        )
    if matrix.sum() > MAX_EDGES:
        raise InputError(f"a NAS-Bench-101 cell has at most {MAX_EDGES} edges, got {matrix.sum()}")
    return matrix, operations
