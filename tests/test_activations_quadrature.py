"""Quadrature activations: the accuracy said is the accuracy reached; what users may pass; the arc functions."""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import flint
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from activation_cases import in_chunks, user_activation
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from nngp_dag.activations import Quadrature, from_function
from nngp_dag.activations.angles import arccos, arcsin
from nngp_dag.activations.definition import maps_by_definition
from nngp_dag.activations.gaussian_rule import Panels, hermite_table, positive_rule
from nngp_dag.activations.parseval import Anatomy, moments
from nngp_dag.errors import InputError
from nngp_dag.support.x64 import enable_x64

TANH = from_function(jnp.tanh, is_analytic=True)
"""As a user would give it: the registered one has another route."""

ELU = from_function(jax.nn.elu, "elu")
"""Its second derivative jumps at 0: a series that converges slowly."""


@dataclass(frozen=True)
class Shifted:
    """ReLU with its kink at t."""

    t: float

    def __call__(self, x):
        return jnp.maximum(x - self.t, 0)


def series_at_ends(activation, k):
    """Both maps by the series at rho = 1, and from the definition."""
    maps = jax.jit(
        lambda k: [
            m(activation.prepare(k), activation.prepare(k), k) for m in (activation.dual, activation.dual_derivative)
        ]
    )
    return np.array(maps(jnp.float64(k))), np.array(maps_by_definition(activation, k, k, k)[:2])


@pytest.mark.parametrize(("name", "k"), [("tanh", 10.0), ("tanh", 40.0), ("softplus", 30.0), ("elu", 10.0)])
def test_the_accuracy_said_is_the_accuracy_reached(name, k):
    """Not less than the error, and, where it is more than rounding, not far more: inside and beyond max_variance."""
    activation = {"tanh": TANH, "elu": ELU}.get(name) or user_activation(name)
    series, exact = series_at_ends(activation, k)
    error = abs(series / exact - 1)
    said = np.array(activation.accuracy(k))
    assert np.all(error <= said * (1 + 1e-6) + 1e-13)
    assert np.all(said <= 2 * error + 1e-11)
    if k <= 10 and name != "elu":
        assert np.all(said < 1.1e-11)
    else:
        assert said[1] > 1e-8, "the tolerance is not kept here, and this is said"


@pytest.mark.parametrize("shift", [0.3, -0.3, 2.0, 1 / 7, 0.001, -5.0])
def test_kinks_are_found_wherever_they_are(shift):
    found = from_function(lambda x: jnp.maximum(x - shift, 0) - 0.5 * jnp.maximum(x + 1, 0)).kinks
    assert [kink.place for kink in found] == pytest.approx(sorted([shift, -1.0]), rel=1e-15)
    assert sorted(kink.jump for kink in found) == pytest.approx([-0.5, 1.0], rel=1e-12)


def test_smooth_functions_have_no_kinks():
    for function in (jnp.tanh, jax.nn.silu, jax.nn.elu, jnp.cos, lambda x: jnp.tanh(20 * x), lambda x: x**3):
        assert from_function(function).kinks == ()


def test_kinks_that_are_given():
    """A kink narrower than the grid sees is given by hand; one that is none is not made one."""

    def notch(x):
        return jnp.tanh(x) + jnp.clip(x, 0.3001, 0.3002)

    found = from_function(notch).kinks
    given = from_function(notch, kinks=(0.3001, 0.3002, 0.7)).kinks
    assert len(found) < 2
    assert [kink.place for kink in given] == [0.3001, 0.3002]
    with pytest.raises(InputError, match="must be finite numbers"):
        from_function(notch, kinks=(np.nan,))


@cache
def shifted_maps(shift):
    """c, and of max(x - t, 0) the diagonal maps and the pair maps on the diagonal, for vectors of variances."""
    activation = from_function(Shifted(shift))

    def maps(k):
        row = activation.prepare(k)
        diagonal = activation.dual_diagonal(k), activation.dual_derivative_diagonal(k)
        return *diagonal, activation.dual(row, row, k), activation.dual_derivative(row, row, k)

    return activation.normalization, in_chunks(jax.jit(jax.vmap(maps)), 1)


