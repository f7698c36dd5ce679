"""The finite network against a literal transcription of its definition, and its empirical kernels against Jacobians."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st

from nngp_dag import activations
from nngp_dag.dag import Dag, Op, num_edges
from nngp_dag.errors import InputError
from nngp_dag.finite.network import DagNetwork, NetworkSpec, empirical_kernel, full_support, wiring_matrix
from nngp_dag.finite.network.module import Frozen
from nngp_dag.reading import EMBEDDINGS, ORDERS, Reading

pytestmark = pytest.mark.usefixtures("quick_compilation")

SAMPLE = ("2", "2_02_002", "1_01_222", "2_21_112", "2_12_221_1022", "0_21_201", "1", "0")


def unit_rows(n: int, d: int, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(n, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def build(code: str, seed: int = 0, inputs: int = 4, width: int = 7, **options) -> DagNetwork:
    dag = Dag.from_code(code)
    reading = Reading.make(
        **{name: options.pop(name) for name in ("order", "embedding", "activation") if name in options}
    )
    spec = NetworkSpec.make(dag, inputs, width, reading=reading, dtype="float64", **options)
    return DagNetwork(spec, dag, rngs=nnx.Rngs(params=jax.random.key(seed)))


def literal_forward(network: DagNetwork, dag: Dag, x: np.ndarray) -> np.ndarray:
    """Node by node over the edges of the pruned DAG, with the network's own weights; no wiring matrix anywhere."""
    spec, m = network.spec, network.spec.width
    sigma, c = (lambda v: np.asarray(spec.reading.activation(jnp.asarray(v)))), spec.reading.activation.normalization
    weights = [np.asarray(layer.linear.kernel[...]) for layer in network.layers()]
    biases = [0 if layer.linear.bias is None else np.asarray(layer.linear.bias[...]) for layer in network.layers()]
    standard = spec.parameterization == "standard"
    gain = 1 if standard else math.sqrt(c)

    def linear(edge: int, h: np.ndarray) -> np.ndarray:
        w, b = weights[edge + 1], biases[edge + 1]
        if spec.reading.order == "activation-last":
            return gain * sigma(h @ w * (1 if standard else 1 / math.sqrt(m)) + b)
        return sigma(h) @ w * (1 if standard else math.sqrt(c / m)) + b

    pruned = dag.pruned()
    start = x @ weights[0] + biases[0]
    nodes = [gain * sigma(start) if spec.reading.embedding == "stem" else start]
    edge = 0
    for t in range(1, pruned.num_nodes):
        total = np.zeros((len(x), m))
        for s in range(t):
            if pruned.op(s, t) == Op.SKIP:
                total = total + nodes[s]
            elif pruned.op(s, t) == Op.LINEAR:
                total = total + linear(edge, nodes[s])
                edge += 1
        nodes.append(total)
    return nodes[-1] @ weights[-1] * (1 if standard else 1 / math.sqrt(m)) + biases[-1]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("embedding", EMBEDDINGS)
@pytest.mark.parametrize("parameterization", ["ntk", "standard"])
def test_forward_is_the_definition(order, embedding, parameterization):
    x = unit_rows(3, 4)
    for code in SAMPLE if embedding == "stem" else SAMPLE[3:6]:
        network = build(code, order=order, embedding=embedding, parameterization=parameterization, outputs=2)
        for layer in network.layers():  # biases are zero at the start: give them a value so that they are seen
            if layer.linear.bias is not None:
                layer.linear.bias[...] = jnp.linspace(-0.5, 0.5, layer.linear.bias[...].size)
        np.testing.assert_allclose(
            network(jnp.asarray(x)), literal_forward(network, Dag.from_code(code), x), rtol=1e-12, atol=1e-12
        )


@settings(max_examples=15)
@given(st.integers(2, 6).flatmap(lambda n: st.lists(st.integers(0, 2), min_size=num_edges(n), max_size=num_edges(n))))
def test_wiring_matrix_runs_any_dag(digits):
    dag = Dag.from_array(np.array(digits, np.int8))
    x = unit_rows(2, 3)
    spec = NetworkSpec.make(dag, 3, 4, dtype="float64")
    network = DagNetwork(spec, dag, rngs=nnx.Rngs(0))
    np.testing.assert_allclose(network(jnp.asarray(x)), literal_forward(network, dag, x), rtol=1e-11, atol=1e-11)


def test_spare_slots_change_nothing():
    x = jnp.asarray(unit_rows(3, 4))
    dag = Dag.from_code("2_21_112")
    wide = NetworkSpec.make(dag, 4, 7, dtype="float64", support=full_support(num_edges(4)))
    network = DagNetwork(wide, dag, rngs=nnx.Rngs(params=jax.random.key(0)))
    np.testing.assert_allclose(network(x), build("2_21_112")(x), rtol=1e-13)
    np.testing.assert_allclose(empirical_kernel(network, x).ntk, empirical_kernel(build("2_21_112"), x).ntk, rtol=1e-12)


