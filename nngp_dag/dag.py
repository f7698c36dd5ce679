"""The DAG of a cell: nodes 0..H, one operation for every pair s < t, and its codecs.

Node 0 is the input and node H the output. Each edge (s, t) is `zero` (broken), `skip` (identity) or `linear` (a random
matrix with an activation); incoming edges are summed (Eq. 1-2 of the paper). A *code* is the authors' string: for each
node t = 1..H the digits of the edges (0, t)..(t-1, t), nodes joined by `_`.
"""

from __future__ import annotations

import enum
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.canonical import canonical_digits
from nngp_dag.errors import InputError, unknown
from nngp_dag.networkx_edges import graph_edges

if TYPE_CHECKING:
    import networkx as nx

__all__ = [
    "MAX_ENUMERATED",
    "Dag",
    "DagLike",
    "Op",
    "as_dag",
    "count_isomorphism_classes",
    "edge_index",
    "enumerate_codes",
    "num_edges",
    "num_nodes_of",
]

MAX_ENUMERATED = 3**15
"""The largest complete space that `enumerate_codes` lays out in memory (six nodes)."""


class Op(enum.IntEnum):
    """The operation of an edge; the value is its digit in a code."""

    ZERO = 0
    SKIP = 1
    LINEAR = 2

    @classmethod
    def parse(cls, value: object) -> Op:
        """The operation for a name (`"zero"`, `"skip"`, `"linear"`) or a digit (0, 1, 2); else InputError."""
        if isinstance(value, str) and value.upper() in cls.__members__:
            return cls[value.upper()]
        if isinstance(value, (int, np.integer)) and not isinstance(value, bool) and 0 <= value <= 2:
            return cls(int(value))
        raise unknown("operation", value, "zero (0), skip (1) and linear (2)")


def num_edges(num_nodes: int) -> int:
    """Number of node pairs s < t among `num_nodes` nodes, n (n - 1) / 2: the length of a flat code."""
    return num_nodes * (num_nodes - 1) // 2


def num_nodes_of(length: int) -> int:
    """Number of nodes whose flat code has this length, the inverse of `num_edges`; of another length, a near one."""
    return (1 + round((1 + 8 * length) ** 0.5)) // 2


def edge_index(s: int, t: int) -> int:
    """Position of edge (s, t), s < t, in a flat code: t (t - 1) / 2 + s."""
    return num_edges(t) + s


