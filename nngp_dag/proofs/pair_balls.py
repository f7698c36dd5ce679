r"""The kernels of one pair of inputs in ball arithmetic, for inputs of any variances: NNGP and NTK of any DAG.

With alpha_tu the number of skip paths from u to t, L_t the linear predecessors of t, a = alpha^2 for *exact* and
alpha for *independent* (Eq. 6-11), which has no means (S = b = 0):

    K_t = sum_{u <= t} a_tu D_u + S_t S_t',          D_t = sum_{l in L_t} (f(K_l) - b_l b_l'),
    Theta_t = sum_{u <= t} a_tu E_u,                 E_t = sum_{l in L_t} (fdot(K_l) Theta_l + T_l),
    S_t = sum_{u <= t} alpha_tu m_u,                 m_t = sum_{l in L_t} b_l,

b_l = beta(K_l), T_l = fdot(K_l) K_l for activation-last; b_l = 0, T_l = f(K_l) for activation-first. *path-sum*
(Eq. 12) is sum_d n_d k_d along the chain k_d = f(k_{d-1}), and likewise its tangent kernel. NNGP = K_H, NTK =
K_H + Theta_H. The recursion is written for balls on its own: it shares no code with the kernels in floats.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, Protocol, TypeVar

from flint import arb

from nngp_dag.dag import Dag, Op
from nngp_dag.errors import InputError, unknown
from nngp_dag.paths import path_counts
from nngp_dag.proofs.dual_balls import DualBalls, RowBalls, dual_balls
from nngp_dag.reading import PAIR_METHODS, Setting

__all__ = ["BallKernels", "BallRow", "EnclosedRow", "PairBalls", "pair_balls"]


class BallRow(NamedTuple):
    """One input at all nodes.

    Attributes:
        embedded: the input itself, of variance K_in(x, x).
        nodes: per node, what a pair needs of it; None where no linear edge leaves the node.
        means: S_t per node.
        nngp, ntk: the kernels of the input with itself.
    """

    embedded: RowBalls
    nodes: tuple[RowBalls | None, ...]
    means: tuple[arb, ...]
    nngp: arb
    ntk: arb


class EnclosedRow(Protocol):
    """One input, as a network's kernels in balls keep it: its kernels with itself, and what is theirs alone."""

    @property
    def nngp(self) -> arb:
        """The NNGP of the input with itself."""

    @property
    def ntk(self) -> arb:
        """The NTK of the input with itself."""


Row = TypeVar("Row", bound=EnclosedRow)


class PairBalls(NamedTuple, Generic[Row]):
    """The kernels of a network in one setting, at the precision that was set when they were made.

    Attributes:
        row: an input of variance K_in(x, x).
        pair: (nngp, ntk) of two inputs with inner product K_in(x, x').
    """

    row: Callable[[arb], Row]
    pair: Callable[[Row, Row, arb], tuple[arb, arb]]


class _Node(NamedTuple):
    """A node of the pruned DAG: its weights over nodes u <= t that are not zero, and its linear predecessors."""

    skip_paths: tuple[tuple[int, int], ...]
    linear: tuple[int, ...]
    leads_on: bool


class _Embedded(NamedTuple):
    """Node 0 of a pair (or of an input with itself): K_00, Theta_00."""

    covariance: arb
    tangent: arb


def pair_balls(dag: Dag, setting: Setting) -> PairBalls[BallRow]:
    """The kernels of a DAG with a path, under a setting.

    Raises:
        InputError: a method that is no function of pairs, an activation without a closed form in balls, or a DAG
            without a path.
    """
    if setting.method not in PAIR_METHODS:
        raise unknown("method", setting.method, PAIR_METHODS, "of certified eigenvalues")
    pruned = dag.pruned()
    counts = path_counts(pruned)
    if not counts:
        raise InputError(f"{dag.to_code()} has no path from input to output: its kernels are zero")
    maps = dual_balls(setting.activation)
    kernels = BallKernels(setting, maps)
    if setting.method == "path-sum":
        return PairBalls(lambda k: kernels.chain_row(counts, k), lambda x, y, k: kernels.chain_pair(counts, x, y, k))
    nodes = _nodes(pruned)
    return PairBalls(lambda k: kernels.row(nodes, k), lambda x, y, k: kernels.pair(nodes, x, y, k))


