"""Certified spectra of wirings: entries in balls against two recursions in floats, wrong numbers, and refusals."""

import dataclasses

import jax
import numpy as np
import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st
from test_kernel_wirings import random_wiring
from wiring_reference import independent_kernels, reference_kernels

from nngp_dag import Dag, InputError, Wiring, kernel_fn
from nngp_dag.dag import num_edges
from nngp_dag.datasets import load
from nngp_dag.kernel.network import network_of
from nngp_dag.paths import path_counts
from nngp_dag.proofs.kernel_balls import enclosed_kernels
from nngp_dag.proofs.prove import precision
from nngp_dag.proofs.wiring_balls import wiring_balls
from nngp_dag.reading import Setting
from nngp_dag.spectrum import certified

pytestmark = pytest.mark.usefixtures("quick_compilation")

X = np.random.default_rng(0).normal(size=(4, 3))
WITH_ZERO = np.vstack([X, 0 * X[:1]])
READINGS = [
    ("activation-last", "gaussian"),
    ("activation-last", "stem"),
    ("activation-first", "gaussian-trained"),
]
REFERENCES = {"exact": reference_kernels, "independent": independent_kernels}
WIRING = Wiring.make(
    "2_21_112",
    weight_scale=1.2,
    bias_scale={(0, 1): 0.3, (2, 3): 0.5},
    gain={(0, 2): 0.8},
    skip_gain={(0, 3): 0.7},
    activation={(0, 2): "erf"},
    readout_bias_scale=0.2,
)
NUMBERS = ("weight_scale", "bias_scale", "gain", "skip_gain", "readout_weight_scale", "readout_bias_scale")


def in_floats(network, x, setting):
    """NNGP and NTK by `kernel_fn`, in float64."""
    names = setting.names()
    with jax.enable_x64():
        return [np.asarray(kernel) for kernel in kernel_fn(network, names.pop("method"), **names)(x)]


def assert_enclosed(found, kernels):
    """The floats are those of the balls within their rounding, and the balls are narrow."""
    for enclosed, kernel in zip(found.values(), kernels, strict=True):
        scale = np.abs(kernel).max()
        np.testing.assert_allclose(enclosed.middle, kernel, rtol=0, atol=1e-13 * scale)
        assert enclosed.radius < 1e-14 * scale


@pytest.mark.parametrize("method", REFERENCES)
@pytest.mark.parametrize(("order", "embedding"), READINGS)
@settings(max_examples=15)
@given(num_nodes=st.integers(2, 6), seed=st.integers(0, 2**32 - 1))
def test_kernels_in_balls_are_those_of_the_recursion_over_pairs_of_nodes(method, order, embedding, num_nodes, seed):
    """Random scales, gains, activations and layer norms, on rows one of which is zero."""
    rng = np.random.default_rng(seed)
    dag = Dag(num_nodes, bytes(rng.integers(0, 3, num_edges(num_nodes)).astype(np.uint8)))
    wiring = random_wiring(dag, rng)
    setting = Setting.make(method, order, embedding)
    if not path_counts(dag.pruned()):
        with pytest.raises(InputError, match="no path"):
            enclosed_kernels(wiring, WITH_ZERO, setting)
        return
    assert_enclosed(
        enclosed_kernels(wiring, WITH_ZERO, setting), REFERENCES[method](wiring, WITH_ZERO, order, embedding)[:2]
    )


def test_kernels_in_balls_are_those_in_floats():
    wiring = dataclasses.replace(WIRING, layer_norm=(2,))
    setting = Setting.make("exact", "activation-last", "gaussian-trained", "leaky_relu")
    assert_enclosed(enclosed_kernels(wiring, X, setting), in_floats(wiring, X, setting))


@pytest.mark.parametrize("order", ["activation-last", "activation-first"])
@pytest.mark.parametrize(
    "values",
    [
        {"weight_scale": {(0, 1): 1.3}, "gain": {(2, 3): -0.7}, "skip_gain": {(0, 3): 0.6}, "activation": "relu"},
        {"weight_scale": 1.1, "bias_scale": 0.4, "activation": "erf", "readout_weight_scale": 1.2},
    ],
)
def test_path_sums_in_balls_are_those_in_floats(order, values):
    wiring = Wiring.make("2_21_112", readout_bias_scale=0.3, **values)
    setting = Setting.make("path-sum", order, "gaussian-trained")
    assert_enclosed(enclosed_kernels(wiring, X, setting), in_floats(wiring, X, setting))


