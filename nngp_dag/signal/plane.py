"""The order-to-chaos plane: chi of a stacked cell over weight scale and bias scale, and the critical line chi = 1.

All of it is one program: the fixed point of the variances at every point of the grid, chi there, and the line, found by
bisection between neighbours of the grid.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike

from nngp_dag.errors import InputError
from nngp_dag.kernel.method import AnyMethod
from nngp_dag.signal.fixed_points import require_stackable
from nngp_dag.signal.maps import SignalMaps, covariance_slopes, output_variances
from nngp_dag.signal.settling import settled_variance
from nngp_dag.support.x64 import enable_x64
from nngp_dag.wiring import Wiring

__all__ = ["OrderChaosPlane", "order_chaos_plane"]

_BISECTIONS = 32
_Methods = tuple[AnyMethod, AnyMethod, AnyMethod]


@dataclass(frozen=True)
class OrderChaosPlane:
    """chi over the plane, all float64.

    Attributes:
        maps: the cell's maps, at weight scale 1 and no bias.
        weight_scale: w of the grid [A]; the literature's sigma_w is w sqrt(c).
        bias_scale: v of the grid [B]; the literature's sigma_b.
        variance: q* [B, A], 0 or infinite where the variance vanishes or grows without bound.
        chi: [B, A].
        critical: for each bias scale the smallest weight scale of the range with chi = 1 [B]; NaN where there is none.
    """

    maps: SignalMaps
    weight_scale: np.ndarray
    bias_scale: np.ndarray
    variance: np.ndarray
    chi: np.ndarray
    critical: np.ndarray


def order_chaos_plane(
    maps: SignalMaps, weight_scale: ArrayLike, bias_scale: ArrayLike, start: float = 1.0
) -> OrderChaosPlane:
    """Chi of a stack of cells over weight scale and bias scale.

    Args:
        maps: the cell's. Its weight scales are multiplied by those of the grid; its bias scales are replaced.
        weight_scale: ascending positive numbers [A], at least two.
        bias_scale: ascending non-negative numbers [B], at least one.
        start: the variance from which fixed points are approached.

    Raises:
        InputError: arrays of another kind, no linear edge, or a cell that cannot be stacked (`fixed_points`).
    """
    w, v = _axis("weight_scale", weight_scale, least=2), _axis("bias_scale", bias_scale, least=1)
    if w[0] <= 0:
        raise InputError(f"weight scales must be positive, got {w[0]:g}")
    if not maps.wiring.pruned().linear_edges:
        raise InputError("the DAG has no linear edge: nothing to scale")
    require_stackable(maps)
    with enable_x64(True):
        methods = (maps.method, *maps.tangent_methods)
        found = _plane(methods, maps.wiring.pruned(), jnp.asarray(w), jnp.asarray(v), jnp.float64(start))
        variance, chi, critical = map(np.asarray, found)
    return OrderChaosPlane(maps, w, v, variance.T, chi.T, critical)


@partial(jax.jit, static_argnames="methods")
def _plane(methods: _Methods, wiring: Wiring, w: Array, v: Array, start: Array) -> tuple[Array, Array, Array]:
    """q* and chi [A, B], and the critical line [B]."""
    column = jax.vmap(partial(_settled_chi, methods, wiring, start=start), in_axes=(None, 0))
    variance, chi = jax.lax.map(lambda weight: column(weight, v), w)
    crossed = (chi[:-1] - 1) * (chi[1:] - 1) <= 0
    place = jnp.argmax(crossed, axis=0)
    row = jax.vmap(partial(_settled_chi, methods, wiring, start=start))
    below = jnp.take_along_axis(chi, place[None], axis=0)[0] <= 1

    def halve(_: int, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = (low + high) / 2
        before = (row(middle, v)[1] <= 1) == below
        return jnp.where(before, middle, low), jnp.where(before, high, middle)

    low, high = jax.lax.fori_loop(0, _BISECTIONS, halve, (w[place], w[place + 1]))
    return variance, chi, jnp.where(crossed.any(axis=0), (low + high) / 2, jnp.nan)


def _settled_chi(methods: _Methods, wiring: Wiring, w: Array, v: Array, *, start: Array) -> tuple[Array, Array]:
    """q* and chi of the wiring with one weight scale and one bias scale."""
    method, fixed, trained = methods
    scaled = replace(
        wiring, weight_scale=w * wiring.weight_scale, bias_scale=jnp.full(len(wiring.linear_edges), v, v.dtype)
    )
    settled, near = settled_variance(lambda q: output_variances(method, scaled, q), start)
    return settled, covariance_slopes(fixed, trained, scaled, near[None])[0]


def _axis(name: str, values: ArrayLike, least: int) -> np.ndarray:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1 or found.size < least or not np.isfinite(found).all():
        raise InputError(f"{name} needs at least {least} finite numbers in a row, got shape {found.shape}")
    if (np.diff(found) <= 0).any() or found[0] < 0:
        raise InputError(f"{name} must ascend and not be negative")
    return found
