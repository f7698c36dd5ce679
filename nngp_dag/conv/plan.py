"""The plan of the recursion over nodes for a convolutional cell: the weights of its nodes, as linear maps of images.

As for DAGs (`nngp_dag.kernel.mixing`), a node receives D_t and E_t through its random edges, and through its skip edges
what earlier nodes received, D_u by P_tu on both sides. Every node sends one thing through its random edges, by its
*port*: V = f(K) - b b' and W = fdot(K) Theta + n f(K), n the number of weight matrices that follow:

- activation-first, sigma then convolution: n = 1 (2 for a separable convolution), b = 0, and the edge is C_k;
- a convolution without activation: the same with the identity, f(K) = K and fdot = 1;
- activation-last: the convolution without activation leads to a node of its own, of K = C_k[K_ll] and
  Theta = C_k[Theta_ll + K_ll]; its port is the activation alone, n = 0, b = beta(K), and the edge adds.

A node whose edges need two ports gets a copy, to which a skip leads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from nngp_dag.conv.cell import ConvCell
from nngp_dag.conv.maps import Filter, Mean, Paths, Scaled
from nngp_dag.conv.operations import Convolution, Pool
from nngp_dag.reading import Order

__all__ = ["LinearMap", "NodePlan", "Outlet", "Plan", "plan_cell", "plan_readout"]

LinearMap = Filter | Scaled | Mean


@dataclass(frozen=True)
class Outlet:
    """The part that a node sends through its random edges.

    Attributes:
        activated: whether the activation is applied; else the identity.
        matrices: n, the number of trained matrices behind it; 0 for the activation alone.
    """

    activated: bool
    matrices: int


@dataclass(frozen=True)
class NodePlan:
    """One node.

    Attributes:
        skips: (u, P_tu) for earlier nodes that receive something afresh.
        linear: (l, map) for the random edges.
        port: None where nothing leaves through a random edge.
        norm: of the first node, the root of the variance that layer norm over channels gives what arrives there.
    """

    skips: tuple[tuple[int, Paths], ...] = ()
    linear: tuple[tuple[int, LinearMap], ...] = ()
    port: Outlet | None = None
    norm: float | None = None


Plan = tuple[NodePlan, ...]
"""The nodes of a cell in order; the last one is the output."""


def plan_readout(order: Order, flatten: bool, weights: bool = True, normalized: bool = False) -> Plan:
    """The read-out: layer norm if there is one, activation-first's activation, the mean over pixels, the weights a; or
    without weights the mean alone.
    """
    port = Outlet(order == "activation-first", 1) if weights else Outlet(False, 0)
    return NodePlan(port=port, norm=1.0 if normalized else None), NodePlan(linear=((0, Mean(flatten)),))


def plan_cell(cell: ConvCell, order: Order) -> Plan:
    """The nodes of a pruned cell that has a path."""
    return _Planner(order).plan(cell)


class _Planner:
    def __init__(self, order: Order) -> None:
        self.order = order
        self.nodes = [NodePlan()]
        self.place = {0: 0}  # of the cell's nodes
        self.paths: list[dict[int, Paths]] = [{0: Paths.identity()}]  # P_tu of every node, itself included
        self.copies: dict[tuple[int, Outlet], int] = {}

    def plan(self, cell: ConvCell) -> Plan:
        for t in sorted({t for _, t, _ in cell.edges}):
            found: dict[int, list[Paths]] = {}
            linear: list[tuple[int, LinearMap]] = []
            for s, _, operation in (edge for edge in cell.edges if edge[1] == t):
                if isinstance(operation, Convolution):
                    linear.append(self._random(self.place[s], operation))
                    continue
                pool = operation if isinstance(operation, Pool) else None
                for u, paths in self.paths[self.place[s]].items():
                    found.setdefault(u, []).append(paths.then(pool, operation.gain))
            self.place[t] = self._add({u: Paths.sum(parts) for u, parts in found.items()}, linear)
        return tuple(self.nodes)

    def _add(self, skips: dict[int, Paths], linear: list[tuple[int, LinearMap]]) -> int:
        here = len(self.nodes)
        self.nodes.append(NodePlan(tuple((u, paths) for u, paths in skips.items() if paths.terms), tuple(linear)))
        self.paths.append(skips | ({here: Paths.identity()} if linear else {}))
        return here

    def _random(self, source: int, conv: Convolution) -> tuple[int, LinearMap]:
        if self.order == "activation-first" or not conv.activated:
            return self._port(source, Outlet(conv.activated, conv.matrices)), Filter(conv)
        before = replace(conv, gain=1.0)
        middle = self._add({}, [(self._port(source, Outlet(False, conv.matrices)), Filter(before))])
        self._give(middle, Outlet(True, 0))
        return middle, Scaled(conv.gain)

    def _port(self, source: int, port: Outlet) -> int:
        """The node that sends what the port says: the source, or a copy of it."""
        if self.nodes[source].port in (None, port):
            self._give(source, port)
            return source
        if (source, port) not in self.copies:
            self.copies[source, port] = self._add(dict(self.paths[source]), [])
            self._give(self.copies[source, port], port)
        return self.copies[source, port]

    def _give(self, node: int, port: Outlet) -> None:
        self.nodes[node] = replace(self.nodes[node], port=port)
