"""Derivatives of the dual maps: finite at every corner, right where they exist."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from activation_cases import diagonal_maps, everything, in_chunks, pair_maps, pair_of
from helpers import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st

from nngp_dag.activations import ACTIVATIONS

CLOSED = list(ACTIVATIONS)
KINKED = {"relu", "leaky_relu", "relu-function"}


@cache
def pair_gradients(name):
    """(d f, d fdot) with respect to kxx, kyy, kxy, through `prepare`, compiled for vectors."""
    activation = pair_of(name)

    def f(kxx, kyy, kxy):
        return activation.dual(activation.prepare(kxx), activation.prepare(kyy), kxy)

    def fdot(kxx, kyy, kxy):
        return activation.dual_derivative(activation.prepare(kxx), activation.prepare(kyy), kxy)

    return in_chunks(jax.jit(jax.vmap(lambda *k: tuple(jnp.stack(jax.grad(m, (0, 1, 2))(*k)) for m in (f, fdot)))))


@cache
def diagonal_gradients(name):
    activation = pair_of(name)
    maps = (activation.dual_diagonal, activation.dual_derivative_diagonal, activation.mean)
    return in_chunks(jax.jit(jax.vmap(lambda k: tuple(jax.grad(m)(k) for m in maps))))


def corners(dtype):
    """Zero, tiny, equal and huge variances with rho = -1, 0, 1/2, 1, or a covariance a rounding beyond."""
    info = np.finfo(dtype)
    sizes = [0.0, float(info.tiny), float(info.eps), 1.0, 1e6, float(info.max) ** 0.9]
    beyond = 1 + float(info.eps)
    pairs = [(x, y, r) for x in sizes for y in (0.0, float(info.eps), 1.0) for r in (-1.0, 0.0, 0.5, 1.0, beyond)]
    kxx, kyy, rho = np.array(pairs).T
    return tuple(a.astype(dtype) for a in (kxx, kyy, rho * np.sqrt(kxx) * np.sqrt(kyy)))


@pytest.mark.oldest
@pytest.mark.parametrize("name", everything())
def test_finite_at_every_corner(name):
    kxx, kyy, kxy = corners(np.float64)
    for values in (*pair_maps(name)(kxx, kyy, kxy), *pair_gradients(name)(kxx, kyy, kxy)):
        assert np.isfinite(values).all(), [kxx[i] for i in np.flatnonzero(~np.isfinite(values))[:3]]
    for values in (*diagonal_maps(name)(kxx), *diagonal_gradients(name)(kxx)):
        assert np.isfinite(values).all()


@pytest.mark.float32
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_finite_at_every_corner_in_float32(name):
    kxx, kyy, kxy = corners(np.float32)
    for values in (*pair_gradients(name)(kxx, kyy, kxy), *diagonal_gradients(name)(kxx)):
        assert np.isfinite(values).all()
        assert values.dtype == np.float32


def differences(function, arguments, index, step=2e-3):
    """Fourth-order central difference in one argument, relative step."""
    h = step * np.maximum(abs(arguments[index]), 0.1)

    def at(s):
        moved = list(arguments)
        moved[index] = moved[index] + s * h
        return np.stack(function(*moved))

    return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h)


@pytest.mark.parametrize("name", everything())
def test_pair_gradients_against_differences(name):
    points = [(0.7, 2, 0.4), (1.3, 0.2, -0.8), (3, 3, 0.1), (0.05, 1, 0.5), (5, 9, 0.7), (1, 1, -0.3)]
    kxx, kyy, rho = np.array(points).T
    arguments = (kxx, kyy, rho * np.sqrt(kxx * kyy))
    gradients = pair_gradients(name)(*arguments)
    for i in range(3):
        # fdot of a kinked function varies like sqrt(1 - rho): a shorter step there.
        numerical = differences(pair_maps(name), arguments, i, step=2e-4 if name in KINKED else 1e-3)
        for gradient, expected in zip(gradients, numerical, strict=True):
            assert gradient[:, i] == pytest.approx(expected, rel=1e-5, abs=1e-7), "finite differences"


@pytest.mark.parametrize("name", everything())
def test_diagonal_gradients_against_differences(name):
    k = np.array([0.02, 0.5, 1.0, 4.0, 9.0])
    for numerical, gradient in zip(
        differences(diagonal_maps(name), [k], 0, 1e-4), diagonal_gradients(name)(k), strict=True
    ):
        assert gradient == pytest.approx(numerical, rel=1e-6, abs=1e-9), "finite differences"


@pytest.mark.parametrize("name", everything())
@given(kxx=st.floats(0.01, 5), kyy=st.floats(0.01, 5), rho=st.floats(-0.9, 0.9))
@settings(max_examples=15)
def test_price(name, kxx, kyy, rho):
    """Price: df / dkxy = fdot; and along a ray (all entries of the covariance grow alike) the chain rule closes."""
    kxy = rho * np.sqrt(kxx * kyy)
    gradient = pair_gradients(name)(np.array([kxx]), np.array([kyy]), np.array([kxy]))[0][0]
    assert gradient[2] == pytest.approx(pair_maps(name)(kxx, kyy, kxy)[1][0], rel=1e-12, abs=1e-14)
    if pair_of(name).is_homogeneous:
        euler = gradient @ np.array([kxx, kyy, kxy])
        assert euler == pytest.approx(pair_maps(name)(kxx, kyy, kxy)[0][0], rel=1e-10, abs=1e-14)


@pytest.mark.parametrize("name", [n for n in everything() if n not in KINKED])
def test_smooth_maps_are_differentiable_at_the_ends_and_at_zero(name):
    """One-sided differences at rho = 1 and -1; for zero rows df / dkxx = (c / 2) sigma''(0) E[sigma(g')]."""
    activation = pair_of(name)
    k = np.array([2.0, 2.0])
    ends = np.array([2.0, -2.0])
    h = 1e-3
    inner = [np.stack(pair_maps(name)(k, k, ends * (1 - h * s))) for s in range(5)]
    numerical = (25 / 12 * inner[0] - 4 * inner[1] + 3 * inner[2] - 4 / 3 * inner[3] + inner[4] / 4) / (h * ends)
    for gradient, expected in zip(pair_gradients(name)(k, k, ends), numerical, strict=True):
        assert gradient[:, 2] == pytest.approx(expected, rel=1e-7, abs=1e-9), "finite differences"
    (gradient,), (slope,) = pair_gradients(name)(np.zeros(1), np.array([2.0]), np.zeros(1))
    curvature = float(jax.grad(jax.grad(activation))(0.0))
    mean = diagonal_maps(name)(2.0)[2][0]
    assert gradient[0] == pytest.approx(activation.normalization**0.5 * curvature * mean / 2, abs=1e-12)
    # d fdot / d kxy = c E[sigma''(g) sigma''(g')], the first a constant at a zero row
    assert slope[2] == pytest.approx(
        activation.normalization
        * curvature
        * 2
        * float(jax.grad(lambda k: activation.mean(k))(2.0))
        / activation.normalization**0.5,
        abs=1e-10,
    )


def test_relu_at_the_ends():
    """At rho = 1 and -1: df / dkxy = 1 and 0, no slope along a variance; fdot has a kink there, and slope 0 by rule."""
    one = np.ones(2)
    f, fdot = pair_gradients("relu")(one, one, np.array([1.0, -1.0]))
    assert_close(f, np.array([[0, 0, 1.0], [0, 0, 0]]), tolerance=1e-15)
    assert np.all(fdot == 0)


def test_relu_kernel_of_duplicate_rows_has_the_gradient_of_its_diagonal():
    """Rows x and x' = x: the gradient in x through the pair map is that of f(k, k, k) = k split evenly.

    At a zero row f has a kink in every direction; the gradient is the mean of the slopes to both sides.
    """

    def pair(x, y):
        relu = ACTIVATIONS["relu"]
        return relu.dual(x @ x, y @ y, x @ y)

    x = jnp.array([0.3, -1.2, 0.7])
    assert_close(jax.grad(pair)(x, x), x, tolerance=1e-14)
    zero = jnp.zeros(3)
    assert_close(jax.grad(pair)(zero, x), x / 2)
    assert np.all(jax.grad(pair)(zero, zero) == 0)


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms_have_second_derivatives(name):
    activation = ACTIVATIONS[name]
    hessian = jax.jit(jax.hessian(lambda v: activation.dual(v[0], v[1], v[2])))
    for corner in ((1, 1, 1), (1, 1, -1), (0, 0, 0), (0, 1, 0)):
        assert np.isfinite(hessian(jnp.array(corner, dtype=float))).all()
    v = jnp.array([1.0, 2.0, 0.3])
    slope = pair_gradients(name)(*(v[i : i + 1] for i in range(3)))[1][0]
    assert_close(hessian(v)[2], slope, tolerance=1e-12)


def test_quadrature_refuses_second_derivatives():
    activation = pair_of("softplus")

    def f(k):
        return activation.dual(activation.prepare(k), activation.prepare(1.0), 0.1)

    with pytest.raises(NotImplementedError, match="first derivatives only"):
        jax.make_jaxpr(jax.grad(jax.grad(f)))(1.0)
