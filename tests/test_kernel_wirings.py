"""Kernels of wirings against a recursion over pairs of nodes, networks, differences, and the kernels of plain DAGs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, assert_mean
from hypothesis import given, settings
from hypothesis import strategies as st
from wiring_reference import independent_kernels, reference_kernels

from nngp_dag import Dag, InputError, Wiring, kernel_fn
from nngp_dag.dag import num_edges
from nngp_dag.kernel import pair_kernel, sweep_wirings

pytestmark = pytest.mark.usefixtures("quick_compilation")

X = np.random.default_rng(0).normal(size=(4, 3))
READINGS = [
    ("activation-last", "gaussian"),
    ("activation-last", "stem"),
    ("activation-first", "gaussian-trained"),
]
NAMES = ("relu", "erf", "identity", "sin")


def random_wiring(dag: Dag, rng: np.random.Generator, norms: float = 0.3, names=NAMES) -> Wiring:
    """Scales, gains and activations at random; some are plain, some are shared by several edges."""
    plain = Wiring.make(dag)
    linear, skip = len(plain.linear_edges), len(plain.skip_edges)
    return Wiring.make(
        dag,
        weight_scale=rng.choice([1.0, 0.8, 1.3], linear),
        bias_scale=rng.choice([0.0, 0.4], linear),
        gain=rng.choice([1.0, 0.7, -1.1], linear),
        skip_gain=rng.choice([1.0, -0.6, 0.9], skip),
        activation={e: names[i] for e, i in zip(plain.linear_edges, rng.integers(0, len(names), linear), strict=True)},
        layer_norm=[t for t in range(dag.num_nodes) if rng.random() < norms],
        readout_weight_scale=rng.choice([1.0, 1.2]),
        readout_bias_scale=rng.choice([0.0, 0.3]),
    )


@pytest.mark.parametrize(("order", "embedding"), READINGS)
@settings(max_examples=4)  # each compiles programs of its own
@given(num_nodes=st.integers(2, 5), seed=st.integers(0, 2**32 - 1))
def test_kernels_are_those_of_the_recursion_over_pairs_of_nodes(order, embedding, num_nodes, seed):
    rng = np.random.default_rng(seed)
    dag = Dag(num_nodes, bytes(rng.integers(0, 3, num_edges(num_nodes)).astype(np.uint8)))
    wiring = random_wiring(dag, rng)
    found = kernel_fn(wiring, order=order, embedding=embedding)(X)
    nngp, ntk, _ = reference_kernels(wiring, X, order, embedding)
    reason = "arccos of a rounded correlation, at the diagonal of the reference's fdot"
    assert_close(found.nngp, nngp)
    assert_close(found.ntk, ntk, tolerance=2e-8, reason=reason)
    if seed % 2:
        return
    paper = kernel_fn(wiring, "independent", order=order, embedding=embedding)(X)
    for kernel, expected in zip(paper, independent_kernels(wiring, X, order, embedding), strict=True):
        assert_close(kernel, expected, tolerance=2e-8, reason=reason)


@pytest.mark.parametrize(
    ("order", "norms"),
    [
        ("activation-last", 0.2),
        ("activation-first", 0.0),
        pytest.param("activation-last", 0.0, marks=pytest.mark.full),
        pytest.param("activation-first", 0.2, marks=pytest.mark.full),
    ],
)
def test_large_wirings_are_folded_like_small_ones(order, norms):
    """Twenty nodes: blocks with several ports a node, or with layer norm one scan."""
    rng = np.random.default_rng(7)
    n = 20
    edges = {(t - 1, t): "linear" for t in range(1, n)}
    edges |= {
        (s, t): "skip" if rng.random() < 0.5 else "linear" for t in range(n) for s in range(t - 1) if rng.random() < 0.2
    }
    wiring = random_wiring(Dag.from_edges(edges), rng, norms)
    wiring = wiring.divided_by_in_degree()
    found = kernel_fn(wiring, order=order, embedding="gaussian-trained")(X, get=("nngp", "ntk"))
    expected = reference_kernels(wiring, X, order, "gaussian-trained")
    reason = "arccos of a rounded correlation, at the diagonal of the reference's fdot"
    for kernel, reference in zip(found, expected[:2], strict=True):
        assert_close(kernel, reference, tolerance=2e-8, reason=reason)


def test_a_wiring_without_numbers_of_its_own_is_its_dag():
    for code in ("2_21_112", "2_02_000"):
        plain = kernel_fn(Dag.from_code(code))(X)
        for kernel, expected in zip(kernel_fn(Wiring.make(code))(X), plain, strict=True):
            assert (np.asarray(kernel) == np.asarray(expected)).all()
    biased = kernel_fn(Wiring.make("2_02_000", readout_bias_scale=0.5))(X)
    assert (np.asarray(biased.ntk) == 0.25).all()  # no path: the read-out's bias is all there is


def test_numbers_that_are_traced_give_what_known_ones_give():
    """A traced scale may be any number, so that every edge has a port of its own."""
    wiring = random_wiring(Dag.from_code("2_21_112"), np.random.default_rng(3))
    known = kernel_fn(wiring)(X)
    traced = jax.jit(lambda w: tuple(kernel_fn(w)(X)))(wiring)
    for kernel, expected in zip(traced, known, strict=True):
        assert_close(kernel, expected)
    pairs = pair_kernel(wiring, np.diag(X @ X.T)[:, None], X @ X.T, np.diag(X @ X.T))
    off = ~np.eye(len(X), dtype=bool)
    assert_close(np.asarray(pairs.ntk)[off], np.asarray(known.ntk)[off])


@pytest.mark.parametrize("order", ["activation-last", pytest.param("activation-first", marks=pytest.mark.full)])
def test_gradients_in_every_number_are_differences(order):
    rng = np.random.default_rng(5)
    wiring = Wiring.make(
        "2_21_112",
        weight_scale=rng.uniform(0.8, 1.3, 3),
        bias_scale=rng.uniform(0.1, 0.5, 3),
        gain=rng.uniform(0.5, 1, 3),
        skip_gain=rng.uniform(0.5, 1, 3),
        layer_norm=[1],
        activation={(0, 2): "erf"},
        readout_weight_scale=1.1,
        readout_bias_scale=0.2,
    )
    weights = rng.normal(size=(4, 4))

    @jax.jit
    def objective(w):
        return (weights * kernel_fn(w, order=order, embedding="gaussian-trained")(X).ntk).sum()

    gradient, leaves = jax.grad(objective)(wiring), jax.tree.structure(wiring)
    for i, (slope, values) in enumerate(zip(jax.tree.leaves(gradient), jax.tree.leaves(wiring), strict=True)):
        direction = rng.normal(size=np.shape(values))

        def moved(step, i=i, direction=direction):
            parts = [
                np.asarray(v) + step * direction * (j == i) if j == i else v
                for j, v in enumerate(jax.tree.leaves(wiring))
            ]
            return float(objective(jax.tree.unflatten(leaves, parts)))

        difference = (moved(1e-5) - moved(-1e-5)) / 2e-5
        assert_close((np.asarray(slope) * direction).sum(), difference, tolerance=1e-7, reason="central differences")


def literal_outputs(wiring, order, embedding, weights, x):
    """u(x) [N] of one network: node by node over the edges, as the module's formulas have it; ReLU, c = 2."""
    m = weights["read-out"].shape[0]
    relu = lambda z: jnp.maximum(z, 0)  # noqa: E731
    nodes = [x @ weights["embedding"]]
    if embedding == "stem":
        nodes = [jnp.sqrt(2) * relu(nodes[0])]
    linear = {edge: i for i, edge in enumerate(wiring.linear_edges)}
    skip = dict(zip(wiring.skip_edges, wiring.skip_gain, strict=True))

    def standardised(t, h):
        if t not in wiring.layer_norm:
            return h
        return (h - h.mean(axis=1, keepdims=True)) / h.std(axis=1, keepdims=True)

    nodes[0] = standardised(0, nodes[0])
    for t in range(1, wiring.dag.num_nodes):
        h = jnp.zeros((len(x), m))
        for s in range(t):
            if (s, t) in skip:
                h = h + skip[s, t] * nodes[s]
            elif (s, t) in linear:
                i = linear[s, t]
                g, w, v = wiring.gain[i], wiring.weight_scale[i], wiring.bias_scale[i]
                matrix, bias = weights["matrices"][i], weights["biases"][i]
                if order == "activation-last":
                    h = h + g * jnp.sqrt(2) * relu(w * nodes[s] @ matrix / jnp.sqrt(m) + v * bias)
                else:
                    h = h + g * (w * jnp.sqrt(2 / m) * relu(nodes[s]) @ matrix + v * bias)
        nodes.append(standardised(t, h))
    w, v = wiring.readout_weight_scale, wiring.readout_bias_scale
    return w * nodes[-1] @ weights["read-out"] / jnp.sqrt(m) + v * weights["read-out bias"]