@pytest.mark.parametrize("shift", [0.3, -1.7])
@given(k=st.floats(0.1, 1e6))
def test_diagonal_maps_of_a_shifted_relu(shift, k):
    """E[max(g - t, 0)^2] and P(g > t) by hand."""
    c, maps = shifted_maps(shift)
    a = shift / np.sqrt(k)
    expected = c * np.array([(k + shift**2) * norm.sf(a) - shift * np.sqrt(k) * norm.pdf(a), norm.sf(a)])
    f, fdot, f_pair, fdot_pair = maps(k)
    for found in ((f, fdot), (f_pair, fdot_pair)):
        assert np.ravel(found) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize(
    ("function", "value_rate", "slope_rate"),
    [(jax.nn.relu, -1.5, -0.5), (jax.nn.elu, -2.5, -1.5)],
    ids=["kink in sigma", "kink in sigma'"],
)
def test_tails_fall_at_the_predicted_rate(function, value_rate, slope_rate):
    """A jump in the j-th derivative leaves Hermite coefficients ~ n^(-j/2 - 1/4) ... / sqrt(n): tails ~ n^(1/2 - j).

    sigma has a jump in sigma' (relu, j = 1) or sigma'' (elu, j = 2); fdot's tail loses one power against f's.
    """
    found = moments(Anatomy(function, jax.grad(function)), 1.0, 1024, Panels())
    n = np.array([64, 128, 256, 512])
    for tails, rate in ((found.value_tails(), value_rate), (found.slope_tails(), slope_rate)):
        slope = np.polyfit(np.log(n), np.log(tails[n - 1]), 1)[0]
        assert slope == pytest.approx(rate, abs=0.15)


def test_terms_follow_the_tolerance():
    """Analytic functions: tails fall geometrically in sqrt(n), so that more digits cost little."""
    counts = [from_function(jnp.tanh, max_variance=2.0, tolerance=10.0**-d).terms for d in (4, 8, 11)]
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(counts))
    assert all(f <= fdot for f, fdot in counts)
    assert counts[-1][1] < TANH.terms[1] / 2, "a smaller largest variance needs fewer terms"
    loose = from_function(jnp.tanh, max_variance=2.0, tolerance=1e-4)
    series, exact = series_at_ends(loose, 2.0)
    assert 1e-8 < abs(series[1] / exact[1] - 1) < 1e-4


def test_parity_is_found():
    assert TANH.orders == (0, 2)
    assert user_activation("cos").orders == (1, 2)
    assert user_activation("softplus").orders == (0, 1)
    assert from_function(lambda x: jnp.tanh(x) + 1e-9 * x**2).orders == (0, 1)


def test_hermite_table_is_orthonormal():
    z, p = positive_rule()
    table = hermite_table(200) / p
    for parity in (0, 1):
        rows = table[parity:30:2]  # beyond, h_n^2 under the density reaches further than the rule
        assert 2 * (rows * p) @ rows.T == pytest.approx(np.eye(len(rows)), abs=1e-12)
    assert table[3] == pytest.approx((z**3 - 3 * z) / np.sqrt(6), rel=1e-12)


def test_a_function_becomes_an_activation():
    swish = from_function(jax.nn.silu, name="swish")
    assert swish.name == "swish"
    assert from_function(jax.nn.silu).name == "silu"
    assert swish == from_function(jax.nn.silu, "swish")
    assert hash(swish) == hash(from_function(jax.nn.silu, "swish"))
    assert swish != from_function(jax.nn.softplus, "swish")
    x = jnp.linspace(-2, 2, 6).reshape(2, 3)
    assert swish(x) == pytest.approx(np.asarray(jax.nn.silu(x)))


