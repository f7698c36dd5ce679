"""Structural conditions of DAGs, from the edges alone (nothing here knows a kernel).

All are about the pruned DAG. A *skip path* has only skip edges, and may have none. A *source* is the input, or the head
of a linear edge: what enters the DAG's sums afresh there. Under the stem embedding the input is itself the head of a
linear edge.

- `double_skip`: two nodes are joined by two different skip paths, so that a feature meets a copy of itself.
- `mean_meeting`: skip paths carry the features of two different linear edges to one node, where their means multiply.
- `mixed_depth`: a linear edge leaves a node that paths of different depths reach from the input.
- `mean_meeting_before_linear`: `mean_meeting` at a node that a linear edge leaves.
"""

from __future__ import annotations

from dataclasses import dataclass

from nngp_dag.dag import Dag, Op
from nngp_dag.paths import path_counts

__all__ = ["Structure", "structure"]


@dataclass(frozen=True)
class Structure:
    """The structural conditions of one DAG (see the module) and what else claims ask for."""

    has_path: bool
    has_linear_path: bool
    double_skip: bool
    mixed_depth: bool
    mean_meeting: bool
    mean_meeting_before_linear: bool
    num_edges: int
    num_linear: int


def structure(dag: Dag, stem: bool = False) -> Structure:
    """The conditions of a DAG; `stem` makes the input the head of a linear edge."""
    pruned = dag.pruned()
    n = pruned.num_nodes
    edges = list(pruned.edges())
    counts = path_counts(pruned)
    if not counts:
        return Structure(False, False, False, False, False, False, 0, 0)

    skip_paths = [[int(s == t) for t in range(n)] for s in range(n)]
    depths: list[set[int]] = [{0}] + [set() for _ in range(n - 1)]
    for t in range(1, n):
        for s, head, op in edges:
            if head != t:
                continue
            depths[t] |= {d + (op is Op.LINEAR) for d in depths[s]}
            if op is Op.SKIP:
                for u in range(n):
                    skip_paths[u][t] += skip_paths[u][s]

    heads = [t for _, t, op in edges if op is Op.LINEAR] + [0] * stem
    tails = {s for s, _, op in edges if op is Op.LINEAR}
    meeting = [sum(skip_paths[head][t] > 0 for head in heads) > 1 for t in range(n)]
    return Structure(
        has_path=True,
        has_linear_path=bool(tails),
        double_skip=any(skip_paths[s][t] > 1 for s in range(n) for t in range(s + 1, n)),
        mixed_depth=any(len(depths[s]) > 1 for s in tails),
        mean_meeting=any(meeting),
        mean_meeting_before_linear=any(meeting[s] for s in tails),
        num_edges=len(edges),
        num_linear=pruned.num_linear,
    )
