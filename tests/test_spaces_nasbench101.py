"""NAS-Bench-101: notation, conversion, and the list of its cells."""

import json

import networkx as nx
import numpy as np
import pytest

from nngp_dag import InputError, spaces
from nngp_dag.paths import path_statistics
from nngp_dag.spaces.nasbench101_cells import all_cells

CELL = {
    "module_adjacency": [[0, 1, 1, 0, 1], [0, 0, 1, 0, 1], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]],
    "module_operations": ["input", "conv3x3-bn-relu", "maxpool3x3", "conv1x1-bn-relu", "output"],
}


def test_vertices_become_edges() -> None:
    # Paths: 0-4 (0), 0-1-4 (1), 0-1-2-3-4 (2), 0-2-3-4 (1).
    statistics = path_statistics(spaces.get("nasbench101").dag(json.dumps(CELL)))
    assert statistics.counts == (1, 2, 1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"module_operations": CELL["module_operations"][:-1]}, "output"),
        ({"module_operations": ["input", "conv5x5", "maxpool3x3", "maxpool3x3", "output"]}, "unknown.*conv5x5"),
        ({"module_adjacency": CELL["module_adjacency"][:-1]}, "5 lists of 5"),
        ({"module_adjacency": [[0, 2, 0, 0, 0], *CELL["module_adjacency"][1:]]}, "zeros and ones"),
        ({"module_adjacency": [[0] * 5] * 4 + [[1, 0, 0, 0, 0]]}, "upper triangular"),
        ({"module_adjacency": [[0] * 5] * 5}, "no path"),
        ({"module_operations": None}, "list of names"),
        ({"module_adjacency": [[int(u < v) for v in range(5)] for u in range(5)]}, "at most 9 edges"),
    ],
)
def test_messages_name_what_is_wrong(change: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        spaces.get("nasbench101").parse(json.dumps({**CELL, **change}))


def test_listed_cells_are_valid_and_differ() -> None:
    space = spaces.get("nasbench101")
    cells = all_cells()
    assert (cells[:, :21].sum(axis=1) <= 9).all()
    assert space.path_counts(cells).any(axis=1).all()
    # Of a stretch of the list, no two cells with equal degrees and operations are isomorphic.
    rng = np.random.default_rng(0)
    start = int(rng.integers(len(cells) - 3000))
    groups: dict[str, list[nx.DiGraph]] = {}
    for row in cells[start : start + 3000]:
        graph = labelled(space.write(row[None]))
        degrees = sorted((op, graph.in_degree(v), graph.out_degree(v)) for v, op in graph.nodes(data="op"))
        groups.setdefault(str(degrees), []).append(graph)
    same = [(a, b) for group in groups.values() for i, a in enumerate(group) for b in group[:i]]
    assert not any(nx.is_isomorphic(a, b, node_match=lambda x, y: x == y) for a, b in same)


def labelled(text: str) -> nx.DiGraph:
    fields = json.loads(text)
    graph = nx.DiGraph()
    graph.add_nodes_from((i, {"op": op}) for i, op in enumerate(fields["module_operations"]))
    graph.add_edges_from(zip(*np.nonzero(fields["module_adjacency"]), strict=True))
    return graph
