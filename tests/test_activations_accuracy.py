"""A sample of the table of docs/accuracy.md, and what kernels make of the variances that they reach."""

import re
import warnings
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close

from benchmarks.accuracy import SUBJECTS, VARIANCES, errors_at, shifted_relu
from nngp_dag import Dag, kernel_fn
from nngp_dag.activations import ACTIVATIONS, Quadrature, from_function
from nngp_dag.activations.tanh import Tanh
from nngp_dag.kernel.chunks import sweep_kernels
from nngp_dag.kernel.functions import pair_kernel
from nngp_dag.kernel.reach import AccuracyWarning
from nngp_dag.reading import Setting

EDGE = Dag.from_code("2")
ENDS = (-0.999, 0.9, 1 - 1e-6, 1.0)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "erf", "gelu", "sin"])
@pytest.mark.parametrize("k", [1e-12, 1.0, 1e6])
def test_closed_forms_keep_ten_digits(name, k):
    errors, warned = errors_at(name, k)
    assert errors.max() < 1e-10
    assert not warned


@pytest.mark.parametrize(
    ("name", "k"),
    [("tanh", 100.0), ("tanh", 1e6), ("max(x - 0.3, 0)", 1.0), ("clip(x, -1, 1)", 1e4), ("softplus", 10.0)],
)
def test_the_others_keep_eight_digits(name, k):
    errors, warned = errors_at(name, k, ENDS)
    assert errors.max() < 1e-8
    assert not warned


def test_the_table_is_that_of_the_script():
    """Its rows and columns, and no cell above 1e-8 without a word."""
    text = (Path(__file__).parents[1] / "docs" / "accuracy.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert [row[0] for row in rows] == ["activation", *SUBJECTS]
    assert [float(k) for k in rows[0][1:]] == list(VARIANCES)
    for row in rows[1:]:
        for cell in (c for c in row[1:] if c != "-"):
            errors = [float(number) for number in re.findall(r"\de[+-]\d\d", cell)]
            assert len(errors) == 2
            assert max(errors) <= 1e-8 or "warned" in cell, (row[0], cell)


@pytest.mark.parametrize("norm", [1.0, *(pytest.param(norm, marks=pytest.mark.full) for norm in (5.0, 100.0, 1000.0))])
def test_a_row_against_itself_is_the_diagonal(norm):
    """The NTK of one linear edge, by the Gram matrix and by k(x1, x2)."""
    x = norm * np.eye(2)
    for activation in [*ACTIVATIONS, shifted_relu]:
        kernel = kernel_fn(EDGE, activation=activation)
        diagonal, pairs = np.diag(kernel(x).ntk), np.diag(kernel(x, x).ntk)
        assert_close(pairs, diagonal, tolerance=1e-9, reason="a series that is cut off at 1e-11")


def test_tanh_far_out():
    """E[tanh'(g)^2] = (4/3) / sqrt(2 pi k) and E[tanh(g)^2] = 1 - 2 / sqrt(2 pi k), but for terms of order k^(-3/2)."""
    k = 1e6
    found = np.diag(kernel_fn(EDGE, activation="tanh")(1000 * np.eye(1)).ntk)
    c = ACTIVATIONS["tanh"].normalization
    root = np.sqrt(2 * np.pi * k)
    assert_close(found, np.array([c * (1 - 2 / root + k * 4 / 3 / root)]), tolerance=1e-5, reason="the next order")


def test_the_kernel_of_a_shifted_relu():
    """E[(g - 0.3)+^2] normalises; P(g > 0.3) by its tail."""
    from scipy.stats import norm

    square = 1.09 * norm.sf(0.3) - 0.3 * norm.pdf(0.3)
    found = kernel_fn(EDGE, activation=shifted_relu)(np.eye(1)).ntk
    assert_close(found, np.array([[1 + norm.sf(0.3) / square]]), tolerance=1e-11, reason="quadrature")


def test_the_rule_follows_the_variance():
    """Up to 40 tanh is a series, beyond a mixture; both are the same function."""
    tanh = ACTIVATIONS["tanh"]
    assert isinstance(tanh.serving(39.0), Quadrature)
    assert isinstance(tanh.serving(41.0), Tanh)
    swish = from_function(jax.nn.silu)
    assert swish.serving(10.0) is swish
    assert [swish.serving(k).max_variance for k in (11.0, 100.0, 1e9)] == [40.0, 160.0, 2560.0]
    assert max(swish.serving(100.0).accuracy(100.0)) < 1e-8 < max(swish.accuracy(100.0))
    triple = (jnp.float64(30.0), jnp.float64(20.0), jnp.float64(11.0))
    series = tanh.serving(30.0)
    rows = [series.prepare(k) for k in triple[:2]]
    for name in ("dual", "dual_derivative"):
        reason = "a series that is cut off at 1e-11"
        assert_close(
            getattr(series, name)(*rows, triple[2]), getattr(tanh, name)(*triple), tolerance=1e-10, reason=reason
        )


@pytest.mark.parametrize("method", ["exact", pytest.param("path-sum", marks=pytest.mark.full)])
def test_kernels_warn_where_no_rule_is_enough(method):
    far = kernel_fn(EDGE, method, activation=jax.nn.silu)
    with pytest.warns(AccuracyWarning, match=r"^the dual maps of silu are off by up to .* at variance 16384") as caught:
        far(100 * np.eye(2), get="nngp")
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        far(3 * np.eye(2), get="nngp")


def test_only_nodes_with_linear_edges_count():
    """A node that only copies may have any variance."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kernel_fn(Dag.from_code("1_11_111_2000"), activation=jax.nn.silu)(np.eye(2), get="nngp")
        with pytest.raises(AccuracyWarning):
            kernel_fn(Dag.from_code("1_11_111_0002"), activation=jax.nn.silu)(40 * np.eye(2), get="nngp")


def test_pairs_and_sweeps_adapt_too():
    setting = Setting.make(activation="tanh")
    x = 20 * np.array([[1.0, 0.0], [0.6, 0.8]])
    alone = kernel_fn(Dag.from_code("1_22"), activation="tanh")(x)
    swept = sweep_kernels(np.array([[1, 2, 2], [0, 2, 2]]), x, setting=setting)
    pair = pair_kernel(Dag.from_code("1_22"), 400.0, np.float64(240.0), 400.0, activation="tanh")
    for name in ("nngp", "ntk"):
        whole = np.asarray(getattr(alone, name))
        assert_close(np.asarray(getattr(swept, name))[0], whole, tolerance=1e-12, reason="sums in another order")
        assert_close(np.asarray(getattr(pair, name)), whole[0, 1], tolerance=1e-12, reason="sums in another order")


@pytest.mark.parametrize("name", ["gelu", "tanh", "erf", "relu"])
@pytest.mark.parametrize("norm", [1e-100, pytest.param(1.0, marks=pytest.mark.full), 1e100])
def test_gradients_of_the_ntk_at_extreme_norms(name, norm):
    x = jnp.array([[1.0, 0.5], [0.3, 2.0]]) * norm
    gradient = jax.grad(lambda x: kernel_fn(EDGE, activation=name)(x, get="ntk").sum())(x)
    assert np.isfinite(gradient).all()
