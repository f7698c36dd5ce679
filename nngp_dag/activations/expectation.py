"""One-dimensional Gaussian expectations of a scalar function, E(k) = E[H(g)], g = sqrt(k) z, with their derivative.

The panels follow the variance: their ends are those of the normal distribution, in z, together with those of the
function, in x = sqrt(k) z: fine where |x| is of order one, and its kinks. So they resolve both at every variance.

    dE / dk = E[H''(g)] / 2                     (the heat equation)
            = E[H'(g) z] / (2 sqrt(k))          true of kinks too, whose H'' automatic differentiation does not see
            = E[H(g) (z^2 - 1)] / (2 k)         true of jumps too
The last two cancel as k falls to 0, the first does not: it serves below a threshold, k = 0 included.
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

from nngp_dag.activations.gaussian_rule import Panels, legendre
from nngp_dag.activations.safe import root

__all__ = ["Integrand", "adapted_ends", "expectation", "expectation_slope"]

ScalarFunction = Callable[[Array], Array]

_LIMIT = 15.0


class Integrand(NamedTuple):
    """A scalar function H, whether it may jump (a derivative of one with kinks does), and |x| of its kinks."""

    function: ScalarFunction
    may_jump: bool = False
    kinks: tuple[float, ...] = ()


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def expectation(integrand: Integrand, k: Array) -> Array:
    """E[H(g)], g ~ N(0, k), for a scalar k >= 0; dtype of k."""
    return _mean(integrand, integrand.function, k)


@expectation.defjvp
def _expectation_jvp(integrand: Integrand, primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (k,), (dk,) = primals, tangents
    return expectation(integrand, k), expectation_slope(integrand, k) * dk


def expectation_slope(integrand: Integrand, k: Array) -> Array:
    """The derivative dE / dk at a scalar k >= 0; dtype of k."""
    slope = jax.grad(integrand.function)
    eps = float(jnp.finfo(k.dtype).eps)
    large = k > (eps**0.5 if integrand.may_jump else eps ** (2 / 3))
    scale = jnp.where(large, k, 1)
    if integrand.may_jump:
        weak = _mean(integrand, integrand.function, scale, lambda z: z**2 - 1) / (2 * scale)
    else:
        weak = _mean(integrand, slope, scale, lambda z: z) / (2 * jnp.sqrt(scale))
    return jnp.where(large, weak, _mean(integrand, jax.grad(slope), k) / 2)


def adapted_ends(kinks: tuple[float, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The ends of panels in z, and those in x (to be divided by sqrt(k)): together they resolve both."""
    in_x = np.concatenate([np.arange(1, 17) / 2, 8 * 1.3 ** np.arange(1, 13)])
    return Panels(limit=_LIMIT).ends(), np.concatenate([in_x, np.array(kinks, dtype=np.float64)])


def _mean(integrand: Integrand, function: ScalarFunction, k: Array, weight: ScalarFunction | None = None) -> Array:
    """E[function(g) weight(z)]; the mirrored nodes together, so that an odd integrand gives exactly 0."""
    scale = root(k)
    z, p = _adapted_rule(integrand.kinks, scale)
    right, left = (jax.vmap(function)(scale * side).astype(z.dtype) for side in (z, -z))
    return jnp.sum(p * (right + left if weight is None else right * weight(z) + left * weight(-z)))


def _adapted_rule(kinks: tuple[float, ...], scale: Array) -> tuple[Array, Array]:
    """Nodes z > 0 and their weights under N(0, 1), [Q], for a function of `scale` times z."""
    in_z, in_x = (jnp.asarray(a, scale.dtype) for a in adapted_ends(kinks))
    least = float(jnp.finfo(scale.dtype).tiny)
    ends = jnp.sort(jnp.concatenate([in_z, jnp.minimum(in_x / jnp.maximum(scale, least), _LIMIT)]))
    nodes, weights = (jnp.asarray(a, scale.dtype) for a in legendre())
    middle, radius = (ends[1:] + ends[:-1]) / 2, (ends[1:] - ends[:-1]) / 2
    z = (middle[:, None] + radius[:, None] * nodes).ravel()
    return z, (radius[:, None] * weights).ravel() * jnp.exp(-(z**2) / 2) / (2 * jnp.pi) ** 0.5
