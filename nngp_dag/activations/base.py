"""The interface of an activation to the kernels: its dual maps on scalars.

For a pair of jointly Gaussian pre-activations (g, g') with variances kxx, kyy and covariance kxy,
    f    = c E[sigma(g) sigma(g')]      (Lemma 3.2),
    fdot = c E[sigma'(g) sigma'(g')],
    beta = sqrt(c) E[sigma(g)],         g ~ N(0, kxx),
with c = 1 / E[sigma(z)^2], z ~ N(0, 1). A new activation supplies these on scalars;
batching lives with the callers (vmap).

Every map is differentiable in all of its arguments with finite results everywhere, by Price's theorem where a formula
itself is singular:
    df / dkxy = fdot,    df / dkxx = (c / 2) E[sigma''(g) sigma(g')].

Where a dual map needs work that depends on one variance only (Hermite coefficients, say), `prepare` does that work once
a row and the pair maps take its results; closed forms need nothing and keep the default, the variance itself.

The maps of one input with itself are by default those of a pair at kxx = kyy = kxy. An activation overrides them where
a formula of their own is more accurate (nothing of order one cancels, zero rows have their limit) or cheaper.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
from jax import Array

__all__ = ["Accuracy", "Activation", "Prepared"]

Prepared = Any
"""Whatever `Activation.prepare` returns: a pytree of arrays that depends on one variance."""


class Accuracy(NamedTuple):
    """The errors of an activation's maps at one variance k, in units of f(k, k, k) and fdot(k, k, k).

    For a pair of variances the error of f is at most the geometric mean of the two errors, in units of the geometric
    mean of the two diagonals. These are errors of the method in float64; float32 input adds its own rounding.

    Attributes:
        dual: error of f at |rho| <= 1.
        dual_derivative: error of fdot at |rho| <= 1.
    """

    dual: float
    dual_derivative: float


class Activation(ABC):
    """An activation sigma with its dual maps. Instances are immutable and hashable (they are static under jit).

    Attributes:
        name: the name on the command line.
        is_polynomial: sigma is a polynomial (Lemma 3.1 excludes these).
        is_analytic: sigma is real analytic.
        is_homogeneous: sigma(a x) = a sigma(x) for a >= 0, so that f has degree one.
        has_rules: its maps are computed by rules made for variances up to some size: `serving` chooses one.
    """

    name: str
    is_polynomial: bool = False
    is_analytic: bool = True
    is_homogeneous: bool = False
    has_rules: bool = False

    @property
    @abstractmethod
    def normalization(self) -> float:
        """The constant c = 1 / E[sigma(z)^2], z ~ N(0, 1)."""

    @abstractmethod
    def __call__(self, x: Array) -> Array:
        """sigma(x), elementwise."""

    def prepare(self, k: Array) -> Prepared:
        """The part of the dual maps that depends on one variance k (a scalar); the variance itself by default."""
        return k

    @abstractmethod
    def dual(self, px: Prepared, py: Prepared, kxy: Array) -> Array:
        """The map f for prepared variances px, py and covariance kxy (scalars)."""

    @abstractmethod
    def dual_derivative(self, px: Prepared, py: Prepared, kxy: Array) -> Array:
        """The map fdot for prepared variances px, py and covariance kxy (scalars)."""

    def prepare_values(self, k: Array) -> Prepared:
        """The part of `derivative_value` and `value_from_derivative` that depends on one variance; as `prepare`."""
        return self.prepare(k)

    def derivative_value(self, px: Prepared, py: Prepared, kxy: Array) -> Array:
        """Fdot where nothing is differentiated, which some activations have cheaper; `dual_derivative` by default.

        The variances are those of `prepare_values`, and so they are for `value_from_derivative`.
        """
        return self.dual_derivative(px, py, kxy)

    def value_from_derivative(self, px: Prepared, py: Prepared, kxy: Array, derivative: Array) -> Array:
        """f, given `derivative_value` there, which spares some activations its costly part; `dual` by default."""
        del derivative
        return self.dual(px, py, kxy)

    def dual_diagonal(self, k: Array) -> Array:
        """f(k, k, k) = c E[sigma(g)^2], g ~ N(0, k) (a scalar); the map of pairs by default."""
        prepared = self.prepare(k)
        return self.dual(prepared, prepared, k)

    def dual_derivative_diagonal(self, k: Array) -> Array:
        """fdot(k, k, k) = c E[sigma'(g)^2], g ~ N(0, k) (a scalar); the map of pairs by default."""
        prepared = self.prepare(k)
        return self.dual_derivative(prepared, prepared, k)

    @abstractmethod
    def mean(self, k: Array) -> Array:
        """beta(k) = sqrt(c) E[sigma(g)], g ~ N(0, k)."""

    def serving(self, variance: float) -> Activation:
        """The activation with maps that are right for variances up to this one; itself by default."""
        del variance
        return self

    def accuracy(self, k: float = 1.0, rho: float = 1.0) -> Accuracy:
        """The errors at variance k and correlations up to rho; closed forms have rounding only."""
        del k, rho
        rounding = 64 * float(np.finfo(np.float64).eps)
        return Accuracy(rounding, rounding)
