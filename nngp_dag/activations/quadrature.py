"""Activations without closed forms: any scalar function, its dual maps by quadrature, with a statement of their error.

Row by row (`prepare`) the Hermite coefficients of sigma' at that row's variance are integrated on Gauss-Legendre
panels; pair by pair the maps are power series in the correlation (`mehler`). Their numbers of terms are chosen once,
for the largest variance that the activation promises to serve. What is cut off is known from Parseval's
identity, per variance:
    E[sigma'(g)^2] - sum_n b_n^2                                for fdot,
    E[sigma(g)^2] - E[sigma(g)]^2 - k sum_n b_n^2 / (n + 1)     for f,
and the error at |rho| <= 1 is at most the geometric mean of the two rows' tails. Diagonal maps, means and c are
one-dimensional integrals of their own, free of truncation.

Smooth functions reach 1e-11 in a few hundred terms. A function with a kink has a tail that falls like a power of the
number of terms, and gets what it can, said by `accuracy`; one with a jump has no derivative map and is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nngp_dag.activations.base import Accuracy, Activation
from nngp_dag.activations.expectation import Integrand, expectation, expectation_slope
from nngp_dag.activations.gaussian_rule import hermite_table, positive_rule
from nngp_dag.activations.mehler import HermiteRow, Orders, covariance_of_derivatives, covariance_of_values
from nngp_dag.activations.parseval import GaussianMoments, moments
from nngp_dag.errors import InputError
from nngp_dag.support.x64 import compile_time_float64

__all__ = ["MAX_TERMS", "Quadrature", "from_function"]

MAX_TERMS = 1024

_EVEN_ORDERS, _ODD_ORDERS, _ALL_ORDERS = Orders(0, 2), Orders(1, 2), Orders(0, 1)


@dataclass(frozen=True)
class Quadrature(Activation):
    """An activation given by a function alone. Make one with `from_function`, which checks it.

    Attributes:
        function: sigma, a JAX-traceable scalar function that `jax.grad` differentiates.
        name: what to call it.
        max_variance: the largest variance for which `tolerance` is aimed at.
        tolerance: the truncation error aimed at, relative to f and fdot at rho = 1.
    """

    function: Callable[[Array], Array]
    name: str
    max_variance: float = 10.0
    tolerance: float = 1e-11
    is_analytic: bool = False
    is_polynomial: bool = False
    derivative: Callable[[Array], Array] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "derivative", jax.grad(self.function))

    def __call__(self, x: Array) -> Array:
        x = jnp.asarray(x)
        return jax.vmap(self.function)(x.ravel()).reshape(x.shape).astype(x.dtype)

    @cached_property
    def normalization(self) -> float:
        return 1 / self._moments(1.0, 1).value_power

    @cached_property
    def terms(self) -> tuple[int, int]:
        """Number of Hermite orders of f and fdot: as few as reach `tolerance` up to `max_variance`, even numbers."""
        needed = np.array([16, 16])
        for k in self.max_variance / np.array([1.0, 4.0, 16.0]):
            needed = np.maximum(needed, self._moments(k, MAX_TERMS).terms_for(self.tolerance))
        f, fdot = (int(n + n % 2) for n in needed)
        return f, fdot

    @cached_property
    def orders(self) -> Orders:
        """Hermite orders of sigma': the even ones for an odd sigma, the odd ones for an even sigma, else all."""
        x = np.concatenate([positive_rule()[0] * 10**0.5, np.geomspace(1e-3, 1e4, 64)])
        with compile_time_float64():
            value, mirror = (np.asarray(jax.jit(jax.vmap(self.function))(jnp.asarray(side))) for side in (x, -x))
        size = 8 * np.finfo(np.float64).eps * np.maximum(abs(value), abs(mirror))
        if np.all(abs(value + mirror) <= size):
            return _EVEN_ORDERS
        if np.all(abs(value - mirror) <= size):
            return _ODD_ORDERS
        return _ALL_ORDERS

    def prepare(self, k: Array) -> HermiteRow:
        """Hermite coefficients at variance k: see `mehler.HermiteRow`."""
        k = jnp.asarray(k)
        constant = jax.lax.stop_gradient(k)
        is_odd, is_even = self.orders == _EVEN_ORDERS, self.orders == _ODD_ORDERS
        zero = jnp.zeros_like(constant)
        return HermiteRow(
            k=k,
            value=zero if is_odd else expectation(Integrand(self.function), constant),
            second=zero if is_odd else 2 * expectation_slope(Integrand(self.function), constant),
            third=zero if is_even else 2 * expectation_slope(Integrand(self.derivative, may_jump=True), constant),
            coefficients=self._coefficients(constant),
        )

    def dual(self, px: HermiteRow, py: HermiteRow, kxy: Array) -> Array:
        px, py = (row._replace(coefficients=row.coefficients[: self._stored(self.terms[0])]) for row in (px, py))
        return self.normalization * covariance_of_values(self.orders, px, py, kxy)

    def dual_derivative(self, px: HermiteRow, py: HermiteRow, kxy: Array) -> Array:
        return self.normalization * covariance_of_derivatives(self.orders, px, py, kxy)

    def dual_diagonal(self, k: Array) -> Array:
        return self.normalization * expectation(Integrand(_Square(self.function)), jnp.asarray(k))

    def dual_derivative_diagonal(self, k: Array) -> Array:
        return self.normalization * expectation(Integrand(_Square(self.derivative), may_jump=True), jnp.asarray(k))

    def mean(self, k: Array) -> Array:
        if self.orders == _EVEN_ORDERS:
            return jnp.zeros_like(k)
        return self.normalization**0.5 * expectation(Integrand(self.function), jnp.asarray(k))

    def accuracy(self, k: float = 1.0) -> Accuracy:
        """The errors at variance k, judged by a finer rule: truncation, quadrature and rounding together."""
        return _accuracy(self, float(k))

    def _stored(self, terms: int) -> int:
        return terms // self.orders.stride

    def _coefficients(self, k: Array) -> Array:
        """b_n(k) at the stored orders below the number that fdot needs (f needs fewer), a vector."""
        z, _ = positive_rule()
        table = hermite_table(max(self.terms))
        x = jnp.sqrt(k) * jnp.asarray(z, k.dtype)
        slope = jax.vmap(self.derivative)
        right, left = slope(x).astype(k.dtype), slope(-x).astype(k.dtype)

        def coefficients(parity: int) -> Array:
            side = right - left if parity else right + left
            return jnp.dot(jnp.asarray(table[parity::2], k.dtype), side, precision=jax.lax.Precision.HIGHEST)

        if self.orders.stride == 2:
            return coefficients(self.orders.start)
        return jnp.stack([coefficients(0), coefficients(1)], axis=-1).reshape(-1)

    def _moments(self, k: float, terms: int) -> GaussianMoments:
        return moments(self.function, self.derivative, float(k), terms)


