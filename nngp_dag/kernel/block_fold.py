"""The recursion over the blocks of a large DAG: one scan, each step of which computes the nodes of a block."""

from __future__ import annotations

from typing import TypeVar

import jax
import jax.numpy as jnp
from jax import Array, lax

from nngp_dag.kernel.blocks import BLOCK, Blocks
from nngp_dag.kernel.embedding import EmbeddedRow
from nngp_dag.kernel.maps import over_pairs, over_rows
from nngp_dag.kernel.mixing import Mixing
from nngp_dag.kernel.recursion import Flow, Node, PairState, Recursion, RowState

__all__ = ["Inputs", "pairs_by_block", "rows_by_block"]

Inputs = tuple[EmbeddedRow, Node, Node, Array]
"""The embedding of some inputs, their node 0, their nodes 1..H-1 with arrays [K, B, N], and S_H."""

_Block = tuple[Mixing, Mixing, Mixing]
"""`before`, `within` and `place` of a block."""

_State = TypeVar("_State")


def rows_by_block(r: Recursion, blocks: Blocks, k: Array) -> tuple[EmbeddedRow, Node, Node, tuple[Array, Array, Array]]:
    """Inputs with K_in(x, x) = k [N]: the embedding, node 0, nodes 1..H-1 [K, B, N], and S_H, K_HH, Theta_HH."""
    begin = over_rows(r.block_row)
    step = over_rows(lambda row, shared: r.step_row(row, *shared))

    def block(held: RowState, at: _Block) -> tuple[RowState, Node]:
        before, within, place = at
        state, nodes = lax.scan(lambda state, at: step(state, at), begin(held, before), (jnp.arange(BLOCK), within))
        return _stored(held, state, place), nodes

    embedded, held, first = over_rows(lambda k, _: r.start_row(k, blocks.rows))(k, None)
    held, inner = lax.scan(block, held, blocks[:3])
    return embedded, first, inner, over_rows(r.end_row)(held, blocks.last)


def pairs_by_block(r: Recursion, blocks: Blocks, k: Array, x: Inputs, y: Inputs) -> tuple[Array, Array]:
    """K_HH and Theta_HH [X, Y] of inputs with K_in(x, x') = k."""
    start = over_pairs(lambda k, x, y, _: r.start_pair(x[0], y[0], x[1], y[1], k, blocks.rows))
    begin = jax.vmap(jax.vmap(r.block_pair, (-1, None), -1), (-2, None), -2)
    step = over_pairs(lambda pair, x, y, shared: r.step_pair(pair, shared[0], shared[1], x, y))
    end = over_pairs(lambda pair, mean_x, mean_y, into: r.end_pair(pair, into, mean_x, mean_y))

    def block(held: PairState, at: tuple[_Block, Node, Node]) -> tuple[PairState, None]:
        (before, within, place), *nodes = at
        xs = jnp.arange(BLOCK), within, *nodes
        state, _ = lax.scan(lambda state, at: (step(state, at[2], at[3], at[:2]), None), begin(held, before), xs)
        return _stored(held, state, place), None

    held = start(k, x[:2], y[:2], None)
    held, _ = lax.scan(block, held, (blocks[:3], x[2], y[2]))
    return end(held, x[3], y[3], blocks.last)


def _stored(held: _State, block: _State, place: Mixing) -> _State:
    """All flows with the nodes of a block."""
    return jax.tree.map(
        lambda flow, new: flow.store(new, place), held, block, is_leaf=lambda part: isinstance(part, Flow)
    )
