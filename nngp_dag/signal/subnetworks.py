"""Subnetworks of a DAG, and the largest value that a map of correlations takes over them: one pass over the graph.

Deep Kernel Shaping (Martens et al. 2021, arXiv:2110.01765) and Tailored Activation Transformations (Zhang, Botev and
Martens 2022, arXiv:2203.08120, Appendix B) ask for M_r(x) = max over subnetworks g of g_r(x), where g_r composes a map
r along the linear edges of g and takes weighted means where branches are summed:

    r(c) = the C map of the activation, x = 0     M = the largest correlation that orthogonal inputs get,
    r(y) = psi y,                       x = 1     M = the largest slope C'(1), psi that of one activation,
    r(y) = y + kappa,                   x = 0     M = the largest curvature C''(1) where slopes are 1, kappa of one.

A subnetwork has one way in and one way out: it lies between two *points*, nodes or edges, of which the first is on
every path from the input to the second, and the second on every path from the first to the output. So a residual branch
is one, and the blocks before it are, but not both together: the end of a block leaves through the shortcut, too. With
`open_ends` only the first condition is asked, and what leaves on the way does not matter.

Sums are those of activation-first: branches end in random matrices, and what skip edges copy adds as copies do. At node
t, with P_tu the products of gains summed over skip paths from u to t,

    C_t K_t = P_ts^2 K_s x + sum_{s < u <= t} P_tu^2 sum_{l in L_u} g_lu^2 p_l r(C_l)

for a subnetwork that starts at s. *Normalised* sums are divided by the root of their variance, so that K_t = p_l = 1:
the condition Q(1) = 1 of both papers, for which their users rewrite networks. *Plain* sums have p_l = K_l, which is
right for activations that are homogeneous.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from nngp_dag.dag import Dag, Op
from nngp_dag.errors import InputError, unknown
from nngp_dag.wiring import NetworkLike, Wiring, as_wiring

__all__ = ["Largest", "Subnetworks", "Sums", "subnet_max_func"]

Sums = Literal["normalised", "plain"]

Edge: TypeAlias = tuple[int, int]

LocalMap: TypeAlias = Callable[[np.ndarray], np.ndarray]
"""The map r of one linear edge, elementwise on arrays of float64."""


class Largest(NamedTuple):
    """The largest value over all subnetworks, and one that attains it.

    Attributes:
        value: M_r(x).
        start: the node where it starts, by the numbers of the pruned DAG, as the end.
        end: the node, or the edge (s, t), where it ends: that edge included, the sum at t not.
    """

    value: float
    start: int
    end: int | Edge


@dataclass(frozen=True)
class Subnetworks:
    """The subnetworks of a pruned DAG, made by `Subnetworks.of`.

    Attributes:
        dag: the pruned DAG.
        copies: P_tu^2 as [n, n], entry [t, u]; one on the diagonal.
        fresh: by node the pairs (l, weight) of its linear edges, weights g_lu^2 p_l over what normalises the sum.
        variances: K_t [n], all 1 where sums are normalised.
        ends: the points where subnetworks end: all nodes, then all edges.
        starts: bool [len(ends), n]: whether a subnetwork starts at node s and ends at this point.
    """

    dag: Dag
    copies: np.ndarray
    fresh: tuple[tuple[tuple[int, float], ...], ...]
    variances: np.ndarray
    ends: tuple[int | Edge, ...]
    starts: np.ndarray

    @classmethod
    def of(cls, network: NetworkLike, *, sums: Sums = "normalised", open_ends: bool = False) -> Subnetworks:
        """The subnetworks of a DAG or wiring.

        Args:
            network: a wiring without biases, or anything that describes a DAG; it is pruned first. Its activations are
                not looked at: r stands for them. Nodes with layer norm are normalised whatever `sums` says.
            sums: "normalised" or "plain".
            open_ends: whether a subnetwork may end where its features are used elsewhere too.

        Raises:
            InputError: no path, a bias, a batch of wirings, gains that leave nothing at a node, or unknown sums.
        """
        if sums not in ("normalised", "plain"):
            raise unknown("sums", sums, "normalised, plain")
        wiring = as_wiring(network)
        if wiring.batch_shape:
            raise InputError("subnetworks are those of one wiring, not of a batch")
        pruned = wiring.pruned()
        if not any(pruned.dag.ops):
            raise InputError(f"the DAG {wiring.dag.to_code()} has no path from input to output: it has no subnetworks")
        if np.any(np.asarray(pruned.bias_scale)):
            raise InputError("shaped networks have no biases (they start at zero): the wiring has a bias scale")
        copies, fresh, variances = _weights(pruned, set(range(pruned.dag.num_nodes)) if sums == "normalised" else set())
        ends, starts = _regions(pruned.dag, open_ends)
        return cls(pruned.dag, copies, fresh, variances, ends, starts)

    def largest(self, x: float, r: LocalMap) -> Largest:
        """M_r(x) over all subnetworks."""
        nodes, ends = self._values(x, r)
        values = np.where(self.starts, np.concatenate([nodes, ends]), -np.inf)
        end, start = np.unravel_index(int(values.argmax()), values.shape)
        return Largest(float(values[end, start]), int(start), self.ends[end])

    def whole(self, x: float, r: LocalMap) -> float:
        """g_r(x) of the DAG as a whole."""
        return float(self._values(x, r)[0][-1, 0])

    def nodes(self, x: float, r: LocalMap) -> np.ndarray:
        """C_t [n] at every node, for features that start with x at the input."""
        return np.asarray(self._values(x, r)[0][:, 0])

    def _values(self, x: float, r: LocalMap) -> tuple[np.ndarray, np.ndarray]:
        """By start: C_t [n, n] at the nodes, and the values at the end of the edges [edges, n]; 0 where none starts."""
        n = self.dag.num_nodes
        nodes, received = np.zeros((n, n)), np.zeros((n, n))  # [t, s], zero where s > t (received: s >= t)
        after: list[np.ndarray] = []
        for t in range(n):
            for source, weight in self.fresh[t]:
                received[t] += weight * after[source]
            begun = np.arange(n) <= t
            value = self.copies[t] @ received + self.copies[t] * self.variances * x
            nodes[t] = np.where(begun, value / self.variances[t], 0)
            after.append(np.where(begun, r(nodes[t]), 0))
        ends = [after[s] if self.dag.op(s, t) is Op.LINEAR else nodes[s] for s, t, _ in self.dag.edges()]
        return nodes, np.stack(ends)


def subnet_max_func(
    network: NetworkLike, *, sums: Sums = "normalised", open_ends: bool = False
) -> Callable[[float, LocalMap], float]:
    """The function (x, r) -> M_r(x) of a network: what google-deepmind/dks takes as its `subnet_max_func`.

    Args and errors as `Subnetworks.of`.
    """
    found = Subnetworks.of(network, sums=sums, open_ends=open_ends)
    return lambda x, r: found.largest(x, r).value


def _gains(wiring: Wiring) -> dict[Edge, float]:
    """By edge g w, or a of a skip edge."""
    linear = np.asarray(wiring.gain, np.float64) * np.asarray(wiring.weight_scale, np.float64)
    edges = (*wiring.linear_edges, *wiring.skip_edges)
    return dict(zip(edges, [*linear.tolist(), *np.asarray(wiring.skip_gain, np.float64).tolist()], strict=True))


def _weights(
    wiring: Wiring, normalised: set[int]
) -> tuple[np.ndarray, tuple[tuple[tuple[int, float], ...], ...], np.ndarray]:
    """P^2, the weights of fresh features, and the variances of all nodes (see the head of this file)."""
    dag, gains = wiring.dag, _gains(wiring)
    n = dag.num_nodes
    paths, variances, received = np.eye(n), np.ones(n), np.zeros(n)
    fresh: list[tuple[tuple[int, float], ...]] = [()]
    received[0] = 1.0
    for t in range(1, n):
        into = [s for s in range(t) if dag.op(s, t) is Op.LINEAR]
        for s in range(t):
            if dag.op(s, t) is Op.SKIP:
                paths[t, :t] += gains[s, t] * paths[s, :t]
        linear = [(s, gains[s, t] ** 2 * float(variances[s])) for s in into]
        received[t] = sum(weight for _, weight in linear)
        variances[t] = paths[t] ** 2 @ received
        if variances[t] == 0:
            raise InputError(f"the gains into node {t} of the DAG {dag.to_code()} leave nothing there")
        if t in normalised or t in wiring.layer_norm:
            paths[t, :t] /= variances[t] ** 0.5
            received[t] /= variances[t]
            linear = [(s, weight / float(variances[t])) for s, weight in linear]
            variances[t] = 1.0
        fresh.append(tuple(linear))
    return paths**2, tuple(fresh), variances


def _regions(dag: Dag, open_ends: bool) -> tuple[tuple[int | Edge, ...], np.ndarray]:
    """The points where subnetworks end, and whether one starts at node s: [points, n].

    Sets of points are integers, bit by bit. A subnetwork that starts with an edge (s, a) sees what one that starts at
    node s does: every path through its end passes that edge.
    """
    n = dag.num_nodes
    edges = [(s, t) for s, t, _ in dag.edges()]
    bit = {point: 1 << i for i, point in enumerate([*range(n), *edges])}
    before, after = _dominators(n, edges, bit), _dominators(n, edges, bit, backwards=True)
    points: list[int | Edge] = [*range(n), *edges]
    starts = np.zeros((len(points), n), dtype=bool)
    for row, end in enumerate(points):
        for start in points:
            if start == end and isinstance(end, int):
                continue  # a node alone is no subnetwork
            if before[end] & bit[start] and (open_ends or after[start] & bit[end]):
                starts[row, start if isinstance(start, int) else start[0]] = True
    return tuple(points), starts


def _dominators(
    n: int, edges: list[Edge], bit: Mapping[int | Edge, int], backwards: bool = False
) -> dict[int | Edge, int]:
    """By point: the points on all paths from the input to it (backwards: from it to the output), itself included."""
    found: dict[int | Edge, int] = {}
    for node in range(n - 1, -1, -1) if backwards else range(n):
        meeting = [edge for edge in edges if edge[0 if backwards else 1] == node]
        common = -1 if meeting else 0
        for edge in meeting:
            found[edge] = found[edge[1 if backwards else 0]] | bit[edge]
            common &= found[edge]
        found[node] = common | bit[node]
    return found