@dataclass(frozen=True)
class _Square:
    """The square of a scalar function; equal for equal functions, so that nothing is compiled twice."""

    function: Callable[[Array], Array]

    def __call__(self, x: Array) -> Array:
        return self.function(x) ** 2


@lru_cache(maxsize=256)
def _accuracy(activation: Quadrature, k: float) -> Accuracy:
    return Accuracy(*activation._moments(k, max(activation.terms)).errors(activation.terms))


def from_function(
    function: Callable[[Array], Array],
    name: str | None = None,
    *,
    max_variance: float = 10.0,
    tolerance: float = 1e-11,
    is_analytic: bool = False,
    is_polynomial: bool = False,
) -> Quadrature:
    """An activation from a JAX-traceable scalar function, its dual maps by quadrature, c computed.

    Arguments:
        function: sigma; takes and returns a scalar, and `jax.grad` gives its derivative (almost everywhere is enough).
        name: what to call it; the function's own name by default.
        max_variance: up to which variance `tolerance` is aimed at; beyond, and for functions with kinks, the error
            grows, and `accuracy(k)` says to what.
        tolerance: truncation error aimed at, relative to f and fdot at rho = 1.
        is_analytic: whether sigma is known to be real analytic; not found out here.
        is_polynomial: whether sigma is known to be a polynomial; not found out here.

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
    activation = Quadrature(function, label, max_variance, tolerance, is_analytic, is_polynomial)
    _check(activation)
    return activation


def _check(activation: Quadrature) -> None:
    found = activation._moments(1.0, MAX_TERMS)
    if not np.isfinite(found.value_power) or not np.isfinite(found.slope_power):
        raise InputError(f"activation {activation.name!r} or its derivative is not finite on the real line")
    if found.value_power == 0:
        raise InputError(f"activation {activation.name!r} is zero: it cannot be normalised")
    missing = abs(found.value_tails()[-1]) / found.value_power
    if missing > 1e-2:
        raise InputError(
            f"activation {activation.name!r} is not the integral of its derivative ({missing:.0%} of its power is"
            " missing): it has jumps, or a derivative that is not its own, and its NTK would be infinite or wrong"
        )
