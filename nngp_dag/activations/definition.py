"""The dual maps straight from their definition (Lemma 3.2): slow, literal, and independent of every other route here.

    f = c E[sigma(sqrt(kxx) z1) sigma(sqrt(kyy) (rho z1 + sqrt(1 - rho^2) z2))],   z1, z2 independent N(0, 1),
as a double integral on Gauss-Legendre panels: for each z1 the panels of z2 end where the second argument is 0, and the
panels of z1 shrink towards 0, so that kinks and jumps of sigma and sigma' at 0 cost no accuracy at any correlation.
About 1e-13 for the registered activations up to variance 10; 0.1 s per pair. A reference to check against.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from nngp_dag.activations.base import Activation
from nngp_dag.support.x64 import compile_time_float64

__all__ = ["DefinedMaps", "maps_by_definition"]

_LIMIT, _PANEL, _NODES = 13.0, 0.5, 16
_GRADING = np.geomspace(1e-12, _PANEL / 2, 21)  # ends of the panels next to 0

Floats = NDArray[np.float64]


class DefinedMaps(NamedTuple):
    """Values from the definition: `dual` = f, `dual_derivative` = fdot, `mean` = beta(kxx), `normalization` = c."""

    dual: float
    dual_derivative: float
    mean: float
    normalization: float


def maps_by_definition(activation: Activation, kxx: float, kyy: float, kxy: float) -> DefinedMaps:
    """The dual maps of an activation at variances kxx, kyy >= 0 and covariance kxy, from sigma and jax.grad alone."""

    def values(x: Floats) -> Floats:
        return _evaluate(activation, False, x)

    def slopes(x: Floats) -> Floats:
        return _evaluate(activation, True, x)

    z, p = _outer_rule()
    c = 1 / float(p @ values(z) ** 2)
    return DefinedMaps(
        dual=c * _double(values, kxx, kyy, kxy),
        dual_derivative=c * _double(slopes, kxx, kyy, kxy),
        mean=c**0.5 * float(p @ values(kxx**0.5 * z)),
        normalization=c,
    )


def _double(function: Callable[[Floats], Floats], kxx: float, kyy: float, kxy: float) -> float:
    """E[F(g) F(g')] for a covariance with these entries."""
    q = (kxx * kyy) ** 0.5
    rho = float(np.clip(kxy / q, -1, 1)) if q > 0 else 0.0
    sine = float(np.sqrt((1 - rho) * (1 + rho)))
    z1, p1 = _outer_rule()
    first = function(kxx**0.5 * z1)
    if sine == 0:
        return float(p1 @ (first * function(kyy**0.5 * rho * z1)))
    z2, p2 = _panels(_inner_ends(-rho * z1 / sine))
    second = function(kyy**0.5 * (rho * z1[:, None] + sine * z2))
    return float(p1 @ (first * np.sum(p2 * second, axis=1)))


def _outer_rule() -> tuple[Floats, Floats]:
    half = np.concatenate([_GRADING, np.arange(_PANEL, _LIMIT + _PANEL / 2, _PANEL)])
    z, p = _panels(np.concatenate([-half[::-1], [0], half])[None])
    return z[0], p[0]


def _inner_ends(breaks: Floats) -> Floats:
    """Ends of panels, a row for each break [Q], the break among them: [Q, ends]."""
    grid = np.arange(-_LIMIT, _LIMIT + _PANEL / 2, _PANEL)
    own = np.clip(breaks, -_LIMIT, _LIMIT)[:, None]
    return np.sort(np.concatenate([np.broadcast_to(grid, (len(breaks), len(grid))), own], axis=1), axis=1)


def _panels(ends: Floats) -> tuple[Floats, Floats]:
    """Nodes and weights under N(0, 1) on panels with these ends [rows, ends], both [rows, (ends - 1) * 16]."""
    x, w = np.polynomial.legendre.leggauss(_NODES)
    middle, radius = (ends[:, 1:] + ends[:, :-1]) / 2, (ends[:, 1:] - ends[:, :-1]) / 2
    z = (middle[..., None] + radius[..., None] * x).reshape(len(ends), -1)
    p = (radius[..., None] * w).reshape(len(ends), -1)
    return z, p * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


def _evaluate(activation: Activation, derivative: bool, x: Floats) -> Floats:
    with compile_time_float64():
        return np.asarray(_compiled(activation, derivative)(jnp.asarray(x.ravel())), dtype=np.float64).reshape(x.shape)


@lru_cache(maxsize=32)
def _compiled(activation: Activation, derivative: bool) -> Callable[[jax.Array], jax.Array]:
    return jax.jit(jax.vmap(jax.grad(activation) if derivative else activation))
