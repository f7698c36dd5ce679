"""A cell stacked on itself: the fixed points of its maps, and over how many cells a signal reaches them.

Variances settle at q* = q_H(q*), and the differences shrink by dq_H / dq a cell; correlations then settle at
c* = c_H(c*), and shrink by c_H'(c*) a cell (Schoenholz et al. 2017, arXiv:1611.01232, Eq. 8-9):

    xi_q = 1 / |log dq_H / dq (q*)|,    xi_c = 1 / |log c_H'(c*)|.

*Ordered* is chi < 1: c* = 1, all inputs become alike. *Chaotic* is chi > 1: inputs that are alike part, and c* < 1.

The maps of a stack are the iterates of one cell's where nothing but K travels from cell to cell. Coordinate means do
too with activation-last, and where a skip edge carries the input's mean beside another mean the two multiply: such
cells are refused here (activation-first has no means; a layer norm at the cell's end removes them).
"""

from __future__ import annotations

import math
from functools import partial
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nngp_dag.dag import Op
from nngp_dag.errors import InputError
from nngp_dag.kernel.method import AnyMethod
from nngp_dag.signal.maps import SignalMaps, output_variances
from nngp_dag.signal.settling import settled_variance
from nngp_dag.support.x64 import enable_x64
from nngp_dag.wiring import Wiring

__all__ = ["FixedPoint", "Phase", "fixed_point", "means_multiply", "phase_of", "require_stackable"]

Phase = Literal["ordered", "critical", "chaotic"]

_GRID = 257
_ROUNDS = 7
"""Of the search on grids for a fixed point, each some 300 times finer than the last."""

_CRITICAL = 1e-9


class FixedPoint(NamedTuple):
    """Where a stack of cells ends up, started at some variance.

    Attributes:
        variance: q*; 0 or infinity where the variance vanishes or grows without bound. The slopes are then those at
            4^-20 or 4^20 times the first variance.
        variance_slope: dq_H / dq there.
        chi: there.
        correlation: c*, where correlations just below 1 end up.
        correlation_slope: c_H'(c*).
        depth_variance: xi_q, in cells; infinite where the slope is 1.
        depth_correlation: xi_c.
        phase: ordered, critical or chaotic: chi below, at (within 1e-9) or above 1.
    """

    variance: float
    variance_slope: float
    chi: float
    correlation: float
    correlation_slope: float
    depth_variance: float
    depth_correlation: float
    phase: Phase


def fixed_point(maps: SignalMaps, start: float = 1.0) -> FixedPoint:
    """The fixed point that a stack of cells approaches from a variance.

    Raises:
        InputError: a start that is not positive, or a cell that cannot be stacked in this way (see above).
    """
    if not (math.isfinite(start) and start > 0):
        raise InputError(f"a variance must be a positive number, got {start}")
    require_stackable(maps)
    with enable_x64(True):
        settled, near = map(float, _settled(maps.method, maps.wiring.pruned(), jnp.float64(start)))
    variance, variance_slope, chi = map(float, maps.signals(near))
    c, slope = 1.0, chi * near / variance
    if slope > 1 + _CRITICAL:
        c = _below_one(maps, near)
        slope = float(_correlation_slope(maps, c, near))
    return FixedPoint(settled, variance_slope, chi, c, slope, _depth(variance_slope), _depth(slope), phase_of(chi))


def phase_of(chi: float) -> Phase:
    """The phase of this chi."""
    return "critical" if abs(chi - 1) <= _CRITICAL else "ordered" if chi < 1 else "chaotic"


def require_stackable(maps: SignalMaps) -> None:
    """InputError where the maps of a stack of cells are not iterates of the cell's own."""
    if means_multiply(maps):
        raise InputError(
            "stacked cells of this DAG are no iterates of its maps: a skip edge carries the mean of the cell's input to"
            " where it meets another mean; use activation-first, an odd activation, or a layer norm at the last node"
        )


def means_multiply(maps: SignalMaps) -> bool:
    """True where features of the input, with a mean, are added to others with a mean."""
    wiring = maps.wiring.pruned()
    last = wiring.dag.num_nodes - 1
    if maps.reading.order == "activation-first":
        return False
    linear = zip(wiring.linear_edges, wiring.activations, strict=True)
    fresh = {t for (_, t), sigma in linear if sigma is not None and float(abs(sigma.mean(jnp.float32(1.0)))) > 1e-6}
    means = _mean_sources(wiring)
    multiply = any(0 in means[t] and means[t] & fresh for t in range(1, last + 1))
    return multiply and bool(means[last] & fresh)


def _mean_sources(wiring: Wiring) -> list[set[int]]:
    """By node the nodes whose means skip edges bring there, itself included; none where a layer norm takes them off."""
    found: list[set[int]] = []
    for t in range(wiring.dag.num_nodes):
        sources = [s for s in range(t) if wiring.dag.op(s, t) is Op.SKIP]
        found.append(set() if t in wiring.layer_norm else {t}.union(*(found[s] for s in sources)))
    return found


def _depth(slope: float) -> float:
    if slope <= 0:
        return 0.0
    return math.inf if abs(slope - 1) <= _CRITICAL else 1 / abs(math.log(slope))


def _below_one(maps: SignalMaps, q: float) -> float:
    """The largest fixed point of the correlation map below 1, where its slope at 1 is above 1."""
    # Beside 1 the map lies below the diagonal for a stretch of unknown length: the grid is finer there.
    grid = 1 - np.concatenate([np.geomspace(1e-9, 1e-2, 64), np.linspace(1e-2, 2, _GRID)[1:]])
    c = float(grid[-1])
    for _ in range(_ROUNDS):
        at_or_above = np.asarray(maps.correlation(grid, q)) >= grid
        if not at_or_above.any():
            break
        place = int(np.argmax(at_or_above))
        c = float(grid[place])
        if place == 0:
            break
        grid = np.linspace(grid[place - 1], grid[place], grid.size)  # of one size: one compilation
    return c


def _correlation_slope(maps: SignalMaps, c: float, q: float) -> Array:
    with enable_x64(True):
        _, slope = jax.jvp(lambda c: maps.correlation(c, q), (jnp.float64(c),), (jnp.float64(1.0),))
    return slope


@partial(jax.jit, static_argnames="method")
def _settled(method: AnyMethod, wiring: Wiring, start: Array) -> tuple[Array, Array]:
    return settled_variance(lambda q: output_variances(method, wiring, q), start)
