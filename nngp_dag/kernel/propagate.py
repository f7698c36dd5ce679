"""The methods that propagate a kernel node by node: *exact*, and the paper's *independent* (Eq. 6-11)."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from nngp_dag.activations import Activation
from nngp_dag.dag import Dag, Op
from nngp_dag.kernel.block_fold import Inputs, pairs_by_block, rows_by_block
from nngp_dag.kernel.blocks import BLOCK, Blocks, blocks_of
from nngp_dag.kernel.embedding import EmbeddedRow
from nngp_dag.kernel.into import Into
from nngp_dag.kernel.layer_norm import normed
from nngp_dag.kernel.maps import over_pairs, over_rows
from nngp_dag.kernel.method import PairMethod
from nngp_dag.kernel.mixing import Mixing, mixing
from nngp_dag.kernel.network import Network, dag_of
from nngp_dag.kernel.node_scan import pairs_by_node, rows_by_node
from nngp_dag.kernel.pair_recursion import Node
from nngp_dag.kernel.plane_sums import PlaneRows, PlaneSums
from nngp_dag.kernel.ports import edge_variances
from nngp_dag.kernel.prefix_tree import prefix_tree_kernels, prefix_tree_variances
from nngp_dag.kernel.recursion import MAX_UNROLLED, Recursion
from nngp_dag.kernel.values import ValueProgram, ValueRows, value_planes, value_rows, value_sums
from nngp_dag.kernel.wired import Wired, wired_program
from nngp_dag.wiring import Wiring

__all__ = ["Exact", "Independent", "PropagatedRows", "Propagation"]

_Program = tuple[Mixing, ...] | Blocks[Mixing] | Wired

_SECONDS_PER_NODE = 1.4e-7
"""Of one core, for one node and one pair of rows (a chain of 500 nodes, 160 rows: 1.8 s)."""

_SECONDS_PER_TERM = 3e-11
"""Of one core, for one node, one row of its tables and one pair of rows (500 full nodes, 160 rows: 2.0 s in all)."""


_Pair = tuple[Array, Array]
_Values = Array | list[Array]


class _Fold(NamedTuple):
    """The numbers of node 0 (None: of a plain DAG), of nodes 1..H-1, and of node H (None: in the blocks)."""

    first: Into | None
    nodes: tuple[Into, ...] | Blocks[Into] | Into
    last: Into | None


class PropagatedRows(NamedTuple):
    """Inputs at all nodes; every array has the inputs on its last axis.

    Attributes:
        embedded: the embedding of the inputs.
        first: node 0.
        inner: nodes 1..H-1; of a large DAG stacked on the first axis, or by block and node of a block on the first two.
        last: node H.
    """

    embedded: EmbeddedRow
    first: Node
    inner: tuple[Node, ...] | Node
    last: Node


@dataclass(frozen=True)
class Propagation(PairMethod[_Program, PropagatedRows]):
    """Folds a recursion over the nodes: unrolled for cells, one scan over blocks of nodes for large DAGs."""

    @property
    @abstractmethod
    def recursion(self) -> Recursion:
        """The recursion of the method."""

    def program(self, network: Network) -> _Program:
        if isinstance(network, Wiring):
            r = self.recursion
            return wired_program(network, self.setting.order, r.correlated)
        return _dag_program(network, network.num_nodes > MAX_UNROLLED)

    def estimated_seconds(self, network: Network, num_pairs: int) -> float:
        if dag_of(network).num_nodes <= MAX_UNROLLED:
            return 0.0
        terms = self._terms(self.program(network))
        return num_pairs * dag_of(network).num_nodes * (_SECONDS_PER_NODE + _SECONDS_PER_TERM * terms)

    def numbers_per_pair(self, network: Network, program: _Program) -> int:
        if dag_of(network).num_nodes > MAX_UNROLLED:
            return 2 * self._terms(program) + 8 * BLOCK
        ports = sum(map(len, program.layout)) if isinstance(program, Wired) else dag_of(network).num_nodes
        return 2 * (dag_of(network).num_nodes + ports) + 8

    def rows(self, program: _Program, k: Array) -> PropagatedRows:
        r, fold = self._prepared(program)
        if isinstance(fold.nodes, Blocks):
            return PropagatedRows(*rows_by_block(r, fold.first, fold.nodes, k))
        assert fold.last is not None
        if isinstance(fold.nodes, Into):
            assert fold.first is not None
            return PropagatedRows(*rows_by_node(r, fold.first, fold.nodes, fold.last, k))
        embedded, state, first = over_rows(lambda k, into: r.start_row(k, into=into))(k, fold.first)
        nodes = []
        for t, into in enumerate(fold.nodes, start=1):
            state, node = over_rows(lambda row, into, t=t: r.step_row(row, t, into))(state, into)
            nodes.append(node)
        return PropagatedRows(embedded, first, tuple(nodes), over_rows(r.end_row)(state, fold.last))

    def pairs(self, program: _Program, x: PropagatedRows, y: PropagatedRows, k: Array) -> tuple[Array, Array]:
        return _read_out(program, *self._fold(program, x, y, k, at_nodes=False)[2])

    def diagonal(self, program: _Program, rows: PropagatedRows) -> tuple[Array, Array]:
        return _read_out(program, rows.last.variance, rows.last.tangent)

    def node_pairs(self, program: _Program, x: PropagatedRows, y: PropagatedRows, k: Array) -> tuple[Array, Array]:
        first, inner, last = self._fold(program, x, y, k, at_nodes=True)
        assert inner is not None
        return _in_a_row(first[0], inner[0], last[0]), _in_a_row(first[1], inner[1], last[1])

    def node_diagonal(self, program: _Program, rows: PropagatedRows) -> tuple[Array, Array]:
        del program
        first, inner, last = rows.first, rows.inner, rows.last
        nodes = [inner] if isinstance(inner, Node) else list(inner)
        return (
            _in_a_row(first.variance, [node.variance for node in nodes], last.variance),
            _in_a_row(first.tangent, [node.tangent for node in nodes], last.tangent),
        )

    def reached(self, network: Network, rows: PropagatedRows) -> list[tuple[Activation, Array]]:
        nodes = [rows.inner] if isinstance(rows.inner, Node) else list(rows.inner)
        k = _in_a_row(rows.first.variance, [node.variance for node in nodes], rows.last.variance)
        found = [] if self.setting.embedding != "stem" else [(self.setting.activation, rows.embedded.prepared)]
        if isinstance(network, Wiring):
            return found + edge_variances(network, self.setting.order, k)
        sources = sorted({s for s, _, op in network.edges() if op is Op.LINEAR})
        return found + [(self.setting.activation, k[s]) for s in sources]

    def reached_by_many(self, codes: np.ndarray, k: np.ndarray) -> list[Array]:
        return prefix_tree_variances(self.recursion, codes, k)

    def many(self, codes: np.ndarray, x: Array, names: tuple[str, ...]) -> tuple[Array, ...]:
        return prefix_tree_kernels(self.recursion, codes, x, names)

    def plane_sums(self, codes: np.ndarray) -> PlaneSums:
        return value_sums(self.recursion, codes)

    def plane_rows(self, program: ValueProgram, k: Array) -> PlaneRows:
        return value_rows(self.recursion, program, k)

    def planes(self, program: ValueProgram, x: ValueRows, y: ValueRows, k: Array) -> tuple[Array, Array]:
        return value_planes(self.recursion, program, x, y, k)

    def _prepared(self, program: _Program) -> tuple[Recursion, _Fold]:
        r = self.recursion
        if isinstance(program, Wired):
            r = replace(r, layout=program.layout)
            r = normed(r, program.num_nodes) if program.has_norm else r
            return r, _Fold(program.first, program.nodes, program.last)
        if isinstance(program, Blocks):
            blocks = Blocks(r.plain(program.before), r.plain(program.within), program.place, r.plain(program.last))
            return r, _Fold(None, blocks, None)
        return r, _Fold(None, tuple(map(r.plain, program[:-1])), r.plain(program[-1]))

    def _fold(
        self, program: _Program, x: PropagatedRows, y: PropagatedRows, k: Array, at_nodes: bool
    ) -> tuple[_Pair, tuple[_Values, _Values] | None, _Pair]:
        """K and Theta at node 0, at the inner nodes where they are wanted, and at node H."""
        r, fold = self._prepared(program)
        if isinstance(fold.nodes, Blocks):
            return pairs_by_block(r, fold.first, fold.nodes, k, _inputs(x), _inputs(y), at_nodes)
        assert fold.last is not None
        if isinstance(fold.nodes, Into):
            assert fold.first is not None
            return pairs_by_node(r, fold.first, fold.nodes, fold.last, k, _inputs(x), _inputs(y), at_nodes)
        start = over_pairs(lambda k, x, y, into: r.start_pair(x[0], y[0], x[1], y[1], k, into=into))
        end = over_pairs(lambda pair, x, y, into: r.end_pair(pair, into, x, y))
        state, first = start(k, (x.embedded, x.first), (y.embedded, y.first), fold.first)
        inner = []
        for t, (into, node_x, node_y) in enumerate(zip(fold.nodes, x.inner, y.inner, strict=True), start=1):
            step = over_pairs(lambda pair, x, y, into, t=t: r.step_pair(pair, t, into, x, y))
            state, found = step(state, node_x, node_y, into)
            inner.append(found)
        covariances, tangents = [found[0] for found in inner], [found[1] for found in inner]
        return first, (covariances, tangents), end(state, x.last, y.last, fold.last)

    def _terms(self, program: _Program) -> int:
        """Numbers in the tables of a large network, for one pair of inputs."""
        nodes = program.nodes if isinstance(program, Wired) else program
        last = nodes.last if isinstance(nodes, Blocks) else program.last if isinstance(program, Wired) else nodes[-1]
        weights = last.power if isinstance(last, Into) else last
        assert isinstance(weights, Mixing)
        return int(weights.skip_paths.shape[-1]) + int(weights.linear.shape[-1])


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


@lru_cache(maxsize=2)
def _dag_program(dag: Dag, by_blocks: bool) -> tuple[Mixing, ...] | Blocks[Mixing]:
    """The program of a DAG: kept, since a large one is asked for by the estimate of its cost and by the kernel."""
    nodes = [Mixing(*(a[0] for a in into)) for into in mixing(dag.to_array()[None])]
    return blocks_of(nodes) if by_blocks else tuple(nodes)


def _inputs(rows: PropagatedRows) -> Inputs:
    assert isinstance(rows.inner, Node)
    return rows.embedded, rows.first, rows.inner, rows.last


def _read_out(program: _Program, k: Array, theta: Array) -> tuple[Array, Array]:
    """K and Theta of the output u = w a.h_H / sqrt(m) + v b: NNGP = w^2 K + v^2, and NTK = w^2 (K + Theta) + v^2."""
    if not isinstance(program, Wired) or program.readout is None:
        return k, theta
    weight, bias = program.readout
    return jnp.asarray(weight * k + bias), jnp.asarray(weight * theta)


def _in_a_row(first: Array, inner: _Values, last: Array) -> Array:
    """Values of all nodes on one axis: of node 0, of inner ones that are listed or stacked on leading axes, of H."""
    parts = inner if isinstance(inner, list) else [inner]
    return jnp.concatenate([first[None], *(part.reshape(-1, *first.shape) for part in parts), last[None]])
