"""The recursion over the nodes of convolutional cells, for one image with itself and for pairs of images.

The steps are those of all kernels (`nngp_dag.kernel.pair_recursion`), on images: with P_tu, D_u, E_u, m_u and ports as
in `plan`,

    K_tt = sum_u P_tu D_u P_tu^T + S_t S_t',   Theta_tt = sum_u P_tu E_u P_tu^T,   S_t = sum_u P_tu m_u.

An image with itself is a pair whose pixels make the nodes that pairs need.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, cast

import jax
from jax import Array

from nngp_dag.activations import Activation, Identity
from nngp_dag.conv.entries import ImageMeans, PixelEntries
from nngp_dag.conv.layout import PixelLayout
from nngp_dag.conv.plan import Outlet, Plan
from nngp_dag.kernel.flow import Flow
from nngp_dag.kernel.into import Into, Port
from nngp_dag.kernel.mixing import Mixing
from nngp_dag.kernel.pair_recursion import Arrival, Node, PairRecursion, PairState

__all__ = ["Arrived", "propagate_images", "propagate_pairs"]


class Arrived(NamedTuple):
    """A kernel at a node: the centred covariance K - S S', the tangent kernel or None, and S of one image or None."""

    covariance: Array
    tangent: Array | None
    mean: Array | None


def propagate_images(
    plan: Plan, layout: PixelLayout, activation: Activation, start: Arrived
) -> tuple[Arrived, list[Node]]:
    """Images with themselves through a cell: what arrives at its output, and its nodes.

    Arrays of nodes are [h, w, images]; of nodes without a port nothing is kept.
    """
    means, entries = Flow((), ()), ImageMeans(layout)
    fresh = mean = start.mean
    nodes: list[Node] = []

    def node(t: int, into: Into, ports: tuple[Port, ...], arrival: Arrival) -> Node:
        nonlocal means, fresh, mean
        if t:
            fresh, copied = means.arrive(entries, t, into.mean)
            mean = entries.plus(copied, fresh)
        nodes.append(_node(layout, ports, arrival.total[0], mean))
        means = means.append(t, fresh, nodes[-1].feature_mean)
        return nodes[-1]

    def both(*at: Any) -> tuple[Node, Node]:
        return (found := node(*at)), found

    covariance, tangent = _fold(plan, layout, activation, start, both)
    return Arrived(covariance, tangent, mean), nodes


def propagate_pairs(
    plan: Plan, layout: PixelLayout, activation: Activation, start: Arrived, x: list[Node], y: list[Node]
) -> Arrived:
    """Pairs of images through a cell, given the nodes of both."""
    return Arrived(*_fold(plan, layout, activation, start, lambda t, *_: (x[t], y[t])), None)


def _fold(
    plan: Plan,
    layout: PixelLayout,
    activation: Activation,
    start: Arrived,
    nodes_at: Callable[[int, Into, tuple[Port, ...], Arrival], tuple[Node, Node]],
) -> tuple[Array, Array | None]:
    """What arrives at the last node of a plan."""
    ports = tuple(() if node.port is None else (_port(node.port, activation),) for node in plan)
    with_tangent = start.tangent is not None
    r = PairRecursion(means=True, with_tangent=with_tangent, layout=ports, entries=PixelEntries(layout))
    empty = Flow((), ())
    state = PairState(empty, empty if with_tangent else None)
    received = start.covariance, start.tangent
    arrival = Arrival(received, received)
    for t, into in enumerate(_into(plan)):
        if t:
            arrival = r.arrive_pair(state, t, into)
        x, y = nodes_at(t, into, ports[t], arrival)
        state = r.extend_pair(state, t, arrival, x, y, None)
    covariance, tangent = arrival.total
    return covariance, tangent


def _into(plan: Plan) -> list[Into]:
    """The weights of nodes, over earlier nodes and over the ports of earlier nodes."""
    place = {t: j for j, t in enumerate(t for t, node in enumerate(plan) if node.port is not None)}
    weights = [(node.skips, tuple((place[u], linear) for u, linear in node.linear)) for node in plan]
    return [Into(mixing, mixing) for mixing in (Mixing(*cast(Any, found)) for found in weights)]


def _port(port: Outlet, activation: Activation) -> Port:
    return Port(activation if port.activated else Identity(), ahead=0, behind=port.matrices)


@partial(jax.jit, static_argnums=(0, 1))
def _node(layout: PixelLayout, ports: tuple[Port, ...], covariance: Array, mean: Array | None) -> Node:
    """The node of images; of an identity only the mean is needed."""
    if not ports:
        return Node((), None, (), None, None)
    (port,) = ports
    if isinstance(port.activation, Identity):
        return Node(((),), mean, (None,), None, None)
    k = layout.variances(covariance)
    k = k if mean is None else k + mean**2
    feature_mean = None if port.behind else layout.each(port.activation.mean)(k)
    return Node((layout.each(port.activation.prepare)(k),), mean, (feature_mean,), k, None)
