"""The method neural-tangents: equal to the exact recursion where its assumptions hold, refused where they do not."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, assert_mean

from nngp_dag.activations import from_function
from nngp_dag.dag import Dag, enumerate_codes
from nngp_dag.errors import InputError
from nngp_dag.kernel import neural_tangents as backend
from nngp_dag.reading import Setting
from verify.tools.pair_recursion import exact_gram

NAMES = ("nngp", "ntk")
ORDERS = ("activation-first", "activation-last")
NEAR_ONE = (
    "neural-tangents takes the ReLU angle as arctan of sqrt(kxx kyy - kxy^2), which loses half the digits at rho = 1"
)

# Correlated, independent, opposite, equal up to scale, and a row of zeros.
X = np.array([[0.6, 0.8, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 1.2], [-0.6, -0.8, 0.0], [0.3, 0.4, 0.0], [0.0, 0.0, 0.0]])


def setting(order="activation-first", embedding="gaussian", activation="relu"):
    return Setting.make("neural-tangents", order, embedding, activation)


def kernels(dag, setting):
    return backend.make_kernel_fn(dag, setting)(jnp.asarray(X), None, NAMES)


def unchecked(dag, setting):
    """The kernels that neural-tangents gives when nobody has checked its assumptions; whatever it raises."""
    network = backend._assemble(dag.pruned(), setting, X.shape[1], 1, 1)
    return network.kernel_fn(jnp.asarray(X), None, NAMES)._asdict()


def assert_exact(got, dag, setting):
    expected = exact_gram(dag, X, X, setting.order, setting.embedding, setting.activation.name)
    for name, desired in zip(NAMES, expected, strict=True):
        assert_close(got[name], desired, tolerance=1e-8, reason=NEAR_ONE)


def relative_error(got, dag, setting):
    expected = exact_gram(dag, X, X, setting.order, setting.embedding, setting.activation.name)
    return min(np.abs(got[name] - desired).max() / desired.max() for name, desired in zip(NAMES, expected, strict=True))


def distinct(num_nodes):
    """The codes of a complete space, grouped by pruned form: {pruned DAG: number of codes}."""
    groups = {}
    for code in enumerate_codes(num_nodes):
        pruned = Dag.from_array(code).pruned()
        groups[pruned] = groups.get(pruned, 0) + 1
    return groups


def is_chain(pruned):
    """Every node has one incoming edge: the only DAGs that activation-last leaves to neural-tangents."""
    return all((pruned.matrix[:t, t] > 0).sum() == 1 for t in range(1, pruned.num_nodes))


@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.full)])
def test_every_four_node_code_is_exact_or_refused(every):
    """Activation-first, all 729 codes: the kernels are the exact ones to 1e-8, or would be wrong and are refused.

    The refusals are neither too many nor too few: where `check` objects, the unchecked kernels are off by 2% or more.
    """
    s = setting()
    served = refused = 0
    dags = list(distinct(4).items())
    for dag, count in dags[::every]:
        try:
            got = kernels(dag, s)
        except InputError:
            assert relative_error(unchecked(dag, s), dag, s) > 0.02, dag
            refused += count
        else:
            assert_exact(got, dag, s)
            served += count
    assert served + refused == (729 if every == 1 else sum(count for _, count in dags[::every]))
    assert min(served, refused) > 0


@pytest.mark.parametrize("embedding", ["gaussian", "stem"])
def test_activation_last_serves_chains_only(embedding):
    """Activation-last, all 729 codes: chains are exact, all others are refused, with the node's name."""
    s = setting("activation-last", embedding)
    for dag in distinct(4):
        if is_chain(dag) or not any(dag.ops):
            assert_exact(kernels(dag, s), dag, s)
        else:
            with pytest.raises(InputError, match=r"into node \d|node \d adds"):
                backend.make_kernel_fn(dag, s)


def test_activation_last_would_be_refused_or_wrong():
    """A sample of what activation-last refuses: FanInSum refuses it itself, or what it gives is wrong."""
    s = setting("activation-last")
    own_refusals = wrong = 0
    for dag in [dag for dag in distinct(4) if not is_chain(dag) and any(dag.ops)][::7]:
        try:
            got = unchecked(dag, s)
        except NotImplementedError:
            own_refusals += 1
        else:
            assert relative_error(got, dag, s) > 0.02, dag
            wrong += 1
    assert min(own_refusals, wrong) > 0


def test_trained_embedding_is_exact():
    """The trained embedding's tangent kernel passes through every layer."""
    s = setting(embedding="gaussian-trained")
    dags = list(distinct(4))[::9]
    served = 0
    for dag in dags:
        try:
            backend.check(dag, s)
        except InputError:
            continue
        assert_exact(kernels(dag, s), dag, s)
        served += 1
    assert served > 15


@pytest.mark.oldest
@pytest.mark.parametrize("activation", sorted(backend._LAYERS))
@pytest.mark.parametrize("order", ORDERS)
def test_activations_are_exact(activation, order):
    """Every activation with a closed form there, on rows of norms 0 to 1.2, two layers deep."""
    s = setting(order, activation=activation)
    dag = Dag.from_code("2_02_002" if order == "activation-last" else "2_12_022")
    assert_exact(kernels(dag, s), dag, s)


def test_identity_stays_gaussian():
    """The identity keeps features Gaussian, so activation-last is as general as activation-first."""
    s = setting("activation-last", activation="identity")
    dag = Dag.from_code("2_12_022")
    assert_exact(kernels(dag, s), dag, s)
    with pytest.raises(InputError, match="correlated"):
        backend.check(Dag.from_code("1_10_111"), s)


