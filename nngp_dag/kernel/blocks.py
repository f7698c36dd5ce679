"""A large DAG as blocks of consecutive nodes, so that what a block takes in from earlier ones is a matrix product.

A block is one step of a scan, within which another runs over its nodes: one program, whatever the number of nodes.
Between blocks a pair of inputs keeps what nodes received and sent (see `recursion`) in tables, and of these only the
blocks that a later node still reads: a chain needs room for one block, whatever its length.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nngp_dag.kernel.mixing import Mixing

__all__ = ["BLOCK", "Blocks", "blocks_of"]

BLOCK = 16
"""Nodes of a block (B)."""


class Blocks(NamedTuple):
    """Nodes 1..H-1 in K blocks over tables of R rows, one for each kind of weights; node 0 lies in the first row.

    The nodes that fill up the last block receive nothing, and nothing reads them.

    Attributes:
        before: weights of each node over the rows that its block finds, [K, B, R].
        within: weights of each node over the nodes of its block, [K, B, B], strictly lower triangular.
        place: first of the B rows that a block overwrites when it is done, integers [K].
        last: weights of node H over the rows at the end, [R].
    """

    before: Mixing
    within: Mixing
    place: Mixing
    last: Mixing

    @property
    def rows(self) -> tuple[int, int]:
        """R of the table of what nodes received, and of that of what they sent through linear edges."""
        return int(self.last.skip_paths.shape[-1]), int(self.last.linear.shape[-1])


def blocks_of(nodes: list[Mixing]) -> Blocks:
    """The blocks of one DAG, from the weights [t] of nodes t = 1..H over earlier nodes (`mixing`)."""
    received = np.array([True, *(bool(into.linear.any()) for into in nodes)])
    # A node without linear edges receives nothing afresh: skip paths from it carry nothing.
    skip_paths = _blocked([np.where(received[: len(into.linear)], into.skip_paths, 0.0) for into in nodes])
    return Blocks(
        *(Mixing(*pair) for pair in zip(skip_paths, _blocked([np.asarray(into.linear) for into in nodes]), strict=True))
    )


def _blocked(weights: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """before, within, place and last for one kind of weights."""
    num_blocks = -(-(len(weights) - 1) // BLOCK)
    size = (num_blocks + 1) * BLOCK  # node 0 has a block of its own, of which it is the only node
    square = np.zeros((size, size))
    end = np.zeros(size)
    for t, row in enumerate(weights, start=1):
        target = end if t == len(weights) else square[BLOCK + t - 1]
        target[0], target[BLOCK : BLOCK + t - 1] = row[0], row[1:]
    place, num_rows = _places(square, end)
    row_of = (place[:, None] + np.arange(BLOCK)).ravel()
    before = np.zeros((num_blocks, BLOCK, num_rows))
    within = np.zeros((num_blocks, BLOCK, BLOCK))
    for k in range(num_blocks):
        start = (k + 1) * BLOCK
        block = square[start : start + BLOCK]
        read = np.flatnonzero(block[:, :start].any(axis=0))
        before[k][:, row_of[read]] = block[:, read]
        within[k] = block[:, start : start + BLOCK]
    last = np.zeros(num_rows)
    read = np.flatnonzero(end)
    last[row_of[read]] = end[read]
    return before, within, place[1:].astype(np.int32), last


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
