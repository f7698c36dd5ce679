"""The dual maps for values alone: those of pairs, and of nearly parallel inputs to the last digits."""

import flint
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from activation_cases import REGISTERED
from helpers import assert_close

from nngp_dag.activations import ACTIVATIONS
from nngp_dag.activations.arc_cosine_values import one_from_zero, rooted_variance, zero_of_pair


@pytest.mark.parametrize("name", REGISTERED)
def test_values_are_those_of_the_maps_of_pairs(name):
    activation = ACTIVATIONS[name]
    variances = np.random.default_rng(0).uniform(0.3, 2, (2, 40))
    kxx, kyy = map(jnp.asarray, variances)
    kxy = jnp.asarray(np.random.default_rng(1).uniform(-0.99, 0.99, 40)) * jnp.sqrt(kxx * kyy)

    def values(kxx, kyy, kxy):
        x, y = activation.prepare_values(kxx), activation.prepare_values(kyy)
        slope = activation.derivative_value(x, y, kxy)
        return activation.value_from_derivative(x, y, kxy, slope), slope

    def pairs(kxx, kyy, kxy):
        x, y = activation.prepare(kxx), activation.prepare(kyy)
        return activation.dual(x, y, kxy), activation.dual_derivative(x, y, kxy)

    for found, desired in zip(*(jax.jit(jax.vmap(f))(kxx, kyy, kxy) for f in (values, pairs)), strict=True):
        assert_close(np.asarray(found), np.asarray(desired))


def exact_maps(kxx, kyy, kxy):
    """F0 and F1 of floats, by interval arithmetic."""
    with flint.ctx.workprec(400):
        a, b, c = (flint.arb(float(v)) for v in (kxx, kyy, kxy))
        q = (a * b).sqrt()
        theta = (abs(c) / q).acos()
        theta = theta if c >= 0 else flint.arb.pi() - theta
        zero = 1 - theta / flint.arb.pi()
        return float(zero), float(q * theta.sin() / flint.arb.pi() + zero * c)


@pytest.mark.parametrize("sign", [1, -1])
def test_nearly_parallel_inputs_keep_the_digits_of_their_angle(sign):
    rng = np.random.default_rng(2)
    kxx, kyy = rng.uniform(0.01, 100, (2, 60))
    gaps = np.repeat(10.0 ** -np.arange(1, 13), 5)
    kxy = sign * np.sqrt(kxx * kyy) * (1 - gaps)
    kxx, kyy, kxy = map(jnp.asarray, (kxx, kyy, kxy))
    x, y = rooted_variance(kxx), rooted_variance(kyy)
    zero = zero_of_pair(x, y, kxy)
    exact = np.array([exact_maps(*numbers) for numbers in zip(*map(np.asarray, (kxx, kyy, kxy)), strict=True)])
    if sign < 0:  # the angle itself, not its rounding beside 1: half of the relative error of the gap, 2^-78 q
        assert (abs(np.asarray(zero) / exact[:, 0] - 1) <= 2e-15 + 2.0**-79 / gaps).all()
    np.testing.assert_allclose(np.asarray(zero), exact[:, 0], atol=4e-16)
    np.testing.assert_allclose(np.asarray(one_from_zero(x, y, kxy, zero)), exact[:, 1], rtol=1e-15, atol=1e-15)


def test_inputs_of_zero_variance_are_independent_of_others_and_parallel_ones_have_no_angle():
    k = jnp.asarray([0.0, 0.0, 3.0, 1e-150, 1e150])
    x = rooted_variance(k)
    zero = zero_of_pair(x, rooted_variance(k.at[1].set(2.0)), k)
    np.testing.assert_allclose(np.asarray(zero), [0.5, 0.5, 1, 1, 1], atol=2e-12)
    np.testing.assert_allclose(np.asarray(one_from_zero(x, x, k, zero)), np.asarray(k), rtol=2e-12)


@pytest.mark.float32
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_values_of_any_size_keep_their_digits(dtype):
    if dtype == np.float64 and not jax.config.read("jax_enable_x64"):
        pytest.skip("64-bit floats are off")
    limits, rng = np.finfo(dtype), np.random.default_rng(4)
    sizes = np.geomspace(2 * float(limits.tiny) ** 0.5, float(limits.max) / 2, 120)  # inverses multiply below tiny
    kxx, kyy = (sizes * rng.uniform(0.5, 1, (2, 120))).astype(dtype)
    rho = rng.choice([-1, 1], 120) * (1 - 10.0 ** -rng.uniform(0.1, 5, 120))
    kxy = (np.sqrt(kxx.astype(np.float64)) * np.sqrt(kyy.astype(np.float64)) * rho).astype(dtype)
    x, y = rooted_variance(jnp.asarray(kxx)), rooted_variance(jnp.asarray(kyy))
    zero = zero_of_pair(x, y, jnp.asarray(kxy))
    exact = np.array([exact_maps(*numbers) for numbers in zip(kxx, kyy, kxy, strict=True)])
    q = np.sqrt(kxx.astype(np.float64)) * np.sqrt(kyy.astype(np.float64))
    eps = float(limits.eps)
    np.testing.assert_allclose(np.asarray(zero, np.float64), exact[:, 0], rtol=0, atol=20 * eps)
    one = np.asarray(one_from_zero(x, y, jnp.asarray(kxy), zero), np.float64)
    np.testing.assert_allclose(one / q, exact[:, 1] / q, rtol=0, atol=4 * eps)


def test_variances_that_are_no_numbers_make_no_number():
    kxx, kyy, kxy = map(jnp.asarray, np.transpose([[np.inf, 1, 1], [np.inf, 0, 0], [np.nan, 1, 0.5], [1, np.nan, 0]]))
    x, y = rooted_variance(kxx), rooted_variance(kyy)
    zero = zero_of_pair(x, y, kxy)
    assert jnp.isnan(zero).all() and jnp.isnan(one_from_zero(x, y, kxy, zero)).all()


@pytest.mark.float32
def test_values_of_float32_are_those_of_float64_up_to_its_rounding():
    rng = np.random.default_rng(3)
    kxx, kyy = rng.uniform(0.1, 10, (2, 200)).astype(np.float32)
    kxy = (np.sqrt(kxx * kyy) * rng.uniform(-0.999, 0.999, 200)).astype(np.float32)
    x, y = (rooted_variance(jnp.asarray(k)) for k in (kxx, kyy))
    assert x.low.dtype == jnp.float32
    zero = zero_of_pair(x, y, jnp.asarray(kxy))
    exact = np.array([exact_maps(*numbers) for numbers in zip(kxx, kyy, kxy, strict=True)])
    np.testing.assert_allclose(np.asarray(zero), exact[:, 0], atol=2e-6)
    np.testing.assert_allclose(
        np.asarray(one_from_zero(x, y, jnp.asarray(kxy), zero)), exact[:, 1], rtol=2e-5, atol=2e-5
    )