@dataclass(frozen=True)
class Dag:
    """A directed acyclic graph of operations: immutable, hashable and validated.

    Args:
        num_nodes: number of nodes H + 1, at least 2.
        ops: one digit (0 zero, 1 skip, 2 linear) an edge, in code order, as bytes of length n (n - 1) / 2.

    Raises:
        InputError: fewer than two nodes, a wrong number of digits, or another digit.
    """

    num_nodes: int
    ops: bytes

    def __post_init__(self) -> None:
        if self.num_nodes < 2:
            raise InputError(f"a DAG needs at least 2 nodes (input and output), got {self.num_nodes}")
        if len(self.ops) != num_edges(self.num_nodes):
            raise InputError(f"{self.num_nodes} nodes need {num_edges(self.num_nodes)} operations, got {len(self.ops)}")
        if self.ops and max(self.ops) > 2:
            raise InputError(f"operations are 0 (zero), 1 (skip) or 2 (linear), got {max(self.ops)}")

    # ---- codecs -----------------------------------------------------------------------------------------------------

    @classmethod
    def from_code(cls, code: str) -> Dag:
        """The DAG of an authors' code string, for example `"2_02_002"`; InputError says what is malformed."""
        if not isinstance(code, str) or not code.strip():
            raise InputError(f"malformed code {code!r}: expected digits 0, 1, 2 with nodes joined by _, like 2_02_002")
        groups = code.strip().split("_")
        for t, group in enumerate(groups, start=1):
            shown = group if len(group) <= 24 else group[:24] + "..."
            if len(group) != t:
                raise InputError(
                    f"malformed code {_shorten(code)!r}: node {t} needs {t} digit{'s' if t > 1 else ''},"
                    f" one for each earlier node, got {shown!r}"
                )
            if not set(group) <= set("012"):
                raise InputError(
                    f"malformed code {_shorten(code)!r}: node {t} has {shown!r}, but the digits are"
                    " 0 (zero), 1 (skip) and 2 (linear)"
                )
        return cls(len(groups) + 1, bytes(int(digit) for digit in "".join(groups)))

    def to_code(self) -> str:
        """The authors' code string of this DAG."""
        digits = "".join(map(str, self.ops))
        return "_".join(digits[num_edges(t) : num_edges(t + 1)] for t in range(1, self.num_nodes))

    @classmethod
    def from_edges(cls, edges: Mapping[tuple[int, int], object], num_nodes: int | None = None) -> Dag:
        """The DAG with the given edges `{(s, t): op}`; all others are zero.

        Args:
            edges: operations by edge, s < t; an operation is a name or a digit (`Op.parse`).
            num_nodes: number of nodes; by default the largest end of an edge plus one.

        Raises:
            InputError: an edge that is not a pair of integers 0 <= s < t < num_nodes, or an unknown operation.
        """
        for edge in edges:
            if not (isinstance(edge, tuple) and len(edge) == 2 and all(isinstance(v, (int, np.integer)) for v in edge)):
                raise InputError(f"an edge is a pair of node numbers (s, t), got {edge!r}")
        n = max((int(v) for edge in edges for v in edge), default=0) + 1 if num_nodes is None else int(num_nodes)
        if n < 2:
            raise InputError("a DAG needs at least 2 nodes: give edges or num_nodes")
        ops = bytearray(num_edges(n))
        for (s, t), op in edges.items():
            if not 0 <= s < t < n:
                raise InputError(
                    f"edge ({s}, {t}) is not possible: nodes are 0..{n - 1} and an edge goes from s to t > s"
                )
            ops[edge_index(int(s), int(t))] = Op.parse(op)
        return cls(n, bytes(ops))

    def to_edges(self) -> dict[tuple[int, int], str]:
        """The edges that are not zero, `{(s, t): "skip" | "linear"}`, ordered by t, then s."""
        return {(s, t): op.name.lower() for s, t, op in self.edges()}

    @classmethod
    def from_networkx(
        cls, graph: nx.DiGraph, order: Sequence[Hashable] | None = None, default_op: object = None
    ) -> Dag:
        """The DAG of a networkx graph whose edges carry an attribute `op` (a name or a digit).

        Args:
            graph: an acyclic DiGraph or MultiDiGraph; of parallel edges all but the first get a node of their own (see
                `networkx_edges`).
            order: all its nodes, the input first and the output last, in a topological order. By default nodes that are
                the integers 0..n-1 with edges s < t keep their numbers; otherwise the graph must have one source
                and one sink, and a topological order is chosen.
            default_op: the operation of edges without an attribute `op`; by default each needs one.

        Raises:
            InputError: a cycle, an edge without `op`, an order that is not topological, or an ambiguous input or
                output.
        """
        found = graph_edges(graph, order, default_op)
        return cls.from_edges({edge: data["op"] for edge, data in found.attributes.items()}, found.num_nodes)

    def to_networkx(self) -> nx.DiGraph:
        """A networkx DiGraph with nodes 0..H and the edges that are not zero, each with `op` "skip" or "linear"."""
        import networkx as nx

        graph = nx.DiGraph()
        graph.add_nodes_from(range(self.num_nodes))
        graph.add_edges_from((s, t, {"op": op.name.lower()}) for s, t, op in self.edges())
        return graph

    @classmethod
    def from_array(cls, ops: ArrayLike) -> Dag:
        """The DAG of a flat code: an integer array [n (n - 1) / 2] of digits in code order."""
        flat = np.asarray(ops)
        if flat.ndim != 1 or flat.dtype.kind not in "iu":
            raise InputError(f"a flat code is a one-dimensional integer array, got shape {flat.shape} of {flat.dtype}")
        n = num_nodes_of(flat.size)
        if flat.size and (flat.min() < 0 or flat.max() > 2):
            raise InputError("operations are 0 (zero), 1 (skip) or 2 (linear)")
        return cls(n, flat.astype(np.uint8).tobytes())

    def to_array(self) -> np.ndarray:
        """The flat code, int8 [n (n - 1) / 2]."""
        return np.frombuffer(self.ops, dtype=np.int8).copy()

    # ---- access -----------------------------------------------------------------------------------------------------

    def op(self, s: int, t: int) -> Op:
        """The operation of edge (s, t), 0 <= s < t < num_nodes."""
        if not 0 <= s < t < self.num_nodes:
            raise InputError(f"no edge ({s}, {t}) among {self.num_nodes} nodes")
        return Op(self.ops[edge_index(s, t)])

    def edges(self) -> Iterable[tuple[int, int, Op]]:
        """The edges (s, t, op) that are not zero, ordered by t, then s."""
        for t in range(1, self.num_nodes):
            start = num_edges(t)
            for s in range(t):
                if self.ops[start + s]:
                    yield s, t, Op(self.ops[start + s])

    @cached_property
    def matrix(self) -> np.ndarray:
        """Operations as a read-only int8 matrix [n, n]: entry [s, t] for s < t, zero elsewhere."""
        matrix = np.zeros((self.num_nodes, self.num_nodes), dtype=np.int8)
        t, s = np.tril_indices(self.num_nodes, -1)
        matrix[s, t] = np.frombuffer(self.ops, dtype=np.int8)
        matrix.flags.writeable = False
        return matrix

    @property
    def num_linear(self) -> int:
        """Number of linear (parameterised) edges, on paths from input to output or not."""
        return self.ops.count(2)

    # ---- structure --------------------------------------------------------------------------------------------------

    def reachable(self) -> np.ndarray:
        """Nodes on some path from the input to the output, bool [n]; all False where there is no path."""
        edge = self.matrix > 0
        forward = np.zeros(self.num_nodes, dtype=bool)
        forward[0] = True
        for t in range(1, self.num_nodes):
            forward[t] = (edge[:t, t] & forward[:t]).any()
        backward = np.zeros(self.num_nodes, dtype=bool)
        backward[-1] = True
        for s in range(self.num_nodes - 2, -1, -1):
            backward[s] = (edge[s, s + 1 :] & backward[s + 1 :]).any()
        return forward & backward

    def pruned(self) -> Dag:
        """The DAG of the nodes and edges on paths from 0 to H, renumbered in order; `0` where there is no path."""
        keep = np.flatnonzero(self.reachable())
        if keep.size == 0:
            return Dag(2, bytes(1))
        if keep.size == self.num_nodes:
            return self
        sub = self.matrix[np.ix_(keep, keep)]
        t, s = np.tril_indices(keep.size, -1)
        return Dag(int(keep.size), sub[s, t].astype(np.uint8).tobytes())

    def then(self, other: Dag) -> Dag:
        """This DAG with another stacked on it: the output of this one is the input of the other."""
        below, above = self.num_nodes - 1, other.num_nodes - 1
        ops = bytearray(num_edges(below + above + 1))
        ops[: len(self.ops)] = self.ops
        for s, t, op in other.edges():
            ops[edge_index(below + s, below + t)] = op
        return Dag(below + above + 1, bytes(ops))

    def canonical(self) -> Dag:
        """A canonical form: equal for two DAGs exactly when their pruned forms agree up to relabelling of nodes."""
        pruned = self.pruned()
        return Dag(pruned.num_nodes, canonical_digits(pruned.matrix))

    def __str__(self) -> str:
        return self.to_code()

    def __repr__(self) -> str:
        return f"Dag({_shorten(self.to_code())!r})"


