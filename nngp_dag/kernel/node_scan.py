"""The recursion with layer norm over the nodes of a large network: one scan, a step a node, with room for all nodes."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array, lax

from nngp_dag.kernel.block_fold import AtNodes, Inputs
from nngp_dag.kernel.into import Into
from nngp_dag.kernel.maps import over_pairs, over_rows
from nngp_dag.kernel.pair_recursion import Node, PairState
from nngp_dag.kernel.recursion import Recursion, RowState

__all__ = ["pairs_by_node", "rows_by_node"]


def rows_by_node(r: Recursion, first: Into, nodes: Into, last: Into, k: Array) -> Inputs:
    """Inputs with K_in(x, x) = k [N]; nodes 1..H-1 with arrays [H - 1, N]."""
    step = over_rows(lambda row, shared: r.step_row(row, *shared))

    def node(state: RowState, at: tuple[Array, Into]) -> tuple[RowState, Node]:
        found: tuple[RowState, Node] = step(state, at)
        return found

    embedded, state, start = over_rows(lambda k, into: r.start_row(k, _rooms(last), into))(k, first)
    state, inner = lax.scan(node, state, (_indices(nodes), nodes))
    return embedded, start, inner, over_rows(r.end_row)(state, last)


def pairs_by_node(
    r: Recursion, first: Into, nodes: Into, last: Into, k: Array, x: Inputs, y: Inputs, at_nodes: bool
) -> AtNodes:
    """K and Theta of inputs with K_in(x, x') = k [X, Y]; at inner nodes [H - 1, X, Y] where they are wanted."""
    start = over_pairs(lambda k, x, y, into: r.start_pair(x[0], y[0], x[1], y[1], k, _rooms(last), into))
    step = over_pairs(lambda pair, x, y, shared: r.step_pair(pair, shared[0], shared[1], x, y))
    end = over_pairs(lambda pair, x, y, into: r.end_pair(pair, into, x, y))

    def node(state: PairState, at: tuple[Array, Into, Node, Node]) -> tuple[PairState, tuple[Array, Array] | None]:
        state, found = step(state, at[2], at[3], at[:2])
        return state, found if at_nodes else None

    state, of_first = start(k, x[:2], y[:2], first)
    state, inner = lax.scan(node, state, (_indices(nodes), nodes, x[2], y[2]))
    return of_first, inner, end(state, x[3], y[3], last)


def _indices(nodes: Into) -> Array:
    return 1 + jnp.arange(jax.tree.leaves(nodes)[0].shape[0])


def _rooms(last: Into) -> tuple[int, int]:
    return int(last.power.skip_paths.shape[-1]), int(last.power.linear.shape[-1])
