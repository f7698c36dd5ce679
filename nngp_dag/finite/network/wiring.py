"""A DAG as data: which features enter each of its linear edges, as one matrix.

Only linear edges do work, so a network of L linear edges has L *slots*, ordered by end node, then by start node. With
c_0 = h_0 and c_{l+1} the output of slot l, skip edges and sums are linear in the c's: slot l reads g_l = sum_{j <= l}
A[l, j] c_j, and the last row gives the output node, h_H = sum_j A[L, j] c_j. A[l, j] counts the paths of skip edges
alone from the end of slot j - 1 (node 0 for j = 0) to the node that row l reads. One program that takes A as an
argument therefore runs every DAG with at most L linear edges, whatever its number of nodes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nngp_dag.dag import Dag, Op
from nngp_dag.errors import InputError

__all__ = ["Support", "full_support", "num_slots", "union_support", "wiring_matrix"]

Support = tuple[tuple[int, ...], ...]
"""For each row of a wiring matrix, the columns that may be non-zero: static, so that a program skips the others."""


def num_slots(dag: Dag) -> int:
    """Number of linear edges on paths from the input to the output: what a network of this DAG needs."""
    return dag.pruned().num_linear


def wiring_matrix(dag: Dag, slots: int | None = None) -> np.ndarray:
    """The wiring matrix A of the pruned DAG, float64 [slots + 1, slots + 1], lower triangular.

    Args:
        dag: any DAG; where no path leads from input to output all entries are zero.
        slots: number of slots, by default as many as the DAG has linear edges; spare slots are rows and columns of
            zeros before the last row, so that their outputs go nowhere.

    Raises:
        InputError: fewer slots than linear edges.
    """
    pruned = dag.pruned()
    needed = pruned.num_linear
    slots = needed if slots is None else slots
    if slots < needed:
        raise InputError(f"DAG {dag.to_code()} has {needed} linear edges on paths, more than the {slots} slots given")
    nodes = np.zeros((pruned.num_nodes, slots + 1))
    nodes[0, 0] = 1
    wiring = np.zeros((slots + 1, slots + 1))
    slot = 0
    for s, t, op in pruned.edges():
        if op == Op.SKIP:
            nodes[t] += nodes[s]
        else:
            wiring[slot] = nodes[s]
            slot += 1
            nodes[t, slot] += 1
    wiring[slots] = nodes[-1]
    return wiring


def full_support(slots: int) -> Support:
    """The support that fits every DAG with at most `slots` linear edges: row l may read columns 0..l."""
    return tuple(tuple(range(row + 1)) for row in range(slots + 1))


def union_support(wirings: Sequence[np.ndarray]) -> Support:
    """The smallest support that fits all the given wiring matrices (of equal shape)."""
    used = np.any(np.asarray(wirings) != 0, axis=0)
    return tuple(tuple(int(column) for column in np.flatnonzero(row)) for row in used)