def enumerate_codes(num_nodes: int) -> np.ndarray:
    """All DAGs of `num_nodes` nodes as flat codes, int8 [3^E, E], E = n (n - 1) / 2, in the lexicographic order of
    codes.

    Raises:
        InputError: fewer than 2 nodes, or more than six (3^21 codes would not fit in memory).
    """
    if num_nodes < 2:
        raise InputError(f"a DAG needs at least 2 nodes, got {num_nodes}")
    edges = num_edges(num_nodes)
    total = 3**edges
    if total > MAX_ENUMERATED:
        raise InputError(
            f"the complete space of {num_nodes} nodes has 3^{edges} = {total:,} DAGs: at most 6 nodes can be listed"
        )
    index = np.arange(total, dtype=np.int64)
    codes = np.empty((total, edges), dtype=np.int8)
    for e in range(edges - 1, -1, -1):
        index, codes[:, e] = np.divmod(index, 3)
    return codes


def count_isomorphism_classes(codes: np.ndarray) -> int:
    """Number of DAGs among flat codes [A, E] that differ as pruned graphs up to relabelling."""
    return len({Dag.from_array(code).canonical() for code in np.unique(codes, axis=0)})


def _shorten(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."


DagLike: TypeAlias = "Dag | str | dict[tuple[int, int], object] | nx.DiGraph"
"""A DAG as users give it: a `Dag`, a code, edges {(s, t): op}, or a networkx DiGraph with an edge attribute `op`."""


def as_dag(dag: DagLike) -> Dag:
    """The DAG of anything that describes one (`DagLike`); InputError for anything else."""
    if isinstance(dag, Dag):
        return dag
    if isinstance(dag, str):
        return Dag.from_code(dag)
    if isinstance(dag, dict):
        return Dag.from_edges(dag)
    if hasattr(dag, "is_directed"):
        return Dag.from_networkx(dag)
    raise InputError(
        f"expected a Dag, a code like '2_02_002', edges {{(s, t): op}} or a networkx DiGraph, got {type(dag).__name__}"
    )
