"""neural-tangents imports and computes on every supported JAX, without TensorFlow, and leaves JAX as it found it."""

import subprocess
import sys
import textwrap

import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
import pytest

from nngp_dag.support.neural_tangents_compat import neural_tangents as nt

pytestmark = [pytest.mark.oldest, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture(scope="module")
def network():
    """A one-layer ReLU network: (init_fn, apply_fn, kernel_fn), inputs, targets and parameters."""
    stax = nt.stax
    functions = stax.serial(stax.Dense(64, W_std=2**0.5, b_std=None), stax.Relu(), stax.Dense(1, b_std=None))
    x = jax.random.normal(jax.random.PRNGKey(0), (6, 5))
    return functions, x, jnp.sin(x[:, :1]), functions[0](jax.random.PRNGKey(1), x.shape)[1]


def run_python(code: str) -> str:
    """Standard output of a fresh interpreter; its failure, with its traceback, is the test's."""
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def relu_ntk(x):
    """NNGP and NTK of Dense(W_std^2 = 2)-ReLU-Dense without biases, from the arc-cosine kernels."""
    k = 2 * x @ x.T / x.shape[1]
    q = np.sqrt(np.outer(np.diag(k), np.diag(k)))
    rho = np.clip(k / q, -1, 1)
    f = q * (np.sqrt(1 - rho**2) + (np.pi - np.arccos(rho)) * rho) / (2 * np.pi)
    return f, f + k * (np.pi - np.arccos(rho)) / (2 * np.pi)


def test_kernel(network):
    """Closed-form kernels, whole and in batches."""
    (_, _, kernel_fn), x, _, _ = network
    kernel = kernel_fn(x, None, ("nngp", "ntk"))
    batched = nt.batch(kernel_fn, batch_size=3, device_count=0)(x, None, ("nngp", "ntk"))
    for got, in_batches, expected in zip(kernel, batched, relu_ntk(np.asarray(x)), strict=True):
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6)
        np.testing.assert_allclose(in_batches, expected, rtol=0, atol=1e-6)


def test_predict(network):
    """Infinite-time prediction is kernel regression; a finite time lies between the start and that."""
    (_, _, kernel_fn), x, y, _ = network
    predict = nt.predict.gradient_descent_mse_ensemble(kernel_fn, x[:4], y[:4])
    k = np.asarray(kernel_fn(x, None, "ntk"))
    expected = k[4:, :4] @ np.linalg.solve(k[:4, :4], y[:4])
    np.testing.assert_allclose(predict(x_test=x[4:], get="ntk"), expected, rtol=1e-5)
    # Gradient flow on the mean squared error 1/2 |f - y|^2 / 4 from f = 0, in the eigenbasis of the kernel.
    values, vectors = np.linalg.eigh(k[:4, :4])
    flow = vectors @ np.diag(-np.expm1(-values * 3.0 / 4)) @ vectors.T @ y[:4]
    np.testing.assert_allclose(predict(x_test=None, get="ntk", t=3.0), flow, rtol=1e-5)
    loss = nt.predict.gradient_descent(lambda f, target: 0.5 * jnp.mean((f - target) ** 2), k[:4, :4], y[:4])
    np.testing.assert_allclose(loss(3.0, jnp.zeros_like(y[:4])), flow, rtol=1e-4)


def test_empirical_kernels(network):
    """Both ways to the empirical NTK agree with the Jacobian's Gram matrix, and the NTK-vector product with both."""
    (_, apply_fn, _), x, y, parameters = network
    flat, unravel = jax.flatten_util.ravel_pytree(parameters)
    jacobian = jax.jacobian(lambda p: apply_fn(unravel(p), x)[:, 0])(flat)
    expected = np.asarray(jacobian @ jacobian.T)
    for implementation in (nt.NtkImplementation.JACOBIAN_CONTRACTION, nt.NtkImplementation.NTK_VECTOR_PRODUCTS):
        got = nt.empirical_ntk_fn(apply_fn, implementation=implementation)(x, None, parameters)
        np.testing.assert_allclose(got, expected, rtol=1e-8)
    product = nt.empirical_ntk_vp_fn(apply_fn, x, None, parameters)(y)
    np.testing.assert_allclose(product, expected @ y, rtol=1e-8)


def test_linearize(network):
    """First and second order expansions agree with the network to that order."""
    (_, apply_fn, _), x, _, parameters = network
    direction = jax.tree.map(jnp.ones_like, parameters)

    def error(expansion, step):
        moved = jax.tree.map(lambda p, d: p + step * d, parameters, direction)
        return float(jnp.abs(expansion(moved, x) - apply_fn(moved, x)).max())

    linear, quadratic = nt.linearize(apply_fn, parameters), nt.taylor_expand(apply_fn, parameters, 2)
    assert 0 < error(linear, 1e-4) < 1e-6
    assert error(quadratic, 1e-4) < 1e-10


