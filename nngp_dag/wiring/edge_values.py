"""Values of edges: one for all of them, one for each in code order, or a mapping by edge with a default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias, TypeVar

import jax
import numpy as np
from jax import Array

from nngp_dag.dag import Dag, Op
from nngp_dag.errors import InputError
from nngp_dag.support.known import is_known

__all__ = [
    "Edge",
    "Numbers",
    "checked_nodes",
    "edge_numbers",
    "edges_of",
    "joined_on_edges",
    "per_edge",
    "scalar_number",
    "times",
]

Edge = tuple[int, int]

Numbers: TypeAlias = "Array | np.ndarray"
"""Numbers of edges: NumPy's, or JAX's where something may trace them."""

_V = TypeVar("_V")


def edges_of(dag: Dag, op: Op) -> tuple[Edge, ...]:
    """The edges (s, t) of one operation in code order: by t, then s."""
    return tuple((s, t) for s, t, found in dag.edges() if found is op)


def edge_numbers(name: str, values: object, default: float, dag: Dag, op: Op) -> Numbers:
    """A number for each edge of an operation, float64 [E] in code order (arrays of JAX as they are, [..., E]).

    Args:
        name: what they are, for messages.
        values: a number, an array [..., E], or a mapping {(s, t): number}.
        default: of the edges that a mapping leaves out.
        dag: the DAG.
        op: which edges.

    Raises:
        InputError: numbers that are not finite and real, another shape, or an edge that the DAG does not have.
    """
    edges = edges_of(dag, op)
    if isinstance(values, Mapping):
        known = {edge: scalar_number(f"{name} of edge {edge}", value) for edge, value in values.items()}
        values = np.array(per_edge(name, known, default, dag, op), np.float64)
    numbers = _numbers(name, values)
    if numbers.ndim == 0:
        return numbers * np.ones(len(edges)) if isinstance(numbers, np.ndarray) else numbers[None].repeat(len(edges))
    if numbers.shape[-1] != len(edges):
        raise InputError(
            f"{name} needs a number, a mapping {{(s, t): number}}, or an array [..., {len(edges)}] for the {len(edges)}"
            f" {op.name.lower()} edges in code order, got shape {numbers.shape}"
        )
    return numbers


def per_edge(name: str, values: Mapping[Edge, _V], default: _V, dag: Dag, op: Op) -> list[_V]:
    """The value of each edge of an operation in code order, from a mapping with a default.

    Raises:
        InputError: an edge that the DAG does not have, or has with another operation.
    """
    edges = edges_of(dag, op)
    known = set(edges)
    for edge in values:
        if edge not in known:
            raise InputError(f"{name} names {_what(dag, edge)}, but belongs to {op.name.lower()} edges: {_some(edges)}")
    return [values.get(edge, default) for edge in edges]


def scalar_number(name: str, value: object) -> Numbers:
    """One finite number (or [...], of a batch), as float64; arrays of JAX stay as they are."""
    return _numbers(name, value)


def checked_nodes(nodes: Iterable[int], dag: Dag) -> tuple[int, ...]:
    """Nodes with layer norm, ascending; InputError for what is no node of the DAG."""
    found = set()
    for node in nodes:
        if isinstance(node, (bool, np.bool_)) or not isinstance(node, (int, np.integer)):
            raise InputError(f"layer_norm lists nodes, got {node!r}")
        if not 0 <= node < dag.num_nodes:
            raise InputError(f"layer_norm names node {node}, but the nodes are 0..{dag.num_nodes - 1}")
        found.add(int(node))
    return tuple(sorted(found))


def joined_on_edges(a: Numbers, b: Numbers) -> Numbers:
    """Two arrays [..., E] joined on their last axis, other axes broadcast."""
    module = np if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) else jax.numpy
    batch = np.broadcast_shapes(a.shape[:-1], b.shape[:-1])
    parts = [module.broadcast_to(v, (*batch, v.shape[-1])) for v in (a, b)]
    joined: Numbers = module.concatenate(parts, axis=-1)
    return joined


def times(values: Numbers, factors: np.ndarray) -> Numbers:
    """Numbers [..., E] times factors [E], in the dtype of the numbers."""
    return values * factors if isinstance(values, np.ndarray) else values * factors.astype(values.dtype)


def _numbers(name: str, values: object) -> Numbers:
    array: Numbers
    if isinstance(values, jax.Array):
        array = values
    else:
        try:
            array = np.asarray(values)
        except (TypeError, ValueError):
            array = np.asarray(None)
    if array.dtype.kind not in "fiu":
        raise InputError(f"{name} must hold real numbers, got {values!r}"[:200])
    if is_known(array) and not np.isfinite(np.asarray(array)).all():
        raise InputError(f"{name} must hold finite numbers, got {values!r}"[:200])
    return array.astype(np.float64) if isinstance(array, np.ndarray) else array


def _what(dag: Dag, edge: object) -> str:
    if not (isinstance(edge, tuple) and len(edge) == 2 and all(isinstance(v, (int, np.integer)) for v in edge)):
        return f"{edge!r}, which is no edge (s, t)"
    s, t = edge
    if not 0 <= s < t < dag.num_nodes or dag.op(s, t) is Op.ZERO:
        return f"edge ({s}, {t}), which {dag!r} does not have"
    return f"edge ({s}, {t}), which is a {dag.op(s, t).name.lower()} edge"


def _some(edges: Sequence[Edge]) -> str:
    shown = ", ".join(map(str, edges[:8]))
    return "there are none" if not edges else shown if len(edges) <= 8 else f"{shown}, ..."
