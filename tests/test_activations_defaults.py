"""An activation that gives its required maps only: the diagonal maps, kernels and gradients follow by themselves."""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close

from nngp_dag import Dag, kernel_fn
from nngp_dag.activations import Activation, from_function

pytestmark = pytest.mark.usefixtures("quick_compilation")

DAG = Dag.from_code("2_21_112")
X = np.array([[0.6, 0.8, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 1.2], [-0.6, -0.8, 0.0]])
"""Correlated, independent and opposite rows."""


@dataclass(frozen=True)
class Cosine(Activation):
    """cos x: f = c exp(-s) cosh(kxy), fdot = c exp(-s) sinh(kxy), s = (kxx + kyy) / 2, beta = sqrt(c) exp(-k / 2)."""

    name = "cosine"
    normalization = 2 / (1 + math.exp(-2))

    def __call__(self, x):
        return jnp.cos(x)

    def dual(self, px, py, kxy):
        s = (px + py) / 2
        return self.normalization * (jnp.exp(kxy - s) + jnp.exp(-kxy - s)) / 2

    def dual_derivative(self, px, py, kxy):
        s = (px + py) / 2
        return self.normalization * (jnp.exp(kxy - s) - jnp.exp(-kxy - s)) / 2

    def mean(self, k):
        return self.normalization**0.5 * jnp.exp(-k / 2)


SERIES = from_function(jnp.cos, "cos-series")
"""The same function by quadrature, with diagonal maps that are integrals of their own."""


def test_nothing_more_is_required():
    required = {"normalization", "__call__", "dual", "dual_derivative", "mean"}
    assert Activation.__abstractmethods__ == required
    assert required | {"name"} <= set(vars(Cosine))
    assert not {"dual_diagonal", "dual_derivative_diagonal"} & set(vars(Cosine))


@pytest.mark.parametrize(
    "method", ["exact", *(pytest.param(name, marks=pytest.mark.full) for name in ("independent", "path-sum"))]
)
@pytest.mark.parametrize("order", ["activation-first", "activation-last"])
def test_kernels_of_the_required_maps(method, order):
    got = kernel_fn(DAG, method, order=order, activation=Cosine())(X)
    expected = kernel_fn(DAG, method, order=order, activation=SERIES)(X)
    reason = "the series is cut off at 1e-11, a few times along the DAG"
    assert_close(got.nngp, expected.nngp, tolerance=1e-10, reason=reason)
    assert_close(got.ntk, expected.ntk, tolerance=1e-10, reason=reason)


def test_gradients_of_the_required_maps():
    """With respect to the rows, diagonal entries included."""

    def jacobian(activation):
        return jax.jacrev(lambda x: kernel_fn(DAG, activation=activation)(x).ntk)(jnp.asarray(X))

    reason = "the series is cut off at 1e-11, its derivatives at a hundred times that"
    assert_close(jacobian(Cosine()), jacobian(SERIES), tolerance=1e-8, reason=reason)


def test_diagonal_maps_of_the_required_maps():
    """By hand: c E[cos(g)^2] = c (1 + exp(-2 k)) / 2 and c E[sin(g)^2] = c (1 - exp(-2 k)) / 2."""
    k = np.array([0.0, 0.1, 1.0, 7.0])
    c = Cosine.normalization
    f, fdot = (jax.vmap(m)(jnp.asarray(k)) for m in (Cosine().dual_diagonal, Cosine().dual_derivative_diagonal))
    assert_close(f, c * (1 + np.exp(-2 * k)) / 2, tolerance=1e-15)
    assert_close(fdot, c * (1 - np.exp(-2 * k)) / 2, tolerance=1e-15)


def test_a_series_prepares_its_row_for_the_default():
    """The default on an activation whose `prepare` is not the variance: tanh, to the accuracy of its series."""
    tanh = from_function(jnp.tanh)
    k = jnp.asarray(2.0)
    assert_close(Activation.dual_diagonal(tanh, k), tanh.dual_diagonal(k), tolerance=1e-10, reason="series")
    slopes = Activation.dual_derivative_diagonal(tanh, k), tanh.dual_derivative_diagonal(k)
    assert_close(*slopes, tolerance=1e-10, reason="series")
