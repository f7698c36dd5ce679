"""Activations without closed forms: any scalar function, its dual maps by quadrature, with a statement of their error.

What has kinks is split, sigma = S + R, with the kinks in R, whose maps have closed forms (`kinked`). Row by row
(`prepare`) the Hermite coefficients of S' at that row's variance are integrated on Gauss-Legendre panels; pair by pair
the maps are power series in the correlation (`mehler`). The rule and the number of terms are chosen once, for the
largest variance that the activation promises to serve; `serving` gives the activation for another. What is cut off is
known from Parseval's identity (`parseval`). Diagonal maps, means and c are one-dimensional integrals of their own, on
panels that follow the variance, free of truncation.

Smooth functions reach 1e-11 in a few hundred terms, more for larger variances. A function whose second derivative jumps
has a tail that falls like a power of the number of terms, and gets what it can, said by `accuracy`; one with a jump has
no derivative map and is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nngp_dag.activations.base import Accuracy, Activation
from nngp_dag.activations.expectation import Integrand, expectation, expectation_slope
from nngp_dag.activations.gaussian_rule import Panels, hermite_table, positive_rule
from nngp_dag.activations.kinked import kinked_row, kinked_slopes, kinked_values
from nngp_dag.activations.kinks import Kink, find_kinks, kinked_slope, kinked_value
from nngp_dag.activations.mehler import (
    HermiteRow,
    Moments,
    Orders,
    covariance_of_derivatives,
    covariance_of_values,
)
from nngp_dag.activations.parseval import Anatomy, GaussianMoments, moments
from nngp_dag.activations.pointwise import values_at
from nngp_dag.errors import InputError

__all__ = ["MAX_TERMS", "Quadrature", "from_function"]

MAX_TERMS = 4096
"""Of the series that serve variances beyond 40; half of that beyond 10, and a quarter up to there."""

_LADDER = tuple(10.0 * 4.0**n for n in range(5))
"""The largest variances that rules are made for: 10, 40, ..., 2,560."""

_EVEN_ORDERS, _ODD_ORDERS, _ALL_ORDERS = Orders(0, 2), Orders(1, 2), Orders(0, 1)


@dataclass(frozen=True)
class Quadrature(Activation):
    """An activation given by a function alone. Make one with `from_function`, which checks it.

    Attributes:
        function: sigma, a JAX-traceable scalar function that `jax.grad` differentiates.
        name: what to call it.
        max_variance: the largest variance for which `tolerance` is aimed at.
        tolerance: the truncation error aimed at, relative to f and fdot at rho = 1.
        given_kinks: where sigma' jumps; None: found numerically.
    """

    function: Callable[[Array], Array]
    name: str
    max_variance: float = 10.0
    tolerance: float = 1e-11
    is_analytic: bool = False
    is_polynomial: bool = False
    given_kinks: tuple[float, ...] | None = None
    has_rules: bool = field(default=True, init=False, repr=False, compare=False)
    derivative: Callable[[Array], Array] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "derivative", jax.grad(self.function))

    def __call__(self, x: Array) -> Array:
        x = jnp.asarray(x)
        return jax.vmap(self.function)(x.ravel()).reshape(x.shape).astype(x.dtype)

    @cached_property
    def kinks(self) -> tuple[Kink, ...]:
        """Where sigma' jumps, and by how much."""
        return find_kinks(self.derivative, self.given_kinks)

    @cached_property
    def normalization(self) -> float:
        return 1 / self._moments(1.0, 1).value_power

    @cached_property
    def terms(self) -> tuple[int, int]:
        """Number of Hermite orders of f and fdot: as few as reach `tolerance` up to `max_variance`, even numbers."""
        needed = np.array([16, 16])
        for k in self.max_variance / np.array([1.0, 4.0, 16.0]):
            needed = np.maximum(needed, self._moments(k, self._most_terms).terms_for(self.tolerance))
        f, fdot = (int(n + n % 2) for n in needed)
        return f, fdot

    @cached_property
    def orders(self) -> Orders:
        """Hermite orders of sigma': the even ones for an odd sigma, the odd ones for an even sigma, else all."""
        if any(kink.place == 0 for kink in self.kinks):
            return _ALL_ORDERS  # of R there, which is neither even nor odd
        x = np.concatenate([positive_rule()[0] * 10**0.5, np.geomspace(1e-3, 1e4, 64)])
        value, mirror = values_at(self.function, x), values_at(self.function, -x)
        size = 8 * np.finfo(np.float64).eps * np.maximum(abs(value), abs(mirror))
        if np.all(abs(value + mirror) <= size):
            return _EVEN_ORDERS
        if np.all(abs(value - mirror) <= size):
            return _ODD_ORDERS
        return _ALL_ORDERS

    def serving(self, variance: float) -> Quadrature:
        """The activation with a rule for variances up to this one: itself, or of the first step of the ladder above."""
        if variance <= self.max_variance:
            return self
        step = next((k for k in _LADDER if k >= variance), _LADDER[-1])
        return replace(self, max_variance=step) if step > self.max_variance else self

    def prepare(self, k: Array) -> HermiteRow:
        """Hermite coefficients at variance k: see `mehler.HermiteRow`."""
        k = jnp.asarray(k)
        constant = jax.lax.stop_gradient(k)
        is_odd, is_even = self.orders == _EVEN_ORDERS, self.orders == _ODD_ORDERS
        zero = jnp.zeros_like(constant)
        value, slope = self._integrand(_Smooth(self.function, self.kinks)), _SmoothSlope(self.derivative, self.kinks)
        smooth = Moments(
            value=zero if is_odd else expectation(value, constant),
            second=zero if is_odd else 2 * expectation_slope(value, constant),
            third=zero if is_even else 2 * expectation_slope(self._integrand(slope, may_jump=True), constant),
            coefficients=self._coefficients(slope, constant),
        )
        if not self.kinks:
            return HermiteRow(k, smooth)
        kinked = kinked_row(self.kinks, max(self.terms), constant)
        return HermiteRow(k, smooth, _cut(kinked, slice(self.orders.start, None, self.orders.stride)))

    def dual(self, px: HermiteRow, py: HermiteRow, kxy: Array) -> Array:
        stored = slice(self.terms[0] // self.orders.stride)
        rows = (HermiteRow(r.k, _cut(r.smooth, stored), r.kinked and _cut(r.kinked, stored)) for r in (px, py))
        series = covariance_of_values(self.orders, *rows, kxy)
        return self.normalization * (series + kinked_values(self.kinks, px.k, py.k, kxy) if self.kinks else series)

    def dual_derivative(self, px: HermiteRow, py: HermiteRow, kxy: Array) -> Array:
        series = covariance_of_derivatives(self.orders, px, py, kxy)
        return self.normalization * (series + kinked_slopes(self.kinks, px.k, py.k, kxy) if self.kinks else series)

    def dual_diagonal(self, k: Array) -> Array:
        return self.normalization * expectation(self._integrand(_Square(self.function)), jnp.asarray(k))

    def dual_derivative_diagonal(self, k: Array) -> Array:
        square = self._integrand(_Square(self.derivative), may_jump=True)
        k = jnp.asarray(k)
        if any(kink.place == 0 for kink in self.kinks):  # of zero rows the limit, as the pair maps have it
            k = jnp.maximum(k, 1e-30)
        return self.normalization * expectation(square, k)

    def mean(self, k: Array) -> Array:
        if self.orders == _EVEN_ORDERS:
            return jnp.zeros_like(k)
        return self.normalization**0.5 * expectation(self._integrand(self.function), jnp.asarray(k))

    def accuracy(self, k: float = 1.0, rho: float = 1.0) -> Accuracy:
        """The errors at variance k, judged by a finer rule: truncation, quadrature and rounding together."""
        return _accuracy(self, float(k), float(rho))

    @property
    def _most_terms(self) -> int:
        return MAX_TERMS // (4 if self.max_variance <= _LADDER[0] else 2 if self.max_variance <= _LADDER[1] else 1)

    @property
    def _panels(self) -> Panels:
        """Of the rule for coefficients: they resolve Hermite functions of all orders, and sigma' near 0."""
        return Panels(panel=16 / self._most_terms**0.5, finest=1.5 / self.max_variance**0.5)

    def _integrand(self, function: Callable[[Array], Array], may_jump: bool = False) -> Integrand:
        return Integrand(function, may_jump, self._anatomy.places)

    def _coefficients(self, slope: Callable[[Array], Array], k: Array) -> Array:
        """b_n(k) of S' at the stored orders below the number that fdot needs (f needs fewer), a vector."""
        z, _ = positive_rule(self._panels)
        table = hermite_table(max(self.terms), self._panels)
        x = jnp.sqrt(k) * jnp.asarray(z, k.dtype)
        right, left = (jax.vmap(slope)(side).astype(k.dtype) for side in (x, -x))

        def coefficients(parity: int) -> Array:
            side = right - left if parity else right + left
            return jnp.dot(jnp.asarray(table[parity::2], k.dtype), side, precision=jax.lax.Precision.HIGHEST)

        if self.orders.stride == 2:
            return coefficients(self.orders.start)
        return jnp.stack([coefficients(0), coefficients(1)], axis=-1).reshape(-1)

    @cached_property
    def _anatomy(self) -> Anatomy:
        return Anatomy(self.function, self.derivative, self.kinks)

    def _moments(self, k: float, terms: int) -> GaussianMoments:
        return moments(self._anatomy, float(k), terms, self._panels)


@dataclass(frozen=True)
class _Square:
    """The square of a scalar function; equal for equal functions, so that nothing is compiled twice."""

    function: Callable[[Array], Array]

    def __call__(self, x: Array) -> Array:
        return self.function(x) ** 2


@dataclass(frozen=True)
class _Smooth:
    """S = sigma - R."""

    function: Callable[[Array], Array]
    kinks: tuple[Kink, ...]

    def __call__(self, x: Array) -> Array:
        return self.function(x) - kinked_value(self.kinks, x)


@dataclass(frozen=True)
class _SmoothSlope:
    """S' = sigma' - R'."""

    derivative: Callable[[Array], Array]
    kinks: tuple[Kink, ...]

    def __call__(self, x: Array) -> Array:
        return self.derivative(x) - kinked_slope(self.kinks, x)


def _cut(part: Moments, stored: slice) -> Moments:
    return part._replace(coefficients=part.coefficients[..., stored])


@lru_cache(maxsize=256)
def _accuracy(activation: Quadrature, k: float, rho: float) -> Accuracy:
    found = activation._moments(k, max(activation.terms))
    return Accuracy(*found.errors(activation.terms, rho))


def from_function(
    function: Callable[[Array], Array],
    name: str | None = None,
    *,
    max_variance: float = 10.0,
    tolerance: float = 1e-11,
    is_analytic: bool = False,
    is_polynomial: bool = False,
    kinks: Sequence[float] | None = None,
) -> Quadrature:
    """An activation from a JAX-traceable scalar function, its dual maps by quadrature, c computed.

    Arguments:
        function: sigma; takes and returns a scalar, and `jax.grad` gives its derivative (almost everywhere is enough).
        name: what to call it; the function's own name by default.
        max_variance: up to which variance `tolerance` is aimed at. Kernels of concrete inputs take a larger rule
            by themselves where theirs go beyond, and warn where none keeps 1e-8; inside `jax.jit`, where variances
            are unknown, this one is used, and `accuracy(k)` says what it keeps.
        tolerance: truncation error aimed at, relative to f and fdot at rho = 1.
        is_analytic: whether sigma is known to be real analytic; not found out here.
        is_polynomial: whether sigma is known to be a polynomial; not found out here.
        kinks: the places where sigma' jumps; found numerically (see `kinks.find_kinks`) where they are not given.

    Raises:
        InputError: not a function of one scalar, not finite, zero, or with jumps (fdot would be infinite).
    """
    if not callable(function):
        raise InputError(f"an activation must be a function of one scalar, not {type(function).__name__}")
    label = name if name is not None else getattr(function, "__name__", type(function).__name__)
    if not (0 < max_variance < np.inf and 0 < tolerance < 1):
        raise InputError("an activation needs max_variance > 0 and 0 < tolerance < 1")
    try:
        hash(function)
        scalar = jax.ShapeDtypeStruct((), jnp.float32)
        jax.eval_shape(jax.grad(function), scalar)
    except Exception as error:  # whatever a user's function raises when it is traced
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"activation {label!r} is not a differentiable JAX function of a scalar: {reason}") from error
    places = None if kinks is None else tuple(float(t) for t in kinks)
    if places is not None and not all(np.isfinite(places)):
        raise InputError(f"the kinks of activation {label!r} must be finite numbers")
    activation = Quadrature(function, label, max_variance, tolerance, is_analytic, is_polynomial, places)
    _check(activation)
    return activation


def _check(activation: Quadrature) -> None:
    found = activation._moments(1.0, MAX_TERMS // 4)
    if not np.isfinite(found.value_power) or not np.isfinite(found.slope_power):
        raise InputError(f"activation {activation.name!r} or its derivative is not finite on the real line")
    if found.value_power == 0:
        raise InputError(f"activation {activation.name!r} is zero: it cannot be normalised")
    missing = float(found.value_tails()[-1]) / found.value_power
    if missing > 1e-2:
        raise InputError(
            f"activation {activation.name!r} is not the integral of its derivative ({missing:.0%} of its power is"
            " missing): it has jumps, or a derivative that is not its own, and its NTK would be infinite or wrong"
        )
