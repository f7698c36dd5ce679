"""The supernet of a search space: edges, operations that remain on each, and its effective depth and width.

A supernet is a boolean array `alive` [cells, edges, operations]. Its effective depth and width (Eq. 13) are averages
over its remaining operations: with p_skip and p_linear the shares of an edge's remaining operations in each class, the
expected number of paths of a given depth is the same polynomial recursion as for one DAG.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nngp_dag.dag import Op

__all__ = ["Layout", "one_operation"]


@dataclass(frozen=True)
class Layout:
    """The edges and operations of a space's cells.

    Attributes:
        operations: names of the operations; the first is `none`.
        classes: zero, skip or linear, for each operation.
        edges: (source, target) of each edge, sources before targets.
        inputs: the input nodes.
        outputs: the nodes that make up the output.
        cells: number of cells of an architecture.
        prune: operations that TE-NAS prunes on an edge in a round.
        keep: edges that a node keeps in the end, the others are pruned; None where it keeps all.
        to_architecture: from a supernet with at most one operation per edge to an architecture [cells, genes].
    """

    operations: tuple[str, ...]
    classes: tuple[Op, ...]
    edges: tuple[tuple[int, int], ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    cells: int
    prune: int
    keep: int | None
    to_architecture: Callable[[np.ndarray], np.ndarray]

    def supernet(self) -> np.ndarray:
        """All operations but `none` on every edge, bool [cells, edges, operations]."""
        alive = np.ones((self.cells, len(self.edges), len(self.operations)), dtype=bool)
        alive[..., 0] = False
        return alive

    def weights(self, alive: np.ndarray) -> np.ndarray:
        """Factors on the operations in the network: 1 / (number that remain on the edge), float32."""
        counts = alive.sum(-1, keepdims=True)
        return np.where(alive, 1 / np.maximum(counts, 1), 0).astype(np.float32)

    def groups(self) -> list[list[int]]:
        """The edges into each node, by node."""
        targets = sorted({target for _, target in self.edges})
        return [[i for i, (_, target) in enumerate(self.edges) if target == node] for node in targets]

    def shares(self, alive: np.ndarray) -> np.ndarray:
        """Share of an edge's remaining operations in each class, [edges, 3], of one cell [edges, operations]."""
        one_hot = np.eye(3)[[int(c) for c in self.classes]]
        counts = alive @ one_hot
        total = counts.sum(1, keepdims=True)
        return np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)

    def depth_width(self, alive: np.ndarray) -> tuple[float, float]:
        """Effective depth and width of one cell's supernet [edges, operations]: expected paths of all its inputs.

        A node that keeps only some of its edges in the end (DARTS) carries each with the chance that a random choice
        keeps it.
        """
        shares = self.shares(alive)
        if self.keep is not None:
            for group in self.groups():
                remaining = int(alive[group].any(1).sum())
                shares[group] *= min(1.0, self.keep / max(remaining, 1))
        counts = np.sum([self._polynomial(shares, source) for source in self.inputs], axis=0)
        return _figures(counts)

    def released_depth_width(self, alive: np.ndarray) -> tuple[float, float]:
        """Depth and width as the released code averages them.

        A path stands for a sequence of nodes with a class for every edge, and has the product of the shares as its
        probability. Depth is the mean over paths by probability, taken for each input by itself and then weighted by
        the number of such paths; width is the sum of the probabilities of the paths with d > 0, over depth. With one
        input this is `depth_width`.
        """
        shares = self.shares(alive)
        depth = paths = active = 0.0
        for source in self.inputs:
            counts = self._polynomial(shares, source)
            number = self._polynomial((shares > 0).astype(float), source).sum()
            total = counts.sum()
            depth += number * (counts @ np.arange(len(counts)) / total if total else 0.0)
            paths += number
            active += counts[1:].sum()
        depth = depth / paths if paths else 0.0
        return depth, active / depth if depth else 0.0

    def _polynomial(self, shares: np.ndarray, source: int) -> np.ndarray:
        """Weighted number of paths from one input to the output by number of linear edges."""
        size = max(self.outputs) + 1
        nodes = np.zeros((size, len(self.edges) + 1))
        nodes[source, 0] = 1
        for (s, t), share in sorted(zip(self.edges, shares, strict=True), key=lambda item: item[0][1]):
            nodes[t] += share[Op.SKIP] * nodes[s]
            nodes[t, 1:] += share[Op.LINEAR] * nodes[s, :-1]
        return np.asarray(nodes[list(self.outputs)].sum(0))


def _figures(counts: np.ndarray) -> tuple[float, float]:
    total, weighted = counts.sum(), counts @ np.arange(len(counts))
    if not weighted > 0:
        return 0.0, 0.0
    depth = float(weighted / total)
    return depth, float(counts[1:].sum() / depth)


def one_operation(alive: np.ndarray) -> np.ndarray:
    """The operation that remains on each edge, [cells, edges]; 0 (none) where none does."""
    return np.asarray(np.where(alive.any(-1), alive.argmax(-1), 0))
