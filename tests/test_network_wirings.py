"""Networks of wirings: against the definition node by node, their Jacobians, and the kernels of infinite width."""

import json
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from click.testing import CliRunner
from flax import nnx
from helpers import assert_close
from wiring_reference import reference_kernels

from nngp_dag import Dag, InputError, Wiring, kernel_fn
from nngp_dag.cli.montecarlo import command
from nngp_dag.cli.network import networks_of
from nngp_dag.finite.montecarlo import agreement, compare_methods, monte_carlo, width_rate
from nngp_dag.finite.network import DagNetwork, Ensemble, NetworkSpec, empirical_kernel
from nngp_dag.finite.training import TrainConfig, make_data, train
from nngp_dag.finite.training.loop import run_identity
from nngp_dag.prediction import LinearDynamics, predict_curve
from nngp_dag.reading import ORDERS, Reading

pytestmark = pytest.mark.usefixtures("quick_compilation")

X = np.random.default_rng(1).normal(size=(4, 3))

# Node 3 receives h_0 as it is, and once more behind the layer norm of node 2.
WIRING = Wiring.make(
    "2_12_121",
    weight_scale={(0, 1): 1.3, (1, 2): 0.8},
    bias_scale={(0, 1): 0.7, (1, 3): 0.9},
    gain={(1, 2): -1.1, (1, 3): 0.8},
    skip_gain={(0, 2): 0.6, (0, 3): 0.7, (2, 3): -0.9},
    activation={(1, 2): "erf", (1, 3): "sin"},
    layer_norm=[2],
    readout_weight_scale=1.2,
    readout_bias_scale=0.6,
)
SIGMA = {(0, 1): "relu", (1, 2): "erf", (1, 3): "sin"}
FUNCTIONS = {
    "relu": lambda z: jnp.maximum(z, 0) * jnp.sqrt(2.0),
    "erf": lambda z: jax.lax.erf(z) * (2 / jnp.pi * jnp.arcsin(2 / 3)) ** -0.5,
    "sin": lambda z: jnp.sin(z) * (0.5 - 0.5 * jnp.exp(-2.0)) ** -0.5,
}
"""sqrt(c) sigma: E sigma(z)^2 is 1/2 for ReLU, (2 / pi) arcsin(2/3) for erf and (1 - e^-2) / 2 for sin."""


def literal_outputs(weights, order, x):
    """Outputs [N, 2], node by node over the edges, by the formulas of `Wiring`."""
    m = weights["read-out"].shape[0]
    w, v, g = (dict(zip(WIRING.linear_edges, getattr(WIRING, n), strict=True)) for n in
               ("weight_scale", "bias_scale", "gain"))  # fmt: skip
    a = dict(zip(WIRING.skip_edges, WIRING.skip_gain, strict=True))
    nodes = [x @ weights["embedding"]]
    for t in range(1, 4):
        h = jnp.zeros((len(x), m))
        for s in range(t):
            if (s, t) in a:
                h = h + a[s, t] * nodes[s]
            elif (s, t) in w:
                e = (s, t)
                sigma, matrix, bias = FUNCTIONS[SIGMA[e]], weights[f"W{e}"], weights.get(f"b{e}", 0.0)
                if order == "activation-last":
                    h = h + g[e] * sigma(w[e] * nodes[s] @ matrix / jnp.sqrt(m) + v[e] * bias)
                else:
                    h = h + g[e] * (w[e] * sigma(nodes[s]) @ matrix / jnp.sqrt(m) + v[e] * bias)
        nodes.append((h - h.mean(axis=1, keepdims=True)) / h.std(axis=1, keepdims=True) if t == 2 else h)
    return 1.2 * nodes[-1] @ weights["read-out"] / jnp.sqrt(m) + 0.6 * weights["read-out bias"]


def network_and_weights(order, width=6):
    spec = NetworkSpec.make(WIRING, 3, width, 2, reading=Reading(order=order, embedding="gaussian-trained"),
                            dtype="float64")  # fmt: skip
    network = DagNetwork(spec, WIRING, rngs=nnx.Rngs(params=jax.random.key(3)))
    matrices = [layer.linear.kernel[...] for layer in network.layers() if hasattr(layer, "linear")]
    biases, last = (b[...] for b in network.biases)
    names = ["embedding", *(f"W{e}" for e in WIRING.linear_edges), "read-out", "b(0, 1)", "b(1, 3)", "read-out bias"]
    return network, dict(zip(names, [*matrices, *biases, last], strict=True))


