"""The equations of both transforms, solved: two unknowns from a few starting points, one unknown between two bounds."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import optimize

from nngp_dag.errors import InputError
from nngp_dag.signal.local_maps import Function, InputMoments, input_moments

__all__ = ["Constants", "increasing_root", "solve_scale_and_shift"]

Equations = Callable[[float, InputMoments], tuple[float, float]]
"""(input scale, moments there) -> two errors, both zero at a solution."""

Outputs = Callable[[float, InputMoments], tuple[float, float]]
"""(input scale, moments there) -> output scale and output shift."""

_STARTS = tuple(itertools.product((1.0, 0.1), (0.5, 1.0, -0.5, -1.0)))
_LARGEST_SCALE = 8.0
"""Input scales beyond are not resolved by the quadrature."""

_FAR = (1e3, 1e3)
"""Errors where the moments leave no equation to solve (an activation that is constant there)."""


class Constants(NamedTuple):
    """The four constants of phi(x) = output_scale * (sigma(input_scale x + input_shift) + output_shift)."""

    input_scale: float
    input_shift: float
    output_scale: float
    output_shift: float


def solve_scale_and_shift(function: Function, equations: Equations, outputs: Outputs, wanted: str) -> Constants:
    """The constants at which both equations hold.

    Of several solutions the one with the smallest input_scale * output_scale: it leaves inputs beyond the expected
    variance the steadiest (the others, out on a tail of sigma, have steep maps of variance). Of an odd sigma's two
    mirror images the one with a positive shift.

    Args:
        function: sigma, a scalar JAX function.
        equations: the two equations.
        outputs: the output constants, given the input's.
        wanted: what is solved for, for the error.

    Raises:
        InputError: no solution was found.
    """

    def errors(p: np.ndarray) -> tuple[float, float]:
        scale = _scale(p[0])
        with np.errstate(all="ignore"):
            found = equations(scale, _floats(input_moments(function, scale, float(p[1]))))
        return found if np.isfinite(found).all() else _FAR

    solutions = []
    for scale, shift in _STARTS:
        found = optimize.root(errors, [np.log(scale), shift], method="hybr", tol=1e-13)
        if np.abs(found.fun).max() > 1e-8 or _scale(found.x[0]) > 0.999 * _LARGEST_SCALE:
            continue
        scale, shift = _scale(found.x[0]), float(found.x[1])
        solutions.append(Constants(scale, shift, *outputs(scale, input_moments(function, scale, shift))))
    if not solutions:
        raise InputError(f"no scales and shifts of the activation give {wanted}: use another activation or target")
    # Mirror images agree up to what the solver leaves: compared in six digits.
    return min(solutions, key=lambda s: (float(f"{s.input_scale * s.output_scale:.5e}"), -s.input_shift))


def increasing_root(function: Callable[[float], float], target: float, low: float, high: float) -> float:
    """The x > low at which an increasing function has the target; `high` is a first guess of an upper bound.

    Raises:
        InputError: the function stays below the target.
    """
    for _ in range(200):
        if function(high) >= target:
            return float(optimize.brentq(lambda x: function(x) - target, low, high, xtol=1e-15, rtol=1e-14))
        high = low + 2 * (high - low)
    raise InputError(f"no subnetwork reaches {target:g}: the DAG has no linear edge")


def _scale(logarithm: float) -> float:
    return float(np.exp(np.clip(logarithm, -12, np.log(_LARGEST_SCALE))))


def _floats(moments: InputMoments) -> InputMoments:
    """In NumPy's floats, which divide by zero without an exception."""
    return InputMoments(*(np.float64(m) for m in moments))
