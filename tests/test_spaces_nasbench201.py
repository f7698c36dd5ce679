"""NAS-Bench-201: notation, isomorphism, and the paper's centre and radius."""

import csv
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest

from nngp_dag import InputError, spaces
from nngp_dag.spaces.nasbench201 import OPERATIONS
from nngp_dag.spaces.printed_ranges import PRINTED

CELL = "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|"


def test_operations_become_zero_skip_linear() -> None:
    dag = spaces.get("nasbench201").dag(CELL)
    assert dag.to_code() == "2_01_122"


def test_edges_may_come_in_any_order() -> None:
    space = spaces.get("nasbench201")
    other = "|nor_conv_3x3~0|+|avg_pool_3x3~1|none~0|+|nor_conv_3x3~2|skip_connect~0|nor_conv_1x1~1|"
    np.testing.assert_array_equal(space.parse(CELL), space.parse(other))
    assert space.write(space.parse(other)) == CELL


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("|nor_conv_3x3~0|+|none~0|none~1|", "3 nodes"),
        (CELL.replace("avg_pool_3x3", "max_pool_3x3"), "unknown NAS-Bench-201 operation 'max_pool_3x3'"),
        (CELL.replace("|none~0|avg_pool_3x3~1|", "|none~0|"), "2 edges"),
        (CELL.replace("avg_pool_3x3~1", "avg_pool_3x3~0"), "two edges from node 0"),
        (CELL.replace("avg_pool_3x3~1", "avg_pool_3x3~2"), "s < 2"),
        (CELL.replace("avg_pool_3x3~1", "avg_pool_3x3"), "expected op~s"),
    ],
)
def test_messages_name_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        spaces.get("nasbench201").parse(text)


def test_center_and_radius_are_the_papers() -> None:
    box = spaces.get("nasbench201").range
    assert box.center == (Fraction(13, 8), Fraction(13, 6))
    assert box.radius == (Fraction(11, 8), Fraction(11, 6))
    assert PRINTED["nasbench201"].matches(box)


def test_number_of_distinct_cells() -> None:
    space = spaces.get("nasbench201")
    seen = {}
    # Cells whose pruned graphs networkx says are isomorphic, operations told apart, for all cells of a hash class.
    rng = np.random.default_rng(0)
    rows = space.cells_at(np.arange(space.num_cells))
    keys = canonical_keys(rows)
    assert space.count_distinct() == len(set(keys)) == 8765
    for i in rng.integers(len(rows), size=150):
        seen.setdefault(keys[i], []).append(graph_of(rows[i]))
    graphs = [group[0] for group in seen.values()]
    for group in seen.values():
        assert all(isomorphic(group[0], graph) for graph in group)
    assert not any(isomorphic(a, b) for i, a in enumerate(graphs) for b in graphs[:i])


def test_publishers_count_of_unique_strings() -> None:
    counts = spaces.get("nasbench201").other_counts()
    assert counts["publisher's unique strings"] == 6466  # Dong & Yang, 2020
    assert counts["expressions without zeros and skips"] == 4930


def graph_of(row: np.ndarray) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_nodes_from([0, 3])
    edges = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]
    graph.add_edges_from((s, t, {"op": int(op)}) for (s, t), op in zip(edges, row, strict=True) if op)
    keep = ({0} | nx.descendants(graph, 0)) & ({3} | nx.ancestors(graph, 3))
    graph = graph.subgraph(keep).copy()
    nx.set_node_attributes(graph, {v: "end" if v in (0, 3) else "inner" for v in graph}, "kind")
    return graph


def isomorphic(a: nx.DiGraph, b: nx.DiGraph) -> bool:
    return nx.is_isomorphic(
        a, b, node_match=lambda x, y: x["kind"] == y["kind"], edge_match=lambda x, y: x["op"] == y["op"]
    )


def canonical_keys(rows: np.ndarray) -> list[tuple]:
    """Written out: prune, then the smaller of the two relabellings of nodes 1 and 2 that keep edges going forward."""
    keys = []
    edges = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]
    for row in rows.tolist():
        ops = dict(zip(edges, row, strict=True))
        alive = {e for e in edges if ops[e]}
        while True:
            inner = {v for v in (1, 2) if any(t == v for _, t in alive) and any(s == v for s, _ in alive)}
            kept = {(s, t) for s, t in alive if (s == 0 or s in inner) and (t == 3 or t in inner)}
            if kept == alive:
                break
            alive = kept
        options = []
        for swap in ({1: 1, 2: 2}, {1: 2, 2: 1}):
            moved = {(swap.get(s, s), swap.get(t, t)): ops[s, t] for s, t in alive}
            if all(s < t for s, t in moved):
                options.append(tuple(sorted(moved.items())))
        keys.append(min(options))
    return keys


def test_publishers_notation_of_all_cells(shared_data) -> None:
    space = spaces.get("nasbench201")
    with (shared_data / "nas_bench_201_test_accuracy.csv").open() as file:
        lines = [row["architecture"] for row in csv.DictReader(file)]
    rows = np.concatenate([space.parse(line) for line in lines])
    assert len(np.unique(rows, axis=0)) == len(OPERATIONS) ** 6 == len(lines)
    assert all(space.write(row[None]) == line for row, line in zip(rows, lines, strict=True))