@pytest.mark.parametrize("order", ORDERS)
def test_forward_is_the_definition(order):
    network, weights = network_and_weights(order)
    assert_close(jax.jit(network)(jnp.asarray(X)), jax.jit(literal_outputs, static_argnums=1)(weights, order, X))


@pytest.mark.parametrize("order", ORDERS)
def test_empirical_kernels_are_the_jacobian_gram(order):
    network, weights = network_and_weights(order)
    jacobian = jax.jit(jax.jacrev(lambda w: literal_outputs(w, order, X)[:, 0]))(weights)
    expected = sum(np.tensordot(*(part.reshape(len(X), -1),) * 2, (1, 1)) for part in jacobian.values())
    found = jax.jit(lambda x: empirical_kernel(network, x))(jnp.asarray(X))
    assert_close(found.ntk, expected)
    readout = jacobian["read-out"][..., 0], jacobian["read-out bias"][..., 0]
    assert_close(found.nngp, readout[0] @ readout[0].T + np.outer(readout[1], readout[1]))
    draws = nnx.state(network, nnx.Param)
    assert sum(leaf.size for leaf in jax.tree.leaves(draws)) == sum(part.size for part in weights.values())


@pytest.mark.parametrize("order", ORDERS)
def test_monte_carlo_accepts_the_kernel_of_a_wiring_and_rejects_its_neighbours(order):
    result = monte_carlo(WIRING, X, width=256, seeds=64, reading=Reading(order=order))

    def agreements(network, **options):
        kernels = reference_kernels(network, X, order, "gaussian", **options)
        return [agreement(getattr(result, name), k, 64) for name, k in zip(("nngp", "ntk"), kernels[:2], strict=True)]

    right = agreements(WIRING)
    assert all(found.accepted and found.relative_error < 0.05 for found in right)
    plain = Wiring.make(WIRING.dag)
    for wrong in (plain, replace(WIRING, layer_norm=()), replace(WIRING, bias_scale=0 * WIRING.bias_scale)):
        assert all(found.p < 1e-6 for found in agreements(wrong))
    assert agreements(WIRING, train_biases=False)[1].p < 1e-6
    if order == "activation-last":
        found = compare_methods(result, X)
        assert_close([found[name]["exact"].z for name in ("nngp", "ntk")], [a.z for a in right])
        assert not found["nngp"]["independent"].accepted  # copies of h_0 meet at node 3


def test_gradient_descent_follows_the_prediction_of_the_wiring():
    """Each network from its own initial outputs; without the bias' share of the NTK the prediction is rejected."""
    width, seeds, rate, steps = 128, 160, 0.3, 2
    labels = np.eye(2)[[0, 1, 1, 0]]
    spec = NetworkSpec.make(WIRING, 3, width, 2, dtype="float64")
    ensemble = Ensemble(spec, [WIRING], range(seeds))
    recipe = TrainConfig.make(4, loss="mse", optimizer="gd", learning_rate=rate, steps=steps, eval_every=steps)
    data = make_data(X, labels.argmax(axis=1), 2, "float64")
    curves = train(ensemble, data, recipe)
    start, end = curves.array("loss")[:, 0]
    initial = np.asarray(ensemble.apply(ensemble.init(), X))[0]

    def distance(ntk):
        """Of the losses from those of the linear dynamics, over those of the start: mean and standard error."""
        outputs = LinearDynamics(ntk, rate).outputs(steps, labels, initial)
        shares = (end - 0.5 * ((outputs - labels) ** 2).sum(axis=2).mean(axis=1)) / start
        return shares.mean(), shares.std(ddof=1) / seeds**0.5

    mean, error = distance(kernel_fn(WIRING)(X).ntk)
    assert abs(mean) < 4 * error and error < 0.025  # 1 / m shifts the mean by about 4 / m
    wrong, error = distance(reference_kernels(WIRING, X, "activation-last", "gaussian", train_biases=False)[1])
    assert abs(wrong) > 5 * error
    expected = predict_curve(WIRING, X, labels, rate, curves.steps)
    for measured, predicted in zip((start, end), expected.loss, strict=True):
        assert abs(measured.mean() - predicted) < 4 * measured.std(ddof=1) / seeds**0.5
    other = Ensemble(spec, [replace(WIRING, gain=2 * WIRING.gain)], range(seeds))
    ours, others = (run_identity(networks, data, recipe, [1.0]) for networks in (ensemble, other))
    assert {name for name in ours if ours[name] != others[name]} == {"wirings"} and curves.codes == ("2_12_121",)