@pytest.mark.parametrize("method", REFERENCES)
@pytest.mark.parametrize("order", ["activation-last", "activation-first"])
def test_a_number_that_is_off_is_told(method, order):
    """Each number of the wiring in turn, 1e-9 off: the floats then lie outside of the balls."""
    setting = Setting.make(method, order, "gaussian-trained")
    kernels = REFERENCES[method](WIRING, X, order, "gaussian-trained")[:2]
    assert_enclosed(enclosed_kernels(WIRING, X, setting), kernels)
    for name in NUMBERS:
        values = np.array(getattr(WIRING, name))
        for place in np.ndindex(values.shape):
            if values[place] == 0:
                continue  # squared, it would be off by 1e-18
            wrong = values.copy()
            wrong[place] += 1e-9
            found = enclosed_kernels(dataclasses.replace(WIRING, **{name: wrong}), X, setting)
            with pytest.raises(AssertionError):
                assert_enclosed(found, kernels)


def test_radii_cover_every_entry():
    """At four times the precision every entry is as near to its float as the radius allows."""
    wiring = network_of(dataclasses.replace(WIRING, layer_norm=(2,)), Setting.make().reading)
    found = enclosed_kernels(wiring, X, Setting.make())
    with precision(512):
        kernels = wiring_balls(wiring, Setting.make())
        rows = [[arb(v) for v in row] for row in X.tolist()]
        dots = [[sum((a * b for a, b in zip(u, v, strict=True)), arb(0)) for v in rows] for u in rows]
        at = [kernels.row(dots[i][i]) for i in range(len(X))]
        for i in range(len(X)):
            own = (at[i].nngp, at[i].ntk)
            line = [own if i == j else kernels.pair(at[i], at[j], dots[i][j]) for j in range(len(X))]
            for k, name in enumerate(("nngp", "ntk")):
                off = [abs(entry[k] - float(found[name].middle[i, j])) for j, entry in enumerate(line)]
                assert sum(off, arb(0)) <= arb(found[name].radius)


def test_eigenvalues_are_those_of_numpy():
    x = load("digits:30").x
    kernels = in_floats(WIRING, x, Setting.make())
    for (name, spectrum), kernel in zip(certified(WIRING, x).items(), kernels, strict=True):
        expected = np.linalg.eigvalsh(kernel)
        low, high = spectrum.eigenvalues
        slack = 1e-13 * expected[-1]  # of numpy's eigenvalues
        assert spectrum.proved and ((low - slack <= expected) & (expected <= high + slack)).all()
        assert spectrum.lambda_min[1] - spectrum.lambda_min[0] < 1e-9 * expected[0]
        other = certified(dataclasses.replace(WIRING, bias_scale=WIRING.bias_scale * 1.01), x, name)
        assert other.lambda_min[0] > spectrum.lambda_min[1] or other.lambda_min[1] < spectrum.lambda_min[0]


def test_a_plain_wiring_is_its_dag():
    plain, wired = (certified(network, X, "ntk") for network in (Dag.from_code("2_02"), Wiring.make("2_02")))
    assert plain.lambda_min == wired.lambda_min and wired.wiring is None
    assert wired.certificate()["code"] == "2_02"
    with pytest.raises(InputError, match="a certificate names a network by its code"):
        certified(WIRING, X, "nngp").certificate()


@pytest.mark.parametrize(
    ("wiring", "options", "says"),
    [
        (Wiring.make("2_12", activation="tanh"), {}, "unknown activation 'tanh' of certified eigenvalues"),
        (Wiring.make("2_12", layer_norm=[1], gain={(0, 1): 0.5}), {"method": "path-sum"}, "no formula for layer norm"),
        (Wiring.make("2_12", bias_scale={(0, 1): 0.5}), {"method": "path-sum"}, "path-sum has a formula for"),
        (Wiring.make("2_12", gain=2.0, activation="erf"), {"embedding": "stem", "method": "path-sum"}, "path-sum has"),
        (Wiring.stack([WIRING, WIRING]), {}, "one wiring, not of a batch"),
        (Wiring.make("0", readout_bias_scale=1.0), {}, "no path"),
        (WIRING, {"method": "neural-tangents"}, "unknown method"),
    ],
)
def test_what_is_not_certified_is_refused(wiring, options, says):
    with pytest.raises(InputError, match=says):
        certified(wiring, X, **options)


def test_layer_norm_of_features_that_cancel():
    """Along 0-1-2-5 gains a b c, along 0-3-4-5 gains c b -a: zero, which balls tell only where products are exact."""
    edges = [(0, 1), (1, 2), (2, 5), (0, 3), (3, 4), (4, 5)]
    dag = Dag.from_edges(dict.fromkeys(edges, "skip"))

    def cancelled(a, b, c):
        return Wiring.make(dag, skip_gain=dict(zip(edges, (a, b, c, c, b, -a), strict=True)), layer_norm=[5])

    assert (enclosed_kernels(cancelled(0.5, 3.0, 1.25), X, Setting.make())["nngp"].middle == 0).all()
    with pytest.raises(InputError, match="of node 5 is not told from zero"):
        certified(cancelled(0.1, 0.3, 0.7), X, "nngp")
