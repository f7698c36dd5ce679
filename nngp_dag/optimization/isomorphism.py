"""Number of DAGs of a complete space that differ as pruned graphs up to relabelling: what symmetry alone would leave.

All codes at once, block by block: edges off the paths are cut, and of the codes that permutations of the inner nodes
lead to, the smallest in which every edge still goes forward is the class.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import numpy as np

from nngp_dag.dag import edge_index, num_edges
from nngp_dag.errors import InputError
from nngp_dag.optimization.quotient import MAX_NODES, codes_of

__all__ = ["count_isomorphic"]

_BLOCK = 1 << 18


def count_isomorphic(num_nodes: int, on_step: Callable[[int], None] = lambda done: None) -> int:
    """Classes of all DAGs of this many nodes under pruning and relabelling, without that of no path.

    Args:
        num_nodes: 2 to 6.
        on_step: told the number of DAGs done.

    Raises:
        InputError: another number of nodes.
    """
    if not 2 <= num_nodes <= MAX_NODES:
        raise InputError(f"complete spaces have 2 to {MAX_NODES} nodes, got {num_nodes}")
    total = 3 ** num_edges(num_nodes)
    seen = np.zeros(total, bool)
    for start in range(0, total, _BLOCK):
        codes = _pruned(codes_of(np.arange(start, min(start + _BLOCK, total)), num_nodes), num_nodes)
        seen[_canonical(codes, num_nodes)] = True
        on_step(min(start + _BLOCK, total))
    return int(seen[1:].sum())


def _pruned(codes: np.ndarray, n: int) -> np.ndarray:
    """Codes [A, E] without the edges that lie on no path from 0 to H."""
    forward, backward = np.zeros((2, n, len(codes)), bool)
    forward[0] = backward[-1] = True
    for t in range(1, n):
        for s in range(t):
            forward[t] |= forward[s] & (codes[:, edge_index(s, t)] > 0)
    for s in range(n - 2, -1, -1):
        for t in range(s + 1, n):
            backward[s] |= backward[t] & (codes[:, edge_index(s, t)] > 0)
    kept = codes.copy()
    for t in range(1, n):
        for s in range(t):
            kept[:, edge_index(s, t)] *= forward[s] & backward[t]
    return kept


def _canonical(codes: np.ndarray, n: int) -> np.ndarray:
    """The smallest place in the order of codes that a relabelling leads to, int64 [A]."""
    powers = 3 ** np.arange(codes.shape[1] - 1, -1, -1, dtype=np.int64)
    best = np.full(len(codes), 3 ** codes.shape[1], np.int64)
    for inner in permutations(range(1, n - 1)):
        place = (0, *inner, n - 1)
        found = np.zeros(len(codes), np.int64)
        backwards = np.zeros(len(codes), bool)
        for t in range(1, n):
            for s in range(t):
                digit = codes[:, edge_index(s, t)]
                if place[s] < place[t]:
                    found += digit * powers[edge_index(place[s], place[t])]
                else:
                    backwards |= digit > 0
        best = np.where(backwards, best, np.minimum(best, found))
    return best
