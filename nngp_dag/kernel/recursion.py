"""The recursion over the nodes of a DAG, for one input and for one pair of inputs: the scalar core of all kernels.

Node t receives D_t = sum_{l in L_t} V_l through its linear edges, and through its skip edges what earlier nodes
received, weighted by skip-path counts alpha (see `mixing`):

    K_tt = sum_{u < t} w_tu D_u + D_t + S_t S_t',      V_t = f(K_tt) - b_t b_t',
    Theta_tt = sum_{u < t} w_tu E_u + E_t,             W_t = fdot(K_tt) Theta_tt + T_t,    E_t = sum_{l in L_t} W_l,
    S_t = sum_{u < t} alpha_tu m_u + m_t,              m_t = sum_{l in L_t} b_l,

with w = alpha^2 and means for *exact*, and w = alpha without means for *independent* (Eq. 6-11). T_t = fdot(K_tt) K_tt
and b_t = beta(K_tt) for activation-last; T_t = f(K_tt) and b_t = 0 for activation-first. Everything of a pair is one
number per node: no node-to-node covariance is ever formed.

Arrays here carry nodes on their first axis and nothing else; callers map over inputs, pairs and DAGs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from nngp_dag.activations import Prepared
from nngp_dag.kernel.embedding import EmbeddedRow, embed_pair, embed_row
from nngp_dag.kernel.method import Numbers
from nngp_dag.kernel.mixing import Mixing
from nngp_dag.reading import Setting

__all__ = ["MAX_UNROLLED", "Flow", "Node", "PairState", "Recursion", "RowState"]

MAX_UNROLLED = 8
"""Nodes up to which folds over nodes and sums over them are unrolled; larger DAGs are folded block by block."""


_Values = Array | tuple[Array, ...]


class Flow(NamedTuple):
    """Per node so far, the part received afresh (m, D or E) and the part sent through a linear edge (b, V or W).

    Two arrays [n] with room for n nodes, for folds by scan; or two tuples of scalars that grow, so that nothing is
    joined and every node's value is computed once (XLA repeats the operands of a concatenation in each of its uses).

    Attributes:
        fresh, through: a value per node.
        before: in a block of a large DAG (`Blocks`), what each of its nodes gets from earlier blocks by linear edges
            and by skip paths, [n] each.
    """

    fresh: _Values
    through: _Values
    before: tuple[Array, Array] | None = None

    @classmethod
    def empty(cls, like: Array, rooms: tuple[int, int]) -> Flow:
        """Room for so many nodes in both (0: a tuple that grows), of the dtype of `like`."""
        fresh, through = (jnp.zeros(size, like.dtype) if size else () for size in rooms)
        return cls(fresh, through)

    def arrive(self, t: int | Array, weights: Numbers, linear: Numbers) -> tuple[Array, Array]:
        """The part of node t received afresh, and its total with what its skip edges bring."""
        fresh, copied = _weigh(linear, self.through), _weigh(weights, self.fresh)
        if self.before is not None:
            fresh, copied = fresh + self.before[0][t], copied + self.before[1][t]
        return fresh, copied + fresh

    def append(self, t: int | Array, fresh: Array, through: Array) -> Flow:
        """With node t added: at the end of a tuple, in place t of an array."""
        return Flow(_put(self.fresh, t, fresh), _put(self.through, t, through), self.before)

    def block(self, weights: Numbers, linear: Numbers) -> Flow:
        """Of arrays: an empty flow for the next block, given the weights [B, n] of its nodes over those held here."""
        before = _product(linear, self.through), _product(weights, self.fresh)
        room = jnp.zeros_like(before[0])
        return Flow(room, room, before)

    def store(self, block: Flow, place: Mixing) -> Flow:
        """Of arrays: with the nodes of a block from its place on."""
        fresh = _overwritten(self.fresh, block.fresh, place.skip_paths)
        return Flow(fresh, _overwritten(self.through, block.through, place.linear))


class Node(NamedTuple):
    """The values of one input at one node that a pair needs: prepared K_tt(x, x), S_t(x) and b_t(x)."""

    prepared: Prepared
    mean: Array
    feature_mean: Array


class RowState(NamedTuple):
    """One input at all nodes so far: means (m, b), variances (D, V) and, unless left out, tangents (E, W)."""

    mean: Flow
    variance: Flow
    tangent: Flow | None


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


@dataclass(frozen=True)
class Recursion:
    """The recursion of one method (exact or independent) under one setting.

    Args:
        setting: order, embedding and activation.
        correlated: weigh skip paths by alpha^2, as copies of one feature; else by alpha, as independent features.
        means: carry the coordinate means S_t (they are zero under activation-first without a stem).
        with_tangent: carry the tangent kernel too.
    """

    setting: Setting
    correlated: bool
    means: bool
    with_tangent: bool

    # ---- one input --------------------------------------------------------------------------------------------------

    def start_row(self, k: Array, rooms: tuple[int, int] = (0, 0)) -> tuple[EmbeddedRow, RowState, Node]:
        """Node 0 for an input with K_in(x, x) = k; `rooms` of its flow, by default one that grows."""
        embedded = embed_row(self.setting, k)
        mean = embedded.mean if self.means else jnp.zeros_like(k)
        empty = Flow.empty(k, rooms)
        state = RowState(empty, empty, empty if self.with_tangent else None)
        received = mean, embedded.variance - mean**2, embedded.tangent
        return embedded, *self._extend_row(state, 0, received, received)

    def step_row(self, state: RowState, t: int | Array, into: Mixing) -> tuple[RowState, Node]:
        """Append node t."""
        fresh, total = self._arrive_row(state, t, into)
        return self._extend_row(state, t, fresh, total)

    def end_row(self, state: RowState, into: Mixing) -> tuple[Array, Array, Array]:
        """S_H, K_HH and Theta_HH (zero without tangents) of one input with itself."""
        _, (mean, variance, tangent) = self._arrive_row(state, -1, into)
        return mean, variance + mean**2, tangent

    def block_row(self, state: RowState, before: Mixing) -> RowState:
        """An empty state for a block of a large DAG, from the weights [B, n] of its nodes over those held."""
        weights, linear = self._weights(before), before.linear
        tangent = None if state.tangent is None else state.tangent.block(weights, linear)
        return RowState(state.mean.block(before.skip_paths, linear), state.variance.block(weights, linear), tangent)

    def _arrive_row(self, state: RowState, t: int | Array, into: Mixing) -> tuple[_Triple, _Triple]:
        weights = self._weights(into)
        m, mean = state.mean.arrive(t, into.skip_paths, into.linear)
        d, variance = state.variance.arrive(t, weights, into.linear)
        e, tangent = state.tangent.arrive(t, weights, into.linear) if state.tangent else (jnp.zeros_like(d),) * 2
        return (m, d, e), (mean, variance, tangent)

    def _extend_row(self, state: RowState, t: int | Array, fresh: _Triple, total: _Triple) -> tuple[RowState, Node]:
        activation = self.setting.activation
        mean, variance, tangent = total
        k = variance + mean**2
        f = activation.dual_diagonal(k)
        b = activation.mean(k) if self.means else jnp.zeros_like(k)
        flow = None
        if state.tangent is not None:
            slope = activation.dual_derivative_diagonal(k)
            flow = state.tangent.append(t, fresh[2], self._tangent_through(f, slope, k, tangent))
        extended = RowState(state.mean.append(t, fresh[0], b), state.variance.append(t, fresh[1], f - b * b), flow)
        return extended, Node(activation.prepare(k), mean, b)

    # ---- one pair of inputs -----------------------------------------------------------------------------------------

    def start_pair(
        self,
        embedded_x: EmbeddedRow,
        embedded_y: EmbeddedRow,
        x: Node,
        y: Node,
        k: Array,
        rooms: tuple[int, int] = (0, 0),
    ) -> PairState:
        """Node 0 for a pair of inputs with K_in(x, x') = k."""
        covariance, tangent = embed_pair(self.setting, embedded_x, embedded_y, k)
        empty = Flow.empty(k, rooms)
        state = PairState(empty, empty if self.with_tangent else None)
        received = covariance - x.mean * y.mean, tangent
        return self._extend_pair(state, 0, received, received, x, y)

    def step_pair(self, state: PairState, t: int | Array, into: Mixing, x: Node, y: Node) -> PairState:
        """Append node t, given the two inputs there."""
        fresh, total = self._arrive_pair(state, t, into)
        return self._extend_pair(state, t, fresh, total, x, y)

    def end_pair(self, state: PairState, into: Mixing, mean_x: Array, mean_y: Array) -> tuple[Array, Array]:
        """K_HH and Theta_HH (zero without tangents) of a pair, given S_H of both."""
        _, (covariance, tangent) = self._arrive_pair(state, -1, into)
        return (covariance + mean_x * mean_y if self.means else covariance), tangent

    def block_pair(self, state: PairState, before: Mixing) -> PairState:
        """An empty state for a block of a large DAG, from the weights [B, n] of its nodes over those held."""
        weights, linear = self._weights(before), before.linear
        tangent = None if state.tangent is None else state.tangent.block(weights, linear)
        return PairState(state.covariance.block(weights, linear), tangent)

    def _arrive_pair(self, state: PairState, t: int | Array, into: Mixing) -> tuple[_Pair, _Pair]:
        weights = self._weights(into)
        d, covariance = state.covariance.arrive(t, weights, into.linear)
        e, tangent = state.tangent.arrive(t, weights, into.linear) if state.tangent else (jnp.zeros_like(d),) * 2
        return (d, e), (covariance, tangent)

    def _extend_pair(self, state: PairState, t: int | Array, fresh: _Pair, total: _Pair, x: Node, y: Node) -> PairState:
        activation = self.setting.activation
        covariance, tangent = total
        k = covariance + x.mean * y.mean if self.means else covariance
        f = activation.dual(x.prepared, y.prepared, k)
        flow = None
        if state.tangent is not None:
            slope = activation.dual_derivative(x.prepared, y.prepared, k)
            flow = state.tangent.append(t, fresh[1], self._tangent_through(f, slope, k, tangent))
        through = f - x.feature_mean * y.feature_mean if self.means else f
        return PairState(state.covariance.append(t, fresh[0], through), flow)

    # ---- both -------------------------------------------------------------------------------------------------------

    def _weights(self, into: Mixing) -> Numbers:
        return into.skip_paths**2 if self.correlated else into.skip_paths

    def _tangent_through(self, f: Array, slope: Array, k: Array, tangent: Array) -> Array:
        return slope * (tangent + k) if self.setting.order == "activation-last" else slope * tangent + f


_Triple = tuple[Array, Array, Array]
_Pair = tuple[Array, Array]


def _weigh(weights: Numbers, values: _Values) -> Array:
    """sum_u weights_u values_u; over few nodes term by term, which fuses with what follows when mapped over pairs."""
    if len(values) <= MAX_UNROLLED:
        return sum((weights[u] * values[u] for u in range(1, len(values))), weights[0] * values[0])
    values = jnp.stack(values) if isinstance(values, tuple) else values
    return jnp.dot(weights, values, precision=lax.Precision.HIGHEST)


def _put(values: _Values, t: int | Array, value: Array) -> _Values:
    return (*values, value) if isinstance(values, tuple) else values.at[t].set(value)


def _product(weights: Numbers, values: _Values) -> Array:
    return jnp.dot(weights, jnp.asarray(values), precision=lax.Precision.HIGHEST)


def _overwritten(values: _Values, block: _Values, start: Numbers) -> Array:
    return lax.dynamic_update_slice_in_dim(jnp.asarray(values), jnp.asarray(block), jnp.asarray(start), 0)
