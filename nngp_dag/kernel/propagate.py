"""The methods that propagate a kernel node by node: *exact*, and the paper's *independent* (Eq. 6-11)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from nngp_dag.dag import Dag
from nngp_dag.kernel.embedding import EmbeddedRow
from nngp_dag.kernel.maps import over_pairs, over_rows
from nngp_dag.kernel.method import PairMethod
from nngp_dag.kernel.mixing import Mixing, mixing
from nngp_dag.kernel.prefix_tree import prefix_tree_kernels
from nngp_dag.kernel.recursion import MAX_UNROLLED, Node, Recursion

__all__ = ["Exact", "Independent", "PropagatedRows", "Propagation"]

_Program = tuple[Mixing, ...] | Mixing
_Nodes = tuple[Node, ...] | Node

_SECONDS_PER_TERM = 4e-8
"""Of one core, for one pair of rows and one pair of nodes (500 nodes, 200 rows: 184 s)."""

_State = TypeVar("_State")
_Output = TypeVar("_Output")


class PropagatedRows(NamedTuple):
    """Inputs at all nodes; every array has the inputs on its last axis.

    Attributes:
        embedded: the embedding of the inputs.
        first: node 0.
        inner: nodes 1..H-1, a tuple where the fold is unrolled, else stacked on the first axis.
        mean, variance, tangent: S_H, K_HH and Theta_HH of each input with itself.
    """

    embedded: EmbeddedRow
    first: Node
    inner: _Nodes
    mean: Array
    variance: Array
    tangent: Array


@dataclass(frozen=True)
class Propagation(PairMethod[_Program, PropagatedRows]):
    """Folds a recursion over the nodes: unrolled for cells, one scan over masked nodes for large DAGs."""

    @property
    @abstractmethod
    def recursion(self) -> Recursion:
        """The recursion of the method."""

    def program(self, dag: Dag) -> _Program:
        nodes = [Mixing(*(a[0] for a in into)) for into in mixing(dag.to_array()[None])]
        if dag.num_nodes <= MAX_UNROLLED:
            return tuple(nodes)
        size = dag.num_nodes - 1
        return Mixing(*(np.stack([np.pad(a, (0, size - a.size)) for a in f]) for f in zip(*nodes, strict=True)))

    def estimated_seconds(self, num_nodes: int, num_pairs: int) -> float:
        return 0.0 if num_nodes <= MAX_UNROLLED else _SECONDS_PER_TERM / 2 * num_nodes**2 * num_pairs

    def rows(self, program: _Program, k: Array) -> PropagatedRows:
        r, size = self.recursion, _room(program)
        embedded, state, first = over_rows(lambda k, _: r.start_row(k, size))(k, None)
        step = over_rows(lambda row, shared: r.step_row(row, *shared))
        state, inner = _fold(lambda state, t, into, _: step(state, (t, into)), state, program, None)
        mean, variance, tangent = over_rows(r.end_row)(state, _last(program))
        return PropagatedRows(embedded, first, inner, mean, variance, tangent)

    def pairs(self, program: _Program, x: PropagatedRows, y: PropagatedRows, k: Array) -> tuple[Array, Array]:
        r, size = self.recursion, _room(program)
        start = over_pairs(lambda k, x, y, _: r.start_pair(x[0], y[0], x[1], y[1], k, size))
        step = over_pairs(lambda pair, x, y, shared: r.step_pair(pair, shared[0], shared[1], x, y))
        end = over_pairs(lambda pair, mean_x, mean_y, into: r.end_pair(pair, into, mean_x, mean_y))
        state = start(k, (x.embedded, x.first), (y.embedded, y.first), None)
        state, _ = _fold(
            lambda state, t, into, nodes: (step(state, *nodes, (t, into)), None), state, program, (x.inner, y.inner)
        )
        return end(state, x.mean, y.mean, _last(program))

    def diagonal(self, program: _Program, rows: PropagatedRows) -> tuple[Array, Array]:
        return rows.variance, rows.tangent

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


def _fold(
    step: Callable[..., tuple[_State, _Output]], state: _State, program: _Program, nodes: tuple[_Nodes, _Nodes] | None
) -> tuple[_State, tuple[_Output, ...] | _Output]:
    """step(state, t, into, nodes of t) -> (state, output) over t = 1..H-1; the outputs as a tuple, or stacked."""
    if isinstance(program, Mixing):
        inner = jax.tree.map(lambda a: a[:-1], program)
        xs = (jnp.arange(1, program.linear.shape[0]), inner, nodes)
        return lax.scan(lambda state, at: step(state, *at), state, xs)
    outputs = []
    for t, into in enumerate(program[:-1], start=1):
        state, output = step(state, t, into, None if nodes is None else tuple(side[t - 1] for side in nodes))
        outputs.append(output)
    return state, tuple(outputs)


def _room(program: _Program) -> int:
    return program.linear.shape[0] if isinstance(program, Mixing) else 0


def _last(program: _Program) -> Mixing:
    return jax.tree.map(lambda a: a[-1], program) if isinstance(program, Mixing) else program[-1]
