"""Networkx graphs as numbered nodes and edges: an order of the nodes, a default operation, and parallel edges.

Of parallel edges s -> t the first stays. Each other one becomes an edge s -> c to a node c of its own, which a skip
edge copies into t: the same network, path for path, and both ends keep their numbers of incoming edges.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nngp_dag.errors import InputError

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["GraphEdges", "graph_edges"]


@dataclass(frozen=True)
class GraphEdges:
    """A graph with its nodes numbered 0..n-1, at most one edge between two of them.

    Attributes:
        num_nodes: n.
        attributes: by edge (s, t), s < t, its attributes, `op` among them.
        shown: by edge of the graph the words that name it in messages, with the nodes as the graph has them.
        nodes: by number the graph's node; None for one that stands for a parallel edge.
    """

    num_nodes: int
    attributes: dict[tuple[int, int], Mapping[str, Any]]
    shown: dict[tuple[int, int], str]
    nodes: tuple[Hashable | None, ...]


def graph_edges(graph: nx.Graph, order: Sequence[Hashable] | None, default_op: object) -> GraphEdges:
    """The numbered edges of a directed acyclic graph.

    Args:
        graph: a networkx DiGraph or MultiDiGraph.
        order: all its nodes in a topological order, the input first and the output last; None: integers 0..n-1 keep
            their order where every edge leads upwards, and otherwise one source and one sink are needed.
        default_op: the operation of edges without an attribute `op`; None: every edge needs one.

    Raises:
        InputError: a cycle, an edge without `op`, an order that is not topological, or an ambiguous input or output.
    """
    nodes = _checked_nodes(graph, order)
    bundles: dict[tuple[Hashable, Hashable], list[dict[str, Any]]] = {}
    for u, v, data in graph.edges(data=True):
        bundles.setdefault((u, v), []).append(_with_op(data, default_op, f"edge ({u!r}, {v!r})"))
    # A node that stands for a parallel edge comes right before the node into which it is copied.
    spare = {v: sum(len(parallel) - 1 for (_, end), parallel in bundles.items() if end == v) for v in nodes}
    numbered: list[Hashable | None] = []
    free: dict[Hashable, Iterator[int]] = {}
    number: dict[Hashable, int] = {}
    for v in nodes:
        free[v] = iter(range(len(numbered), len(numbered) + spare[v]))
        numbered += [None] * spare[v]
        number[v] = len(numbered)
        numbered.append(v)
    attributes: dict[tuple[int, int], Mapping[str, Any]] = {}
    shown: dict[tuple[int, int], str] = {}
    for (u, v), (first, *others) in bundles.items():
        attributes[number[u], number[v]] = first
        for data, copy in zip(others, free[v], strict=False):
            attributes[number[u], copy], attributes[copy, number[v]] = data, {"op": "skip"}
            shown[number[u], copy] = f"edge ({u!r}, {v!r})"
        shown[number[u], number[v]] = f"edge ({u!r}, {v!r})"
    return GraphEdges(len(numbered), attributes, shown, tuple(numbered))


def _checked_nodes(graph: nx.Graph, order: Sequence[Hashable] | None) -> list[Hashable]:
    """The nodes in a topological order."""
    import networkx as nx

    if not graph.is_directed():
        raise InputError("expected a networkx DiGraph or MultiDiGraph: edges need a direction")
    if not nx.is_directed_acyclic_graph(graph):
        raise InputError("the graph has a cycle: a DAG is needed")
    nodes = _node_order(graph) if order is None else list(order)
    if len(set(nodes)) != len(nodes) or set(nodes) != set(graph.nodes):
        raise InputError("order must list every node of the graph exactly once")
    place = {node: i for i, node in enumerate(nodes)}
    for u, v in graph.edges():
        if place[u] >= place[v]:
            raise InputError(f"order is not topological: edge ({u!r}, {v!r}) goes backwards")
    return nodes


def _with_op(data: dict[str, Any], default_op: object, edge: str) -> dict[str, Any]:
    if "op" in data:
        return data
    if default_op is None:
        raise InputError(f"{edge} has no attribute 'op' (zero, skip or linear), and no default_op is given")
    return {"op": default_op, **data}


def _node_order(graph: nx.Graph) -> list[Hashable]:
    import networkx as nx

    n = graph.number_of_nodes()
    if set(graph.nodes) == set(range(n)) and all(u < v for u, v in graph.edges()):
        return list(range(n))
    sources = [v for v, degree in graph.in_degree() if degree == 0]
    sinks = [v for v, degree in graph.out_degree() if degree == 0]
    if len(sources) != 1 or len(sinks) != 1:
        raise InputError(
            f"the graph has {len(sources)} sources and {len(sinks)} sinks:"
            " give order= with the input first and the output last"
        )
    return list(nx.topological_sort(graph))
