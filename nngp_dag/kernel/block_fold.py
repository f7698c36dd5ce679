"""The recursion over the blocks of a large network: one scan, each step of which computes the nodes of a block."""

from __future__ import annotations

from typing import TypeVar

import jax
import jax.numpy as jnp
from jax import Array, lax

from nngp_dag.kernel.blocks import BLOCK, Blocks
from nngp_dag.kernel.embedding import EmbeddedRow
from nngp_dag.kernel.flow import Flow
from nngp_dag.kernel.into import Into
from nngp_dag.kernel.maps import over_pairs, over_rows
from nngp_dag.kernel.mixing import Mixing
from nngp_dag.kernel.pair_recursion import Node, PairState
from nngp_dag.kernel.recursion import Recursion, RowState

__all__ = ["AtNodes", "Inputs", "pairs_by_block", "rows_by_block"]

Inputs = tuple[EmbeddedRow, Node, Node, Node]
"""The embedding of some inputs, their node 0, their nodes 1..H-1 with arrays [K, B, N], and node H."""

AtNodes = tuple[tuple[Array, Array], "tuple[Array, Array] | None", tuple[Array, Array]]
"""K and Theta at node 0, at nodes 1..H-1 stacked (None: they were not asked for), and at node H."""

_Block = tuple[Into, Into, Mixing]
"""`before`, `within` and `place` of a block."""

_State = TypeVar("_State")


def rows_by_block(r: Recursion, first: Into | None, blocks: Blocks[Into], k: Array) -> Inputs:
    """Inputs with K_in(x, x) = k [N]."""
    begin = over_rows(r.block_row)
    step = over_rows(lambda row, shared: r.step_row(row, *shared))

    def block(held: RowState, at: _Block) -> tuple[RowState, Node]:
        before, within, place = at
        state, nodes = lax.scan(lambda state, at: step(state, at), begin(held, before), (jnp.arange(BLOCK), within))
        return _stored(held, state, place), nodes

    embedded, held, node = over_rows(lambda k, into: r.start_row(k, _rooms(blocks), into))(k, first)
    held, inner = lax.scan(block, held, blocks[:3])
    return embedded, node, inner, over_rows(r.end_row)(held, blocks.last)


def pairs_by_block(
    r: Recursion, first: Into | None, blocks: Blocks[Into], k: Array, x: Inputs, y: Inputs, at_nodes: bool
) -> AtNodes:
    """K and Theta of inputs with K_in(x, x') = k [X, Y]; at inner nodes [K, B, X, Y] where they are wanted."""
    start = over_pairs(lambda k, x, y, into: r.start_pair(x[0], y[0], x[1], y[1], k, _rooms(blocks), into))
    begin = jax.vmap(jax.vmap(r.block_pair, (-1, None), -1), (-2, None), -2)
    step = over_pairs(lambda pair, x, y, shared: r.step_pair(pair, shared[0], shared[1], x, y))
    end = over_pairs(lambda pair, x, y, into: r.end_pair(pair, into, x, y))

    def block(held: PairState, at: tuple[_Block, Node, Node]) -> tuple[PairState, tuple[Array, Array] | None]:
        (before, within, place), node_x, node_y = at

        def node(state: PairState, at: tuple[Array, Into, Node, Node]) -> tuple[PairState, tuple[Array, Array] | None]:
            state, found = step(state, at[2], at[3], at[:2])
            return state, found if at_nodes else None

        state, found = lax.scan(node, begin(held, before), (jnp.arange(BLOCK), within, node_x, node_y))
        return _stored(held, state, place), found

    held, of_first = start(k, x[:2], y[:2], first)
    held, inner = lax.scan(block, held, (blocks[:3], x[2], y[2]))
    return of_first, inner, end(held, x[3], y[3], blocks.last)


def _rooms(blocks: Blocks[Into]) -> tuple[int, int]:
    """Rows of the table of what nodes received, and of that of what they sent through ports."""
    last = blocks.last.power
    return int(last.skip_paths.shape[-1]), int(last.linear.shape[-1])


def _stored(held: _State, block: _State, place: Mixing) -> _State:
    """All flows with the nodes of a block."""
    return jax.tree.map(
        lambda flow, new: flow.store(new, place), held, block, is_leaf=lambda part: isinstance(part, Flow)
    )
