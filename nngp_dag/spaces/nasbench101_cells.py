"""All cells of NAS-Bench-101, each once up to relabelling of its vertices.

Graphs: every upper triangular matrix with at most nine edges whose vertices all lie on a path from input to output; of
those that a permutation of the inner vertices carries into each other, one. Operations: of the labellings of such a
graph that an automorphism carries into each other, one.
"""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np

from nngp_dag.dag import edge_index, num_edges

__all__ = ["MAX_EDGES", "OPERATIONS", "VERTICES", "all_cells"]

OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
VERTICES = 7
MAX_EDGES = 9

_CHUNK = 1 << 14


@cache
def all_cells() -> np.ndarray:
    """Genes of all cells, int8 [423624, 26], read-only."""
    cells = np.concatenate([_cells(n) for n in range(2, VERTICES + 1)])
    cells.flags.writeable = False
    return cells


def _cells(n: int) -> np.ndarray:
    graphs = _pruned_graphs(n)
    permutations = [(0, *inner, n - 1) for inner in itertools.permutations(range(1, n - 1))]
    chunks = [graphs[i : i + _CHUNK] for i in range(0, len(graphs), _CHUNK)]
    smallest = np.concatenate([_images(chunk, permutations).min(axis=1) for chunk in chunks])
    graphs = graphs[np.unique(smallest, return_index=True)[1]]
    images = _images(graphs, permutations)  # the first permutation is the identity
    labels = np.array(list(itertools.product(range(1, len(OPERATIONS) + 1), repeat=n - 2)), dtype=np.int8)
    powers = (len(OPERATIONS) + 1) ** np.arange(n - 2)
    place = [*range(n - 1), VERTICES - 1]
    columns = [edge_index(place[u], place[v]) for v in range(1, n) for u in range(v)]
    cells = []
    for graph, image in zip(graphs, images, strict=True):
        automorphisms = [permutations[i] for i in np.flatnonzero(image == image[0])]
        # Of an orbit, the labelling with the smallest number stays.
        numbers = np.stack([labels[:, np.array(p[1:-1], dtype=int) - 1] @ powers for p in automorphisms])
        kept = labels[numbers.min(axis=0) == labels @ powers]
        rows = np.zeros((len(kept), num_edges(VERTICES) + VERTICES - 2), dtype=np.int8)
        rows[:, columns] = graph
        rows[:, num_edges(VERTICES) : num_edges(VERTICES) + n - 2] = kept
        cells.append(rows)
    return np.concatenate(cells)


def _pruned_graphs(n: int) -> np.ndarray:
    """Upper triangular graphs of at most nine edges with every vertex on a path, bits [G, n (n - 1) / 2] in code
    order.
    """
    bits = num_edges(n)
    index = np.arange(1 << bits, dtype=np.int64)
    index = index[np.bitwise_count(index) <= MAX_EDGES]
    graphs = (index[:, None] >> np.arange(bits) & 1).astype(bool)
    enters = np.logical_and.reduce([graphs[:, [edge_index(u, v) for u in range(v)]].any(axis=1) for v in range(1, n)])
    leaves = np.logical_and.reduce(
        [graphs[:, [edge_index(u, v) for v in range(u + 1, n)]].any(axis=1) for u in range(n - 1)]
    )
    # With vertices in topological order, an edge in and an edge out for each means a path through each.
    return graphs[enters & leaves]


def _images(graphs: np.ndarray, permutations: list[tuple[int, ...]]) -> np.ndarray:
    """A number for each graph under each permutation, [G, permutations]: bit n u + v is edge (u, v); exact below
    2^53.
    """
    n = len(permutations[0])
    pairs = [(u, v) for v in range(1, n) for u in range(v)]
    weights = np.array([[2.0 ** (n * p[u] + p[v]) for p in permutations] for u, v in pairs])
    return graphs.astype(np.float64) @ weights
