"""Dual maps of every registered activation, and of functions given by a user: values and structure.

Three routes to each value: closed form, quadrature by Hermite series, and the definition as a double integral.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from activation_cases import REGISTERED, diagonal_maps, everything, pair_maps, pair_of
from helpers import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from nngp_dag.activations import ACTIVATIONS, Activation, LeakyRelu, Relu, get
from nngp_dag.activations.definition import maps_by_definition
from nngp_dag.errors import InputError

KINKED = {"relu", "leaky_relu", "relu-function"}
SMOOTH = [name for name in everything() if name not in KINKED]
SYMMETRIC_MEAN = {"erf", "sin", "tanh", "identity"}

variances = st.floats(1e-3, 10)
correlations = st.one_of(st.floats(-1, 1), st.sampled_from([-1.0, 0.0, 1.0, 0.999999, -0.999999]))
triples = st.tuples(variances, variances, correlations)


def test_the_registry_holds_the_promised_names():
    assert list(ACTIVATIONS) == ["relu", "leaky_relu", "erf", "gelu", "sin", "tanh", "identity"]
    assert all(name == activation.name for name, activation in ACTIVATIONS.items())
    assert get("erf") is ACTIVATIONS["erf"]
    assert get(ACTIVATIONS["erf"]) is ACTIVATIONS["erf"]
    with pytest.raises(InputError, match=r"unknown activation 'swish': accepted are relu, leaky_relu, .*identity$"):
        get("swish")


def test_activations_are_values():
    assert Relu() == ACTIVATIONS["relu"]
    assert hash(Relu()) == hash(ACTIVATIONS["relu"])
    assert LeakyRelu(0.1) != LeakyRelu(0.2)
    assert Relu() != LeakyRelu(0.0)


@pytest.mark.oldest
@pytest.mark.parametrize("name", everything())
def test_against_the_definition(name):
    """Ends, near-ends and middle of the correlation, at small, unequal and large variances."""
    activation = pair_of(name)
    points = [(1, 1, 0.5), (0.3, 4, -0.7), (10, 10, 1), (10, 3, -1), (10, 10, 0.9999), (0.01, 7, 0.2)]
    kxx, kyy, rho = np.array(points, dtype=np.float64).T
    kxy = rho * np.sqrt(kxx * kyy)
    f, fdot = pair_maps(name)(kxx, kyy, kxy)
    diagonal_x, diagonal_y = diagonal_maps(name)(kxx), diagonal_maps(name)(kyy)
    for i, point in enumerate(zip(kxx, kyy, kxy, strict=True)):
        expected = maps_by_definition(activation, *point)
        errors = np.array(activation.accuracy(max(point[:2]))) + 1e-13
        assert abs(f[i] - expected.dual) <= errors[0] * np.sqrt(diagonal_x[0][i] * diagonal_y[0][i]), points[i]
        slope_error = errors[1] * np.sqrt(diagonal_x[1][i] * diagonal_y[1][i])
        assert abs(fdot[i] - expected.dual_derivative) <= slope_error, points[i]
        assert diagonal_x[2][i] == pytest.approx(expected.mean, rel=1e-12, abs=1e-15)
    assert activation.normalization == pytest.approx(expected.normalization, rel=1e-13)


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_activations_keep_eight_digits(name):
    """1e-8 relative to the value itself, at variances 0 to 10 and all correlations, the ends included."""
    activation = pair_of(name)
    points = [(10, 10, -1), (10, 10, 1), (10, 0.1, 0.9), (0, 10, 0), (0, 0, 0), (1e-9, 10, -1), (5, 5, -0.99)]
    kxx, kyy, rho = np.array(points, dtype=np.float64).T
    kxy = rho * np.sqrt(kxx * kyy)
    f, fdot = pair_maps(name)(kxx, kyy, kxy)
    for i, point in enumerate(zip(kxx, kyy, kxy, strict=True)):
        expected = maps_by_definition(activation, *point)
        assert f[i] == pytest.approx(expected.dual, rel=1e-8, abs=1e-25), points[i]
        assert fdot[i] == pytest.approx(expected.dual_derivative, rel=1e-8, abs=1e-25), points[i]


@pytest.mark.parametrize("name", ["tanh", "gelu", "relu"])
def test_the_definition_against_scipy(name):
    """The reference itself, against adaptive integration of the density of (g, g')."""
    activation = pair_of(name)
    kxx, kyy, kxy = 1.3, 0.8, 0.6
    slope = jax.grad(activation)
    inverse = np.linalg.inv([[kxx, kxy], [kxy, kyy]])
    density = np.sqrt(np.linalg.det(inverse)) / (2 * np.pi)
    plain = {
        "tanh": (np.tanh, lambda x: 1 / np.cosh(x) ** 2),
        "relu": (lambda x: max(x, 0.0), lambda x: float(x > 0)),
        "gelu": (lambda x: float(activation(jnp.float64(x))), lambda x: float(slope(jnp.float64(x)))),
    }[name]
    expected = maps_by_definition(activation, kxx, kyy, kxy)
    if name == "gelu":
        from scipy.stats import norm

        plain = (lambda x: x * norm._cdf(x), lambda x: norm._cdf(x) + x * norm._pdf(x))
    for function, value in zip(plain, expected[:2], strict=True):

        def integrand(y, x, function=function):
            q = inverse[0, 0] * x * x + 2 * inverse[0, 1] * x * y + inverse[1, 1] * y * y
            return function(x) * function(y) * density * np.exp(-q / 2)

        parts = [
            integrate.dblquad(integrand, *xs, *ys, epsabs=1e-9, epsrel=1e-9)[0]
            for xs in ((-9, 0), (0, 9))
            for ys in ((-9, 0), (0, 9))
            if name != "relu" or (xs[1] > 0 and ys[1] > 0)
        ]
        assert value == pytest.approx(activation.normalization * sum(parts), rel=1e-8)


@pytest.mark.parametrize("name", ["erf", "gelu", "sin"])
@given(point=triples)
@settings(max_examples=100)
def test_closed_form_against_hermite_series(name, point):
    """The same function given by a user: two routes that share nothing."""
    kxx, kyy, rho = point
    kxy = rho * np.sqrt(kxx * kyy)
    series = pair_maps(f"{name}-series")(kxx, kyy, kxy)
    closed = pair_maps(name)(kxx, kyy, kxy)
    ends = [diagonal_maps(name)(k) for k in (kxx, kyy)]
    for a, b, i in zip(series, closed, (0, 1), strict=True):
        assert abs(a - b) <= 2e-11 * np.sqrt(ends[0][i] * ends[1][i])


@pytest.mark.parametrize("name", everything())
@given(point=triples)
def test_symmetric_and_bounded(name, point):
    kxx, kyy, rho = point
    kxy = rho * np.sqrt(kxx * kyy)
    here, there = pair_maps(name)(kxx, kyy, kxy), pair_maps(name)(kyy, kxx, kxy)
    bounds = [np.sqrt(x * y) for x, y in zip(diagonal_maps(name)(kxx)[:2], diagonal_maps(name)(kyy)[:2], strict=True)]
    for a, b, bound in zip(here, there, bounds, strict=True):
        assert a == b, "exactly symmetric"
        assert abs(a) <= bound * (1 + 1e-12), "Cauchy and Schwarz"


@pytest.mark.parametrize("name", everything())
@given(k=variances)
def test_the_diagonal_is_the_pair_map_on_the_diagonal(name, k):
    f, fdot = pair_maps(name)(k, k, k)
    diagonal = diagonal_maps(name)(k)
    accuracy = pair_of(name).accuracy(10.0)
    assert abs(f - diagonal[0]) <= (accuracy.dual + 1e-13) * diagonal[0]
    assert abs(fdot - diagonal[1]) <= (accuracy.dual_derivative + 1e-13) * diagonal[1]


@pytest.mark.parametrize("name", everything())
def test_normalised(name):
    f, _, beta = diagonal_maps(name)(1.0)
    assert_close(f, np.ones(1), tolerance=1e-14)
    assert (beta == 0) == (name in SYMMETRIC_MEAN)


@pytest.mark.parametrize("name", everything())
@given(kxx=variances, kyy=variances, ends=st.tuples(st.floats(-0.95, 0.95), st.floats(-0.95, 0.95)))
@settings(max_examples=20)
def test_dual_derivative_is_the_derivative(name, kxx, kyy, ends):
    """f(b) - f(a) = integral of fdot over kxy from a to b (Price's theorem), hence f rises where fdot >= 0."""
    a, b = (rho * np.sqrt(kxx * kyy) for rho in sorted(ends))
    x, w = np.polynomial.legendre.leggauss(48)
    nodes = np.concatenate([(a + b) / 2 + (b - a) / 2 * x, [a, b]])
    f, fdot = pair_maps(name)(kxx, kyy, nodes)
    rise = (b - a) / 2 * np.sum(w * fdot[:48])
    assert f[49] - f[48] == pytest.approx(rise, rel=1e-7, abs=1e-11 * np.sqrt(kxx * kyy))


@pytest.mark.parametrize("name", everything())
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.01, 2))
@settings(max_examples=5)
def test_gram_matrices_are_positive_semi_definite(name, seed, scale):
    """Rows in three dimensions, opposite, parallel and zero rows among them."""
    x = np.random.default_rng(seed).normal(size=(12, 3)) * scale
    x[0], x[1], x[2] = -x[3], 0.5 * x[3], 0
    k = x @ x.T
    i, j = np.indices(k.shape)
    d = np.diag(k)
    maps = pair_maps(name)(d[i.ravel()], d[j.ravel()], k.ravel())
    accuracy = pair_of(name).accuracy(float(d.max()))
    for matrix, diagonal, error in zip(maps, diagonal_maps(name)(d), accuracy, strict=False):
        gram = matrix.reshape(k.shape).copy()
        np.fill_diagonal(gram, diagonal)
        assert np.linalg.eigvalsh(gram)[0] >= -(error + 1e-13) * 12 * gram.max()


