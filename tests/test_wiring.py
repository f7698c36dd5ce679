"""Wirings as values: what makes them, what they refuse, their JSON, graphs of networkx, pruning, stacking, degrees."""

import json

import jax
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nngp_dag import Dag, InputError, Wiring
from nngp_dag.activations import ACTIVATIONS
from nngp_dag.dag import num_edges

DAG3 = "2_21_112"
NUMBERS = ("weight_scale", "bias_scale", "gain", "skip_gain", "readout_weight_scale", "readout_bias_scale")


def same(a: Wiring, b: Wiring) -> bool:
    return jax.tree.structure(a) == jax.tree.structure(b) and all(
        np.array_equal(getattr(a, n), getattr(b, n)) for n in NUMBERS
    )


@st.composite
def wirings(draw, max_nodes=5):
    """Any wiring of two to five nodes, edges on no path among them."""
    n = draw(st.integers(2, max_nodes))
    digits = draw(st.lists(st.sampled_from([0, 1, 2]), min_size=num_edges(n), max_size=num_edges(n)))
    dag = Dag(n, bytes(digits))
    plain = Wiring.make(dag)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = len(plain.linear_edges)
    names = [None, *ACTIVATIONS]
    sigmas = {edge: names[i] for edge, i in zip(plain.linear_edges, rng.integers(0, len(names), count), strict=True)}
    return Wiring.make(
        dag,
        weight_scale=rng.uniform(0.5, 1.5, count),
        bias_scale=rng.uniform(0, 1, count),
        gain=rng.uniform(-1, 1, count),
        skip_gain=rng.uniform(-1, 1, len(plain.skip_edges)),
        activation={edge: name for edge, name in sigmas.items() if name},
        layer_norm=draw(st.sets(st.integers(0, n - 1))),
        readout_weight_scale=rng.uniform(0.5, 2),
        readout_bias_scale=rng.uniform(0, 1),
    )


def test_one_set_of_values_mappings_and_arrays_are_the_same():
    one = Wiring.make(DAG3, weight_scale=1.5, gain=0.5, activation="erf", skip_gain=0.7)
    edges = [(0, 1), (0, 2), (2, 3)]
    assert one.linear_edges == tuple(edges)
    assert one.skip_edges == ((1, 2), (0, 3), (1, 3))
    by_edge = Wiring.make(
        DAG3,
        weight_scale=dict.fromkeys(edges, 1.5),
        gain=np.full(3, 0.5),
        activation=dict.fromkeys(edges, "erf"),
        skip_gain=[0.7, 0.7, 0.7],
    )
    assert same(one, by_edge)
    some = Wiring.make(DAG3, gain={(0, 2): 3.0}, activation={(2, 3): "tanh"})
    assert some.gain.tolist() == [1, 3, 1]
    assert [a and a.name for a in some.activations] == [None, None, "tanh"]
    assert Wiring.make(DAG3).is_plain and not some.is_plain


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"gain": {(0, 3): 2.0}}, r"gain names edge \(0, 3\), which is a skip edge, but belongs to linear edges"),
        ({"gain": {(1, 7): 2.0}}, r"which Dag\('2_21_112'\) does not have"),
        ({"gain": {"01": 2.0}}, "'01', which is no edge"),
        ({"weight_scale": [1.0, 2.0]}, r"weight_scale needs a number, a mapping .* 3 linear edges .* shape \(2,\)"),
        ({"bias_scale": np.nan}, "bias_scale must hold finite numbers"),
        ({"bias_scale": "wide"}, "bias_scale must hold real numbers, got 'wide'"),
        ({"skip_gain": True}, "skip_gain must hold real numbers, got True"),
        ({"layer_norm": [4]}, r"layer_norm names node 4, but the nodes are 0\.\.3"),
        ({"layer_norm": [1.0]}, "layer_norm lists nodes, got 1.0"),
        ({"activation": "rleu"}, "unknown activation 'rleu': accepted are relu"),
        ({"activation": {(0, 3): "relu"}}, "which is a skip edge"),
    ],
)
def test_what_cannot_be_a_wiring_is_refused_in_a_line(values, message):
    with pytest.raises(InputError, match=message) as caught:
        Wiring.make(DAG3, **values)
    assert "\n" not in str(caught.value)


@settings(max_examples=40)
@given(wirings())
def test_json_gives_back_every_bit(wiring):
    text = wiring.to_json()
    assert same(Wiring.from_json(text), wiring)
    assert same(Wiring.from_json(json.loads(text)), wiring)


