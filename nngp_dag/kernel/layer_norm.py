"""The recursions with layer norm.

Layer norm at node t standardises the features of an input over the width: h_t -> s_t (h_t - S_t) with
s_t(x) = 1 / sqrt(K_tt(x, x) - S_t(x)^2), zero where the features are constant. For each input that is a linear map: S_t
becomes 0, and what has come to t by skip edges weighs s_t(x) times as much, for t and for all that skip edges carry on
from it. The weights of copies are then functions of the input,

    alpha_tu(x) = s_t(x) sum_s a_ts alpha_su(x),  u < t,   alpha_tt(x) = s_t(x),   S_t(x) = sum_s a_ts S_s(x) + m_t(x),

(s_t = 1, and S_t stays, where there is no layer norm), and K_tt = sum_{u <= t} alpha_tu(x) alpha_tu(x') D_u + S_t S_t'.
The derivative of layer norm beside s_t - its projections - vanishes with the width, so that Theta has the same weights.

*independent* adds whole kernels of branches: K_t = s_t(x) s_t(x') (sum_s a_ts^2 K_s + D_t), without means.

Here `Into.mean` and `Into.power` hold gains of single skip edges, a_ts and a_ts^2, in the place of sums over paths.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import jax.numpy as jnp
from jax import Array

from nngp_dag.activations.safe import reciprocal, root
from nngp_dag.kernel.into import Into
from nngp_dag.kernel.mixing import Mixing
from nngp_dag.kernel.pair_recursion import Arrival, Node, PairState
from nngp_dag.kernel.recursion import Recursion, RowState

__all__ = ["NormedCopies", "NormedSums", "normed"]


@dataclass(frozen=True)
class NormedCopies(Recursion):
    """*exact*: `Node.copies` is alpha_tu(x), u = 0..H [H + 1], zero beyond t.

    Args:
        num_nodes: H + 1.
    """

    num_nodes: int = 0

    def _first_row(self, state: RowState, received: tuple[Array, ...], into: Into | None) -> tuple[RowState, Arrival]:
        m, d, e = received
        norm = _norm_of(into)
        s = _scale(norm, d)
        copies = jnp.zeros(self.num_nodes, d.dtype).at[0].set(s)
        table = jnp.zeros((self.num_nodes, self.num_nodes), d.dtype).at[0].set(copies)
        mean, variance, tangent = _rescaled(norm, s, m, d, e)
        return state._replace(copies=table), Arrival((mean, d, e), (mean, variance, tangent), copies)

    def _arrive_row(self, state: RowState, t: int | Array, into: Into) -> tuple[RowState, Arrival]:
        assert state.copies is not None
        a = jnp.asarray(into.mean.skip_paths)
        alpha = jnp.dot(a, state.copies[: a.shape[0]], precision="highest")
        m, brought = state.mean.arrive(self.entries, t, into.mean)
        weights = Mixing(alpha**2, into.power.linear)
        d, variance, e, tangent = self._flows(state.variance, state.tangent, t, weights, into)
        norm = _norm_of(into)
        s = _scale(norm, variance + d)
        copies = (alpha * s).at[t].set(s)
        total = _rescaled(norm, s, brought + m, variance + d, tangent + e)
        state = state._replace(copies=state.copies.at[t].set(copies))
        return state, Arrival((total[0], d, e), total, copies)

    def _first_pair(self, received: tuple[Array, ...], x: Node, y: Node) -> Arrival:
        assert x.copies is not None and y.copies is not None
        weight = x.copies[0] * y.copies[0]
        return Arrival(received, tuple(weight * part for part in received))

    def arrive_pair(
        self, state: PairState, t: int | Array, into: Into, x: Node | None = None, y: Node | None = None
    ) -> Arrival:
        assert x is not None and x.copies is not None and y is not None and y.copies is not None
        held = state.covariance.fresh
        one_by_one = isinstance(held, tuple)
        weights = [x.copies[u] * y.copies[u] for u in range(len(held))] if one_by_one else x.copies * y.copies
        mixing = Mixing(weights, into.power.linear)  # type: ignore[arg-type]
        d, covariance, e, tangent = self._flows(state.covariance, state.tangent, t, mixing, into)
        own = x.copies[t] * y.copies[t]
        return Arrival((d, e), (covariance + own * d, tangent + own * e))


@dataclass(frozen=True)
class NormedSums(Recursion):
    """*independent*: `Node.copies` is s_t(x), and what nodes receive afresh is all that they receive."""

    def _first_row(self, state: RowState, received: tuple[Array, ...], into: Into | None) -> tuple[RowState, Arrival]:
        mean, k, theta = received
        return state, self._settled(mean, k, theta, _norm_of(into))

    def _arrive_row(self, state: RowState, t: int | Array, into: Into) -> tuple[RowState, Arrival]:
        d, variance, e, tangent = self._flows(state.variance, state.tangent, t, into.power, into)
        return state, self._settled(jnp.zeros_like(d), variance + d, tangent + e, _norm_of(into))

    def _settled(self, m: Array, k: Array, theta: Array, norm: Array) -> Arrival:
        s = _scale(norm, k)
        total = _rescaled(norm, s, m, k, theta)
        return Arrival(total, total, s)

    def _first_pair(self, received: tuple[Array, ...], x: Node, y: Node) -> Arrival:
        assert x.copies is not None and y.copies is not None
        total = tuple(x.copies * y.copies * part for part in received)
        return Arrival(total, total)

    def arrive_pair(
        self, state: PairState, t: int | Array, into: Into, x: Node | None = None, y: Node | None = None
    ) -> Arrival:
        assert x is not None and y is not None
        d, covariance, e, tangent = self._flows(state.covariance, state.tangent, t, into.power, into)
        return self._first_pair((covariance + d, tangent + e), x, y)


def normed(recursion: Recursion, num_nodes: int) -> Recursion:
    """The recursion with layer norm that belongs to one without, for a network of H + 1 nodes."""
    r = recursion
    make = partial(NormedCopies, num_nodes=num_nodes) if r.correlated else NormedSums
    return make(r.setting, r.correlated, means=r.means, with_tangent=r.with_tangent, layout=r.layout)


def _norm_of(into: Into | None) -> Array:
    assert into is not None
    return jnp.asarray(into.norm) > 0


def _scale(norm: Array, variance: Array) -> Array:
    """s_t: 1 where there is no layer norm, and 0 where features are constant."""
    return jnp.where(norm, reciprocal(root(variance)), jnp.ones_like(variance))


def _rescaled(norm: Array, s: Array, mean: Array, variance: Array, tangent: Array) -> tuple[Array, Array, Array]:
    """The totals of a node behind its layer norm; its variance there is 1 to the last bit."""
    unit = (variance > 0).astype(variance.dtype)
    return (
        jnp.where(norm, jnp.zeros_like(mean), mean),
        jnp.where(norm, unit, variance),
        s * s * tangent,
    )
