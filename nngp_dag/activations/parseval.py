"""Moments and Hermite coefficients of one function at one variance in float64, and the errors that follow from them.

Evaluated at once, whatever the global precision and also while JAX traces: on panels that follow this variance, split
in two, which judge the rules that serve the kernels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jax import Array
from numpy.typing import NDArray

from nngp_dag.activations.expectation import adapted_ends
from nngp_dag.activations.gaussian_rule import Panels, hermite_table, on_panels, positive_rule
from nngp_dag.activations.kinks import Kink, kinked_slope, kinked_value
from nngp_dag.activations.pointwise import values_at

__all__ = ["Anatomy", "GaussianMoments", "moments"]

ScalarFunction = Callable[[Array], Array]
Floats = NDArray[np.float64]

_EPS = float(np.finfo(np.float64).eps)


class Anatomy(NamedTuple):
    """An activation as its moments need it: sigma and sigma' (scalar functions of JAX), and the kinks of sigma."""

    function: ScalarFunction
    derivative: ScalarFunction
    kinks: tuple[Kink, ...] = ()

    @property
    def places(self) -> tuple[float, ...]:
        """The distinct |x| of the kinks."""
        return tuple(sorted({abs(k.place) for k in self.kinks} - {0.0}))


class _Part(NamedTuple):
    """A part of sigma at a variance k: Hermite coefficients of its slope [terms], and what is beyond them.

    Attributes:
        coefficients: b_n = E[sigma'(g) h_n(z)].
        value_beyond, slope_beyond: the parts of its variance and of E[sigma'^2] beyond all terms, 0 where that is
            within rounding.
    """

    coefficients: Floats
    value_beyond: float
    slope_beyond: float


class GaussianMoments(NamedTuple):
    """Moments and coefficients of sigma at a variance k, g ~ N(0, k).

    Attributes:
        k: the variance.
        value: E[sigma(g)].
        value_power: E[sigma(g)^2].
        slope_power: E[sigma'(g)^2].
        smooth: the part without kinks.
        kinked: the part that makes the kinks.
        rule_errors: how far the working rules are off, for the two maps.
    """

    k: float
    value: float
    value_power: float
    slope_power: float
    smooth: _Part
    kinked: _Part
    rule_errors: tuple[float, float]

    @property
    def coefficients(self) -> Floats:
        """b_n of sigma, [terms]."""
        return self.smooth.coefficients + self.kinked.coefficients

    def value_tails(self) -> Floats:
        """The part of E[sigma(g)^2] that the first 1, 2, ... terms of the series leave out (at most), [terms]."""
        weights = self.k / np.arange(1, len(self.smooth.coefficients) + 1)
        return _tails(self.smooth, self.kinked, weights, self.smooth.value_beyond, self.kinked.value_beyond)

    def slope_tails(self) -> Floats:
        """The part of E[sigma'(g)^2] that the first 1, 2, ... terms of the series leave out (at most), [terms]."""
        weights = np.ones(len(self.smooth.coefficients))
        return _tails(self.smooth, self.kinked, weights, self.smooth.slope_beyond, self.kinked.slope_beyond)

    def terms_for(self, tolerance: float) -> tuple[int, int]:
        """Number of terms that f and fdot need for relative tails below the tolerance; all if not enough."""
        return (
            _first_below(self.value_tails(), tolerance * self.value_power),
            _first_below(self.slope_tails(), tolerance * self.slope_power),
        )

    def errors(self, terms: tuple[int, int], rho: float = 1.0) -> tuple[float, float]:
        """Relative errors of f and fdot at |correlation| <= rho with these numbers of terms: tail, rules, rounding."""
        results = []
        for power, tails, n, rule_error in (
            (self.value_power, self.value_tails(), terms[0], self.rule_errors[0]),
            (self.slope_power, self.slope_tails(), terms[1], self.rule_errors[1]),
        ):
            rounding = (16 + n) * _EPS
            tail = tails[n - 1] * rho**n
            results.append(float((tail + rule_error) / power) + rounding if power > 0 else rounding)
        return results[0], results[1]


