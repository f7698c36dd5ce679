"""Moments and Hermite coefficients of one function at one variance in float64, and the errors that follow from them.

Evaluated at once, on the working rule and on a finer one, whatever the global precision and also while JAX traces.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from nngp_dag.activations.gaussian_rule import hermite_table, positive_rule
from nngp_dag.support.x64 import compile_time_float64

__all__ = ["GaussianMoments", "moments"]

ScalarFunction = Callable[[Array], Array]

_Rule = tuple[float, float]
_RULES: tuple[_Rule, _Rule] = ((0.25, 18.0), (0.5, 15.0))
"""Panel and limit of the rule that gives the values, and of the working rule (the default), which they judge."""


class _Sides(NamedTuple):
    """Values at the positive nodes of a rule and at their mirror images."""

    right: NDArray[np.float64]
    left: NDArray[np.float64]


class GaussianMoments(NamedTuple):
    """Moments and coefficients of sigma at a variance k, g ~ N(0, k); floats, and vectors [terms].

    Attributes:
        k: the variance.
        value: E[sigma(g)].
        value_power: E[sigma(g)^2].
        slope_power: E[sigma'(g)^2].
        coefficients: b_n = E[sigma'(g) h_n(z)], the finer rule's, n < terms.
        rule_errors: how far the working rule is off, for the two powers and (a bound) for the two sums of squares.
    """

    k: float
    value: float
    value_power: float
    slope_power: float
    coefficients: NDArray[np.float64]
    rule_errors: tuple[float, float]

    def value_tails(self) -> NDArray[np.float64]:
        """The part of E[sigma(g)^2] beyond the first 1, 2, ... terms, [terms]."""
        weights = self.k / np.arange(1, len(self.coefficients) + 1)
        return self.value_power - self.value**2 - np.cumsum(weights * self.coefficients**2)

    def slope_tails(self) -> NDArray[np.float64]:
        """The part of E[sigma'(g)^2] beyond the first 1, 2, ... terms, [terms]."""
        return self.slope_power - np.cumsum(self.coefficients**2)

    def terms_for(self, tolerance: float) -> tuple[int, int]:
        """Number of terms that f and fdot need for relative tails below the tolerance; all if not enough."""
        return (
            _first_below(self.value_tails(), tolerance * self.value_power),
            _first_below(self.slope_tails(), tolerance * self.slope_power),
        )

    def errors(self, terms: tuple[int, int]) -> tuple[float, float]:
        """Relative errors of f and fdot at rho = 1 with these numbers of terms: tail, quadrature and rounding."""
        results = []
        for power, tails, n, rule_error in (
            (self.value_power, self.value_tails(), terms[0], self.rule_errors[0]),
            (self.slope_power, self.slope_tails(), terms[1], self.rule_errors[1]),
        ):
            rounding = n * float(np.finfo(np.float64).eps)
            results.append(float((abs(tails[n - 1]) + rule_error) / power) + rounding if power > 0 else rounding)
        return results[0], results[1]


def moments(function: ScalarFunction, derivative: ScalarFunction, k: float, terms: int) -> GaussianMoments:
    """Moments of sigma and sigma' (scalar functions) at variance k with `terms` Hermite coefficients."""
    values, slopes = _on_rules(function, k), _on_rules(derivative, k)
    fine, coarse = (_coefficients(slope, terms, rule) for slope, rule in zip(slopes, _RULES, strict=True))
    value_powers, slope_powers = (
        [_mean_square(f, r) for f, r in zip(fs, _RULES, strict=True)] for fs in (values, slopes)
    )
    errors = (
        abs(value_powers[0] - value_powers[1]) + _difference(fine, coarse, k / np.arange(1, terms + 1)),
        abs(slope_powers[0] - slope_powers[1]) + _difference(fine, coarse, np.ones(terms)),
    )
    mean = float(positive_rule(*_RULES[0])[1] @ (values[0].right + values[0].left))
    return GaussianMoments(k, mean, value_powers[0], slope_powers[0], fine, errors)


def _difference(a: NDArray[np.float64], b: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """A bound on |sum w a^2 - sum w b^2| and on every mixed sum, by Cauchy and Schwarz."""
    return float(2 * np.sqrt(np.sum(weights * (a - b) ** 2) * np.sum(weights * a**2)))


def _coefficients(slope: _Sides, terms: int, rule: _Rule) -> NDArray[np.float64]:
    table = hermite_table(terms, *rule)
    b = np.empty(terms)
    b[0::2], b[1::2] = table[0::2] @ (slope.right + slope.left), table[1::2] @ (slope.right - slope.left)
    return b


def _mean_square(values: _Sides, rule: _Rule) -> float:
    return float(positive_rule(*rule)[1] @ (values.right**2 + values.left**2))


def _on_rules(function: ScalarFunction, k: float) -> list[_Sides]:
    """The function at the nodes of each rule times sqrt(k), and at their mirror images."""
    nodes = [k**0.5 * positive_rule(*rule)[0] for rule in _RULES]
    points = np.concatenate([side for x in nodes for side in (x, -x)])
    with compile_time_float64():
        values = np.asarray(_compiled(function)(jnp.asarray(points)), dtype=np.float64)
    ends = np.cumsum([len(x) for x in nodes for _ in range(2)])[:-1]
    sides = np.split(values, ends)
    return [_Sides(right, left) for right, left in zip(sides[0::2], sides[1::2], strict=True)]


@lru_cache(maxsize=64)
def _compiled(function: ScalarFunction) -> ScalarFunction:
    return jax.jit(jax.vmap(function))


def _first_below(tails: NDArray[np.float64], bound: float) -> int:
    below = np.flatnonzero(tails <= bound)
    return int(below[0]) + 1 if len(below) else len(tails)
