"""One-dimensional Gaussian expectations of a scalar function, E(k) = E[H(g)], g = sqrt(k) z, with their derivative.

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
from jax import Array

from nngp_dag.activations.gaussian_rule import positive_rule
from nngp_dag.activations.safe import root

__all__ = ["Integrand", "expectation", "expectation_slope"]

ScalarFunction = Callable[[Array], Array]


class Integrand(NamedTuple):
    """A scalar function H, and whether it may jump (a derivative of an activation with kinks does)."""

    function: ScalarFunction
    may_jump: bool = False


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def expectation(integrand: Integrand, k: Array) -> Array:
    """E[H(g)], g ~ N(0, k), for a scalar k >= 0; dtype of k."""
    return _mean(integrand.function, root(k))


@expectation.defjvp
def _expectation_jvp(integrand: Integrand, primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (k,), (dk,) = primals, tangents
    return expectation(integrand, k), expectation_slope(integrand, k) * dk


def expectation_slope(integrand: Integrand, k: Array) -> Array:
    """The derivative dE / dk at a scalar k >= 0; dtype of k."""
    function, may_jump = integrand
    slope = jax.grad(function)
    eps = float(jnp.finfo(k.dtype).eps)
    large = k > (eps**0.5 if may_jump else eps ** (2 / 3))
    scale = jnp.where(large, k, 1)
    if may_jump:
        weak = _mean(function, root(scale), lambda z: z**2 - 1) / (2 * scale)
    else:
        weak = _mean(slope, root(scale), lambda z: z) / (2 * jnp.sqrt(scale))
    return jnp.where(large, weak, _mean(jax.grad(slope), root(k)) / 2)


def _mean(function: ScalarFunction, scale: Array, weight: ScalarFunction | None = None) -> Array:
    """E[function(scale z) weight(z)]; the mirrored nodes together, so that an odd integrand gives exactly 0."""
    nodes, weights = positive_rule()
    z, p = jnp.asarray(nodes, scale.dtype), jnp.asarray(weights, scale.dtype)
    right, left = (jax.vmap(function)(scale * side).astype(z.dtype) for side in (z, -z))
    return jnp.sum(p * (right + left if weight is None else right * weight(z) + left * weight(-z)))
