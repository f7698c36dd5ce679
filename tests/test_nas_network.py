"""The NAS-Bench-201 network against a literal transcription, its initialisation, its size."""

import jax
import jax.numpy as jnp
import nas_oracle
import numpy as np
import pytest
from helpers import assert_close
from jax import lax

from nngp_dag.errors import InputError
from nngp_dag.nas import space_networks
from nngp_dag.nas.networks.convolution import convolve
from nngp_dag.nas.networks.depthwise import depthwise
from nngp_dag.nas.networks.initialize import blueprint, create, draw, leaf_names, rebuild
from nngp_dag.nas.networks.layers import avg_pool_3x3, max_pool_3x3
from nngp_dag.nas.networks.network201 import MacroSpec, Network201
from nngp_dag.spaces import get

pytestmark = pytest.mark.usefixtures("quick_compilation")

TINY = MacroSpec(channels=2, cells=2, classes=3, stages=2, dtype="float64")
SPACE = get("nasbench201")


def images(n=4, size=6, channels=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, size, size, channels))


@pytest.fixture(scope="module")
def forward():
    """The compiled network of `TINY` with random weights, also of its batch normalisations, and those weights."""
    state = draw(Network201, TINY, jax.random.key(3))
    rng = np.random.default_rng(5)
    state = jax.tree.map(lambda leaf: leaf + 0.3 * rng.normal(size=leaf.shape), state)
    run = jax.jit(lambda genes, x: rebuild(Network201, TINY, state)(x, genes)[0])
    return run, nas_oracle.parameters(state)


@pytest.mark.parametrize("seed", range(3))
def test_logits_equal_the_literal_transcription(forward, seed):
    run, values = forward
    genes = SPACE.sample(1, np.random.default_rng(seed))[0, 0]
    x = images(seed=seed)
    assert_close(run(jnp.asarray(genes, jnp.int32), x), nas_oracle.Network(values, TINY)(x, genes))


def test_every_operation_is_where_the_notation_says(forward):
    run, values = forward
    x = images(seed=9)
    for operation in range(5):
        genes = np.full(6, operation)
        assert_close(run(jnp.asarray(genes, jnp.int32), x), nas_oracle.Network(values, TINY)(x, genes))


def test_a_supernet_with_one_operation_an_edge_is_that_architecture(forward):
    run, _ = forward
    x = images()
    genes = SPACE.sample(1, np.random.default_rng(7))[0, 0]
    assert_close(run(jnp.eye(5)[genes], x), run(jnp.asarray(genes, jnp.int32), x))


def test_a_supernet_edge_sums_its_weighted_operations():
    spec = MacroSpec(channels=2, cells=1, classes=3, stages=1, dtype="float64")
    state = draw(Network201, spec, jax.random.key(0))
    cell = rebuild(Network201, spec, state).stages[0].edges[0]
    cell = jax.tree.map(lambda leaf: leaf[0], cell)
    x = images(channels=2)
    weights = np.array([0.1, 0.2, 0.0, 0.5, 0.2])
    expected = sum(w * f(jnp.asarray(x)) for w, f in zip(weights, cell.operations(), strict=True))
    assert_close(cell(jnp.asarray(x), jnp.asarray(weights)), expected)


def test_pools_leave_out_what_is_outside():
    x = images(size=5)
    for stride in (1, 2):
        assert_close(avg_pool_3x3(jnp.asarray(x), stride), nas_oracle.pool(x, "avg", stride))
        assert_close(max_pool_3x3(jnp.asarray(x), stride), nas_oracle.pool(x, "max", stride))


def assert_convolution(ours, native, oracle, x, kernel):
    """Value and gradients, against JAX's convolution and the literal transcription."""
    value = ours(x, kernel)
    assert_close(value, oracle)
    cotangent = np.random.default_rng(1).normal(size=value.shape)
    gradients = (jax.vjp(f, x, kernel)[1](cotangent) for f in (ours, native))
    for actual, desired in zip(*gradients, strict=True):
        assert_close(actual, desired)


def native_convolution(stride, padding, dilation=1, groups=1):
    return lambda x, kernel: lax.conv_general_dilated(
        x, kernel, (stride, stride), ((padding, padding), (padding, padding)), rhs_dilation=(dilation, dilation),
        dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=groups,
    )  # fmt: skip


