"""Gains that keep the size of sums: one over the square root of an in-degree."""

from __future__ import annotations

import numpy as np

from nngp_dag.dag import Dag, Op
from nngp_dag.errors import unknown
from nngp_dag.wiring.edge_values import edges_of

__all__ = ["in_degree_factors"]


def in_degree_factors(dag: Dag, op: Op, of: str) -> np.ndarray:
    """Of each edge of an operation in code order d^(-1/2), d the in-degree of one of its ends in the pruned DAG, [E].

    Args:
        dag: the DAG.
        op: the edges' operation.
        of: "target" or "source": the end whose in-degree it is, that of the input counted as 1.

    Edges on no path get 1. InputError for another `of`.
    """
    if of not in ("target", "source"):
        raise unknown("end of an edge", of, ("target", "source"))
    kept = dag.reachable()
    edges = (dag.matrix > 0) & np.outer(kept, kept)
    degree = np.maximum(edges.sum(axis=0), 1)
    ends = [(t if of == "target" else s, kept[s] and kept[t]) for s, t in edges_of(dag, op)]
    return np.array([degree[end] ** -0.5 if on_path else 1.0 for end, on_path in ends])
