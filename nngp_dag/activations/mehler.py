"""Dual maps as power series in the correlation (Mehler's formula), with coefficients that depend on one variance each.

With b_n(k) = E[sigma'(sqrt(k) z) h_n(z)], h_n the orthonormal Hermite polynomials, rho = kxy / sqrt(kxx kyy):
    E[sigma'(g) sigma'(g')] = sum_n b_n(kxx) b_n(kyy) rho^n,
    E[sigma(g) sigma(g')]   = E[sigma(g)] E[sigma(g')] + kxy sum_n b_n(kxx) b_n(kyy) rho^n / (n + 1),
the second being the integral of the first over kxy (Price's theorem). The sums run by Horner's rule, a term at a time,
so that a Gram matrix of pairs needs memory for its entries only. Derivatives are series of the same kind, from
    d E[F(g) G(g')] / dkxy = E[F'(g) G'(g')],   d E[F(g) G(g')] / dkxx = E[F''(g) G(g')] / 2,
    E[sigma^(j)(g) h_n] = sqrt((n + 1) ... (n + j - 1)) b_{n+j-1} / k^((j-1)/2)
for n > 0; for n = 0 the last is known on its own, k = 0 included.

A kink makes the series converge slowly. Where sigma = S + R with the kinks in R (see `kinked`, which has E[R(g) R(g')]
in closed form), the series are those of S S + S R + R S, whose terms fall as fast as those of S.

Only first derivatives: differentiating twice raises NotImplementedError.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from nngp_dag.activations.safe import geometric_mean

__all__ = ["HermiteRow", "Moments", "Orders", "covariance_of_derivatives", "covariance_of_values"]


class Orders(NamedTuple):
    """The orders n at which b_n is stored: start, start + stride, ... (stride 2 where sigma is odd or even)."""

    start: int
    stride: int


class Moments(NamedTuple):
    """The moments at one variance k of one part of sigma; the derivatives are constants to automatic differentiation.

    Attributes:
        value: E[sigma(g)].
        second: E[sigma''(g)].
        third: E[sigma'''(g)].
        coefficients: b_n(k) at the stored orders, [terms].
    """

    value: Array
    second: Array
    third: Array
    coefficients: Array


class HermiteRow(NamedTuple):
    """The contribution of one variance to the pair maps. Only k carries derivatives; the rest are constants to them.

    Attributes:
        k: the variance, a scalar.
        smooth: of S, the part without kinks (all of sigma where it has none).
        kinked: of R, or None.
    """

    k: Array
    smooth: Moments
    kinked: Moments | None = None

    @property
    def whole(self) -> Moments:
        """Of sigma."""
        if self.kinked is None:
            return self.smooth
        return Moments(*(s + r for s, r in zip(self.smooth, self.kinked, strict=True)))


def _even(get: Callable[[Moments], Array], x: HermiteRow, y: HermiteRow) -> list[tuple[Array, Array]]:
    """The products whose sum is S S + S R + R S of one quantity of both rows, exactly symmetric in x and y."""
    whole = [(get(x.whole), get(y.whole))]
    if x.kinked is None or y.kinked is None:
        return whole
    return [*whole, (-get(x.kinked), get(y.kinked))]


def _mixed(
    get_x: Callable[[Moments], Array], get_y: Callable[[Moments], Array], x: HermiteRow, y: HermiteRow
) -> list[tuple[Array, Array]]:
    """The same of different quantities of both, without cancellation."""
    first = [(get_x(x.smooth), get_y(y.whole))]
    if x.kinked is None:
        return first
    return [*first, (get_x(x.kinked), get_y(y.smooth))]


def _sum(products: list[tuple[Array, Array]]) -> Array:
    return sum((a * b for a, b in products[1:]), products[0][0] * products[0][1])


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def covariance_of_values(orders: Orders, x: HermiteRow, y: HermiteRow, kxy: Array) -> Array:
    """E[sigma(g) sigma(g')] for two rows and their covariance kxy (a scalar)."""
    n = _orders(orders, x)
    series = _series(orders, 0, 1 / (n + 1), _even(_coefficients, x, y), _rho(x, y, kxy))
    return _sum(_even(_value, x, y)) + kxy * series


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def covariance_of_derivatives(orders: Orders, x: HermiteRow, y: HermiteRow, kxy: Array) -> Array:
    """E[sigma'(g) sigma'(g')] for two rows and their covariance kxy (a scalar)."""
    n = _orders(orders, x)
    return _series(orders, 0, np.ones_like(n), _even(_coefficients, x, y), _rho(x, y, kxy))


@covariance_of_values.defjvp
def _values_jvp(
    orders: Orders, primals: tuple[HermiteRow, HermiteRow, Array], tangents: tuple[HermiteRow, HermiteRow, Array]
) -> tuple[Array, Array]:
    x, y, kxy = primals
    dx, dy, dxy = tangents
    slope = covariance_of_derivatives(orders, x, y, kxy)
    slope_x, slope_y = (_once(_values_slope(orders, a, b, kxy)) for a, b in ((x, y), (y, x)))
    return covariance_of_values(orders, x, y, kxy), slope * dxy + slope_x * dx.k + slope_y * dy.k


@covariance_of_derivatives.defjvp
def _derivatives_jvp(
    orders: Orders, primals: tuple[HermiteRow, HermiteRow, Array], tangents: tuple[HermiteRow, HermiteRow, Array]
) -> tuple[Array, Array]:
    x, y, kxy = primals
    dx, dy, dxy = tangents
    n = _orders(orders, x)
    weights = np.where(n > 1, n, 0)
    rest = _series(orders, -1, weights, _even(_coefficients, x, y), _rho(x, y, kxy))
    slope = _once(_sum(_even(_second, x, y)) + rest * _reciprocal(geometric_mean(x.k, y.k)))
    slope_x, slope_y = (_once(_derivatives_slope(orders, a, b, kxy)) for a, b in ((x, y), (y, x)))
    return covariance_of_derivatives(orders, x, y, kxy), slope * dxy + slope_x * dx.k + slope_y * dy.k


def _values_slope(orders: Orders, x: HermiteRow, y: HermiteRow, kxy: Array) -> Array:
    """E[sigma''(g) sigma(g')] / 2."""
    shift = 2 // orders.stride
    n = _orders(orders, x)[:-shift]
    weights = np.sqrt((n + 2) / (n + 1))
    products = _mixed(lambda m: m.coefficients[shift:], lambda m: m.coefficients[:-shift], x, y)
    rest = _series(orders, 1, weights, products, _rho(x, y, kxy))
    return (_sum(_mixed(_second, _value, x, y)) + rest * jnp.sqrt(y.k) * _reciprocal(jnp.sqrt(x.k))) / 2


def _derivatives_slope(orders: Orders, x: HermiteRow, y: HermiteRow, kxy: Array) -> Array:
    """E[sigma'''(g) sigma'(g')] / 2."""
    shift = 2 // orders.stride
    n = _orders(orders, x)[:-shift]
    weights = np.where(n > 0, np.sqrt((n + 1) * (n + 2)), 0)
    products = _mixed(lambda m: m.coefficients[shift:], lambda m: m.coefficients[:-shift], x, y)
    rest = _series(orders, 0, weights, products, _rho(x, y, kxy))
    first = _sum(_mixed(lambda m: m.third, lambda m: m.coefficients[0], x, y)) if orders.start == 0 else 0
    return (first + rest * _reciprocal(x.k)) / 2


def _series(
    orders: Orders, extra: int, weights: NDArray[np.float64], products: list[tuple[Array, Array]], rho: Array
) -> Array:
    """Sum over stored orders n of weights_n (sum of products)_n rho^(n + extra), by Horner's rule in rho^stride."""
    start = orders.start + extra
    if start < 0:  # the term of the lowest order has weight 0 then
        start, weights, products = start + orders.stride, weights[1:], [(a[1:], b[1:]) for a, b in products]
    step = rho**orders.stride
    root = jnp.asarray(np.sqrt(weights), rho.dtype)  # a half to either row: exactly symmetric in x and y

    def add(total: Array, terms: list[tuple[Array, Array]]) -> tuple[Array, None]:
        return total * step + _sum(terms), None

    weighted = [(a * root, b * root) for a, b in products]
    total, _ = jax.lax.scan(add, jnp.zeros_like(rho), weighted, reverse=True)
    return total * rho**start


def _value(m: Moments) -> Array:
    return m.value


def _second(m: Moments) -> Array:
    return m.second


def _coefficients(m: Moments) -> Array:
    return m.coefficients


def _orders(orders: Orders, x: HermiteRow) -> NDArray[np.float64]:
    return orders.start + orders.stride * np.arange(x.smooth.coefficients.shape[-1], dtype=np.float64)


def _rho(x: HermiteRow, y: HermiteRow, kxy: Array) -> Array:
    q = geometric_mean(x.k, y.k)
    return jnp.where(q > 0, jnp.clip(kxy / jnp.where(q > 0, q, 1), -1, 1), 0)


def _reciprocal(a: Array) -> Array:
    """1 / a, and 0 where a is below sqrt(eps): the numerators, of smaller order, are lost in rounding there."""
    usable = a > float(jnp.finfo(a.dtype).eps) ** 0.5
    return jnp.where(usable, 1 / jnp.where(usable, a, 1), 0)


@jax.custom_jvp
def _once(slope: Array) -> Array:
    return slope


@_once.defjvp
def _once_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    raise NotImplementedError("dual maps by quadrature have first derivatives only")