@pytest.mark.parametrize(
    ("order", "embedding"),
    [
        ("activation-last", "stem"),
        pytest.param("activation-first", "gaussian-trained", marks=pytest.mark.full),
    ],
)
def test_networks_have_these_kernels(order, embedding):
    """Empirical NTKs of 96 networks of width 160, whose finite-width error is below their scatter."""
    wiring = Wiring.make(
        "2_11_122",
        weight_scale=1.3,
        bias_scale=0.4,
        gain=0.8,
        skip_gain=0.6,
        layer_norm=[2],
        readout_weight_scale=1.2,
        readout_bias_scale=0.3,
    )
    m, d, count = 160, X.shape[1], len(wiring.linear_edges)

    def drawn(key):
        keys = jax.random.split(key, 5)
        shapes = {
            "embedding": (d, m),
            "matrices": (count, m, m),
            "biases": (count, m),
            "read-out": (m,),
            "read-out bias": (),
        }
        return {name: jax.random.normal(k, shape) for k, (name, shape) in zip(keys, shapes.items(), strict=True)}

    def empirical(key):
        weights = drawn(key)
        jacobian = jax.jacrev(lambda w: literal_outputs(wiring, order, embedding, w, X))(weights)
        return sum(jnp.tensordot(*(part.reshape(len(X), -1),) * 2, (1, 1)) for part in jax.tree.leaves(jacobian))

    samples = jax.jit(lambda keys: jax.lax.map(empirical, keys))(jax.random.split(jax.random.key(1), 96))
    expected = kernel_fn(wiring, order=order, embedding=embedding)(X).ntk
    rows, columns = np.triu_indices(len(X))
    assert_mean(np.asarray(samples)[:, rows, columns], np.asarray(expected)[rows, columns], power=0.15, level=1e-2)
    without = Wiring.make(
        "2_11_122", weight_scale=1.3, bias_scale=0.4, gain=0.8, skip_gain=0.6, readout_weight_scale=1.2
    )
    wrong = np.asarray(kernel_fn(without, order=order, embedding=embedding)(X).ntk)
    with pytest.raises(AssertionError):
        assert_mean(np.asarray(samples)[:, rows, columns], wrong[rows, columns], power=0.15, level=1e-2)


