"""The recursion over the nodes of convolutional cells, for one image with itself and for pairs of images.

The steps are those of all kernels (`nngp_dag.kernel.pair_recursion`), on images: with P_tu, D_u, E_u, m_u and ports as
in `plan`,

    K_tt = sum_u P_tu D_u P_tu^T + S_t S_t',   Theta_tt = sum_u P_tu E_u P_tu^T,   S_t = sum_u P_tu m_u.

An image with itself is a pair whose pixels make the nodes that pairs need, and the factors of layer norm.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeAlias, cast

import jax
from jax import Array

from nngp_dag.activations import Activation, Identity
from nngp_dag.conv.entries import ImageMeans, PixelEntries
from nngp_dag.conv.layout import PixelLayout
from nngp_dag.conv.maps import Filter, Normed, norm, normed
from nngp_dag.conv.plan import Outlet, Plan
from nngp_dag.kernel.flow import Flow
from nngp_dag.kernel.into import Into, Port
from nngp_dag.kernel.mixing import Mixing
from nngp_dag.kernel.pair_recursion import Arrival, Node, PairRecursion, PairState

__all__ = ["Arrived", "propagate_images", "propagate_pairs"]


Norms: TypeAlias = tuple[Array, ...]
"""Factors [h, w, images] of every layer norm at a node; they are the `copies` of its `Node`."""


class Arrived(NamedTuple):
    """A kernel at a node: the centred covariance K - S S', the tangent kernel or None, and S of one image or None."""

    covariance: Array
    tangent: Array | None
    mean: Array | None


class _Along(Protocol):
    """The images whose pairs a fold over nodes follows."""

    def norms(self, t: int, received: Callable[[], list[tuple[Array, float]]]) -> tuple[Norms, Norms]:
        """The factors of both images at node t: `received` gives what each layer norm there acts on, and its gain."""

    def nodes(self, t: int, into: Into, ports: tuple[Port, ...], arrival: Arrival) -> tuple[Node, Node]:
        """Node t of both images."""


def propagate_images(
    plan: Plan, layout: PixelLayout, activation: Activation, start: Arrived
) -> tuple[Arrived, list[Node], list[Array]]:
    """Images with themselves through a cell: what arrives at its output, its nodes, and variances that are divided by.

    Arrays of nodes are [h, w, images]; of nodes without a port only factors of layer norm are kept.
    """
    images = _Images(layout, start.mean)
    covariance, tangent = _fold(plan, layout, activation, start, images)
    return Arrived(covariance, tangent, images.mean), images.found, images.divided


def propagate_pairs(
    plan: Plan, layout: PixelLayout, activation: Activation, start: Arrived, x: list[Node], y: list[Node]
) -> Arrived:
    """Pairs of images through a cell, given the nodes of both."""
    return Arrived(*_fold(plan, layout, activation, start, _Pairs(x, y)), None)


class _Pairs:
    """Images whose nodes are known."""

    def __init__(self, x: list[Node], y: list[Node]) -> None:
        self.x, self.y = x, y

    def norms(self, t: int, received: Callable[[], list[tuple[Array, float]]]) -> tuple[Norms, Norms]:
        x, y = self.x[t].copies, self.y[t].copies
        assert x is not None and y is not None
        return x, y

    def nodes(self, t: int, into: Into, ports: tuple[Port, ...], arrival: Arrival) -> tuple[Node, Node]:
        return self.x[t], self.y[t]


class _Images:
    """Images with themselves: their means, and their nodes as they are made."""

    def __init__(self, layout: PixelLayout, mean: Array | None) -> None:
        self.layout, self.entries, self.means = layout, ImageMeans(layout), Flow((), ())
        self.fresh = self.mean = mean
        self.factors: Norms = ()
        self.divided: list[Array] = []
        self.found: list[Node] = []

    def norms(self, t: int, received: Callable[[], list[tuple[Array, float]]]) -> tuple[Norms, Norms]:
        found = [norm(self.layout, values, gain, None if t else self.mean) for values, gain in received()]
        if found and not t:  # layer norm takes the mean away
            self.fresh = self.mean = None
        self.factors = tuple(factor for factor, _ in found)
        self.divided += [variance for _, variance in found]
        return self.factors, self.factors

    def nodes(self, t: int, into: Into, ports: tuple[Port, ...], arrival: Arrival) -> tuple[Node, Node]:
        if t:
            self.fresh, copied = self.means.arrive(self.entries, t, into.mean)
            self.mean = self.entries.plus(copied, self.fresh)
        node = _node(self.layout, ports, arrival.total[0], self.mean)._replace(copies=self.factors)
        self.found.append(node)
        self.means = self.means.append(t, self.fresh, node.feature_mean)
        return node, node


def _fold(
    plan: Plan, layout: PixelLayout, activation: Activation, start: Arrived, along: _Along
) -> tuple[Array, Array | None]:
    """The kernels that arrive at the last node of a plan."""
    ports = tuple(() if node.port is None else (_port(node.port, activation),) for node in plan)
    with_tangent = start.tangent is not None
    r = PairRecursion(means=True, with_tangent=with_tangent, layout=ports, entries=PixelEntries(layout))
    empty = Flow((), ())
    state = PairState(empty, empty if with_tangent else None)
    arrival = _first(layout, plan[0].norm, start, along)
    for t, into in enumerate(_into(plan)):
        if t:
            into = _with_norms(layout, into, t, state.covariance.through, along)
            arrival = r.arrive_pair(state, t, into)
        x, y = along.nodes(t, into, ports[t], arrival)
        state = r.extend_pair(state, t, arrival, x, y, None)
    covariance, tangent = arrival.total
    return covariance, tangent


def _first(layout: PixelLayout, gain: float | None, start: Arrived, along: _Along) -> Arrival:
    """The kernels at the first node, behind its layer norm if there is one."""
    received: tuple[Array | None, ...] = start.covariance, start.tangent
    norms = along.norms(0, lambda: [] if gain is None else [(start.covariance, gain)])
    for x, y in zip(*norms, strict=True):
        received = tuple(None if part is None else normed(layout, part, x, y) for part in received)
    return Arrival(received, received)


def _with_norms(layout: PixelLayout, into: Into, t: int, through: Any, along: _Along) -> Into:
    """The weights of a node, with the factors of both images where layer norm follows a filter."""
    linear: Any = into.power.linear
    filters = [(j, weight) for j, weight in linear if isinstance(weight, Filter) and weight.conv.normalized]
    norms = along.norms(t, lambda: [(f.kernel(layout, through[j]), f.conv.gain) for j, f in filters])
    if not filters:
        return into
    factors = iter(zip(*norms, strict=True))
    bound = tuple((j, Normed(w, *next(factors)) if (j, w) in filters else w) for j, w in linear)
    mixing = Mixing(into.power.skip_paths, cast(Any, bound))
    return Into(mixing, mixing)


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
    return Node((layout.each(port.activation.prepare_values)(k),), mean, (feature_mean,), k, None)
