"""The values of a wiring, as `Wiring.make` takes them, from the attributes of a networkx graph."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

from nngp_dag.dag import Dag, Op
from nngp_dag.errors import InputError
from nngp_dag.networkx_edges import graph_edges

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["graph_values"]

_OF_LINEAR = ("weight_scale", "bias_scale", "gain", "activation")
_OF_GRAPH = ("readout_weight_scale", "readout_bias_scale")


def graph_values(graph: nx.Graph, order: Sequence[Hashable] | None, default_op: object) -> dict[str, Any]:
    """The arguments of `Wiring.make`.

    Raises:
        InputError: as `graph_edges`, or an attribute that an edge of its operation does not have.
    """
    found = graph_edges(graph, order, default_op)
    dag = Dag.from_edges({edge: data["op"] for edge, data in found.attributes.items()}, found.num_nodes)
    values: dict[str, Any] = {name: {} for name in (*_OF_LINEAR, "skip_gain")}
    for edge, data in found.attributes.items():
        op = Op.parse(data["op"])
        for name in _OF_LINEAR:
            if data.get(name) is None:
                continue
            if op is Op.LINEAR:
                values[name][edge] = data[name]
            elif name == "gain" and op is Op.SKIP:
                values["skip_gain"][edge] = data[name]
            else:
                raise InputError(f"{found.shown[edge]} is a {op.name.lower()} edge, which has no {name}")
    norms = [t for t, node in enumerate(found.nodes) if node is not None and _has_norm(graph, node)]
    of_graph = {name: graph.graph[name] for name in _OF_GRAPH if graph.graph.get(name) is not None}
    return {"dag": dag, "layer_norm": norms, **values, **of_graph}


def _has_norm(graph: nx.Graph, node: Hashable) -> bool:
    value = graph.nodes[node].get("layer_norm", False)
    if value not in (True, False):
        raise InputError(f"layer_norm of node {node!r} must be true or false, got {value!r}")
    return bool(value)
