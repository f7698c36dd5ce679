"""The methods that propagate a kernel node by node: *exact*, and the paper's *independent* (Eq. 6-11)."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jax import Array

from nngp_dag.dag import Dag, Op
from nngp_dag.kernel.block_fold import Inputs, pairs_by_block, rows_by_block
from nngp_dag.kernel.blocks import BLOCK, Blocks, blocks_of
from nngp_dag.kernel.embedding import EmbeddedRow
from nngp_dag.kernel.maps import over_pairs, over_rows
from nngp_dag.kernel.method import PairMethod
from nngp_dag.kernel.mixing import Mixing, mixing
from nngp_dag.kernel.prefix_tree import prefix_tree_kernels, prefix_tree_variances
from nngp_dag.kernel.recursion import MAX_UNROLLED, Node, Recursion

__all__ = ["Exact", "Independent", "PropagatedRows", "Propagation"]

_Program = tuple[Mixing, ...] | Blocks

_SECONDS_PER_NODE = 3e-7
"""Of one core, for one node and one pair of rows (a chain of 500 nodes, 200 rows: 4.5 s)."""

_SECONDS_PER_TERM = 4e-10
"""Of one core, for one node, one row of its tables and one pair of rows (500 full nodes, 200 rows: 5.5 s in all)."""


class PropagatedRows(NamedTuple):
    """Inputs at all nodes; every array has the inputs on its last axis.

    Attributes:
        embedded: the embedding of the inputs.
        first: node 0.
        inner: nodes 1..H-1; of a large DAG stacked by block and node of a block, on the first two axes.
        mean, variance, tangent: S_H, K_HH and Theta_HH of each input with itself.
    """

    embedded: EmbeddedRow
    first: Node
    inner: tuple[Node, ...] | Node
    mean: Array
    variance: Array
    tangent: Array


@dataclass(frozen=True)
class Propagation(PairMethod[_Program, PropagatedRows]):
    """Folds a recursion over the nodes: unrolled for cells, one scan over blocks of nodes for large DAGs."""

    @property
    @abstractmethod
    def recursion(self) -> Recursion:
        """The recursion of the method."""

    def program(self, dag: Dag) -> _Program:
        nodes = [Mixing(*(a[0] for a in into)) for into in mixing(dag.to_array()[None])]
        return tuple(nodes) if dag.num_nodes <= MAX_UNROLLED else blocks_of(nodes)

    def estimated_seconds(self, dag: Dag, num_pairs: int) -> float:
        if dag.num_nodes <= MAX_UNROLLED:
            return 0.0
        program = self.program(dag)
        assert isinstance(program, Blocks)
        return num_pairs * dag.num_nodes * (_SECONDS_PER_NODE + _SECONDS_PER_TERM * sum(program.rows))

    def numbers_per_pair(self, dag: Dag, program: _Program) -> int:
        if not isinstance(program, Blocks):
            return super().numbers_per_pair(dag, program)
        return 2 * sum(program.rows) + 8 * BLOCK

    def rows(self, program: _Program, k: Array) -> PropagatedRows:
        r = self.recursion
        if isinstance(program, Blocks):
            embedded, first, inner, end = rows_by_block(r, program, k)
            return PropagatedRows(embedded, first, inner, *end)
        embedded, state, first = over_rows(lambda k, _: r.start_row(k))(k, None)
        nodes = []
        for t, into in enumerate(program[:-1], start=1):
            state, node = over_rows(lambda row, into, t=t: r.step_row(row, t, into))(state, into)
            nodes.append(node)
        return PropagatedRows(embedded, first, tuple(nodes), *over_rows(r.end_row)(state, program[-1]))

    def pairs(self, program: _Program, x: PropagatedRows, y: PropagatedRows, k: Array) -> tuple[Array, Array]:
        r = self.recursion
        if isinstance(program, Blocks):
            return pairs_by_block(r, program, k, _inputs(x), _inputs(y))
        start = over_pairs(lambda k, x, y, _: r.start_pair(x[0], y[0], x[1], y[1], k))
        end = over_pairs(lambda pair, mean_x, mean_y, into: r.end_pair(pair, into, mean_x, mean_y))
        state = start(k, (x.embedded, x.first), (y.embedded, y.first), None)
        for t, (into, node_x, node_y) in enumerate(zip(program[:-1], x.inner, y.inner, strict=True), start=1):
            step = over_pairs(lambda pair, x, y, into, t=t: r.step_pair(pair, t, into, x, y))
            state = step(state, node_x, node_y, into)
        return end(state, x.mean, y.mean, program[-1])

    def diagonal(self, program: _Program, rows: PropagatedRows) -> tuple[Array, Array]:
        return rows.variance, rows.tangent

    def reached(self, dag: Dag, rows: PropagatedRows) -> list[Array]:
        inner = (
            _unstacked(rows.inner.prepared) if isinstance(rows.inner, Node) else [node.prepared for node in rows.inner]
        )
        nodes = [rows.first.prepared, *inner]
        found = [nodes[s] for s in sorted({s for s, _, op in dag.edges() if op is Op.LINEAR})]
        return found if self.setting.embedding != "stem" else [rows.embedded.prepared, *found]

    def reached_by_many(self, codes: np.ndarray, k: np.ndarray) -> list[Array]:
        return prefix_tree_variances(self.recursion, codes, k)

    def many(self, codes: np.ndarray, x: Array, names: tuple[str, ...]) -> tuple[Array, ...]:
        return prefix_tree_kernels(self.recursion, codes, x, names)


@dataclass(frozen=True)
class Exact(Propagation):
    """The limit of an infinitely wide network: skip paths weigh alpha^2, and coordinate means are carried."""

    @property
    def recursion(self) -> Recursion:
        means = self.setting.order == "activation-last"
        return Recursion(self.setting, correlated=True, means=means, with_tangent=self.with_tangent)


@dataclass(frozen=True)
class Independent(Propagation):
    """The paper's recursion, K_t = sum_A K_s + sum_L f(K_s): branches uncorrelated, means dropped (Remark 3.3)."""

    @property
    def recursion(self) -> Recursion:
        return Recursion(self.setting, correlated=False, means=False, with_tangent=self.with_tangent)


def _inputs(rows: PropagatedRows) -> Inputs:
    assert isinstance(rows.inner, Node)
    return rows.embedded, rows.first, rows.inner, rows.mean


def _unstacked(a: Array) -> list[Array]:
    """Of an array [blocks, nodes of a block, N] those of each node, [N]."""
    return list(a.reshape(-1, a.shape[-1]))