def moments(anatomy: Anatomy, k: float, terms: int, panels: Panels) -> GaussianMoments:
    """Moments of sigma at variance k with `terms` Hermite coefficients, and the errors of the rule on these panels."""
    fine, working = (_Sampled.at(anatomy, k, split) for split in (True, False))
    smooth, kinked = (_part(fine, values, slopes, k, terms) for values, slopes in (fine.smooth, fine.kinked))
    coarse = _on_table(anatomy, k, terms, panels)
    size, off = np.abs(smooth.coefficients) + np.abs(kinked.coefficients), coarse - smooth.coefficients
    errors = []
    for weights, pick in ((k / np.arange(1, terms + 1), 0), (np.ones(terms), 1)):
        series = 2 * float(np.sqrt(np.sum(weights * off**2) * np.sum(weights * size**2)))
        errors.append(abs(fine.power(pick) - working.power(pick)) + series)
    return GaussianMoments(
        k, fine.mean(fine.whole[0]), fine.power(0), fine.power(1), smooth, kinked, (errors[0], errors[1])
    )


class _Sampled(NamedTuple):
    """Nodes of the panels for one variance with their weights [2 Q], and (sigma, sigma') there, whole and in parts."""

    z: Floats
    p: Floats
    whole: tuple[Floats, Floats]
    kinked: tuple[Floats, Floats]

    @classmethod
    def at(cls, anatomy: Anatomy, k: float, split: bool) -> _Sampled:
        in_z, in_x = adapted_ends(anatomy.places)
        ends = np.sort(np.concatenate([in_z, np.minimum(in_x / np.sqrt(k), in_z[-1])]))
        if split:
            ends = np.sort(np.concatenate([ends, (ends[1:] + ends[:-1]) / 2]))
        half, p = on_panels(ends)
        z = np.concatenate([half, -half])
        x = np.sqrt(k) * z
        return cls(z, np.concatenate([p, p]), _evaluate(anatomy, x), _kinks_at(anatomy.kinks, x))

    @property
    def smooth(self) -> tuple[Floats, Floats]:
        return self.whole[0] - self.kinked[0], self.whole[1] - self.kinked[1]

    def mean(self, values: Floats) -> float:
        return float(self.p @ values)

    def power(self, pick: int) -> float:
        return float(self.p @ self.whole[pick] ** 2)


def _part(at: _Sampled, values: Floats, slopes: Floats, k: float, terms: int) -> _Part:
    b = np.empty(terms)
    before, current = np.zeros_like(at.z), at.p.copy()
    for n in range(terms):
        b[n] = current @ slopes
        before, current = current, (at.z * current - np.sqrt(n) * before) / np.sqrt(n + 1)
    beyond = []
    for power, sums in (
        (at.mean(values**2) - at.mean(values) ** 2, np.sum(k / np.arange(1, terms + 1) * b**2)),
        (at.mean(slopes**2), np.sum(b**2)),
    ):
        rest = power - float(sums)
        beyond.append(rest if rest > 64 * _EPS * power else 0.0)
    return _Part(b, beyond[0], beyond[1])


def _tails(s: _Part, r: _Part, weights: Floats, beyond_s: float, beyond_r: float) -> Floats:
    """Of S S + S R + R S beyond the first 1, 2, ... terms."""
    sizes = weights * (s.coefficients**2 + 2 * np.abs(s.coefficients * r.coefficients))
    after = np.concatenate([np.cumsum(sizes[::-1])[::-1][1:], [0.0]])
    return after + beyond_s + 2 * (beyond_s * beyond_r) ** 0.5


def _on_table(anatomy: Anatomy, k: float, terms: int, panels: Panels) -> Floats:
    """The coefficients of the part without kinks by the working rule."""
    x = k**0.5 * positive_rule(panels)[0]
    right, left = (_evaluate(anatomy, side)[1] - _kinks_at(anatomy.kinks, side)[1] for side in (x, -x))
    table = hermite_table(terms, panels)
    b = np.empty(terms)
    b[0::2], b[1::2] = table[0::2] @ (right + left), table[1::2] @ (right - left)
    return b


def _kinks_at(kinks: tuple[Kink, ...], x: Floats) -> tuple[Floats, Floats]:
    """The part that makes the kinks: its values and slopes."""
    return kinked_value(kinks, x), kinked_slope(kinks, x)


def _evaluate(anatomy: Anatomy, x: Floats) -> tuple[Floats, Floats]:
    return values_at(anatomy.function, x), values_at(anatomy.derivative, x)


def _first_below(tails: Floats, bound: float) -> int:
    below = np.flatnonzero(tails <= bound)
    return int(below[0]) + 1 if len(below) else len(tails)
