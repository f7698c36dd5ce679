"""The kernel function as an interface: get, dtype, jit, gradients, tiles, large DAGs, sweeps, and what it refuses."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close

from nngp_dag import Dag, InputError, Kernel, enumerate_codes, kernel_fn
from nngp_dag.dag import num_edges
from nngp_dag.kernel import pair_kernel, pair_method, propagate
from nngp_dag.kernel.chunks import sweep_chunks, sweep_kernels
from nngp_dag.kernel.gram import gram
from nngp_dag.reading import PAIR_METHODS, Setting

X = np.random.default_rng(0).normal(size=(9, 4))
DAG = Dag.from_code("2_21_112")
SHARPEST = [pytest.param(name, marks=pytest.mark.full) if name == "independent" else name for name in PAIR_METHODS]
"""Methods for what is costly: *independent* is the recursion of *exact* without its cross terms."""


def test_get_as_in_neural_tangents():
    fn = kernel_fn(DAG)
    both = fn(X)
    assert isinstance(both, Kernel)
    assert (fn(X, get="nngp") == both.nngp).all()
    named = fn(X, None, ("ntk", "nngp"))
    assert named._fields == ("ntk", "nngp")
    assert_close(named.ntk, both.ntk)
    assert fn(X, X[:2], get=("ntk",)).ntk.shape == (9, 2)


@pytest.mark.float32
@pytest.mark.parametrize("method", PAIR_METHODS)
def test_dtype_follows_the_rows(method):
    fn = kernel_fn(DAG, method)
    single = fn(X.astype(np.float32))
    assert single.nngp.dtype == single.ntk.dtype == np.float32
    double = fn(X)  # NumPy float64, whatever the global setting
    assert double.nngp.dtype == double.ntk.dtype == np.float64
    assert_close(single.nngp, np.asarray(double.nngp, np.float32))
    reason = "arccos near rho = 1 has half of the digits"
    assert_close(single.ntk, np.asarray(double.ntk, np.float32), tolerance=1e-3, reason=reason)


def test_float64_without_the_global_switch():
    program = (
        "import numpy as np, jax, nngp_dag\n"
        "k = nngp_dag.kernel_fn(nngp_dag.Dag.from_code('2_12'))(np.eye(3))\n"
        "assert k.ntk.dtype == np.float64, k.ntk.dtype\n"
        "assert not jax.config.jax_enable_x64\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


@pytest.mark.oldest
@pytest.mark.parametrize("method", ["exact", pytest.param("path-sum", marks=pytest.mark.full)])
def test_jit_and_gradients(method):
    """Gradients with respect to the rows, against central differences, with parallel and equal rows among them."""
    x = np.array(X[:5])
    x[1], x[2] = x[0], -0.5 * x[0]
    fn = kernel_fn(DAG, method, embedding="gaussian-trained")
    assert_close(jax.jit(lambda x: fn(x).ntk)(x), fn(x).ntk, tolerance=1e-12)
    weights = np.random.default_rng(1).normal(size=(5, 5))

    def objective(x, name):
        return (weights * fn(x, get=name)).sum()

    for name in ("nngp", "ntk"):
        gradient = jax.grad(objective)(jnp.asarray(x), name)
        assert np.isfinite(gradient).all()
    # The derivative of fdot is singular at equal and opposite rows: compare where the kernel is smooth.
    smooth = np.array(X[:5])
    for name in ("nngp", "ntk"):
        gradient = jax.grad(objective)(jnp.asarray(smooth), name)
        direction = np.random.default_rng(2).normal(size=smooth.shape)
        step = 1e-5
        numeric = (objective(smooth + step * direction, name) - objective(smooth - step * direction, name)) / (2 * step)
        assert_close((gradient * direction).sum(), numeric, tolerance=1e-7, reason="central differences of step 1e-5")


@pytest.mark.parametrize("method", PAIR_METHODS)
@pytest.mark.parametrize("tile", [4, pytest.param(1, marks=pytest.mark.full)])  # 4 does not divide 9
def test_tiles_do_not_show(method, tile):
    pair = pair_method(Setting.make(method))
    program = pair.program(DAG)
    whole = gram(pair, program, jnp.asarray(X), None, tile=16)
    tiled = gram(pair, program, jnp.asarray(X), None, tile=tile)
    rectangular = gram(pair, program, jnp.asarray(X), jnp.asarray(X[:7]), tile=tile)
    for a, b, c in zip(whole, tiled, rectangular, strict=True):
        assert_close(b, a, tolerance=1e-13)
        assert (np.asarray(b) == np.asarray(b).T).all()
        assert_close(c, np.asarray(a)[:, :7], tolerance=2e-8, reason="fdot of equal rows on the diagonal")


@pytest.mark.parametrize("method", ["exact", "independent"])
def test_the_scan_over_nodes_is_the_unrolled_fold(method, monkeypatch):
    rng = np.random.default_rng(3)
    dag = Dag(7, bytes(rng.integers(0, 3, size=num_edges(7)).astype(np.uint8)))
    unrolled = kernel_fn(dag, method)(X)
    monkeypatch.setattr(propagate, "MAX_UNROLLED", 1)
    scanned = kernel_fn(dag, method)(X)
    assert_close(scanned.nngp, unrolled.nngp, tolerance=1e-12)
    assert_close(scanned.ntk, unrolled.ntk, tolerance=1e-12)


@pytest.mark.parametrize("method", SHARPEST)
def test_a_complete_dag_of_300_nodes(method):
    dag = Dag(300, bytes(1 + (i % 7 == 0) for i in range(num_edges(300))))
    x = np.random.default_rng(4).normal(size=(32, 6)) / 10
    kernel = kernel_fn(dag, method)(x)
    assert np.isfinite(kernel.nngp).all()
    assert (np.asarray(kernel.ntk) == np.asarray(kernel.ntk).T).all()
    with pytest.raises(InputError, match="overflows float32"):
        kernel_fn(dag, method)(x.astype(np.float32))


def test_pairs_broadcast_and_equal_the_gram_matrix():
    k = X @ X.T
    norms = np.diag(k)
    for method in PAIR_METHODS:
        pairs = pair_kernel(DAG, norms[:, None], k, norms[None, :], method=method)
        whole = kernel_fn(DAG, method)(X)
        assert_close(pairs.nngp, whole.nngp)
        assert_close(pairs.ntk, whole.ntk, tolerance=1e-7, reason="fdot at a rounded correlation of one")


@pytest.mark.parametrize("method", SHARPEST)
def test_a_sweep_is_every_kernel(method):
    """Any codes in any order, repeated ones too, in pieces or at once; two of them bring copies together."""
    rng = np.random.default_rng(5)
    drawn = enumerate_codes(4)[rng.integers(0, 729, size=18)]
    codes = np.concatenate([[Dag.from_code(code).to_array() for code in ("2_11_111", "1_11_112")], drawn])
    swept = sweep_kernels(codes, X, setting=Setting.make(method))
    for code, nngp, ntk in zip(codes, swept.nngp, swept.ntk, strict=True):
        kernel = kernel_fn(Dag.from_array(code), method)(X)
        assert_close(nngp, kernel.nngp, tolerance=1e-12)
        assert_close(ntk, kernel.ntk, tolerance=1e-12)
        assert (np.asarray(ntk) == np.asarray(ntk).T).all()
    pieces = list(sweep_chunks(codes, X, setting=Setting.make(method), chunk_bytes=9 * 9 * 8 * 2 * 5))
    assert len(pieces) > 3
    assert sorted(i for index, _ in pieces for i in index) == list(range(20))
    for index, kernel in pieces:
        assert_close(kernel.ntk, np.asarray(swept.ntk)[index], tolerance=1e-12)
    only = sweep_kernels(codes, X, ("nngp",), Setting.make(method))
    assert_close(only.nngp, swept.nngp, tolerance=1e-13)
    assert only.ntk.shape == (0, 9, 9)


def test_one_compilation_serves_all_dags_of_a_node_count():
    kernel_fn(Dag.from_code("2_22_222"))(X)
    before = gram._cache_size()
    for code in ("2_02_002", "1_12_212", "2_11_111"):
        kernel_fn(Dag.from_code(code))(X)
    assert gram._cache_size() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros(3),), r"must be \[N, d\]"),
        ((np.zeros((0, 3)),), "at least one row"),
        ((np.array([["a"]]),), "real numbers|array of numbers"),
        ((np.array([[1j]]),), "real numbers"),
        ((np.array([[np.nan]]),), "NaN or infinite"),
        ((np.array([[1.0, 0.0], [0.0, 1e-160]]),), "row 1 of x1 underflows float64"),
        ((np.eye(2), np.full((1, 2), 5e-324)), "row 0 of x2 underflows float64"),
        ((np.eye(3), np.eye(2)), "rows of one length"),
        ((np.eye(3), None, "ntk2"), "not known"),
        ((np.eye(3), None, ()), "not known"),
    ],
)
def test_bad_rows_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        kernel_fn(DAG)(*arguments)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"method": "best"}, "accepted are exact, independent, path-sum, neural-tangents"),
        ({"order": "last"}, "accepted are activation-last, activation-first"),
        ({"embedding": "patch"}, "accepted are gaussian, gaussian-trained, stem"),
        ({"activation": "swish"}, "accepted are relu"),
        ({"order": "activation-first", "embedding": "stem"}, "not available for exact"),
    ],
)
def test_bad_settings_are_refused(keywords, message):
    with pytest.raises(InputError, match=message):
        kernel_fn(DAG, **keywords)
    with pytest.raises(InputError, match=message):
        pair_kernel(DAG, 1.0, 0.5, 1.0, **keywords)


def test_neural_tangents_needs_data():
    with pytest.raises(InputError, match="neural-tangents needs data: use kernel_fn, or one of exact, independent"):
        pair_kernel(DAG, 1.0, 0.5, 1.0, method="neural-tangents")
    with pytest.raises(InputError, match="neural-tangents needs data"):
        sweep_kernels(enumerate_codes(2), X, setting=Setting.make("neural-tangents"))


@pytest.mark.parametrize("codes", [np.zeros((2, 4), int), np.zeros((0, 3), int), np.full((1, 3), 3), np.zeros((1, 3))])
def test_bad_codes_are_refused(codes):
    with pytest.raises(InputError):
        sweep_kernels(codes, X)


def test_a_kernel_that_overflows_is_refused():
    """All skips: alpha = 2^(n-2), whose square is in the exact kernel, and P = 2^(n-2) in the path sum."""
    small = np.eye(2)
    with pytest.raises(InputError, match="overflows float64"):
        kernel_fn(Dag(600, bytes([1]) * num_edges(600)))(small)
    assert np.isfinite(kernel_fn(Dag(600, bytes([1]) * num_edges(600)), "independent")(small).ntk).all()
    with pytest.raises(InputError, match="overflow"):
        kernel_fn(Dag(1100, bytes([1]) * num_edges(1100)), "path-sum")(small)


@pytest.mark.parametrize("scale", [1e-145, 1e-80, 1e100])
@pytest.mark.parametrize("method", ["exact", "independent", "path-sum"])
def test_kernels_of_small_and_large_rows_are_scaled_ones(method, scale):
    """K(c x) = c^2 K(x) for ReLU, down to where rows are refused."""
    compute = kernel_fn(DAG, method)
    for scaled, plain in zip(compute(scale * X), compute(X), strict=True):
        assert_close(np.asarray(scaled) / scale / scale, np.asarray(plain))