@given(point=triples, a=st.floats(0.01, 100), b=st.floats(0.01, 100))
@pytest.mark.parametrize("name", [n for n in REGISTERED if ACTIVATIONS[n].is_homogeneous])
def test_homogeneous_of_degree_one(name, point, a, b):
    kxx, kyy, rho = point
    kxy = rho * np.sqrt(kxx * kyy)
    f, fdot = pair_maps(name)(kxx, kyy, kxy)
    scaled, scaled_slope = pair_maps(name)(a * a * kxx, b * b * kyy, a * b * kxy)
    # One rounding of rho near 1 is 1e-8 in the angle.
    assert scaled == pytest.approx(a * b * f, rel=1e-12, abs=1e-13 * a * b)
    assert scaled_slope == pytest.approx(fdot, abs=3e-8)


@pytest.mark.float32
@pytest.mark.parametrize("name", [*REGISTERED, "softplus"])
def test_float32_stays_float32(name):
    points = np.array([(1, 1, 0.5), (4, 0.3, -0.9), (9, 9, 1), (2, 2, -1), (0, 1, 0), (0, 0, 0)], dtype=np.float32)
    kxx, kyy, rho = points.T
    kxy = rho * np.sqrt(kxx * kyy)
    low = pair_maps(name)(kxx, kyy, kxy)
    assert all(a.dtype == np.float32 for a in (*low, *diagonal_maps(name)(kxx)))
    prepared = pair_of(name).prepare(jnp.float32(2))
    assert all(leaf.dtype == np.float32 for leaf in jax.tree.leaves(prepared))
    if jax.config.jax_enable_x64:
        exact = pair_maps(name)(*(a.astype(np.float64) for a in (kxx, kyy, kxy)))
        # fdot of ReLU moves by sqrt(2 eps) / pi = 1.6e-4 when rho = 1 is off by a rounding.
        for a, b, tolerance in zip(low, exact, (2e-5, 2e-4), strict=True):
            assert_close(a, b, tolerance=tolerance, reason="a square root of float32 rounding at rho = 1")