def test_monte_carlo(network):
    """Monte-Carlo kernels are symmetric and near the infinite-width ones (their statistics are tested elsewhere)."""
    (init_fn, apply_fn, kernel_fn), x, _, _ = network
    sample = nt.monte_carlo_kernel_fn(init_fn, apply_fn, jax.random.PRNGKey(2), 256)(x, None, ("nngp", "ntk"))
    for got, expected in zip(sample, kernel_fn(x, None, ("nngp", "ntk")), strict=True):
        np.testing.assert_allclose(got, got.T, rtol=1e-12)
        assert np.linalg.norm(got - expected) < 0.3 * np.linalg.norm(expected)


HEAVY = {"neural_tangents", "tensorflow", "sklearn", "matplotlib", "flax", "optax", "networkx", "rich"}


def test_jax_is_left_as_it_was_and_what_is_heavy_is_loaded_only_when_used():
    """In one interpreter, since each takes seconds to start: the package, neural-tangents, its TensorFlow part.

    `import nngp_dag` loads neither neural-tangents nor other heavy packages. Stand-ins for missing names are gone after
    the import of neural-tangents, and TensorFlow was not loaded; the part that needs it says so when it is used.
    """
    run_python(
        f"""
        import sys, warnings
        warnings.simplefilter("ignore")
        import jax, jax.core, jax.interpreters.ad

        def names():
            return {{m.__name__: set(vars(m)) for m in (jax, jax.core, jax.interpreters.ad)}}, "jax.util" in sys.modules

        before = names()
        import nngp_dag
        loaded = {{m.split(".")[0] for m in sys.modules}} & {HEAVY!r}
        assert not loaded, loaded
        import nngp_dag.support.neural_tangents_compat
        after = names()
        new = {{m: after[0][m] - before[0][m] for m in after[0]}}
        assert new["jax.core"] == new["jax.interpreters.ad"] == set(), new
        assert all(getattr(jax, n).__name__.startswith("jax.") for n in new["jax"]), new
        assert ("jax.util" in sys.modules) <= hasattr(jax, "util")
        assert "tensorflow" not in sys.modules
        import neural_tangents
        assert neural_tangents is nngp_dag.support.neural_tangents_compat.neural_tangents
        try:
            import tensorflow
        except ImportError:
            try:
                neural_tangents.experimental.empirical_ntk_fn_tf
            except ImportError as error:
                assert "needs tensorflow" in str(error)
            else:
                raise AssertionError("no error without TensorFlow")
        """
    )


def test_nothing_is_set_where_nothing_is_missing():
    """With every name in place, the import sets and removes none of them."""
    run_python(
        """
        import sys, types, warnings
        warnings.simplefilter("ignore")
        import jax, jax.core, jax.extend.core, jax.interpreters.ad as ad

        for name in ("AbstractValue", "Jaxpr", "JaxprEqn", "Literal", "Primitive", "ShapedArray", "Value", "Var"):
            if not hasattr(jax.core, name):
                setattr(jax.core, name, getattr(jax.extend.core, name))
        for name in ("zeros_like_p", "add_jaxvals_p"):
            if not hasattr(ad, name):
                setattr(ad, name, object())
        try:
            import jax.util
        except ImportError:
            util = types.ModuleType("jax.util")
            util.safe_map, util.safe_zip = map, zip
            util.__spec__ = types.SimpleNamespace(name="jax.util")
            sys.modules["jax.util"] = jax.util = util
        before = [dict(vars(m)) for m in (jax.core, ad, jax.util)]
        import nngp_dag.support.neural_tangents_compat
        assert [dict(vars(m)) for m in (jax.core, ad, jax.util)] == before
        """
    )


OBSTACLES = {
    "sys.modules['jax.experimental.ode'] = None": "jax>=0.6.2",
    "sys.modules['frozendict'] = None": "frozendict",
    "importlib.util.find_spec = lambda name, package=None: None": "neural-tangents is not installed",
}


def test_one_line_where_it_cannot_help():
    """An import that fails all the same says in one line what to do, and is an error of the input too."""
    messages = run_python(
        f"""
        import importlib.util, sys
        import nngp_dag
        for obstacle in {list(OBSTACLES)!r}:
            exec(obstacle)
            try:
                import nngp_dag.support.neural_tangents_compat
            except ImportError as error:
                assert isinstance(error, nngp_dag.InputError)
                print(error)
            again = ("neural_tangents", "nngp_dag.support.neural_tangents", "frozendict", "jax.experimental.ode")
            for name in [name for name in sys.modules if name.startswith(again)]:
                del sys.modules[name]  # the next attempt starts anew, without this obstacle
        """
    ).splitlines()
    for message, words in zip(messages, OBSTACLES.values(), strict=True):
        assert words in message
