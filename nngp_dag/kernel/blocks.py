"""A large DAG as blocks of consecutive nodes, so that what a block takes in from earlier ones is a matrix product.

A block is one step of a scan, within which another runs over its nodes: one program, whatever the number of nodes.
Between blocks a pair of inputs keeps what nodes received and sent (see `recursion`) in tables, and of these only the
blocks that a later node still reads: a chain needs room for one block, whatever its length.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

import jax.numpy as jnp
import numpy as np

from nngp_dag.kernel.method import Numbers
from nngp_dag.kernel.mixing import Mixing

__all__ = ["BLOCK", "BlockPlan", "Blocks", "arranged", "blocks_of", "plan_of"]

BLOCK = 16
"""Nodes of a block (B)."""


_Weights = TypeVar("_Weights")


class Blocks(NamedTuple, Generic[_Weights]):
    """Nodes 1..H-1 in K blocks over tables of R rows, one for each kind of weights; node 0 lies in the first row.

    The nodes that fill up the last block receive nothing, and nothing reads them.

    Attributes:
        before: weights of each node over the rows that its block finds, [K, B, R].
        within: weights of each node over the nodes of its block, [K, B, B], strictly lower triangular.
        place: first of the B rows that a block overwrites when it is done, integers [K].
        last: weights of node H over the rows at the end, [R].
    """

    before: _Weights
    within: _Weights
    place: Mixing
    last: _Weights


class BlockPlan(NamedTuple):
    """Where nodes lie in the table of one kind of weights.

    Attributes:
        place: first row of each block after node 0's, integers [K].
        column: of each block and row of the table the node that its nodes find there, [K, R]; -1: none of which they
            read. Nodes are counted with those that fill up node 0's block.
        last: the same of node H, [R].
    """

    place: np.ndarray
    column: np.ndarray
    last: np.ndarray


def blocks_of(nodes: list[Mixing]) -> Blocks[Mixing]:
    """The blocks of one DAG, from the weights [t] of nodes t = 1..H over earlier nodes (`mixing`)."""
    received = np.array([True, *(bool(into.linear.any()) for into in nodes)])
    # A node without linear edges receives nothing afresh: skip paths from it carry nothing.
    skip_paths = [np.where(received[: len(into.linear)], into.skip_paths, 0.0) for into in nodes]
    linear = [np.asarray(into.linear) for into in nodes]
    plans = tuple(plan_of(_square(weights)) for weights in (skip_paths, linear))
    before, within, last = zip(arranged(plans[0], skip_paths), arranged(plans[1], linear), strict=True)
    return Blocks(Mixing(*before), Mixing(*within), Mixing(plans[0].place, plans[1].place), Mixing(*last))


def plan_of(reads: np.ndarray) -> BlockPlan:
    """The plan for nodes 0..H of which node t reads those with reads[t, s], bool [H + 1, H + 1], s < t."""
    n = len(reads)
    num_blocks = -(-(n - 2) // BLOCK)
    size = (num_blocks + 1) * BLOCK  # node 0 has a block of its own, of which it is the only node
    at = np.r_[0, BLOCK : BLOCK + n - 2]
    square = np.zeros((size, size), bool)
    square[np.ix_(at, at)] = reads[:-1, :-1]
    end = np.zeros(size, bool)
    end[at] = reads[-1, :-1]
    place, num_rows = _places(square, end)
    row_of = (place[:, None] + np.arange(BLOCK)).ravel()
    column = np.full((num_blocks, num_rows), -1)
    for k in range(num_blocks):
        start = (k + 1) * BLOCK
        read = np.flatnonzero(square[start : start + BLOCK, :start].any(axis=0))
        column[k, row_of[read]] = read
    last = np.full(num_rows, -1)
    read = np.flatnonzero(end)
    last[row_of[read]] = read
    return BlockPlan(place[1:].astype(np.int32), column, last)


def arranged(plan: BlockPlan, weights: Sequence[Numbers], ports: int = 1) -> tuple[Numbers, Numbers, Numbers]:
    """Before [K, B, R q], within [K, B, B q] and last [R q], as in `Blocks`.

    Args:
        plan: where nodes lie.
        weights: of nodes t = 1..H over the q ports of each earlier node, [t q].
        ports: q.
    """
    num_blocks, q = len(plan.place), ports
    flat = _joined(weights, q)
    # Of nodes t = 1..H-1 in blocks; those that fill up the last block have no weights.
    t = 1 + np.arange(num_blocks * BLOCK).reshape(num_blocks, BLOCK, 1)
    t = np.where(t < len(weights), t, 0)
    own = (np.arange(num_blocks)[:, None, None] + 1) * BLOCK + np.arange(BLOCK)
    before = flat[_place(t, plan.column[:, None, :])]
    within = flat[_place(t, own)]
    last = flat[_place(np.array(len(weights)), plan.last)]
    return (
        before.reshape(num_blocks, BLOCK, -1),
        within.reshape(num_blocks, BLOCK, -1),
        last.reshape(-1),
    )


def _joined(weights: Sequence[Numbers], ports: int) -> Numbers:
    """The weights of nodes t = 1..H one after the other, [H (H + 1) / 2 + 1, q], and zero at the end."""
    module = np if all(isinstance(row, np.ndarray) for row in weights) else jnp
    return module.concatenate([*weights, module.zeros(ports, weights[0].dtype)]).reshape(-1, ports)


def _place(t: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Where the weight of node t over the node in a column, counted as in `BlockPlan`, lies in what is `_joined`.

    That of the zero at the end for a column of no node, for a node t = 0, and for nodes that are not before t.
    """
    s = np.where(column < BLOCK, column, column - BLOCK + 1)
    exists = (column == 0) | (column >= BLOCK)
    return np.where(exists & (s < t), t * (t - 1) // 2 + s, -1)


def _square(weights: Sequence[np.ndarray]) -> np.ndarray:
    """Where weights of nodes 1..H are not zero, bool [H + 1, H + 1]."""
    square = np.zeros((len(weights) + 1,) * 2, bool)
    for t, row in enumerate(weights, start=1):
        square[t, :t] = row != 0
    return square


def _places(square: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, int]:
    """First row of each block in the table, and the length of the table: rows are free again after their last use."""
    num = len(end) // BLOCK
    reads = (square.reshape(num, BLOCK, num, BLOCK) != 0).any(axis=(1, 3))
    last_use = [max([k, *np.flatnonzero(reads[:, k]).tolist()]) for k in range(num)]
    for k in np.flatnonzero((end.reshape(num, BLOCK) != 0).any(axis=1)).tolist():
        last_use[k] = num
    place: list[int] = []
    free: list[int] = []
    taken = 0
    for k in range(num):
        free += [place[j] for j in range(k) if last_use[j] == k]
        free.sort(reverse=True)
        if not free:
            free, taken = [taken], taken + 1
        place.append(free.pop())
        if last_use[k] == k:
            free.append(place[k])
    return np.array(place) * BLOCK, _rounded(taken) * BLOCK


def _rounded(count: int) -> int:
    """Up to three leading binary digits, so that DAGs of about one size share a compilation."""
    step = 1 << max(0, count.bit_length() - 3)
    return -(-count // step) * step