NODES = Wiring.make("2_21_112", weight_scale=1.3, bias_scale=0.4, gain=[0.8, 0.7, 0.6], skip_gain=0.9, layer_norm=[1])


def test_kernels_at_every_node_are_those_of_the_recursion():
    found = kernel_fn(NODES, order="activation-first")(X, get="nodes")
    assert found.nodes.tolist() == [0, 1, 2, 3]
    _, _, (nngp, ntk) = reference_kernels(NODES, X, "activation-first", "gaussian")
    assert_close(found.nngp, nngp)
    assert_close(found.ntk, ntk, tolerance=2e-8, reason="arccos of a rounded correlation in the reference")
    chain = Dag.from_edges({(t - 1, t): "linear" for t in range(1, 21)})
    kernels = kernel_fn(chain)(X[:2], X, get="nodes")  # two blocks, the second not full
    assert kernels.nngp.shape == (21, 2, 4)
    assert_close(kernels.ntk[20], kernel_fn(chain)(X[:2], X, get="ntk"))
    assert_close(kernels.nngp[18], kernel_fn(Dag.from_edges({(t - 1, t): 2 for t in range(1, 19)}))(X[:2], X).nngp)
    idle = Dag.from_code("2_02_220_2200_00020")  # nodes 3 and 4 on some paths only
    at = kernel_fn(idle, "path-sum")(X, get="nodes")
    assert at.nodes.tolist() == np.flatnonzero(idle.reachable()).tolist()
    assert_close(at.ntk[-1], kernel_fn(idle, "path-sum")(X).ntk)