def test_json_by_hand_has_defaults():
    found = Wiring.from_json(
        '{"schema": 1, "code": "2_21_112", "defaults": {"weight_scale": 1.2, "bias_scale": 0.1, "activation": "erf"},'
        ' "linear": [{"edge": [0, 2], "gain": 0.5, "activation": null}], "skip": [{"edge": [1, 3], "gain": 2}],'
        ' "layer_norm": [1], "readout": {"bias_scale": 0.5}}'
    )
    expected = Wiring.make(
        DAG3,
        weight_scale=1.2,
        bias_scale=0.1,
        gain={(0, 2): 0.5},
        skip_gain={(1, 3): 2},
        activation={(0, 1): "erf", (2, 3): "erf"},
        layer_norm=[1],
        readout_bias_scale=0.5,
    )
    assert same(found, expected)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("[1", "a wiring is a JSON document"),
        ("3", "a wiring is a JSON object"),
        ({"code": "2"}, '"schema": 1, got None'),
        ({"schema": 1}, '"code" like'),
        ({"schema": 1, "code": "3"}, "malformed code"),
        ({"schema": 1, "code": "2", "gains": 1}, "unknown key 'gains' of a wiring: accepted are schema"),
        ({"schema": 1, "code": "2", "linear": [{"edge": [0, 1], "wieght": 1}]}, "unknown key 'wieght'"),
        ({"schema": 1, "code": "2", "linear": [{"edge": [1, 0]}]}, "no linear edge"),
        ({"schema": 1, "code": "2", "linear": [{"gain": 1}]}, r'needs an "edge": \[s, t\]'),
        ({"schema": 1, "code": "2", "linear": [{"edge": [0, 1]}, {"edge": [0, 1]}]}, "twice"),
        ({"schema": 1, "code": "2", "linear": [{"edge": [0, 1], "gain": "1"}]}, "gain is a number, got '1'"),
        ({"schema": 1, "code": "2", "linear": [{"edge": [0, 1], "gain": None}]}, "gain is a number, got None"),
        ({"schema": 1, "code": "2", "defaults": {"gain": 10**400}}, "beyond float64"),
        ({"schema": 1, "code": "2", "defaults": {"activation": "x"}}, "unknown activation 'x'"),
        ({"schema": 1, "code": "2", "layer_norm": 1}, "layer_norm is a list"),
        ({"schema": 1, "code": "2", "layer_norm": [True]}, "layer_norm lists nodes"),
    ],
)
def test_json_of_another_form_is_refused_in_a_line(document, message):
    with pytest.raises(InputError, match=message) as caught:
        Wiring.from_json(document if isinstance(document, str) else json.dumps(document))
    assert "\n" not in str(caught.value)


def test_files_name_themselves(tmp_path):
    wiring = Wiring.make(DAG3, gain=0.1, layer_norm=[3])
    wiring.save(tmp_path / "w.json")
    assert same(Wiring.load(tmp_path / "w.json"), wiring)
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(InputError, match=r"cannot read .*bad\.json as a wiring: .*schema"):
        Wiring.load(tmp_path / "bad.json")
    with pytest.raises(InputError, match="not a batch"):
        Wiring.stack([wiring, wiring]).to_json()
    with pytest.raises(InputError, match="have names in JSON"):
        Wiring.make("2", activation=jax.nn.softplus).to_json()


def test_graphs_of_networkx_have_defaults_and_parallel_edges():
    graph = nx.MultiDiGraph(readout_bias_scale=0.3)
    graph.add_edge("in", "mid", gain=0.5)
    graph.add_edge("in", "mid", gain=0.25, activation="erf", weight_scale=2.0)
    graph.add_edge("mid", "out", op="skip", gain=3.0)
    graph.add_edge("mid", "out", op="skip", gain=-1.0)
    graph.nodes["mid"]["layer_norm"] = True
    wiring = Wiring.from_networkx(graph, default_op="linear")
    # in = 0, copy of a linear edge = 1, mid = 2, copy of a skip edge = 3, out = 4
    expected = Wiring.make(
        {(0, 1): "linear", (0, 2): "linear", (1, 2): "skip", (2, 3): "skip", (2, 4): "skip", (3, 4): "skip"},
        gain={(0, 2): 0.5, (0, 1): 0.25},
        weight_scale={(0, 1): 2.0},
        activation={(0, 1): "erf"},
        skip_gain={(2, 4): 3.0, (2, 3): -1.0},
        layer_norm=[2],
        readout_bias_scale=0.3,
    )
    assert same(wiring, expected)
    assert Dag.from_networkx(graph, default_op="linear") == expected.dag
    # Each end of a parallel edge counts it once: two edges enter "mid" and two "out".
    divided = wiring.divided_by_in_degree()
    assert np.allclose(divided.gain, [0.25, 0.5 / np.sqrt(2)])  # (0, 1), (0, 2)
    assert np.allclose(
        divided.skip_gain, np.array([1, -np.sqrt(2), 3, 1]) / np.sqrt(2)
    )  # (1, 2), (2, 3), (2, 4), (3, 4)
    by_source = wiring.divided_by_in_degree("source")
    assert np.allclose(by_source.gain, [0.25, 0.5])
    assert np.allclose(by_source.skip_gain, np.array([np.sqrt(2), -1, 3, np.sqrt(2)]) / np.sqrt(2))
    with pytest.raises(InputError, match=r"no attribute 'op'.*no default_op"):
        Wiring.from_networkx(graph)
    with pytest.raises(InputError, match=r"edge \('a', 'b'\) is a skip edge, which has no weight_scale"):
        Wiring.from_networkx(nx.DiGraph([("a", "b", {"op": "skip", "weight_scale": 1.0})]))
    bad = nx.DiGraph([("a", "b", {"op": 2})])
    bad.nodes["a"]["layer_norm"] = "yes"
    with pytest.raises(InputError, match="layer_norm of node 'a' must be true or false"):
        Wiring.from_networkx(bad)