class BallKernels(NamedTuple):
    """The recursions under one setting."""

    setting: Setting
    maps: DualBalls

    def row(self, nodes: tuple[_Node, ...], k: arb) -> BallRow:
        """*exact* and *independent* of one input with itself."""
        embedded = self.maps.row(k)
        start = self._embed_row(embedded)
        first = embedded.mean if self._means and self.setting.embedding == "stem" else arb(0)
        fresh_means, means = [first], [first]
        d, e = [start.covariance - first * first], [start.tangent]
        through: dict[int, tuple[arb, arb, arb]] = {}
        rows: list[RowBalls | None] = []
        variance = tangent = arb(0)
        for t, node in enumerate(nodes):
            if t:
                fresh_means.append(_sum(through[s][0] for s in node.linear))
                d.append(_sum(through[s][1] for s in node.linear))
                e.append(_sum(through[s][2] for s in node.linear))
                means.append(_sum(n * fresh_means[u] for u, n in node.skip_paths))
            variance = _sum(self._weight(n) * d[u] for u, n in node.skip_paths) + means[t] * means[t]
            tangent = _sum(self._weight(n) * e[u] for u, n in node.skip_paths)
            rows.append(self.maps.row(variance) if node.leads_on else None)
            if node.leads_on:
                f, slope = self.maps.diagonal(variance)
                b = self.maps.mean(variance) if self._means else arb(0)
                through[t] = b, f - b * b, self._tangent(f, slope, variance, tangent)
        return BallRow(embedded, tuple(rows), tuple(means), variance, variance + tangent)

    def pair(self, nodes: tuple[_Node, ...], x: BallRow, y: BallRow, k: arb) -> tuple[arb, arb]:
        """*exact* and *independent* of two inputs: (nngp, ntk)."""
        start = self._embed_pair(x.embedded, y.embedded, k)
        d, e = [start.covariance - x.means[0] * y.means[0]], [start.tangent]
        through: dict[int, tuple[arb, arb]] = {}
        covariance = tangent = arb(0)
        for t, node in enumerate(nodes):
            if t:
                d.append(_sum(through[s][0] for s in node.linear))
                e.append(_sum(through[s][1] for s in node.linear))
            covariance = _sum(self._weight(n) * d[u] for u, n in node.skip_paths) + x.means[t] * y.means[t]
            tangent = _sum(self._weight(n) * e[u] for u, n in node.skip_paths)
            at_x, at_y = x.nodes[t], y.nodes[t]
            if at_x is not None and at_y is not None:
                f, slope = self.maps.pair(at_x, at_y, covariance)
                met = at_x.mean * at_y.mean if self._means else arb(0)
                through[t] = f - met, self._tangent(f, slope, covariance, tangent)
        return covariance, covariance + tangent

    def chain_row(self, counts: tuple[int, ...], k: arb) -> BallRow:
        """*path-sum* of one input with itself; node d of the row is link d of the chain."""
        embedded = self.maps.row(k)
        variance, tangent = self._embed_row(embedded)
        rows: list[RowBalls | None] = []
        nngp, theta = counts[0] * variance, counts[0] * tangent
        for count in counts[1:]:
            rows.append(self.maps.row(variance))
            f, slope = self.maps.diagonal(variance)
            variance, tangent = f, self._tangent(f, slope, variance, tangent)
            nngp, theta = nngp + count * variance, theta + count * tangent
        return BallRow(embedded, tuple(rows), (), nngp, nngp + theta)

    def chain_pair(self, counts: tuple[int, ...], x: BallRow, y: BallRow, k: arb) -> tuple[arb, arb]:
        """*path-sum* of two inputs: (nngp, ntk)."""
        covariance, tangent = self._embed_pair(x.embedded, y.embedded, k)
        nngp, theta = counts[0] * covariance, counts[0] * tangent
        for count, at_x, at_y in zip(counts[1:], x.nodes, y.nodes, strict=True):
            assert at_x is not None
            assert at_y is not None
            f, slope = self.maps.pair(at_x, at_y, covariance)
            covariance, tangent = f, self._tangent(f, slope, covariance, tangent)
            nngp, theta = nngp + count * covariance, theta + count * tangent
        return nngp, nngp + theta

    @property
    def _means(self) -> bool:
        return self.setting.method == "exact" and self.setting.order == "activation-last"

    def _weight(self, skip_paths: int) -> int:
        return skip_paths * skip_paths if self.setting.method == "exact" else skip_paths

    def _tangent(self, f: arb, slope: arb, k: arb, tangent: arb) -> arb:
        return slope * (tangent + k) if self.setting.order == "activation-last" else slope * tangent + f

    def _embed_row(self, x: RowBalls) -> _Embedded:
        if self.setting.embedding == "stem":
            f, slope = self.maps.diagonal(x.variance)
            return _Embedded(f, slope * x.variance)
        return self._gaussian(x.variance)

    def _embed_pair(self, x: RowBalls, y: RowBalls, k: arb) -> _Embedded:
        if self.setting.embedding == "stem":
            f, slope = self.maps.pair(x, y, k)
            return _Embedded(f, slope * k)
        return self._gaussian(k)

    def _gaussian(self, k: arb) -> _Embedded:
        return _Embedded(k, k if self.setting.embedding == "gaussian-trained" else arb(0))


def _nodes(pruned: Dag) -> tuple[_Node, ...]:
    """The nodes of a pruned DAG; counts of skip paths are exact integers."""
    n = pruned.num_nodes
    counts: list[dict[int, int]] = []
    linear: list[tuple[int, ...]] = []
    for t in range(n):
        own: dict[int, int] = {t: 1}
        for s in range(t):
            if pruned.op(s, t) is Op.SKIP:
                for u, paths in counts[s].items():
                    own[u] = own.get(u, 0) + paths
        counts.append(own)
        linear.append(tuple(s for s in range(t) if pruned.op(s, t) is Op.LINEAR))
    sources = {s for found in linear for s in found}
    fresh = {0, *(t for t in range(n) if linear[t])}
    return tuple(
        _Node(tuple((u, c) for u, c in counts[t].items() if u in fresh), linear[t], t in sources) for t in range(n)
    )


def _sum(terms: object) -> arb:
    return sum(terms, arb(0))  # type: ignore[call-overload, no-any-return]
