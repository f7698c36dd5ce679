"""Hyperbolic tangent, as a mixture of error functions (`normal_mixture`): right at every variance and correlation.

With scales s_i and weights w_i, A_i = s_i^2 + kxx, B_j = s_j^2 + kyy, U = 1 / sqrt(A_i B_j) and
det = 1 - (U kxy)^2 = s_i^2 / A_i + s_j^2 / B_j - s_i^2 s_j^2 / (A_i B_j) + U^2 (kxx kyy - kxy^2):
    f    = c (2 / pi) sum_ij w_i w_j arcsin(U kxy),
    fdot = c (2 / pi) sum_ij w_i w_j U / sqrt(det),
    beta = 0,
    df    = fdot dkxy - c / pi sum_ij w_i w_j U kxy / sqrt(det) (dkxx / A_i + dkyy / B_j),
    dfdot = c / pi sum_ij w_i w_j U / det^(3/2) (2 U^2 kxy dkxy - U^2 B_j dkxx - U^2 A_i dkyy).
The sums run a pair of scales at a time, so that a Gram matrix of pairs needs memory for its entries only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from nngp_dag.activations.angles import arcsin
from nngp_dag.activations.base import Accuracy, Activation
from nngp_dag.activations.normal_mixture import tanh_mixture
from nngp_dag.activations.quadrature import Quadrature
from nngp_dag.activations.safe import geometric_mean

__all__ = ["Tanh"]

_SERIES_UP_TO = (10.0, 40.0)

_NEGLIGIBLE = 1e-14
"""Products of weights below it are left out; all others sum to 1."""


@dataclass(frozen=True)
class Tanh(Activation):
    """sigma(x) = tanh(x)."""

    name = "tanh"
    has_rules = True

    @cached_property
    def normalization(self) -> float:  # type: ignore[override]
        i, j, weights = _combinations()
        variances = tanh_mixture()[0] ** 2
        angles = np.arcsin(1 / np.sqrt((1 + variances[i]) * (1 + variances[j])))
        return math.pi / 2 / float(weights @ angles)

    def __call__(self, x: Array) -> Array:
        return jnp.tanh(x)

    def dual(self, px: Array, py: Array, kxy: Array) -> Array:
        return self.normalization * (2 / math.pi) * _angles(*_floats(px, py, kxy))

    def dual_derivative(self, px: Array, py: Array, kxy: Array) -> Array:
        return self.normalization * (2 / math.pi) * _slopes(*_floats(px, py, kxy))

    def mean(self, k: Array) -> Array:
        return jnp.zeros_like(k)

    def serving(self, variance: float) -> Activation:
        """Up to variance 40 the series of `quadrature`, which is many times faster; this activation beyond."""
        step = next((k for k in _SERIES_UP_TO if variance <= k), None)
        return self if step is None else Quadrature(jnp.tanh, self.name, step, is_analytic=True)

    def accuracy(self, k: float = 1.0, rho: float = 1.0) -> Accuracy:
        """That of the mixture, the same at all variances."""
        del k, rho
        return Accuracy(2e-12, 2e-12)


class _Row(NamedTuple):
    """One variance k with one scale s: `root` = 1 / sqrt(s^2 + k), `share` = s^2 / (s^2 + k)."""

    root: Array
    share: Array


class _Term(NamedTuple):
    """U, U kxy in [-1, 1], and det of one pair of scales."""

    inverse: Array
    sine: Array
    determinant: Array


def _angles_term(x: _Row, y: _Row, t: _Term) -> tuple[Array, ...]:
    del x, y
    return (arcsin(t.sine, t.determinant / (1 + jnp.abs(t.sine))),)


def _slopes_term(x: _Row, y: _Row, t: _Term) -> tuple[Array, ...]:
    del x, y
    # A root and no product, which the compiler would fuse into the sum of (i, j) and (j, i) and so tell them apart.
    return (jnp.sqrt(t.inverse * (t.inverse / t.determinant)),)


def _angles_gradient(x: _Row, y: _Row, t: _Term) -> tuple[Array, ...]:
    ratio = t.sine / jnp.sqrt(t.determinant) / -2
    return ratio * x.root**2, ratio * y.root**2


def _slopes_gradient(x: _Row, y: _Row, t: _Term) -> tuple[Array, ...]:
    slope = t.inverse / jnp.sqrt(t.determinant)
    weigh = (slope * (a / t.determinant) for a in (x.root**2 / -2, y.root**2 / -2, t.inverse * t.sine))
    return tuple(weigh)


@jax.custom_jvp
def _angles(kxx: Array, kyy: Array, kxy: Array) -> Array:
    """sum_ij w_i w_j arcsin(U kxy) for scalars of one dtype."""
    return _sum(_angles_term, 1, kxx, kyy, kxy)[0]


@jax.custom_jvp
def _slopes(kxx: Array, kyy: Array, kxy: Array) -> Array:
    """sum_ij w_i w_j U / sqrt(det) for scalars of one dtype."""
    return _sum(_slopes_term, 1, kxx, kyy, kxy)[0]


@_angles.defjvp
def _angles_jvp(primals: tuple[Array, ...], tangents: tuple[Array, ...]) -> tuple[Array, Array]:
    dxx, dyy, dxy = tangents
    slope_x, slope_y = _sum(_angles_gradient, 2, *primals)
    return _angles(*primals), _slopes(*primals) * dxy + slope_x * dxx + slope_y * dyy


@_slopes.defjvp
def _slopes_jvp(primals: tuple[Array, ...], tangents: tuple[Array, ...]) -> tuple[Array, Array]:
    dxx, dyy, dxy = tangents
    slope_x, slope_y, slope = _sum(_slopes_gradient, 3, *primals)
    return _slopes(*primals), slope * dxy + slope_x * dxx + slope_y * dyy


def _sum(term: Callable[..., tuple[Array, ...]], size: int, kxx: Array, kyy: Array, kxy: Array) -> tuple[Array, ...]:
    """sum_ij w_i w_j term_ij, each (i, j) added to (j, i) first: exactly symmetric in x and y."""
    i, j, weights = _combinations()
    x, y = _rows(kxx), _rows(kyy)
    q = geometric_mean(kxx, kyy)

    def one(x: _Row, y: _Row) -> tuple[Array, ...]:
        inverse = x.root * y.root
        beyond = jnp.maximum((q - jnp.abs(kxy)) * inverse, 0) * ((q + jnp.abs(kxy)) * inverse)
        determinant = x.share + y.share - x.share * y.share + beyond
        return term(x, y, _Term(inverse, jnp.clip(kxy * inverse, -1, 1), determinant))

    def add(total: tuple[Array, ...], at: tuple[Any, ...]) -> tuple[tuple[Array, ...], None]:
        xi, xj, yi, yj, weight = at
        both = zip(total, one(xi, yj), one(xj, yi), strict=True)
        return tuple(t + weight * (a + b) for t, a, b in both), None

    rows = (_Row(*(a[index] for a in row)) for row in (x, y) for index in (i, j))
    start = (jnp.zeros_like(kxy),) * size
    return jax.lax.scan(add, start, (*rows, jnp.asarray(weights / 2, kxy.dtype)), unroll=4)[0]


def _rows(k: Array) -> _Row:
    variances = jnp.asarray(tanh_mixture()[0] ** 2, k.dtype)
    return _Row(1 / jnp.sqrt(variances + k), variances / (variances + k))


@lru_cache(maxsize=1)
def _combinations() -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """Indices i <= j of pairs of scales, and w_i w_j (twice that where i < j), the negligible left out; all [P].

    JAX keeps what it has made of an array, and of int64 it makes 32 bits or 64 by the mode at its first use.
    """
    weights = tanh_mixture()[1]
    i, j = np.triu_indices(len(weights))
    products = np.where(i < j, 2, 1) * weights[i] * weights[j]
    kept = products > _NEGLIGIBLE
    return i[kept].astype(np.int32), j[kept].astype(np.int32), products[kept] / products[kept].sum()


def _floats(kxx: Array, kyy: Array, kxy: Array) -> tuple[Array, Array, Array]:
    dtype = jnp.result_type(kxx, kyy, kxy)
    return jnp.asarray(kxx, dtype), jnp.asarray(kyy, dtype), jnp.asarray(kxy, dtype)
