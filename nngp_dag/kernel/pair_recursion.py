"""The recursion over the nodes of a network for one pair of inputs: what every kernel of pairs has in common.

Node t receives D_t through its random edges, and through its skip edges what earlier nodes received, as `recursion`
and, for features that are images, `nngp_dag.conv.plan` say. With a and n trained matrices ahead of the activation of a
port and behind it, the port sends

    V = f(K) - b b',    W = fdot(K) (Theta + a K) + n f(K):

a = 1 and n = 0 for activation-last, a = 0 and n = 1 for activation-first. What an entry is, a number or one number for
each pair of pixels, is a matter of `entries`; so are the weights.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from nngp_dag.activations import Prepared
from nngp_dag.kernel.entries import SCALARS, Entries, Part
from nngp_dag.kernel.flow import Flow
from nngp_dag.kernel.into import Into, Layout, Port, Scales, variance_of
from nngp_dag.kernel.mixing import Mixing

__all__ = ["Arrival", "Node", "PairRecursion", "PairState", "weighed"]


class Node(NamedTuple):
    """The values of one input at one node.

    Attributes:
        prepared: the prepared variance Q(x, x) of each port.
        mean: S_t(x).
        feature_mean: b_t(x) of each port.
        variance, tangent: K_tt(x, x) and Theta_tt(x, x).
        copies: of a network with layer norm, what its features weigh (see `layer_norm`); of images, the factors of
            every layer norm behind a filter there.
    """

    prepared: tuple[Prepared, ...]
    mean: Part
    feature_mean: tuple[Part, ...]
    variance: Part
    tangent: Part
    copies: Part = None


class PairState(NamedTuple):
    """One pair of inputs at all nodes so far: covariances (D, V) and, unless left out, tangents (E, W)."""

    covariance: Flow
    tangent: Flow | None

    def ntk(self) -> PairState:
        """With D + E and V + W in the place of D and V, so that `end_pair` gives K_HH + Theta_HH at the cost of K_HH.

        ValueError where tangents were left out.
        """
        if self.tangent is None:
            raise ValueError("a state without tangents has no NTK")
        return PairState(jax.tree.map(jnp.add, self.covariance, self.tangent), None)


class Arrival(NamedTuple):
    """Of one input, or of a pair, at a node: what it receives afresh, and its totals.

    Attributes:
        fresh: (m, D, E) of one input, (D, E) of a pair.
        total: (S, K - S S, Theta) of one input, (K - S S', Theta) of a pair.
        copies: as in `Node`.
    """

    fresh: tuple[Part, ...]
    total: tuple[Part, ...]
    copies: Array | None = None


@dataclass(frozen=True, kw_only=True)
class PairRecursion:
    """The recursion for one pair of inputs, given both inputs at all nodes.

    Args:
        means: carry the coordinate means S_t.
        with_tangent: carry the tangent kernel too.
        layout: the ports of nodes.
        entries: what the entries of kernels are.
    """

    means: bool
    with_tangent: bool
    layout: Layout | None = None
    entries: Entries = field(default=SCALARS)

    def ports(self, t: int | Array) -> tuple[Port, ...]:
        """The ports of node t."""
        assert self.layout is not None
        return self.layout[t] if isinstance(t, int) and len(self.layout) > 1 else self.layout[0]

    def step_pair(
        self, state: PairState, t: int | Array, into: Into, x: Node, y: Node
    ) -> tuple[PairState, tuple[Array, Array]]:
        """Append node t, given the two inputs there; also K_tt and Theta_tt."""
        arrival = self.arrive_pair(state, t, into, x, y)
        return self.extend_pair(state, t, arrival, x, y, into.scales), self._total(arrival, x, y)

    def end_pair(self, state: PairState, into: Into, x: Node, y: Node) -> tuple[Array, Array]:
        """K_HH and Theta_HH (zero without tangents) of a pair, given node H of both."""
        return self._total(self.arrive_pair(state, -1, into, x, y), x, y)

    def block_pair(self, state: PairState, before: Into) -> PairState:
        """An empty state for a block of a large DAG, from the weights [B, n] of its nodes over those held."""
        q = len(self.ports(0))
        tangent = None if state.tangent is None else state.tangent.block(before.power, q)
        return PairState(state.covariance.block(before.power, q), tangent)

    def arrive_pair(
        self, state: PairState, t: int | Array, into: Into, x: Node | None = None, y: Node | None = None
    ) -> Arrival:
        """The parts that a pair receives at node t: (D, E) afresh, and (K - S S', Theta) in all."""
        del x, y
        d, covariance, e, tangent = self._flows(state.covariance, state.tangent, t, into.power, into)
        return Arrival((d, e), (self.entries.plus(covariance, d), self.entries.plus(tangent, e)))

    def extend_pair(
        self, state: PairState, t: int | Array, arrival: Arrival, x: Node, y: Node, scales: Scales | None
    ) -> PairState:
        """Append node t with what it receives and sends."""
        covariance, tangent = arrival.total
        k = self.entries.plus_product(covariance, x.mean, y.mean) if self.means else covariance
        centred, slopes = [], []
        for j, port in enumerate(self.ports(t)):
            q, theta = variance_of(port, scales, j, k), weighed(port, scales, j, tangent)
            v, w = self.entries.apart(partial(self._sent, port), q, theta, _at_port(x, j), _at_port(y, j))
            centred.append(v)
            slopes.append(w)
        d, e = arrival.fresh
        flow = None if state.tangent is None else state.tangent.append(t, e, slopes)
        return PairState(state.covariance.append(t, d, centred), flow)

    def _sent(self, port: Port, k: Part, theta: Part, x: _Sender, y: _Sender) -> tuple[Part, Part]:
        """V and W (nothing without tangents)."""
        f, slope = self.entries.duals(port.activation, x.prepared, y.prepared, k, self.with_tangent)
        centred = self.entries.less_product(f, x.feature_mean, y.feature_mean) if self.means else f
        if not self.with_tangent:
            return centred, self.entries.nothing(f)
        return centred, self.entries.tangent(port.ahead, port.behind, f, slope, k, theta)

    def _total(self, arrival: Arrival, x: Node, y: Node) -> tuple[Array, Array]:
        """K_tt and Theta_tt."""
        covariance, tangent = arrival.total
        return (self.entries.plus_product(covariance, x.mean, y.mean) if self.means else covariance), tangent

    def _flows(
        self, k: Flow, theta: Flow | None, t: int | Array, weights: Mixing, into: Into
    ) -> tuple[Part, Part, Part, Part]:
        """D_t and what copies bring to K_tt - S_t S_t', E_t and what they bring to Theta_tt (nothing without it)."""
        d, copied = k.arrive(self.entries, t, weights)
        d = d if into.constant is None else d + into.constant
        if theta is None:
            return d, copied, self.entries.nothing(d), self.entries.nothing(d)
        e, tangent = theta.arrive(self.entries, t, weights)
        return d, copied, e if into.constant is None else e + into.constant, tangent


class _Sender(NamedTuple):
    """One input at a port."""

    prepared: Prepared
    feature_mean: Part


def _at_port(node: Node, j: int) -> _Sender:
    return _Sender(node.prepared[j], node.feature_mean[j])


def weighed(port: Port, scales: Scales | None, j: int, tangent: Part) -> Part:
    """w^2 Theta of port j."""
    if not port.scaled:
        return tangent
    assert scales is not None
    return jnp.asarray(scales.weight[j]) * tangent