@pytest.mark.parametrize(("size", "stride"), [(3, 1), (3, 2), (1, 1), (1, 2)])
def test_convolution_and_its_gradients(size, stride):
    rng = np.random.default_rng(0)
    for side in (7, 8):
        x, kernel = rng.normal(size=(2, side, side, 4)), rng.normal(size=(size, size, 4, 8))
        assert_convolution(
            lambda x, kernel: convolve(x, kernel, stride),
            native_convolution(stride, (size - 1) // 2),
            nas_oracle.conv(x, kernel, stride),
            x,
            kernel,
        )


@pytest.mark.parametrize(("size", "stride", "dilation"), [(3, 1, 1), (3, 2, 2), (5, 2, 1), (5, 1, 2)])
def test_depthwise_convolution_and_its_gradients(size, stride, dilation):
    rng = np.random.default_rng(0)
    for side in (7, 8):
        x, kernel = rng.normal(size=(2, side, side, 4)), rng.normal(size=(size, size, 1, 4))
        assert_convolution(
            lambda x, kernel: depthwise(x, kernel[:, :, 0], stride, dilation),
            native_convolution(stride, dilation * (size - 1) // 2, dilation, groups=4),
            nas_oracle.conv(x, kernel, stride, dilation, groups=4),
            x,
            kernel,
        )


@pytest.mark.parametrize("init", ["pytorch", "kaiming-fan-in", "kaiming-fan-out"])
def test_initial_weights_have_the_named_distribution(init):
    spec = MacroSpec(channels=24, cells=2, init=init)
    state = draw(Network201, spec, jax.random.key(0))
    values = nas_oracle.parameters(state)
    for name, value in values.items():
        if name.endswith("scale"):
            assert (value == 1).all()
        elif name.endswith("bias") and not (init == "pytorch" and name.startswith("classifier")):
            assert (value == 0).all()
        elif value.size > 20_000:
            area = np.prod(value.shape[-4:-2])
            fan_in, fan_out = area * value.shape[-2], area * value.shape[-1]
            variance = {"pytorch": 1 / (3 * fan_in), "kaiming-fan-in": 2 / fan_in, "kaiming-fan-out": 2 / fan_out}[init]
            # The variance of n draws has a relative standard error of at most sqrt(2 / n); six of them.
            assert abs(value.var() / variance - 1) < 6 * np.sqrt(2 / value.size)
            assert abs(value.mean()) < 6 * np.sqrt(variance / value.size)
            if init == "pytorch":
                assert np.abs(value).max() <= fan_in**-0.5
    bias = values["classifier.bias"]
    assert np.abs(bias).max() <= 96**-0.5
    assert (np.ptp(bias) > 0) == (init == "pytorch")


def test_weights_are_a_function_of_the_key():
    first, again, other = (nas_oracle.parameters(draw(Network201, TINY, jax.random.key(k))) for k in (0, 0, 1))
    assert all((first[name] == again[name]).all() for name in first)
    assert not (first["stem.0.kernel"] == other["stem.0.kernel"]).any()
    # Stacked cells do not share weights.
    kernel = first["stages.0.edges.0.conv_3x3.conv.kernel"]
    assert not (kernel[0] == kernel[1]).any()


@pytest.mark.parametrize(
    ("cell", "parameters", "multiply_adds"),
    [
        # The publishers' values, in millions: 1.531546 and 220.12; 0.073306 and 7.78 (NAS-Bench-201, Table 5 and API).
        ([3, 3, 3, 3, 3, 3], 1531546, 220119680),
        ([4, 1, 0, 0, 0, 4], 73306, 7783040),
    ],
)
def test_sizes_are_the_publishers(cell, parameters, multiply_adds):
    networks = space_networks("nasbench201")
    size = networks.size(networks.wot, np.array(cell), 32)
    assert (size.parameters, size.multiply_adds) == (parameters, multiply_adds)


def test_the_number_of_parameters_is_that_of_the_weights_that_matter():
    """Weights of the chosen operations: those on which the logits depend, where every node is on a path."""
    genes = jnp.array([2, 3, 1, 4, 3, 2], jnp.int32)
    x = images()
    state = draw(Network201, TINY, jax.random.key(1))
    mixed = jnp.asarray(np.random.default_rng(2).normal(size=(4, 3)))
    gradient = jax.jit(jax.grad(lambda s: (mixed * rebuild(Network201, TINY, s)(x, genes)[0]).sum()))(state)
    used = 0
    for names, leaf in zip(leaf_names(state), jax.tree.leaves(gradient), strict=True):
        parts = leaf.reshape(TINY.cells if names[0] == "stages" else 1, -1)
        used += sum(part.size for part in parts if np.abs(part).max() > 0)
    networks = space_networks("nasbench201")
    assert networks.size(TINY, np.asarray(genes), 6).parameters == used


def test_bad_sizes_are_refused():
    for changes in ({"channels": 0}, {"cells": 0}, {"init": "zeros"}, {"stem": False}):
        with pytest.raises(InputError):
            MacroSpec(**changes)


def test_the_blueprint_needs_no_weights():
    graph, state = blueprint(Network201, MacroSpec(channels=512, cells=50))
    assert graph is not None
    assert all(isinstance(leaf, jax.ShapeDtypeStruct) for leaf in jax.tree.leaves(state))
    assert create(Network201, TINY, jax.random.key(0)).spec == TINY
