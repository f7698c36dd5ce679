"""Properties of every kernel of every DAG, on random DAGs and random rows."""

import numpy as np
import pytest
from helpers import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st

from nngp_dag import Dag, kernel_fn
from nngp_dag.activations import ACTIVATIONS
from nngp_dag.dag import num_edges
from nngp_dag.reading import EMBEDDINGS, ORDERS, PAIR_METHODS

ROWS = 7
NODES = 4
"""Rows and nodes are fixed and codes are data, so that the examples of one setting share a compilation."""

SETTINGS = [
    # *independent* is the recursion of *exact* without its cross terms.
    pytest.param(method, order, embedding, activation, marks=pytest.mark.full if method == "independent" else ())
    for method in PAIR_METHODS
    for order, embedding in zip(ORDERS * 2, EMBEDDINGS, strict=False)
    for activation in (ACTIVATIONS if method == "exact" and embedding == "stem" else ["relu"])
    if not (order == "activation-first" and embedding == "stem")
]
"""Each method under each order and embedding; every registered activation once."""


@st.composite
def dags(draw, num_nodes=NODES):
    """DAGs of a fixed node count whose pruned form has as many nodes (programs then have one shape)."""
    digits = draw(st.lists(st.sampled_from([0, 1, 2]), min_size=num_edges(num_nodes), max_size=num_edges(num_nodes)))
    for t in range(1, num_nodes):  # the chain 0-1-...-H keeps every node on a path
        digits[num_edges(t) + t - 1] = max(1, digits[num_edges(t) + t - 1])
    return Dag(num_nodes, bytes(digits))


@st.composite
def row_arrays(draw):
    """Rows of very different norms, some of them parallel, opposite or equal."""
    rows = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).normal(size=(ROWS, 5))
    rows *= 10.0 ** np.array(draw(st.lists(st.integers(-2, 1), min_size=ROWS, max_size=ROWS)))[:, None]
    rows[1] = rows[0] * draw(st.sampled_from([1.0, -1.0, 0.5]))
    return rows


@pytest.mark.parametrize(("method", "order", "embedding", "activation"), SETTINGS)
@settings(max_examples=12)
@given(dag=dags(), x=row_arrays(), permutation=st.permutations(range(ROWS)))
def test_gram_matrices(method, order, embedding, activation, dag, x, permutation):
    fn = kernel_fn(dag, method, order, embedding, activation)
    kernels = fn(x)
    for kernel in map(np.asarray, kernels):
        assert kernel.dtype == np.float64
        assert (kernel == kernel.T).all()
        low, high = np.linalg.eigvalsh(kernel)[[0, -1]]
        assert low >= -1e-9 * max(high, 1e-300), "not positive semi-definite"
    # NTK - NNGP is a sum of Hadamard products of positive semi-definite matrices.
    difference = np.linalg.eigvalsh(np.asarray(kernels.ntk) - np.asarray(kernels.nngp))
    assert difference[0] >= -1e-7 * np.asarray(kernels.ntk).max()
    order_of_rows = np.array(permutation)
    permuted = fn(x[order_of_rows])
    reason = "fdot at the rounded correlation of equal rows has half of the digits"
    for kernel, again in zip(kernels, permuted, strict=True):
        expected = np.asarray(kernel)[np.ix_(order_of_rows, order_of_rows)]
        assert_close(again, expected, tolerance=3e-8, reason=reason)


@pytest.mark.parametrize("activation", [name for name, a in ACTIVATIONS.items() if a.is_homogeneous])
@pytest.mark.parametrize("method", PAIR_METHODS)
@settings(max_examples=10)
@given(dag=dags(), x=row_arrays(), scale=st.sampled_from([0.25, 3.0, 100.0]))
def test_homogeneous_activations_give_kernels_of_degree_one(method, activation, dag, x, scale):
    """K(s x, s x') = s^2 K(x, x'): degree one in K_in; the NTK too, with trained embedding."""
    fn = kernel_fn(dag, method, embedding="gaussian-trained", activation=activation)
    reason = "fdot at the rounded correlation of equal rows has half of the digits"
    for kernel, scaled in zip(fn(x), fn(scale * x), strict=True):
        assert_close(scaled, scale**2 * np.asarray(kernel), tolerance=3e-8, reason=reason)


@settings(max_examples=15)
@given(dag=dags(), x=row_arrays())
def test_rectangular_is_a_block_of_the_square(dag, x):
    fn = kernel_fn(dag)
    for block, square in zip(fn(x[:3], x[3:]), fn(x), strict=True):
        assert_close(block, np.asarray(square)[:3, 3:], tolerance=1e-12)


@settings(max_examples=25)
@given(digits=st.lists(st.sampled_from([0, 1, 2]), min_size=6, max_size=6), seed=st.integers(0, 99))
def test_kernels_do_not_depend_on_dead_ends_or_labels(digits, seed):
    """Pruning and relabelling leave every method's kernels alone."""
    x = np.random.default_rng(seed).normal(size=(4, 3))
    dag = Dag(4, bytes(digits))
    for method in PAIR_METHODS:
        kernel = kernel_fn(dag, method)(x)
        canonical = kernel_fn(dag.canonical(), method)(x)
        assert_close(canonical.nngp, kernel.nngp, tolerance=1e-12)
        assert_close(canonical.ntk, kernel.ntk, tolerance=1e-12)


def test_no_path_is_the_zero_kernel():
    for method in PAIR_METHODS:
        kernel = kernel_fn(Dag.from_code("2_02_000"), method)(np.eye(3))
        assert not np.asarray(kernel.nngp).any()
        assert not np.asarray(kernel.ntk).any()
