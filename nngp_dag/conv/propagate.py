"""The recursion over the nodes of convolutional cells, for one image with itself and for pairs of images.

With P_tu, D_u, E_u, m_u and ports as in `plan`:

    K_tt = sum_u P_tu D_u P_tu^T + S_t S_t',   Theta_tt = sum_u P_tu E_u P_tu^T,   S_t = sum_u P_tu m_u.

Every step is one compiled function of arrays, whatever the cell: a network of another architecture compiles nothing
that one before it has compiled for images of the same size.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from typing import NamedTuple

import jax
from jax import Array

from nngp_dag.activations import Activation, Prepared
from nngp_dag.conv.layout import PixelLayout
from nngp_dag.conv.maps import Filter, Mean, Paths
from nngp_dag.conv.plan import LinearMap, Outlet, Plan

__all__ = ["Arrived", "PixelNode", "propagate_images", "propagate_pairs"]


class PixelNode(NamedTuple):
    """The values of one image at a node with a port that a pair needs: all arrays [h, w, B].

    Attributes:
        prepared: the prepared variances K(x, x, p, p); None where the port has no activation.
        mean: S(x, p), or None where features have no means.
        feature_mean: b(x, p), or None.
        variance: K(x, x, p, p), where an activation is applied and while images are computed with themselves.
    """

    prepared: Prepared | None
    mean: Array | None
    feature_mean: Array | None
    variance: Array | None = None


class Arrived(NamedTuple):
    """A kernel at a node: the centred covariance K - S S', the tangent kernel or None, and S of one image or None."""

    covariance: Array
    tangent: Array | None
    mean: Array | None


_Nodes = Callable[[int, Outlet, Arrived], tuple[PixelNode, PixelNode]]


def propagate_images(
    plan: Plan, layout: PixelLayout, activation: Activation, start: Arrived
) -> tuple[Arrived, list[PixelNode]]:
    """Images with themselves through a cell: what arrives at its output, and its nodes with ports in order."""
    found: list[PixelNode] = []

    def node(t: int, port: Outlet, total: Arrived) -> tuple[PixelNode, PixelNode]:
        del t
        found.append(_node(layout, activation, port, total.covariance, total.mean))
        return found[-1], found[-1]

    return _propagate(plan, layout, activation, start, node), found


def propagate_pairs(
    plan: Plan, layout: PixelLayout, activation: Activation, start: Arrived, x: list[PixelNode], y: list[PixelNode]
) -> Arrived:
    """Pairs of images through a cell, given the nodes with ports of both."""
    ports = [t for t, node in enumerate(plan) if node.port is not None]
    nodes = dict(zip(ports, zip(x, y, strict=True), strict=True))
    return _propagate(plan, layout, activation, start, lambda t, port, total: nodes[t])


def _propagate(plan: Plan, layout: PixelLayout, activation: Activation, start: Arrived, node_at: _Nodes) -> Arrived:
    fresh: dict[int, Arrived] = {}
    through: dict[int, Arrived] = {}
    total = start
    for t, node in enumerate(plan):
        if t == 0:
            fresh[t] = start
        else:
            arrived = [_sent(layout, through[u], linear) for u, linear in node.linear]
            if arrived:
                fresh[t] = reduce(_plus, arrived)
            copied = [_sent(layout, fresh[u], paths) for u, paths in node.skips]
            total = reduce(_plus, [fresh[t], *copied] if arrived else copied)
        if node.port is not None:
            x, y = node_at(t, node.port, total)
            v, w = layout.apart(partial(_through, layout, activation, node.port), total, x, y)
            through[t] = Arrived(v, w, x.feature_mean)
    return total


def _sent(layout: PixelLayout, part: Arrived, weight: LinearMap | Paths) -> Arrived:
    """The images of kernels under a linear map, and of means where there are any."""
    tangent = None if part.tangent is None else weight.kernel(layout, part.tangent)
    mean = None if part.mean is None or isinstance(weight, Filter | Mean) else weight.image(part.mean)
    return Arrived(weight.kernel(layout, part.covariance), tangent, mean)


def _plus(a: Arrived, b: Arrived) -> Arrived:
    return Arrived(a.covariance + b.covariance, _sum(a.tangent, b.tangent), _sum(a.mean, b.mean))


def _sum(a: Array | None, b: Array | None) -> Array | None:
    return b if a is None else a if b is None else a + b


@partial(jax.jit, static_argnums=(0, 1, 2))
def _node(
    layout: PixelLayout, activation: Activation, port: Outlet, covariance: Array, mean: Array | None
) -> PixelNode:
    """The node of images."""
    if not port.activated:
        return PixelNode(None, mean, None)
    k = layout.variances(covariance)
    k = k if mean is None else k + mean**2
    feature_mean = layout.each(activation.mean)(k) if port.has_mean else None
    return PixelNode(layout.each(activation.prepare)(k), mean, feature_mean, k)


def _through(
    layout: PixelLayout, activation: Activation, port: Outlet, total: Arrived, x: PixelNode, y: PixelNode
) -> tuple[Array, Array | None]:
    """V = f(K) - b b' and W = fdot(K) Theta + n f(K).

    In steps that are compiled one by one: within one program the compiler would compute fdot, the costly one, anew for
    each of its uses.
    """
    k = total.covariance if x.mean is None else _plus_outer(layout, total.covariance, x.mean, y.mean)
    if not port.activated:
        f, w = k, None if total.tangent is None else total.tangent + port.matrices * k
    else:
        slope = _slope(layout, activation, x.prepared, y.prepared, k)
        f = _value(layout, activation, x.prepared, y.prepared, k, slope)
        w = None if total.tangent is None else _tangent(port.matrices, slope, total.tangent, f)
    return f if x.feature_mean is None else _plus_outer(layout, f, -x.feature_mean, y.feature_mean), w


@partial(jax.jit, static_argnums=(0, 1))
def _slope(layout: PixelLayout, activation: Activation, x: Prepared, y: Prepared, k: Array) -> Array:
    return layout.over(activation.derivative_value)(x, y, k)


@partial(jax.jit, static_argnums=(0, 1))
def _value(layout: PixelLayout, activation: Activation, x: Prepared, y: Prepared, k: Array, slope: Array) -> Array:
    return layout.over(activation.value_from_derivative)(x, y, k, slope)


@partial(jax.jit, static_argnums=0)
def _tangent(matrices: int, slope: Array, tangent: Array, f: Array) -> Array:
    return slope * tangent + matrices * f if matrices else slope * tangent


@partial(jax.jit, static_argnums=0)
def _plus_outer(layout: PixelLayout, k: Array, x: Array, y: Array) -> Array:
    return k + layout.outer(x, y)
