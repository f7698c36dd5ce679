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

Arrays here carry nodes on their first axis and nothing else; callers map over inputs, pairs and DAGs. The steps of a
pair are those of `pair_recursion`, which features that are images take too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from nngp_dag.kernel.embedding import EmbeddedRow, embed_pair, embed_row
from nngp_dag.kernel.entries import tangent_through
from nngp_dag.kernel.flow import Flow
from nngp_dag.kernel.into import Into, Port, Scales, variance_of
from nngp_dag.kernel.mixing import Mixing
from nngp_dag.kernel.pair_recursion import Arrival, Node, PairRecursion, PairState, weighed
from nngp_dag.reading import Setting

__all__ = ["MAX_UNROLLED", "Recursion", "RowState"]

MAX_UNROLLED = 8
"""Nodes up to which folds over nodes and sums over them are unrolled; larger DAGs are folded block by block."""


class RowState(NamedTuple):
    """One input at all nodes so far: means (m, b), variances (D, V) and, unless left out, tangents (E, W)."""

    mean: Flow
    variance: Flow
    tangent: Flow | None
    copies: Array | None = None


@dataclass(frozen=True)
class Recursion(PairRecursion):
    """The recursion of one method (exact or independent) under one setting, for inputs and for pairs of inputs.

    Args:
        setting: order, embedding and activation.
        correlated: weigh skip paths by alpha^2, as copies of one feature; else by alpha, as independent features.
        means: carry the coordinate means S_t (they are zero under activation-first without a stem).
        with_tangent: carry the tangent kernel too.
        layout: the ports of nodes; by default one each, with the setting's activation.
    """

    setting: Setting
    correlated: bool

    def plain(self, into: Mixing) -> Into:
        """The numbers of a node of a plain DAG, from its skip paths and linear edges."""
        return Into(into, Mixing(into.weights(self.correlated), into.linear))

    def ports(self, t: int | Array) -> tuple[Port, ...]:
        """The ports of node t."""
        return (Port.of(self.setting.order, self.setting.activation),) if self.layout is None else super().ports(t)

    # ---- one input --------------------------------------------------------------------------------------------------

    def start_row(
        self, k: Array, rooms: tuple[int, int] = (0, 0), into: Into | None = None
    ) -> tuple[EmbeddedRow, RowState, Node]:
        """Node 0 for an input with K_in(x, x) = k; `rooms` of its flow, by default one that grows."""
        embedded = embed_row(self.setting, k)
        mean = embedded.mean if self.means else jnp.zeros_like(k)
        empty = Flow.empty(k, rooms)
        state = RowState(empty, empty, empty if self.with_tangent else None)
        received = mean, embedded.variance - mean * mean, embedded.tangent
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
        return Node((), mean, (), variance + mean * mean, tangent, arrival.copies)

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
        m, mean = state.mean.arrive(self.entries, t, into.mean)
        d, variance, e, tangent = self._flows(state.variance, state.tangent, t, into.power, into)
        return state, Arrival((m, d, e), (mean + m, variance + d, tangent + e))

    def _extend_row(
        self, state: RowState, t: int | Array, arrival: Arrival, scales: Scales | None
    ) -> tuple[RowState, Node]:
        mean, variance, tangent = arrival.total
        k = variance + mean * mean
        features, centred, slopes, prepared = [], [], [], []
        for j, port in enumerate(self.ports(t)):
            q = variance_of(port, scales, j, k)
            f = port.activation.dual_diagonal(q)
            b = port.activation.mean(q) if self.means else jnp.zeros_like(k)
            features.append(b)
            centred.append(f - b * b)
            prepared.append(port.activation.prepare(q))
            if state.tangent is not None:
                slope = port.activation.dual_derivative_diagonal(q)
                slopes.append(tangent_through(port.ahead, port.behind, f, slope, q, weighed(port, scales, j, tangent)))
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
        received = covariance - embedded_x.mean * embedded_y.mean if self.means else covariance, tangent
        arrival = self._first_pair(received, x, y)
        state = self.extend_pair(state, 0, arrival, x, y, into.scales if into else None)
        return state, self._total(arrival, x, y)

    def _first_pair(self, received: tuple[Array, ...], x: Node, y: Node) -> Arrival:
        """Node 0 receives the embedding afresh: D and E."""
        del x, y
        return Arrival(received, received)
