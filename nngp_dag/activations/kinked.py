"""Dual maps of the part of an activation that makes its kinks: closed forms at every variance and correlation.

With kinks of jump j_m at t_m, e_m = 1 where t_m >= 0 and -1 below (so that the part vanishes around 0):
    R(x) = sum_m j_m (e_m (x - t_m))+,      R'(x) = sum_m j_m e_m [e_m x > |t_m|].
For U = e_m g / sqrt(kxx), V = e_l g' / sqrt(kyy) of correlation r, a = |t_m| / sqrt(kxx), b = |t_l| / sqrt(kyy), with L
and M of `orthant`, phi the normal density, s = sqrt(1 - r^2) and tau = (b - r a) / s:
    E[R R']   = sum_ml j_m j_l sqrt(kxx kyy) M(a, b, r),
    E[R' R''] = sum_ml j_m j_l e_m e_l L(a, b, r)                     (R' of g times R' of g'),
    d E[R R'] / dkxy = E[R' R''],
    d E[R R'] / dkxx = sum j_m j_l sqrt(kyy / kxx) phi(a) (s phi(tau) - s tau Q(tau)) / 2,
    d E[R' R''] / dkxy = sum j_m j_l density / (s sqrt(kxx kyy)),
    d E[R' R''] / dkxx = sum j_m j_l e_m e_l (a phi(a) Q(tau) - r density / s) / (2 kxx).
Conventions at zero rows and at r = -1 and 1 are those of `arc_cosine`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array

from nngp_dag.activations.kinks import Kink, sign_of
from nngp_dag.activations.mehler import Moments
from nngp_dag.activations.orthant import Correlation, density, excess, normal_tail, orthant, tail_above
from nngp_dag.activations.safe import geometric_mean, reciprocal

__all__ = ["kinked_row", "kinked_slopes", "kinked_values"]

Kinks = tuple[Kink, ...]
_Term = Callable[[Array, Array, Correlation], Array]

_FARTHEST = 40.0
"""Thresholds beyond which nothing is left of a normal distribution."""


def kinked_row(kinks: Kinks, terms: int, k: Array) -> Moments:
    """The moments of R at one variance k (a scalar), with the coefficients of all orders n < terms."""
    scale = jnp.sqrt(k)
    value, second, third, coefficients = (jnp.zeros_like(k),) * 3 + (jnp.zeros(terms, k.dtype),)
    for kink in kinks:
        a = _threshold(kink, k)
        phi = jnp.exp(-a * a / 2) / (2 * jnp.pi) ** 0.5
        value += kink.jump * scale * (phi - a * normal_tail(a))
        second += kink.jump * phi * reciprocal(scale)
        third += kink.jump * sign_of(kink) * a * phi * reciprocal(k)
        first = sign_of(kink) * normal_tail(a)
        coefficients += kink.jump * _coefficients(sign_of(kink) * a, phi, first, terms)
    return Moments(value, second, third, coefficients)


def _coefficients(a: Array, phi: Array, first: Array, terms: int) -> Array:
    """E[H(z) h_n(z)] for a step at a: `first`, then phi(a) h_{n-1}(a) / sqrt(n)."""

    def step(carry: tuple[Array, Array], n: Array) -> tuple[tuple[Array, Array], Array]:
        before, current = carry
        after = (a * current - jnp.sqrt(n - 1) * before) / jnp.sqrt(n)
        return (current, after), current / jnp.sqrt(n)

    orders = jnp.arange(1, terms, dtype=a.dtype)
    return jnp.concatenate([first[None], jax.lax.scan(step, (jnp.zeros_like(phi), phi), orders)[1]])


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def kinked_values(kinks: Kinks, kxx: Array, kyy: Array, kxy: Array) -> Array:
    """E[R(g) R(g')] for variances and a covariance (scalars of one float dtype)."""
    return geometric_mean(kxx, kyy) * _pairs(kinks, False, excess, kxx, kyy, kxy)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def kinked_slopes(kinks: Kinks, kxx: Array, kyy: Array, kxy: Array) -> Array:
    """E[R'(g) R'(g')] for variances and a covariance (scalars of one float dtype)."""
    return _pairs(kinks, True, orthant, kxx, kyy, kxy)


@kinked_values.defjvp
def _values_jvp(kinks: Kinks, primals: tuple[Array, ...], tangents: tuple[Array, ...]) -> tuple[Array, Array]:
    kxx, kyy, kxy = primals
    dxx, dyy, dxy = tangents

    def beyond(a: Array, b: Array, c: Correlation) -> Array:
        tau = tail_above(a, b, c)
        phi = jnp.exp(-a * a / 2) / (2 * jnp.pi) ** 0.5
        above = b - a + a * c.below  # s tau
        return c.sine * density(a, b, c) - phi * above * normal_tail(tau)

    q = geometric_mean(kxx, kyy)
    slope_x = q / 2 * reciprocal(kxx) * _pairs(kinks, False, beyond, kxx, kyy, kxy)
    slope_y = q / 2 * reciprocal(kyy) * _pairs(kinks, False, beyond, kyy, kxx, kxy)
    slope = kinked_slopes(kinks, kxx, kyy, kxy)
    return kinked_values(kinks, kxx, kyy, kxy), slope * dxy + slope_x * dxx + slope_y * dyy


@kinked_slopes.defjvp
def _slopes_jvp(kinks: Kinks, primals: tuple[Array, ...], tangents: tuple[Array, ...]) -> tuple[Array, Array]:
    kxx, kyy, kxy = primals
    dxx, dyy, dxy = tangents

    def height(a: Array, b: Array, c: Correlation) -> Array:
        return density(a, b, c) * reciprocal(c.sine)

    def turn(a: Array, b: Array, c: Correlation) -> Array:
        phi = jnp.exp(-a * a / 2) / (2 * jnp.pi) ** 0.5
        return a * phi * normal_tail(tail_above(a, b, c)) - c.r * height(a, b, c)

    slope = reciprocal(geometric_mean(kxx, kyy)) * _pairs(kinks, False, height, kxx, kyy, kxy)
    slope_x = reciprocal(kxx) / 2 * _pairs(kinks, True, turn, kxx, kyy, kxy)
    slope_y = reciprocal(kyy) / 2 * _pairs(kinks, True, turn, kyy, kxx, kxy)
    return kinked_slopes(kinks, kxx, kyy, kxy), slope * dxy + slope_x * dxx + slope_y * dyy


def _pairs(kinks: Kinks, signed: bool, term: _Term, kxx: Array, kyy: Array, kxy: Array) -> Array:
    """sum_ml j_m j_l term(a_m, b_l, r), with the factor e_m e_l if signed; (m, l) and (l, m) are added first."""
    c = _correlation(kxx, kyy, kxy)
    total = jnp.zeros_like(c.r)

    def one(m: Kink, n: Kink) -> Array:
        same = sign_of(m) == sign_of(n)
        found = term(_threshold(m, kxx), _threshold(n, kyy), c if same else c.flipped())
        return found if same or not signed else -found

    for i, m in enumerate(kinks):
        total += m.jump * m.jump * one(m, m)
        for n in kinks[:i]:
            total += m.jump * n.jump * (one(m, n) + one(n, m))
    return total


def _correlation(kxx: Array, kyy: Array, kxy: Array) -> Correlation:
    q = geometric_mean(kxx, kyy)
    scale = jnp.where(q > 0, q, 1)
    gap = jnp.where(q > 0, jnp.clip((q - jnp.abs(kxy)) / scale, 0, 1), 1)
    return Correlation(jnp.where(q > 0, jnp.clip(kxy / scale, -1, 1), 0), gap)


def _threshold(kink: Kink, k: Array) -> Array:
    """|t| / sqrt(k), at most 40."""
    if kink.place == 0:
        return jnp.zeros_like(k)
    least = max((kink.place / _FARTHEST) ** 2, float(jnp.finfo(k.dtype).tiny))
    return jnp.minimum(abs(kink.place) / jnp.sqrt(jnp.maximum(k, least)), _FARTHEST)
