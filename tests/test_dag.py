"""Dag: validation, codecs, pruning, enumeration and the canonical form."""

import itertools
import time

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nngp_dag import Dag, InputError, Op, enumerate_codes
from nngp_dag.dag import count_isomorphism_classes, edge_index, num_edges


@st.composite
def dags(draw, max_nodes=7):
    n = draw(st.integers(2, max_nodes))
    return Dag(n, bytes(draw(st.lists(st.sampled_from([0, 1, 2]), min_size=num_edges(n), max_size=num_edges(n)))))


def relabelled(dag, order):
    """The same graph with inner nodes in another topological order."""
    position = {node: i for i, node in enumerate(order)}
    return Dag.from_edges({(position[s], position[t]): op for s, t, op in dag.edges()}, dag.num_nodes)


@given(dag=dags())
def test_codecs_round_trip(dag):
    assert Dag.from_code(dag.to_code()) == dag
    assert Dag.from_edges(dag.to_edges(), dag.num_nodes) == dag
    assert Dag.from_networkx(dag.to_networkx()) == dag
    assert Dag.from_array(dag.to_array()) == dag
    assert hash(Dag.from_code(dag.to_code())) == hash(dag)


def test_the_papers_three_dags():
    assert Dag.from_code("2_02_002").to_edges() == {(0, 1): "linear", (1, 2): "linear", (2, 3): "linear"}
    dag2 = {(0, 1): "skip", (1, 2): "skip", (0, 3): "linear", (1, 3): "linear", (2, 3): "linear"}
    assert Dag.from_edges(dag2).to_code() == "1_01_222"
    assert Dag.from_code("2_21_112").num_linear == 3


def test_immutable_and_read_only():
    dag = Dag.from_code("2_12")
    with pytest.raises(AttributeError):
        dag.num_nodes = 4
    with pytest.raises(ValueError, match="read-only"):
        dag.matrix[0, 1] = 0
    assert {dag: 1}[Dag.from_code("2_12")] == 1
    assert dag.op(0, 1) is Op.LINEAR


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("", "malformed code"),
        ("x", "the digits are"),
        ("3", "the digits are"),
        ("2_0", "node 2 needs 2 digits"),
        ("2_02_02", "node 3 needs 3 digits"),
        ("22", "node 1 needs 1 digit,"),
        ("2__", "node 2 needs 2 digits"),
        ("\u0662", "the digits are"),
        (None, "malformed code"),
    ],
)
def test_malformed_codes_are_refused_in_one_line(code, message):
    with pytest.raises(InputError, match=message) as error:
        Dag.from_code(code)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Dag(1, b""), "at least 2 nodes"),
        (lambda: Dag(3, b"\0"), "need 3 operations"),
        (lambda: Dag(2, b"\3"), "operations are 0"),
        (lambda: Dag.from_edges({}), "at least 2 nodes"),
        (lambda: Dag.from_edges({(1, 0): 1}), "not possible"),
        (lambda: Dag.from_edges({(0, 5): 1}, 3), "not possible"),
        (lambda: Dag.from_edges({(0, 1): "conv"}), "unknown operation"),
        (lambda: Dag.from_edges({(0, 1): 3}), "unknown operation"),
        (lambda: Dag.from_edges({(0, 1): True}), "unknown operation"),
        (lambda: Dag.from_edges({"01": 1}), "pair of node numbers"),
        (lambda: Dag.from_array(np.zeros((2, 2), int)), "one-dimensional"),
        (lambda: Dag.from_array(np.array([0.5])), "integer array"),
        (lambda: Dag.from_array(np.array([0, 1])), "operations"),
        (lambda: Dag.from_array(np.array([300])), "operations are 0"),
        (lambda: Dag.from_code("2").op(1, 1), "no edge"),
        (lambda: Dag.from_networkx(nx.Graph([(0, 1)])), "DiGraph"),
        (lambda: Dag.from_networkx(nx.DiGraph([(0, 1)])), "no attribute 'op'"),
        (lambda: Dag.from_networkx(nx.DiGraph([(0, 1), (1, 0)])), "cycle"),
        (lambda: Dag.from_networkx(nx.DiGraph([("a", "c"), ("b", "c")])), "2 sources"),
        (lambda: Dag.from_networkx(nx.DiGraph([("a", "b")]), ["b", "b"]), "exactly once"),
        (lambda: enumerate_codes(1), "at least 2"),
        (lambda: enumerate_codes(7), "at most 6"),
    ],
)
def test_bad_graphs_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_networkx_with_names_and_an_order():
    graph = nx.DiGraph()
    graph.add_edge("in", "mid", op="linear")
    graph.add_edge("mid", "out", op=1)
    graph.add_edge("in", "out", op="skip")
    assert Dag.from_networkx(graph).to_code() == "2_11"
    with pytest.raises(InputError, match="goes backwards"):
        Dag.from_networkx(graph, ["out", "mid", "in"])