def test_wiring_counts_skip_paths():
    # Node 2 of 1_11_002: h_0 + h_1 with h_1 = h_0, so the one linear edge reads 2 h_0.
    assert wiring_matrix(Dag.from_code("1_11_002")).tolist() == [[2, 0], [0, 1]]
    assert wiring_matrix(Dag.from_code("2_02_002"), slots=4)[-1].tolist() == [0, 0, 0, 1, 0]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("embedding", EMBEDDINGS)
@pytest.mark.parametrize("parameterization", ["ntk", "standard"])
def test_empirical_kernel_is_the_jacobian_gram(order, embedding, parameterization):
    x = jnp.asarray(unit_rows(4, 4))
    for code in ("2_21_112", "0"):
        network = build(code, order=order, embedding=embedding, parameterization=parameterization, outputs=2)
        graphdef, params, rest = nnx.split(network, nnx.Param, ...)

        def first_output(params, graphdef=graphdef, rest=rest):
            return nnx.merge(graphdef, params, rest)(x)[:, 0]

        jacobian = jax.jacrev(first_output)(params)
        rows = jnp.concatenate([leaf.reshape(4, -1) for leaf in jax.tree.leaves(jacobian)], axis=1)
        kernel = empirical_kernel(network, x)
        np.testing.assert_allclose(kernel.ntk, rows @ rows.T, rtol=1e-11, atol=1e-12)
        h, _ = network.features(x)
        np.testing.assert_allclose(kernel.nngp, np.asarray(h) @ np.asarray(h).T / 7, rtol=1e-12, atol=1e-14)


def test_only_the_gaussian_embedding_is_frozen():
    for embedding in EMBEDDINGS:
        frozen = isinstance(build("2", embedding=embedding).embedding.linear.kernel, Frozen)
        assert frozen == (embedding == "gaussian")


def test_standard_initialisation_has_kaiming_variance_and_no_bias():
    dag = Dag.from_code("2_02_002")
    spec = NetworkSpec.make(dag, 50, 200, 10, reading=Reading(embedding="stem"), parameterization="standard")
    network = DagNetwork(spec, dag, rngs=nnx.Rngs(0))
    for layer, fan_in in zip(network.layers(), [50, 200, 200, 200, 200], strict=True):
        kernel = np.asarray(layer.linear.kernel[...])
        # The variance of n normal draws has relative deviation sqrt(2 / n): four of them.
        assert abs(kernel.var() * fan_in / 2 - 1) < 4 * math.sqrt(2 / kernel.size)
        assert not np.any(layer.linear.bias[...])


def test_batch_norm_uses_the_batch_in_training_and_its_running_averages_after():
    x = jnp.asarray(unit_rows(32, 4, seed=3))
    network = build("2", embedding="stem", parameterization="standard", batch_norm=True, width=16)
    z = np.asarray(x @ network.embedding.linear.kernel[...])
    expected = np.maximum((z - z.mean(0)) / np.sqrt(z.var(0) + 1e-5), 0)
    np.testing.assert_allclose(network.embedding(x, train=True)[0], expected, atol=1e-10)
    np.testing.assert_allclose(network.embedding.norm.mean[...], 0.1 * z.mean(0), atol=1e-12)
    # Rows that are masked out have no part in the averages of the batch.
    fresh = build("2", embedding="stem", parameterization="standard", batch_norm=True, width=16)
    garbage = jnp.concatenate([x, 100 * x[:5]])
    masked = fresh(garbage, mask=jnp.arange(37) < 32, train=True)[:32]
    again = build("2", embedding="stem", parameterization="standard", batch_norm=True, width=16)
    np.testing.assert_allclose(masked, again(x, train=True), atol=1e-10)
    with pytest.raises(InputError, match="batch normalisation"):
        empirical_kernel(network, x)


def test_bad_specifications_say_what_is_accepted():
    dag = Dag.from_code("2_02_002")
    for options, message in (
        ({"parameterization": "mup"}, "ntk, standard"),
        ({"dtype": "int8"}, "float32, float64"),
        ({"batch_norm": True}, "standard parameterization only"),
        ({"support": full_support(2)}, "more than the 2 slots"),
        ({"support": ((0,), (0,), (0,), (0,))}, "does not fit 2_02_002"),
    ):
        with pytest.raises(InputError, match=message):
            NetworkSpec.make(dag, 3, 4, **options)
    with pytest.raises(InputError, match="width must be at least 1"):
        NetworkSpec.make(dag, 3, 0)


@pytest.mark.parametrize("name", sorted(activations.ACTIVATIONS))
def test_every_activation_runs(name):
    x = unit_rows(3, 4)
    for order in ORDERS:
        network = build("2_21_112", activation=name, order=order)
        np.testing.assert_allclose(
            network(jnp.asarray(x)), literal_forward(network, Dag.from_code("2_21_112"), x), rtol=1e-11
        )
