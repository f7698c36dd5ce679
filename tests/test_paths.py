"""Path counts, effective depth and width: against enumeration of the paths, exactly."""

from collections import Counter
from fractions import Fraction
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nngp_dag import Dag, InputError, enumerate_codes
from nngp_dag.dag import num_edges
from nngp_dag.paths import effective_depth_width, path_counts, path_counts_array, path_statistics


def by_enumeration(dag):
    """Depths of all end-to-end paths, one path at a time."""
    graph = dag.to_networkx()
    return Counter(
        sum(graph.edges[edge]["op"] == "linear" for edge in pairwise(nodes))
        for nodes in nx.all_simple_paths(graph, 0, dag.num_nodes - 1)
    )


@given(n=st.integers(2, 8), seed=st.integers(0, 10**6))
def test_counts_are_those_of_enumeration(n, seed):
    dag = Dag(n, np.random.default_rng(seed).integers(0, 3, num_edges(n)).astype(np.uint8).tobytes())
    depths = by_enumeration(dag)
    statistics = path_statistics(dag)
    assert {d: count for d, count in enumerate(statistics.counts) if count} == dict(depths)
    total = sum(depths.values())
    assert statistics.num_paths == total
    if total:
        depth = Fraction(sum(d * count for d, count in depths.items()), total)
        assert statistics.effective_depth == depth
        assert statistics.effective_width == ((total - depths[0]) / depth if depth else 0)


@pytest.mark.parametrize(
    ("code", "counts", "depth", "width"),
    [
        ("2_02_002", (0, 0, 0, 1), Fraction(3), Fraction(1, 3)),
        ("1_01_222", (0, 3), Fraction(1), Fraction(3)),
        ("2_21_112", (1, 1, 2), Fraction(5, 4), Fraction(12, 5)),
        ("1", (1,), Fraction(0), Fraction(0)),
        ("0", (), Fraction(0), Fraction(0)),
        ("2_02_000", (), Fraction(0), Fraction(0)),
    ],
)
def test_known_values(code, counts, depth, width):
    statistics = path_statistics(Dag.from_code(code))
    assert (statistics.counts, statistics.effective_depth, statistics.effective_width) == (counts, depth, width)


def test_all_at_once_are_one_at_a_time():
    codes = enumerate_codes(4)
    counts = path_counts_array(codes)
    depth, width = effective_depth_width(counts)
    assert counts.dtype == np.int64
    for code, row, d, m in zip(codes, counts, depth, width, strict=True):
        statistics = path_statistics(Dag.from_array(code))
        assert tuple(np.trim_zeros(row, "b")) == statistics.counts
        assert (d, m) == (float(statistics.effective_depth), float(statistics.effective_width))


def test_more_paths_than_int64_holds():
    dag = Dag(101, bytes([2]) * num_edges(101))
    counts = path_counts_array(dag.to_array()[None])
    assert counts.dtype == object
    assert int(counts.sum()) == sum(path_counts(dag)) == 2**99
    assert effective_depth_width(counts)[0][0] == float(path_statistics(dag).effective_depth) == 50.5


def test_a_complete_dag_of_300_nodes():
    statistics = path_statistics(Dag(300, bytes([2]) * num_edges(300)))
    assert statistics.num_paths == 2**298
    assert statistics.effective_depth == Fraction(300, 2)


@pytest.mark.parametrize("codes", [np.zeros(3, int), np.zeros((2, 4), int)])
def test_bad_arrays_are_refused(codes):
    with pytest.raises(InputError, match="codes must be integers"):
        path_counts_array(codes)