def test_in_degrees_are_those_of_the_pruned_dag():
    wiring = Wiring.make("2_22_222", gain=2.0)
    assert np.allclose(wiring.divided_by_in_degree().gain, 2 / np.sqrt([1, 2, 2, 3, 3, 3]))
    # Of the source: node 0 counts as 1, node 1 has 1, node 2 has 2.
    assert np.allclose(wiring.divided_by_in_degree("source").gain, 2 / np.sqrt([1, 1, 1, 1, 1, 2]))
    idle = Wiring.make("2_22_222_0220_22200", gain=2.0)  # node 4 is on no path: neither edge into it nor it counts
    linear = [i for i, (_, t) in enumerate(idle.linear_edges) if t != 4]
    for end in ("target", "source"):
        divided = idle.divided_by_in_degree(end)
        assert same(divided.pruned(), idle.pruned().divided_by_in_degree(end))
        assert set(np.delete(divided.gain, linear)) == {2.0}
    with pytest.raises(InputError, match="accepted are target, source"):
        wiring.divided_by_in_degree("head")


@settings(max_examples=40)
@given(wirings(), wirings())
def test_pruning_and_stacking_keep_every_value_at_its_edge(a, b):
    def table(wiring, shift=0):
        numbers = zip(
            wiring.linear_edges, wiring.weight_scale, wiring.bias_scale, wiring.gain, wiring.activations, strict=True
        )
        linear = {(s + shift, t + shift): tuple(rest) for (s, t), *rest in numbers}
        skip = {(s + shift, t + shift): g for (s, t), g in zip(wiring.skip_edges, wiring.skip_gain, strict=True)}
        return linear, skip, {t + shift for t in wiring.layer_norm}

    shift = a.dag.num_nodes - 1
    joined = a.then(b)
    assert joined.dag == a.dag.then(b.dag)
    for found, below, above in zip(table(joined), table(a), table(b, shift), strict=True):
        assert found == (below | above)
    assert joined.readout_bias_scale == b.readout_bias_scale
    names = np.flatnonzero(a.dag.reachable()).tolist()
    linear, skip, norms = table(a.pruned())
    full_linear, full_skip, full_norms = table(a)
    if not names:
        assert a.pruned().dag.to_code() == "0"
        return
    assert linear == {
        (names.index(s), names.index(t)): v for (s, t), v in full_linear.items() if s in names and t in names
    }
    assert skip == {(names.index(s), names.index(t)): v for (s, t), v in full_skip.items() if s in names and t in names}
    assert norms == {names.index(t) for t in full_norms if t in names}


def test_a_wiring_is_a_pytree_of_its_numbers():
    wiring = Wiring.make(DAG3, gain=0.5, activation={(0, 1): "erf"}, layer_norm=[2])
    assert [leaf.shape for leaf in jax.tree.leaves(wiring)] == [(3,), (3,), (3,), (3,), (), ()]
    doubled = jax.jit(lambda w: jax.tree.map(lambda a: 2 * a, w))(wiring)
    assert doubled.gain.tolist() == [1, 1, 1] and doubled.layer_norm == (2,)
    batch = Wiring.stack([wiring, doubled, wiring])
    assert batch.batch_shape == (3,) and batch.gain.shape == (3, 3)
    assert same(batch.pruned(), batch)
    with pytest.raises(InputError, match="one DAG"):
        Wiring.stack([wiring, Wiring.make("2")])
    with pytest.raises(InputError, match="one DAG"):
        Wiring.stack([])
    gradient = jax.grad(lambda w: (w.gain**2).sum())(wiring)
    assert isinstance(gradient, Wiring) and gradient.gain.tolist() == [1, 1, 1]
    assert repr(Wiring.make("2_12", gain=[1, 2])) == "Wiring('2_12', gain=[1., 2.])"
