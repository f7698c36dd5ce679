"""The Q and C maps of one transformed activation, and their derivatives, at unit variance, by quadrature.

For phi(x) = gamma (sigma(alpha x + beta) + delta) and z ~ N(0, 1), the map of variances Q(q) = E[phi(sqrt(q) z)^2] and,
where Q(1) = 1, the map of correlations C(c) at unit variance have (arXiv:2110.01765, Section 4)

    Q(1) = E[phi^2],    Q'(1) = E[phi phi' z],    C(0) = E[phi]^2,    C'(1) = E[phi'^2],    C''(1) = E[phi''^2].

All follow from six expectations of sigma alone at alpha z + beta; with a = E[sigma] + delta,
Q(1) = gamma^2 (Var[sigma] + a^2) and Q'(1) = gamma^2 alpha (E[sigma sigma' z] + delta E[sigma' z]).
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

from nngp_dag.activations import LeakyRelu, Relu
from nngp_dag.activations.gaussian_rule import on_panels
from nngp_dag.activations.kinks import find_kinks
from nngp_dag.support.x64 import compile_time_float64

__all__ = ["InputMoments", "LocalMaps", "input_moments", "kinks_of", "local_maps"]

Function = Callable[[Array], Array]
Floats = NDArray[np.float64]

_ENDS = np.linspace(-13, 13, 209)
"""Of panels of 16 nodes each, to which the kinks are added: functions of alpha z for alpha up to 8 are resolved."""


class InputMoments(NamedTuple):
    """Expectations of sigma at alpha z + beta, z ~ N(0, 1); the slopes are those of sigma itself, without alpha.

    Attributes:
        mean: E[sigma].
        power: E[sigma^2].
        radial: E[sigma sigma' z].
        tilt: E[sigma' z].
        slope: E[sigma'^2].
        curvature: E[sigma''^2], of what is left where sigma has kinks.
    """

    mean: float
    power: float
    radial: float
    tilt: float
    slope: float
    curvature: float


class LocalMaps(NamedTuple):
    """Q(1), Q'(1), C(0), C'(1) and C''(1) of a transformed activation."""

    variance: float
    variance_slope: float
    value_at_zero: float
    slope: float
    curvature: float


def input_moments(function: Function, scale: float, shift: float) -> InputMoments:
    """The moments of a scalar JAX function at scale z + shift, scale > 0; kinks are found and integrated up to."""
    breaks = [(kink - shift) / scale for kink in kinks_of(function)]
    ends = np.sort(np.concatenate([_ENDS, np.clip(breaks, _ENDS[0], _ENDS[-1])]))
    z, p = on_panels(ends)
    value, slope, second = _evaluated(function, scale * z + shift)
    return InputMoments(
        mean=float(p @ value),
        power=float(p @ value**2),
        radial=float(p @ (value * slope * z)),
        tilt=float(p @ (slope * z)),
        slope=float(p @ slope**2),
        curvature=float(p @ second**2),
    )


def local_maps(
    function: Function, input_scale: float, input_shift: float, output_scale: float, output_shift: float
) -> LocalMaps:
    """The maps of output_scale * (function(input_scale x + input_shift) + output_shift) at unit variance."""
    found = input_moments(function, input_scale, input_shift)
    weight, mean = output_scale**2, found.mean + output_shift
    variance = weight * (found.power - found.mean**2 + mean**2)
    return LocalMaps(
        variance=variance,
        variance_slope=weight * input_scale * (found.radial + output_shift * found.tilt),
        value_at_zero=weight * mean**2 / variance,
        slope=weight * input_scale**2 * found.slope / variance,
        curvature=weight * input_scale**4 * found.curvature / variance,
    )


def kinks_of(function: Function) -> tuple[float, ...]:
    """The places where the slope of a scalar JAX function jumps."""
    if isinstance(function, (Relu, LeakyRelu)):
        return (0.0,)
    return tuple(kink.place for kink in find_kinks(_derivative(function), None))


@lru_cache(maxsize=64)
def _derivative(function: Function) -> Function:
    return jax.grad(function)


@lru_cache(maxsize=64)
def _compiled(function: Function) -> Callable[[Array], tuple[Array, Array, Array]]:
    slope = _derivative(function)
    second = jax.grad(slope)
    return jax.jit(jax.vmap(lambda x: (function(x), slope(x), second(x))))


def _evaluated(function: Function, x: Floats) -> tuple[Floats, Floats, Floats]:
    """Values of sigma, sigma' and sigma'' at x; rectifiers without JAX, which would compile anew for every slope."""
    if isinstance(function, (Relu, LeakyRelu)):
        slope = np.where(x > 0, 1.0, function.slope if isinstance(function, LeakyRelu) else 0.0)
        return slope * x, slope, np.zeros_like(x)
    with compile_time_float64():
        value, first, second = _compiled(function)(jnp.asarray(x))
        return np.asarray(value), np.asarray(first), np.asarray(second)