def test_a_wiring_has_the_weights_of_its_dag():
    dag = Dag.from_code("2_02")
    plain, wired = (monte_carlo(network, X, width=8, seeds=4) for network in (dag, Wiring.make(dag)))
    assert (plain.ntk.mean == wired.ntk.mean).all() and wired.spec.wired is None
    scaled = monte_carlo(Wiring.make(dag, weight_scale=1.5, readout_bias_scale=0.1), X, width=8, seeds=4)
    assert_close(scaled.nngp.mean, 1.5**4 * plain.nngp.mean + 0.01)  # two edges of ReLU, and a constant


def test_members_of_an_ensemble_are_the_single_networks():
    shorter = Wiring.make("2_02", activation={(1, 2): "erf"})  # two slots of the four
    wirings = [WIRING, replace(WIRING, bias_scale=np.array([0.1, 0.2, 0.0])), shorter]
    spec = NetworkSpec.make(wirings, 3, 8, dtype="float64")
    assert [kind.has_bias for kind in spec.wired.kinds] == [True, True, False, True]
    ensemble = Ensemble(spec, wirings, [4, 2])
    outputs = ensemble.apply(ensemble.init(), X)
    for i, wiring in enumerate(wirings):
        single = DagNetwork(spec, wiring, rngs=nnx.Rngs(params=jax.random.key(2)))
        assert_close(outputs[i, 1], single(jnp.asarray(X)))


def test_what_has_no_network_is_refused_in_a_line():
    for networks, options, message in (
        ([WIRING], {"parameterization": "standard"}, "ntk parameterization only"),
        ([Wiring.stack([WIRING, WIRING])], {}, "one wiring, not a batch"),
        ([WIRING, Wiring.make("2_22", gain=0.5)], {}, "number 2 is an edge with erf in one and an edge with relu in"),
        ([WIRING, replace(WIRING, layer_norm=())], {}, "number 3 is layer norm in one and an edge with sin"),
        ([WIRING], {"support": ((0,), (0,))}, "a support of 5 rows"),
    ):
        with pytest.raises(InputError, match=message):
            NetworkSpec.make(networks, 3, 4, **options)
    for built, other in ((Dag.from_code("2_12_121"), WIRING), (WIRING, replace(WIRING, bias_scale=np.ones(3)))):
        with pytest.raises(InputError, match="does not fit 2_12_121"):
            NetworkSpec.make(built, 3, 4).wiring(other)
    with pytest.raises(InputError, match="at least two different widths"):
        width_rate(WIRING, X, widths=(8, 8))


def test_constant_features_stay_zero_behind_a_layer_norm():
    wiring = Wiring.make("2_02", layer_norm=[1])
    spec = NetworkSpec.make(wiring, 3, 8, dtype="float64")
    network = DagNetwork(spec, wiring, rngs=nnx.Rngs(params=jax.random.key(0)))
    kernel = jax.jit(lambda x: empirical_kernel(network, x))(jnp.zeros((2, 3)))
    assert (np.asarray(kernel.ntk) == 0).all()


def test_the_command_reads_a_wiring_from_a_file_and_scales_from_options(tmp_path):
    path, data = tmp_path / "wiring.json", tmp_path / "rows.npy"
    WIRING.save(path)
    np.save(data, X)

    def run(*arguments):
        return CliRunner().invoke(command, [*arguments, "--data", str(data), "--raw", "--width", "64", "--json"])

    document = json.loads(run("2_12_121", "--wiring", str(path)).stdout)
    assert document["code"] == "2_12_121" and Wiring.from_json(document["wiring"]).to_json() == WIRING.to_json()
    assert document["nngp"]["exact"]["accepted"] and document["ntk"]["exact"]["accepted"]
    assert str(networks_of((), None, None, path)) == str([WIRING])
    assert str(networks_of(("2_02", "2"), 1.5, None, None)) == str(
        [Wiring.make(code, weight_scale=1.5) for code in ("2_02", "2")]
    )
    assert str(networks_of(("2_02",), None, 0.5, None)) == str([Wiring.make("2_02", bias_scale=0.5)])
    assert networks_of(("2_02",), None, None, None) == [Dag.from_code("2_02")]
    for arguments, words in (
        (["2", "--wiring", str(path)], "the wiring in wiring.json is of 2_12_121, not of 2"),
        ([], "give the CODE of a DAG, or --wiring"),
        (["--wiring", str(path), "--bias-scale", "1"], "--bias-scale is for a CODE"),
        (["2", "--weight-scale", "nan"], "weight_scale must hold finite numbers"),
    ):
        refused = run(*arguments)
        assert isinstance(refused.exception, InputError) and words in str(refused.exception)