@pytest.mark.parametrize("order", ["activation-last", "activation-first"])
def test_path_sum_is_the_papers_rule_where_depths_do_not_meet(order):
    """On DAGs whose nodes have paths of one depth f acts on each path alone: Eq. 12 is the recursion *independent*."""
    for wiring in (
        Wiring.make("2_02_002", weight_scale=1.2, bias_scale=0.3, activation="erf", readout_bias_scale=0.4),
        Wiring.make("2_02_112", weight_scale=[1.2, 0.5, 0.8], gain=[0.3, 0.4, 1.5], skip_gain=[0.8, 0.7]),
    ):
        for kernel, expected in zip(
            kernel_fn(wiring, "path-sum", order)(X), kernel_fn(wiring, "independent", order)(X), strict=True
        ):
            assert_close(kernel, expected)


def test_neural_tangents_is_another_witness():
    wiring = Wiring.make(
        {(0, 1): 2, (1, 2): 2, (0, 2): 2, (0, 3): 1, (2, 3): 2},
        weight_scale=[1.2, 0.5, 0.8, 0.9],
        bias_scale=0.3,
        gain=[0.3, 0.4, 1.5, 0.8],
        skip_gain=0.8,
        activation={(0, 1): "erf"},
        layer_norm=[1, 2],
        readout_weight_scale=1.3,
        readout_bias_scale=0.2,
    )
    reason = "neural-tangents' LayerNorm adds 1e-12 to variances, and its ReLU takes arccos of a rounded correlation"
    for kernel, expected in zip(
        kernel_fn(wiring, "neural-tangents")(X), kernel_fn(wiring, order="activation-first")(X), strict=True
    ):
        assert_close(kernel, expected, tolerance=2e-8, reason=reason)


def test_a_batch_is_every_wiring(monkeypatch):
    """Two at a time, of three: the last group overlaps the first."""
    monkeypatch.setattr("nngp_dag.kernel.batches._GROUP_BYTES", 2 * len(X) ** 2 // 2 * X.itemsize)
    rng = np.random.default_rng(2)
    batch = Wiring.make("2_21_112", gain=rng.uniform(0.5, 1, (3, 3)), bias_scale=0.2, readout_bias_scale=[0.1, 0, 0.3])
    found = sweep_wirings(batch, X)
    for i in range(3):
        for kernel, expected in zip(found, kernel_fn(batch.reduced(lambda a, i=i: a[i]))(X), strict=True):
            assert_close(kernel[i], expected)
    assert (np.asarray(found.ntk) == np.asarray(found.ntk).swapaxes(1, 2)).all()


@pytest.mark.full
def test_a_batch_is_differentiable():
    gains = np.random.default_rng(2).uniform(0.5, 1, (3, 3))
    batch = Wiring.make("2_21_112", gain=gains, bias_scale=0.2)
    slopes = jax.grad(lambda b: sweep_wirings(b, X, ("nngp",)).nngp.sum())(batch)
    single = jax.grad(lambda w: kernel_fn(w)(X, get="nngp").sum())(batch.reduced(lambda a: a[1]))
    assert_close(slopes.gain[1], single.gain)


def test_what_has_no_kernel_is_refused_in_a_line():
    wiring = Wiring.make("2_12", gain=0.5)
    with pytest.raises(InputError, match="path-sum has no formula for layer norm"):
        kernel_fn(Wiring.make("2_12", layer_norm=[1]), "path-sum")
    with pytest.raises(InputError, match="2 activations"):
        kernel_fn(Wiring.make("2_12", activation={(0, 1): "erf"}), "path-sum")
    with pytest.raises(InputError, match="path-sum has a formula for a homogeneous activation without biases"):
        kernel_fn(Wiring.make("2_12", gain=0.5, bias_scale=0.1), "path-sum")
    with pytest.raises(InputError, match="node 1 has layer norm, and its features are not mean-zero Gaussian"):
        kernel_fn(Wiring.make("2_02", layer_norm=[1]), "neural-tangents", "activation-last")
    with pytest.raises(InputError, match=r"nodes.*not known to neural-tangents"):
        kernel_fn(Dag.from_code("2_02"), "neural-tangents")(X, get="nodes")
    with pytest.raises(InputError, match="one leading axis"):
        sweep_wirings(wiring, X)
    with pytest.raises(InputError, match="weight_scale needs a number"):
        kernel_fn(
            Wiring(
                wiring.dag, wiring.activations, (), np.ones(3), *[np.ones(2)] * 2, np.ones(1), np.ones(()), np.zeros(())
            )
        )(X)
