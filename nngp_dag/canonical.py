"""Canonical form of a DAG under relabelling of its inner nodes: colour refinement, then individualisation.

Nodes are coloured by invariants (longest path from the input first, so that colour order is a topological order) and
the colours refined until stable. Where a colour class has several nodes, each is singled out in turn and the smallest
resulting code is kept; a node whose first completion gives a code that was already seen is its twin under an
automorphism and is skipped, so that symmetric graphs stay cheap.
"""

from __future__ import annotations

import numpy as np

__all__ = ["canonical_digits"]

_Colors = tuple[int, ...]


def canonical_digits(matrix: np.ndarray) -> bytes:
    """The digits of the canonical representative of a pruned DAG: the same for isomorphic DAGs, different for others.

    Args:
        matrix: its operations, integers [n, n]: entry [s, t] for s < t, zero elsewhere (`Dag.matrix`).
    """
    search = _Search(matrix)
    return search.best(search.start())


class _Search:
    def __init__(self, matrix: np.ndarray) -> None:
        self.n = len(matrix)
        self.matrix = matrix
        self.predecessors: list[list[tuple[int, int]]] = [[] for _ in range(self.n)]
        self.successors: list[list[tuple[int, int]]] = [[] for _ in range(self.n)]
        for s, t in np.argwhere(matrix).tolist():
            self.predecessors[t].append((s, int(matrix[s, t])))
            self.successors[s].append((t, int(matrix[s, t])))

    def start(self) -> _Colors:
        depth = [0] * self.n
        for t in range(self.n):
            depth[t] = max((depth[s] + 1 for s, _ in self.predecessors[t]), default=0)
        return self.refine(tuple(depth))

    def refine(self, colors: _Colors) -> _Colors:
        while True:
            signatures = [
                (
                    colors[v],
                    tuple(sorted((op, colors[s]) for s, op in self.predecessors[v])),
                    tuple(sorted((op, colors[t]) for t, op in self.successors[v])),
                )
                for v in range(self.n)
            ]
            rank = {signature: i for i, signature in enumerate(sorted(set(signatures)))}
            refined = tuple(rank[signature] for signature in signatures)
            if len(rank) == len(set(colors)):
                return refined
            colors = refined

    def single_out(self, colors: _Colors, v: int) -> _Colors:
        return self.refine(tuple(2 * c - (u == v) for u, c in enumerate(colors)))

    def first_class(self, colors: _Colors) -> list[int]:
        """The nodes of the smallest colour that several nodes share; empty where all colours differ."""
        members: dict[int, list[int]] = {}
        for v, color in enumerate(colors):
            members.setdefault(color, []).append(v)
        return next((members[c] for c in sorted(members) if len(members[c]) > 1), [])

    def code(self, colors: _Colors) -> bytes:
        order = np.argsort(colors)
        t, s = np.tril_indices(self.n, -1)
        return self.matrix[order[s], order[t]].astype(np.uint8).tobytes()

    def first_completion(self, colors: _Colors) -> bytes:
        while members := self.first_class(colors):
            colors = self.single_out(colors, members[0])
        return self.code(colors)

    def best(self, colors: _Colors) -> bytes:
        members = self.first_class(colors)
        if not members:
            return self.code(colors)
        seen: set[bytes] = set()
        codes = []
        for v in members:
            branch = self.single_out(colors, v)
            completion = self.first_completion(branch)
            if completion not in seen:
                seen.add(completion)
                codes.append(self.best(branch))
        return min(codes)