def test_scalar_functions_with_control_flow():
    """`function` sees scalars, so that lax.cond serves."""
    celu = from_function(lambda x: jax.lax.cond(x > 0, lambda x: x, jnp.expm1, x), "celu")
    elu = from_function(jax.nn.elu)
    for mine, theirs in zip(series_at_ends(celu, 1.0), series_at_ends(elu, 1.0), strict=True):
        assert mine == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (jnp.sign, "it has jumps"),
        (lambda x: jnp.floor(x), "it has jumps"),
        (lambda x: 0.0 * x, "is zero"),
        (lambda x: jnp.stack([x, x]), "not a differentiable JAX function of a scalar"),
        (lambda x, y: x + y, "not a differentiable JAX function of a scalar"),
        (lambda x: np.tanh(np.asarray(x)), "not a differentiable JAX function of a scalar"),
        (lambda x: jnp.log(x), "not finite on the real line"),
        (3.0, "must be a function of one scalar, not float"),
    ],
    ids=["sign", "floor", "zero", "vector", "two arguments", "numpy", "log", "number"],
)
def test_what_is_refused(function, message):
    with pytest.raises(InputError, match=message) as caught:
        from_function(function, "mine")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("options", [{"max_variance": 0.0}, {"tolerance": 0.0}, {"max_variance": float("inf")}])
def test_options_that_make_no_sense(options):
    with pytest.raises(InputError, match="max_variance > 0 and 0 < tolerance < 1"):
        from_function(jnp.tanh, **options)


@pytest.mark.oldest
@pytest.mark.float32
def test_constants_are_double_whatever_the_setting():
    """The constant c and the terms are found in float64 even at the first use inside a trace with float64 off."""

    def sigma(x):
        return jnp.tanh(2 * x)

    fresh = Quadrature(sigma, "fresh")
    with enable_x64(False):
        value = jax.jit(lambda k: fresh.dual(fresh.prepare(k), fresh.prepare(k), k / 2))(jnp.float32(1))
    assert value.dtype == jnp.float32
    reference = maps_by_definition(Quadrature(sigma, "reference"), 1.0, 1.0, 0.5)
    assert fresh.normalization == pytest.approx(reference.normalization, rel=1e-13)
    assert float(value) == pytest.approx(reference.dual, rel=1e-5)


def test_gram_matrices_need_memory_for_their_entries_only():
    """Never [rows, columns, terms]: the largest array in the compiled program is far smaller."""
    rows = 64

    def gram(k, kxy):
        prepared = jax.vmap(TANH.prepare)(k)
        return jax.vmap(jax.vmap(TANH.dual, (None, 0, 0)), (0, None, 0))(prepared, prepared, kxy)

    shapes = jax.ShapeDtypeStruct((rows,), jnp.float64), jax.ShapeDtypeStruct((rows, rows), jnp.float64)
    memory = jax.jit(gram).lower(*shapes).compile().memory_analysis()
    terms = TANH.terms[0] // 2
    assert memory.temp_size_in_bytes < rows * rows * terms * 8 / 4


def test_arc_functions_to_full_relative_accuracy():
    gaps = np.concatenate([np.geomspace(1e-300, 1, 150), np.linspace(0.01, 0.99, 50)])
    for sign in (1, -1):
        u = sign * (1 - gaps)
        found = np.asarray(arccos(jnp.asarray(u), jnp.asarray(gaps)))
        with flint.ctx.workprec(1200):
            exact = np.array([float((sign * (1 - flint.arb(float(g)))).acos()) for g in gaps])
        assert abs(found / exact - 1).max() <= 2 * np.finfo(np.float64).eps
    u = np.concatenate([np.geomspace(1e-300, 1, 100), np.linspace(0, 1, 100)[1:]])
    exact = np.array([float(flint.arb(float(v)).asin()) for v in u])
    for sign in (1, -1):
        found = np.asarray(arcsin(jnp.asarray(sign * u), jnp.asarray(1 - u)))
        assert abs(found / (sign * exact) - 1).max() <= 2 * np.finfo(np.float64).eps
    assert float(arccos(jnp.float64(1), jnp.float64(0))) == 0
    assert float(arccos(jnp.float64(-1), jnp.float64(0))) == np.pi
