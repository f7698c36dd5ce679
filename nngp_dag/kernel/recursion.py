"""The recursion over the nodes of a network, for one input and for one pair of inputs: the scalar core of all kernels.

Node t receives D_t = sum_{l in L_t} V_l through its linear edges, and through its skip edges what earlier nodes
received, weighted by skip-path counts alpha (see `mixing`):

    K_tt = sum_{u < t} w_tu D_u + D_t + S_t S_t',      V_t = f(K_tt) - b_t b_t',
    Theta_tt = sum_{u < t} w_tu E_u + E_t,             W_t = fdot(K_tt) Theta_tt + T_t,    E_t = sum_{l in L_t} W_l,
    S_t = sum_{u < t} alpha_tu m_u + m_t,              m_t = sum_{l in L_t} b_l,

with w = alpha^2 and means for *exact*, and w = alpha without means for *independent* (Eq. 6-11). T_t = fdot(K_tt) K_tt
and b_t = beta(K_tt) for activation-last; T_t = f(K_tt) and b_t = 0 for activation-first. Everything of a pair is one
number per node: no node-to-node covariance is ever formed.

A wiring only changes the weights: alpha counts gains, sums over L_t have weights too, and each node has a V, W and b
for each of its *ports* (see `into`).

Arrays here carry nodes on their first axis and nothing else; callers map over inputs, pairs and DAGs. Features that
are images go through the same steps: what weighs, multiplies two means and applies a dual map is a function of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from nngp_dag.activations import Prepared
from nngp_dag.kernel.embedding import EmbeddedRow, embed_pair, embed_row
from nngp_dag.kernel.flow import Flow
from nngp_dag.kernel.into import Into, Layout, Port, Scales, variance_of
from nngp_dag.kernel.mixing import Mixing
from nngp_dag.reading import Setting

__all__ = ["MAX_UNROLLED", "Node", "PairState", "Recursion", "RowState"]

MAX_UNROLLED = 8
"""Nodes up to which folds over nodes and sums over them are unrolled; larger DAGs are folded block by block."""


class Node(NamedTuple):
    """The values of one input at one node.

    Attributes:
        prepared: the prepared variance Q(x, x) of each port.
        mean: S_t(x).
        feature_mean: b_t(x) of each port.
        variance, tangent: K_tt(x, x) and Theta_tt(x, x).
        copies: of a network with layer norm, what its features weigh (see `layer_norm`).
    """

    prepared: tuple[Prepared, ...]
    mean: Array
    feature_mean: tuple[Array, ...]
    variance: Array
    tangent: Array
    copies: Array | None = None


class RowState(NamedTuple):
    """One input at all nodes so far: means (m, b), variances (D, V) and, unless left out, tangents (E, W)."""

    mean: Flow
    variance: Flow
    tangent: Flow | None
    copies: Array | None = None


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

    fresh: tuple[Array, ...]
    total: tuple[Array, ...]
    copies: Array | None = None


@dataclass(frozen=True)
class Recursion:
    """The recursion of one method (exact or independent) under one setting.

    Args:
        setting: order, embedding and activation.
        correlated: weigh skip paths by alpha^2, as copies of one feature; else by alpha, as independent features.
        means: carry the coordinate means S_t (they are zero under activation-first without a stem).
        with_tangent: carry the tangent kernel too.
        layout: the ports of nodes; by default one each, with the setting's activation.
    """

    setting: Setting
    correlated: bool
    means: bool
    with_tangent: bool
    layout: Layout | None = None

    def plain(self, into: Mixing) -> Into:
        """The numbers of a node of a plain DAG, from its skip paths and linear edges."""
        return Into(into, Mixing(into.weights(self.correlated), into.linear))

    def ports(self, t: int | Array) -> tuple[Port, ...]:
        """The ports of node t."""
        if self.layout is None:
            return (Port(self.setting.activation, False),)
        return self.layout[t] if isinstance(t, int) and len(self.layout) > 1 else self.layout[0]

    # ---- one input --------------------------------------------------------------------------------------------------

    def start_row(
        self, k: Array, rooms: tuple[int, int] = (0, 0), into: Into | None = None
    ) -> tuple[EmbeddedRow, RowState, Node]:
        """Node 0 for an input with K_in(x, x) = k; `rooms` of its flow, by default one that grows."""
        embedded = embed_row(self.setting, k)
        mean = embedded.mean if self.means else jnp.zeros_like(k)
        empty = Flow.empty(k, rooms)
        state = RowState(empty, empty, empty if self.with_tangent else None)
        received = mean, embedded.variance - self._product(mean, mean), embedded.tangent
        state, arrival = self._first_row(state, received, into)
        return embedded, *self._extend_row(state, 0, arrival, into.scales if into else None)

    def step_row(self, state: RowState, t: int | Array, into: Into) -> tuple[RowState, Node]:
        """Append node t."""
        state, arrival = self._arrive_row(state, t, into)
        return self._extend_row(state, t, arrival, into.scales)

    def end_row(self, state: RowState, into: Into) -> Node:
        """Node H of one input: S_H, K_HH and Theta_HH (zero without tangents)."""
        _, arrival = self._arrive_row(state, -1, into)
        mean, variance, tangent = arrival.total
        return Node((), mean, (), variance + self._product(mean, mean), tangent, arrival.copies)

    def block_row(self, state: RowState, before: Into) -> RowState:
        """An empty state for a block of a large DAG, from the weights [B, n] of its nodes over those held."""
        q = len(self.ports(0))
        tangent = None if state.tangent is None else state.tangent.block(before.power, q)
        return RowState(state.mean.block(before.mean, q), state.variance.block(before.power, q), tangent)

    def _first_row(self, state: RowState, received: tuple[Array, ...], into: Into | None) -> tuple[RowState, Arrival]:
        """Node 0 receives the embedding afresh: m, D and E."""
        del into
        return state, Arrival(received, received)

    def _arrive_row(self, state: RowState, t: int | Array, into: Into) -> tuple[RowState, Arrival]:
        m, mean = state.mean.arrive(t, into.mean)
        d, variance, e, tangent = self._flows(state.variance, state.tangent, t, into.power, into)
        return state, Arrival((m, d, e), (mean + m, variance + d, tangent + e))

    def _extend_row(
        self, state: RowState, t: int | Array, arrival: Arrival, scales: Scales | None
    ) -> tuple[RowState, Node]:
        mean, variance, tangent = arrival.total
        k = variance + self._product(mean, mean)
        features, centred, slopes, prepared = [], [], [], []
        for j, port in enumerate(self.ports(t)):
            q = variance_of(port, scales, j, k)
            f = port.activation.dual_diagonal(q)
            b = port.activation.mean(q) if self.means else jnp.zeros_like(k)
            features.append(b)
            centred.append(f - self._product(b, b))
            prepared.append(port.activation.prepare(q))
            if state.tangent is not None:
                slope = port.activation.dual_derivative_diagonal(q)
                slopes.append(self._tangent_through(f, slope, q, _weighed(port, scales, j, tangent)))
        m, d, e = arrival.fresh
        extended = RowState(
            state.mean.append(t, m, features),
            state.variance.append(t, d, centred),
            None if state.tangent is None else state.tangent.append(t, e, slopes),
            state.copies,
        )
        return extended, Node(tuple(prepared), mean, tuple(features), k, tangent, arrival.copies)

    # ---- one pair of inputs -----------------------------------------------------------------------------------------

    def start_pair(
        self,
        embedded_x: EmbeddedRow,
        embedded_y: EmbeddedRow,
        x: Node,
        y: Node,
        k: Array,
        rooms: tuple[int, int] = (0, 0),
        into: Into | None = None,
    ) -> tuple[PairState, tuple[Array, Array]]:
        """Node 0 for a pair of inputs with K_in(x, x') = k; also K_00 and Theta_00."""
        covariance, tangent = embed_pair(self.setting, embedded_x, embedded_y, k)
        empty = Flow.empty(k, rooms)
        state = PairState(empty, empty if self.with_tangent else None)
        received = covariance - self._product(embedded_x.mean, embedded_y.mean) if self.means else covariance, tangent
        return self._extend_pair(state, 0, self._first_pair(received, x, y), x, y, into.scales if into else None)

    def step_pair(
        self, state: PairState, t: int | Array, into: Into, x: Node, y: Node
    ) -> tuple[PairState, tuple[Array, Array]]:
        """Append node t, given the two inputs there; also K_tt and Theta_tt."""
        return self._extend_pair(state, t, self._arrive_pair(state, t, into, x, y), x, y, into.scales)

    def end_pair(self, state: PairState, into: Into, x: Node, y: Node) -> tuple[Array, Array]:
        """K_HH and Theta_HH (zero without tangents) of a pair, given node H of both."""
        covariance, tangent = self._arrive_pair(state, -1, into, x, y).total
        return (covariance + self._product(x.mean, y.mean) if self.means else covariance), tangent

    def block_pair(self, state: PairState, before: Into) -> PairState:
        """An empty state for a block of a large DAG, from the weights [B, n] of its nodes over those held."""
        q = len(self.ports(0))
        tangent = None if state.tangent is None else state.tangent.block(before.power, q)
        return PairState(state.covariance.block(before.power, q), tangent)

    def _first_pair(self, received: tuple[Array, ...], x: Node, y: Node) -> Arrival:
        """Node 0 receives the embedding afresh: D and E."""
        del x, y
        return Arrival(received, received)

    def _arrive_pair(self, state: PairState, t: int | Array, into: Into, x: Node, y: Node) -> Arrival:
        del x, y
        d, covariance, e, tangent = self._flows(state.covariance, state.tangent, t, into.power, into)
        return Arrival((d, e), (covariance + d, tangent + e))

    def _extend_pair(
        self, state: PairState, t: int | Array, arrival: Arrival, x: Node, y: Node, scales: Scales | None
    ) -> tuple[PairState, tuple[Array, Array]]:
        covariance, tangent = arrival.total
        k = covariance + self._product(x.mean, y.mean) if self.means else covariance
        centred, slopes = [], []
        for j, port in enumerate(self.ports(t)):
            q = variance_of(port, scales, j, k)
            f = port.activation.dual(x.prepared[j], y.prepared[j], q)
            centred.append(f - self._product(x.feature_mean[j], y.feature_mean[j]) if self.means else f)
            if state.tangent is not None:
                slope = port.activation.dual_derivative(x.prepared[j], y.prepared[j], q)
                slopes.append(self._tangent_through(f, slope, q, _weighed(port, scales, j, tangent)))
        d, e = arrival.fresh
        flow = None if state.tangent is None else state.tangent.append(t, e, slopes)
        return PairState(state.covariance.append(t, d, centred), flow), (k, tangent)

    # ---- both -------------------------------------------------------------------------------------------------------

    def _flows(
        self, k: Flow, theta: Flow | None, t: int | Array, weights: Mixing, into: Into
    ) -> tuple[Array, Array, Array, Array]:
        """D_t and what copies bring to K_tt - S_t S_t', E_t and what they bring to Theta_tt (zeros without it)."""
        d, copied = k.arrive(t, weights)
        d = d if into.constant is None else d + into.constant
        if theta is None:
            return d, copied, jnp.zeros_like(d), jnp.zeros_like(d)
        e, tangent = theta.arrive(t, weights)
        return d, copied, e if into.constant is None else e + into.constant, tangent

    def _product(self, x: Array, y: Array) -> Array:
        """The product of the means of two inputs: x y."""
        return x * y

    def _tangent_through(self, f: Array, slope: Array, k: Array, tangent: Array) -> Array:
        return slope * (tangent + k) if self.setting.order == "activation-last" else slope * tangent + f


def _weighed(port: Port, scales: Scales | None, j: int, tangent: Array) -> Array:
    """w^2 Theta of port j."""
    if not port.scaled:
        return tangent
    assert scales is not None
    return jnp.asarray(scales.weight[j]) * tangent