def test_larger_dags_are_exact():
    """Seven nodes, drawn at random, mostly linear edges so that many are served."""
    rng = np.random.default_rng(0)
    s = setting()
    served = 0
    for _ in range(20):
        dag = Dag.from_array(rng.choice(3, p=[0.5, 0.15, 0.35], size=21))
        try:
            got = kernels(dag, s)
        except InputError:
            assert relative_error(unchecked(dag, s), dag, s) > 1e-3, dag
        else:
            assert_exact(got, dag, s)
            served += any(dag.pruned().ops)
    assert served >= 5


@pytest.mark.parametrize(
    ("code", "s", "words"),
    [
        # Node 1 is not on a path to the output: the message speaks of the nodes of the code as given.
        ("2_10_101", setting(), ["nodes 0 and 2 into node 3", "both carry node 0", "method exact"]),
        ("2_12_001", setting("activation-last"), ["node 2 adds the linear branch from node 1", "activation-first"]),
        ("2_10_011", setting("activation-last"), ["node 3 adds the skip branch from node 1", "not mean-zero Gaussian"]),
        ("2_20_000", setting(), ["no path"]),
    ],
)
def test_refusals_name_the_node(code, s, words):
    """A refusal is one line with the node, the reason, and what to use instead."""
    with pytest.raises(InputError) as caught:
        backend.check(Dag.from_code(code), s)
    message = str(caught.value)
    assert "\n" not in message
    for part in words:
        assert part in message


def test_activations_without_closed_form_are_refused():
    """Quadrature in neural-tangents is not accurate enough to pass for a kernel."""
    s = Setting.make("neural-tangents", activation=from_function(lambda x: x**3, "cubic", is_polynomial=True))
    for dag in (Dag.from_code("2"), Dag.from_code("0")):
        with pytest.raises(InputError, match="no closed form for the activation cubic"):
            backend.make_kernel_fn(dag, s)


def test_a_dag_without_path_has_zero_kernels():
    got = kernels(Dag.from_code("2_20_000"), setting())
    assert got["nngp"].shape == got["ntk"].shape == (6, 6)
    assert not np.any(got["nngp"]) and not np.any(got["ntk"])


def test_two_sets_of_rows_symmetry_and_dtype():
    """Blocks agree with the whole, the whole is symmetric to the last bit, and float32 stays float32."""
    compute = backend.make_kernel_fn(Dag.from_code("2_12_022"), setting())
    x = jnp.asarray(X)
    whole = compute(x, None, NAMES)
    block = compute(x[:4], x[3:], NAMES)
    for name in NAMES:
        np.testing.assert_array_equal(whole[name], whole[name].T)
        assert_close(block[name], whole[name][:4, 3:], tolerance=1e-8, reason=NEAR_ONE)
        assert compute(x.astype(jnp.float32), None, (name,))[name].dtype == jnp.float32


def test_jit_and_gradient():
    """The kernel function can be jitted, and its gradient is finite at equal rows and at a row of zeros."""
    compute = backend.make_kernel_fn(Dag.from_code("2_12_022"), setting())
    x = jnp.asarray(X)
    jitted = jax.jit(lambda x: compute(x, None, NAMES))(x)
    for name in NAMES:
        assert_close(jitted[name], compute(x, None, NAMES)[name], tolerance=1e-8, reason=NEAR_ONE)
    gradient = jax.grad(lambda x: compute(x, None, ("ntk",))["ntk"].sum())(x)
    assert np.isfinite(gradient).all()


def samples_of_finite_networks(network, width, seeds):
    """NNGP and NTK of networks of finite width, one sample a seed, [seeds, N, N] each."""
    from nngp_dag.support.neural_tangents_compat import neural_tangents as nt

    x = jnp.asarray(X[:3])
    ntk_fn = nt.empirical_ntk_fn(lambda parameters, x: network.apply_fn(parameters, x)[:, :1])

    def sample(key):
        parameters = network.init_fn(key, x.shape)[1]
        u = network.apply_fn(parameters, x)
        return u @ u.T / u.shape[1], ntk_fn(x, None, parameters)

    return jax.lax.map(sample, jax.random.split(jax.random.PRNGKey(0), seeds), batch_size=32)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("code", "order", "embedding"),
    [
        ("2_12_022", "activation-first", "gaussian"),
        pytest.param("1_20_012", "activation-first", "gaussian-trained", marks=pytest.mark.full),
        ("2_02_002", "activation-last", "stem"),
    ],
)
def test_finite_networks_have_these_kernels(code, order, embedding):
    """`init_fn` and `apply_fn` at width 128: kernels averaged over seeds are the infinite ones.

    Corrections of a finite width are of relative order (layers / width); 4 / width allows for their constant.
    """
    width = 128
    s = setting(order, embedding)
    dag = Dag.from_code(code)
    network = backend.build(dag, s, X.shape[1], width=width, outputs=32)
    samples = samples_of_finite_networks(network, width, seeds=256)
    expected = exact_gram(dag, X[:3], X[:3], order, embedding)
    upper = np.triu_indices(3)
    for sample, desired in zip(samples, expected, strict=True):
        entries = np.asarray(sample)[:, *upper]
        assert_mean(entries, desired[upper], power=0.3, bias=4 / width * desired.max())


@pytest.mark.oldest
def test_an_untrained_embedding_gets_no_gradient():
    network = backend.build(Dag.from_code("2"), setting(), 3, width=4)
    _, parameters = network.init_fn(jax.random.PRNGKey(0), (1, 3))
    gradient = jax.grad(lambda p: network.apply_fn(p, jnp.asarray(X[:1])).sum())(parameters)
    sizes = [float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(gradient)]
    assert [size > 0 for size in sizes] == [False, True, True]  # embedding, edge, readout


def test_sizes_below_one_are_refused():
    with pytest.raises(InputError, match="at least 1"):
        backend.build(Dag.from_code("2"), setting(), 3, width=0)