@given(dag=dags(6))
def test_pruning_keeps_exactly_the_paths(dag):
    def paths(d):
        return sorted(
            [d.op(s, t) for s, t in itertools.pairwise(nodes)]
            for nodes in nx.all_simple_paths(d.to_networkx(), 0, d.num_nodes - 1)
        )

    pruned = dag.pruned()
    assert paths(pruned) == paths(dag)
    assert pruned.pruned() == pruned
    if any(pruned.ops):
        assert pruned.reachable().all()
    else:
        assert pruned == Dag.from_code("0")
        assert not dag.reachable().any()


def test_complete_spaces_in_lexicographic_order():
    for nodes, count in ((2, 3), (3, 27), (4, 729), (5, 59049)):
        codes = enumerate_codes(nodes)
        assert codes.shape == (count, num_edges(nodes))
        assert codes.dtype == np.int8
    strings = [Dag.from_array(code).to_code() for code in enumerate_codes(4)]
    assert strings == sorted(set(strings))


@given(dag=dags(6), data=st.data())
def test_relabelled_dags_have_one_canonical_form(dag, data):
    orders = list(itertools.islice(nx.all_topological_sorts(dag.to_networkx()), 200))
    orders = [order for order in orders if order[0] == 0 and order[-1] == dag.num_nodes - 1]
    other = relabelled(dag, data.draw(st.sampled_from(orders))) if orders else dag
    assert other.canonical() == dag.canonical()
    assert dag.canonical().canonical() == dag.canonical()


def test_canonical_forms_are_the_isomorphism_classes_of_all_four_node_dags():
    """Against networkx' isomorphism test: equal forms exactly for isomorphic pruned graphs."""

    def matcher(a, b):
        same = nx.isomorphism.categorical_edge_match("op", None)
        ends = nx.isomorphism.categorical_node_match("end", None)
        return nx.is_isomorphic(a, b, node_match=ends, edge_match=same)

    representatives: dict[Dag, nx.DiGraph] = {}
    for code in enumerate_codes(4):
        pruned = Dag.from_array(code).pruned()
        graph = pruned.to_networkx()
        nx.set_node_attributes(graph, {v: {0: "in", pruned.num_nodes - 1: "out"}.get(v, "") for v in graph}, "end")
        form = pruned.canonical()
        if form in representatives:
            assert matcher(representatives[form], graph)
        else:
            representatives[form] = graph
    for (_, a), (_, b) in itertools.combinations(representatives.items(), 2):
        assert not matcher(a, b)
    assert count_isomorphism_classes(enumerate_codes(4)) == len(representatives) == 261


def test_symmetric_graphs_have_a_canonical_form_at_once():
    """Ten equal chains of three: 10! relabellings, which are not tried."""
    edges = {}
    for chain in range(10):
        a, b, c = (1 + 3 * chain + i for i in range(3))
        edges |= {(0, a): 2, (a, b): 2, (b, c): 1, (c, 31): 2}
    start = time.perf_counter()
    form = Dag.from_edges(edges).canonical()
    assert time.perf_counter() - start < 60
    assert form.canonical() == form


def test_300_nodes_are_instant_for_codecs():
    dag = Dag(300, bytes([2]) * num_edges(300))
    assert Dag.from_code(dag.to_code()) == dag
    assert dag.matrix[5, 7] == 2
    assert dag.ops[edge_index(5, 7)] == 2
    assert dag.pruned() == dag