@pytest.mark.parametrize("name", REGISTERED)
def test_activation_is_static_and_elementwise(name):
    activation = ACTIVATIONS[name]

    @jax.jit
    def apply(x):
        return activation(x)

    x = jnp.linspace(-3, 3, 6).reshape(2, 3)
    assert apply(x).shape == x.shape
    assert apply(x).dtype == x.dtype
    static = jax.jit(lambda a, k: a.dual_diagonal(k), static_argnums=0)
    assert static(activation, 1.0) == pytest.approx(1, rel=1e-12)
    assert isinstance(activation, Activation)


def test_relu_by_the_paper():
    """Kaiming's c = 2, the angle 60 degrees by hand, and the mean of Lemma 3.2: sqrt(c) E[relu(g)] = sqrt(k / pi)."""
    f, fdot = pair_maps("relu")(1.0, 4.0, 1.0)
    assert f == pytest.approx(2 * (np.sqrt(3) / 2 + (np.pi - np.pi / 3) / 2) / np.pi, rel=1e-14)
    assert fdot == pytest.approx(2 / 3, rel=1e-14)
    assert_close(diagonal_maps("relu")(3.0)[2], np.sqrt([3 / np.pi]), tolerance=1e-14)


def test_sigma_not_zero_at_zero():
    """At variance zero the maps are c sigma(0)^2 and c sigma'(0)^2."""
    for name, value, slope in (("cos", 1.0, 0.0), ("softplus", np.log(2), 0.5)):
        c = pair_of(name).normalization
        f, fdot = pair_maps(name)(0.0, [0.0, 3.0], 0.0)
        mean = diagonal_maps(name)(3.0)[2][0]
        assert f == pytest.approx([c * value**2, np.sqrt(c) * value * mean], rel=1e-12)
        assert fdot[0] == pytest.approx(c * slope**2, abs=1e-14)
        assert diagonal_maps(name)(0.0) == pytest.approx((c * value**2, c * slope**2, np.sqrt(c) * value), abs=1e-14)
