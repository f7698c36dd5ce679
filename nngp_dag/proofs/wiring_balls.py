r"""The kernels of one pair of inputs in ball arithmetic, for a wiring: scales, biases, gains, activations, layer norm.

The numbers of a wiring are floats, that is exact dyadic numbers. A linear edge (l, t) of gain g, weight scale w, bias
scale v and its own sigma carries, with b_l = 0 for activation-first and for *independent*,

    activation-last:   Q = w^2 K_l + v^2,  b_l = g beta(Q),  V = g^2 f(Q) - b_l b_l',
                       W = g^2 fdot(Q) (w^2 Theta_l + Q),
    activation-first:  V = g^2 (w^2 f(K_l) + v^2),  W = g^2 (w^2 (fdot(K_l) Theta_l + f(K_l)) + v^2).

A node t receives D_t = sum V, E_t = sum W, m_t = sum b_l; with a_ts the gains of skip edges and s_t(x) = 1, or
1 / sqrt(K_t(x, x) - S_t(x)^2) where t has layer norm (0 where features are constant; S_t becomes 0 there), *exact* is

    alpha_tu(x) = s_t(x) sum_s a_ts alpha_su(x),  alpha_tt(x) = s_t(x),  S_t = sum_s a_ts S_s + m_t,
    K_t = sum_{u <= t} alpha_tu(x) alpha_tu(x') D_u + S_t S_t',  Theta_t = sum_{u <= t} alpha_tu(x) alpha_tu(x') E_u.

*independent* receives sum_s a_ts^2 K_s besides, and likewise tangents, so that K_t = s_t(x) s_t(x') D_t. *path-sum* is
*independent* on the chain of its longest path, whose nodes d are weighed by paths of d linear edges. The read-out makes
NNGP = w^2 K + v^2 and NTK = w^2 (K + Theta) + v^2. No formula here is shared with the kernels in floats.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from flint import arb

from nngp_dag.activations import Identity
from nngp_dag.dag import Dag, Op
from nngp_dag.errors import InputError, unknown
from nngp_dag.kernel.wired_paths import single_activation, wired_paths
from nngp_dag.paths import path_counts
from nngp_dag.proofs.dual_balls import DualBalls, RowBalls, dual_balls
from nngp_dag.proofs.pair_balls import PairBalls
from nngp_dag.reading import PAIR_METHODS, Setting
from nngp_dag.wiring import Wiring

__all__ = ["WiredRow", "wiring_balls"]


class WiredRow(NamedTuple):
    """One input at all nodes.

    Attributes:
        embedded: the input itself, of variance K_in(x, x).
        ports: what a pair needs of it at each port.
        copies: per node t the weights alpha_tu(x) that are not zero, by u.
        means: S_t per node.
        nngp, ntk: the kernels of the input with itself.
    """

    embedded: RowBalls
    ports: tuple[RowBalls, ...]
    copies: tuple[Mapping[int, arb], ...]
    means: tuple[arb, ...]
    nngp: arb
    ntk: arb


_Sent = tuple[arb, arb]
"""The centred covariance and the tangent that a port sends or a node receives."""


class _Port(NamedTuple):
    """An activation applied to a node, at Q = weight K + bias; edges with equal ones share it."""

    maps: DualBalls
    weight: arb
    bias: arb


class _Edge(NamedTuple):
    """A linear edge: its port, and what means and covariances are multiplied by and receive on the way."""

    port: int
    mean: arb
    power: arb
    constant: arb


class _Node(NamedTuple):
    """A node: its skip edges (source, gain) and linear edges, the ports on it, and whether it has layer norm."""

    skips: tuple[tuple[int, arb], ...]
    edges: tuple[_Edge, ...]
    ports: tuple[int, ...]
    has_norm: bool


def wiring_balls(wiring: Wiring, setting: Setting) -> PairBalls[WiredRow]:
    """The kernels of a wiring with a path, under a setting, at the present precision.

    Args:
        wiring: one that is pruned, with all its activations given (`nngp_dag.kernel.network.network_of`).
        setting: a method that is a function of pairs, any order and embedding.

    Raises:
        InputError: a batch, a method that is no function of pairs or has no formula for this wiring, an activation
            without a closed form in balls, or a wiring without a path.
    """
    if setting.method not in PAIR_METHODS:
        raise unknown("method", setting.method, PAIR_METHODS, "of certified eigenvalues")
    if wiring.batch_shape:
        raise InputError("certified eigenvalues are of one wiring, not of a batch")
    if not path_counts(wiring.dag):
        raise InputError(f"{wiring!r} has no path from input to output: its kernels do not depend on the rows")
    output = (*[arb(0)] * (wiring.dag.num_nodes - 1), arb(1))
    readout = tuple(arb(float(scale)) ** 2 for scale in (wiring.readout_weight_scale, wiring.readout_bias_scale))
    if setting.method == "path-sum":
        wiring, output = _chain(wiring, setting)
    ports, nodes = _network(wiring, setting.order == "activation-last")
    embedding = dual_balls(setting.activation if setting.embedding == "stem" else Identity())
    kernels = _WiringBalls(setting, embedding, ports, nodes, output, (readout[0], readout[1]))
    return PairBalls(kernels.row, kernels.pair)


class _WiringBalls(NamedTuple):
    """The recursion; what is read out is the sum of all nodes with the weights `output`, [H + 1]."""

    setting: Setting
    embedding: DualBalls
    ports: tuple[_Port, ...]
    nodes: tuple[_Node, ...]
    output: tuple[arb, ...]
    readout: tuple[arb, arb]

    def row(self, k: arb) -> WiredRow:
        """One input with itself, of variance K_in(x, x) = k."""
        embedded = self.embedding.row(k)
        fresh = [self._embedded(*self.embedding.diagonal(k), k, embedded, embedded)]
        rows: list[RowBalls] = []
        copies: list[dict[int, arb]] = []
        means: list[arb] = []
        through: list[_Sent] = []
        totals: list[_Sent] = []
        for t, node in enumerate(self.nodes):
            if t:
                fresh.append(self._received(node, through, totals))
            mean = self._mean(node, means, rows) if t else embedded.mean * self._has_means
            alpha = self._copies(t, node, copies)
            centred = _sum(weight * weight * fresh[u][0] for u, weight in alpha.items())
            variance = centred + mean * mean
            if node.has_norm:
                s = _inverse_root(centred, t)
                alpha = {u: s * weight for u, weight in alpha.items()}
                mean, variance = arb(0), arb(int(s != 0))  # 1 is exact
            tangent = _sum(weight * weight * fresh[u][1] for u, weight in alpha.items())
            copies.append(alpha)
            means.append(mean)
            totals.append((variance, tangent))
            for p in node.ports:
                q = self.ports[p].weight * variance + self.ports[p].bias
                rows.append(self.ports[p].maps.row(q))
                through.append(self._sent(p, *self.ports[p].maps.diagonal(q), q, tangent, (rows[p], rows[p])))
        return WiredRow(embedded, tuple(rows), tuple(copies), tuple(means), *self._read(totals))

    def pair(self, x: WiredRow, y: WiredRow, k: arb) -> tuple[arb, arb]:
        """(nngp, ntk) of two inputs with inner product K_in(x, x') = k."""
        maps = self.embedding.pair(x.embedded, y.embedded, k)
        fresh = [self._embedded(*maps, k, x.embedded, y.embedded)]
        through: list[_Sent] = []
        totals: list[_Sent] = []
        for t, node in enumerate(self.nodes):
            if t:
                fresh.append(self._received(node, through, totals))
            weights = [(u, weight * y.copies[t][u]) for u, weight in x.copies[t].items()]
            covariance = _sum(weight * fresh[u][0] for u, weight in weights) + x.means[t] * y.means[t]
            tangent = _sum(weight * fresh[u][1] for u, weight in weights)
            totals.append((covariance, tangent))
            for p in node.ports:
                q, at = self.ports[p].weight * covariance + self.ports[p].bias, (x.ports[p], y.ports[p])
                through.append(self._sent(p, *self.ports[p].maps.pair(*at, q), q, tangent, at))
        return self._read(totals)

    @property
    def _is_last(self) -> bool:
        return self.setting.order == "activation-last"

    @property
    def _has_means(self) -> bool:
        return self.setting.method == "exact" and self._is_last

    def _embedded(self, f: arb, slope: arb, k: arb, x: RowBalls, y: RowBalls) -> _Sent:
        """K_00 - S_0 S_0' and Theta_00: the embedding is an edge, with the identity where there is no stem."""
        trained = self.setting.embedding != "gaussian"
        return f - x.mean * y.mean * self._has_means, slope * k if trained else arb(0)

    def _sent(self, p: int, f: arb, slope: arb, q: arb, tangent: arb, at: tuple[RowBalls, RowBalls]) -> _Sent:
        """V and W of a port, before its edges' factors."""
        if not self._is_last:
            return f, slope * tangent + f
        centred = f - at[0].mean * at[1].mean if self._has_means else f
        return centred, slope * (self.ports[p].weight * tangent + q)

    def _received(self, node: _Node, through: list[_Sent], totals: list[_Sent]) -> _Sent:
        """D_t and E_t."""
        constant = _sum(edge.constant for edge in node.edges)
        parts = [_sum(edge.power * through[edge.port][k] for edge in node.edges) + constant for k in range(2)]
        if self.setting.method != "exact":
            parts = [part + _sum(a * a * totals[s][k] for s, a in node.skips) for k, part in enumerate(parts)]
        return parts[0], parts[1]

    def _mean(self, node: _Node, means: list[arb], rows: list[RowBalls]) -> arb:
        """S_t before layer norm."""
        if not self._has_means:
            return arb(0)
        return _sum(a * means[s] for s, a in node.skips) + _sum(e.mean * rows[e.port].mean for e in node.edges)

    def _copies(self, t: int, node: _Node, copies: list[dict[int, arb]]) -> dict[int, arb]:
        """alpha_tu before layer norm."""
        alpha: dict[int, arb] = {}
        for s, a in node.skips if self.setting.method == "exact" else ():
            for u, weight in copies[s].items():
                alpha[u] = alpha.get(u, arb(0)) + a * weight
        return {**alpha, t: arb(1)}

    def _read(self, totals: list[_Sent]) -> _Sent:
        """NNGP and NTK of the output."""
        covariance, tangent = (
            _sum(weight * total[k] for weight, total in zip(self.output, totals, strict=True) if weight != 0)
            for k in range(2)
        )
        weight, bias = self.readout
        return weight * covariance + bias, weight * (covariance + tangent) + bias


def _inverse_root(variance: arb, t: int) -> arb:
    """s_t of layer norm; 0 of constant features, which are known to be constant only where they are exact."""
    if variance == 0:
        return arb(0)
    if not variance > 0:
        raise InputError(
            f"the variance over the features of node {t} is not told from zero: its layer norm is unproved"
        )
    return variance.rsqrt()


def _network(wiring: Wiring, is_last: bool) -> tuple[tuple[_Port, ...], tuple[_Node, ...]]:
    """The ports in the order of their nodes, and the nodes."""
    scales = np.stack([np.asarray(a, np.float64) for a in (wiring.weight_scale, wiring.bias_scale, wiring.gain)])
    maps = {sigma: dual_balls(sigma) for sigma in wiring.activations if sigma is not None}
    place: dict[tuple[object, ...], int] = {}
    ports: list[_Port] = []
    leaving: list[list[int]] = [[] for _ in range(wiring.dag.num_nodes)]
    entering: list[list[_Edge]] = [[] for _ in range(wiring.dag.num_nodes)]
    skips: list[list[tuple[int, arb]]] = [[] for _ in range(wiring.dag.num_nodes)]
    by_source = sorted(zip(wiring.linear_edges, wiring.activations, scales.T.tolist(), strict=True), key=lambda e: e[0])
    for (s, t), sigma, (w, v, g) in by_source:
        assert sigma is not None
        weight, bias, gain = arb(w) ** 2, arb(v) ** 2, arb(g)
        key = (s, sigma, w, v) if is_last else (s, sigma)
        if key not in place:
            place[key] = len(ports)
            leaving[s].append(len(ports))
            ports.append(_Port(maps[sigma], *((weight, bias) if is_last else (arb(1), arb(0)))))
        factors = (gain**2, arb(0)) if is_last else (gain**2 * weight, gain**2 * bias)
        entering[t].append(_Edge(place[key], gain, *factors))
    for (s, t), a in zip(wiring.skip_edges, np.asarray(wiring.skip_gain).tolist(), strict=True):
        skips[t].append((s, arb(a)))
    norms = set(wiring.layer_norm)
    nodes = zip(skips, entering, leaving, strict=True)
    return tuple(ports), tuple(_Node(tuple(a), tuple(e), tuple(p), t in norms) for t, (a, e, p) in enumerate(nodes))


def _chain(wiring: Wiring, setting: Setting) -> tuple[Wiring, tuple[arb, ...]]:
    """The chain of Eq. 12, and what the paths with d linear edges weigh together, d = 0..D, where it has a meaning."""
    wired_paths(wiring)  # refuses what has no formula
    sigma, length = single_activation(wiring), len(path_counts(wiring.dag)) - 1
    if sigma not in (None, setting.activation) and setting.embedding == "stem":
        raise InputError("path-sum has one activation for all, and the stem has another than the edges")
    folds = sigma is None or (sigma.is_homogeneous and not np.any(wiring.bias_scale))
    gains, weights = (np.asarray(values).tolist() for values in (wiring.gain, wiring.weight_scale))
    power = {
        edge: arb(g) ** 2 * arb(w) ** 2 if folds else arb(1)
        for edge, g, w in zip(wiring.linear_edges, gains, weights, strict=True)
    }
    power |= {edge: arb(float(a)) ** 2 for edge, a in zip(wiring.skip_edges, wiring.skip_gain, strict=True)}
    sums = [[arb(1), *[arb(0)] * length]]
    for t in range(1, wiring.dag.num_nodes):
        terms = [(power[s, t], wiring.dag.op(s, t) is Op.LINEAR, sums[s]) for s in range(t) if (s, t) in power]
        shifted = [(weight, [arb(0), *paths[:-1]] if linear else paths) for weight, linear, paths in terms]
        sums.append([_sum(weight * paths[d] for weight, paths in shifted) for d in range(length + 1)])
    scales = {} if folds else {"weight_scale": wiring.weight_scale[0], "bias_scale": wiring.bias_scale[0]}
    chain = Dag.from_edges({(d, d + 1): "linear" for d in range(length)}, length + 1)
    return Wiring.make(chain, activation=sigma, **scales), tuple(sums[-1])


def _sum(terms: Iterable[arb]) -> arb:
    return sum(terms, arb(0))
