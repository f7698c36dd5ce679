"""The entries of a kernel of images, for the recursion over nodes: arrays with one number for each pair of pixels held.

Weights are linear maps of images, of the few earlier nodes that they concern: ((u, P_tu), ...) for skip paths and
((j, map), ...) for ports, which turn D into P D P^T and V into C_k[V]. A part is None where nothing comes.

Every step is one compiled function of arrays, whatever the cell: a network of another architecture compiles nothing
that one before it has compiled for images of the same size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

import jax
from jax import Array

from nngp_dag.activations import Activation, Identity, Prepared
from nngp_dag.conv.layout import PixelLayout
from nngp_dag.conv.maps import Filter, Mean, Normed
from nngp_dag.kernel.entries import Entries, Part, Values, tangent_through

__all__ = ["ImageMeans", "PixelEntries"]


@dataclass(frozen=True)
class PixelEntries(Entries):
    """The pairs of pixels of a layout.

    Args:
        layout: the pairs that are held.
    """

    layout: PixelLayout

    def weigh(self, weights: Any, values: Values) -> Array | None:
        return self._sum(weight.kernel(self.layout, values[u]) for u, weight in weights)

    def nothing(self, like: Part) -> None:
        return None

    def plus(self, a: Array | None, b: Array | None) -> Array | None:
        return b if a is None else a if b is None else a + b

    def plus_product(self, k: Array, x: Array | None, y: Array | None) -> Array:
        return k if x is None or y is None else _plus_outer(self.layout, k, x, y)

    def less_product(self, k: Array, x: Array | None, y: Array | None) -> Array:
        return k if x is None or y is None else _plus_outer(self.layout, k, -x, y)

    def duals(
        self, activation: Activation, x: Prepared, y: Prepared, k: Array, with_slope: bool
    ) -> tuple[Array, Array | None]:
        """In steps that are compiled one by one: within one program the compiler would compute fdot, the costly one,
        anew for each of its uses.
        """
        if isinstance(activation, Identity):
            return k, None
        slope = _slope(self.layout, activation, x, y, k)
        return _value(self.layout, activation, x, y, k, slope), slope

    def tangent(
        self, ahead: int, behind: int, f: Array, slope: Array | None, k: Array, theta: Array | None
    ) -> Array | None:
        return None if theta is None else _tangent(ahead, behind, f, slope, k if ahead else None, theta)

    def apart(self, function: Callable[..., Any], *parts: Any) -> Any:
        return self.layout.apart(function, *parts)

    def _sum(self, parts: Any) -> Array | None:
        return reduce(self.plus, parts, None)


@dataclass(frozen=True)
class ImageMeans(PixelEntries):
    """The means of features of single images, which random filters do not pass on."""

    def weigh(self, weights: Any, values: Values) -> Array | None:
        kept = ((u, weight) for u, weight in weights if not isinstance(weight, Filter | Mean | Normed))
        return self._sum(weight.image(values[u]) for u, weight in kept if values[u] is not None)


@partial(jax.jit, static_argnums=(0, 1))
def _slope(layout: PixelLayout, activation: Activation, x: Prepared, y: Prepared, k: Array) -> Array:
    return layout.over(activation.derivative_value)(x, y, k)


@partial(jax.jit, static_argnums=(0, 1))
def _value(layout: PixelLayout, activation: Activation, x: Prepared, y: Prepared, k: Array, slope: Array) -> Array:
    return layout.over(activation.value_from_derivative)(x, y, k, slope)


@partial(jax.jit, static_argnums=(0, 1))
def _tangent(ahead: int, behind: int, f: Array, slope: Array | None, k: Array | None, theta: Array) -> Array:
    return tangent_through(ahead, behind, f, 1.0 if slope is None else slope, k, theta)


@partial(jax.jit, static_argnums=0)
def _plus_outer(layout: PixelLayout, k: Array, x: Array, y: Array) -> Array:
    return k + layout.outer(x, y)
