"""The neighbours of a DAG: all DAGs that differ from it in the operation of one edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nngp_dag.dag import Dag, Op, edge_index
from nngp_dag.errors import InputError
from nngp_dag.kernel.setting import Setting
from nngp_dag.sweep import sweep_figures

__all__ = ["MAX_NODES", "Neighbour", "neighbours"]

MAX_NODES = 8
"""The largest DAG whose neighbours are computed (56 of them)."""

_MAX_ROWS = 256


@dataclass(frozen=True)
class Neighbour:
    """One neighbour, with the figures of its exact kernels on the same rows (at most the first 256).

    Attributes:
        dag: the neighbour.
        edge: the edge that differs.
        before, after: its operation in the DAG, and in the neighbour.
        figures: as in `nngp_dag.sweep`.
        own: the same figures of the DAG itself.
    """

    dag: Dag
    edge: tuple[int, int]
    before: Op
    after: Op
    figures: dict[str, Any]
    own: dict[str, Any]

    @property
    def change(self) -> str:
        """The change in words, such as `(0, 2): zero to skip`."""
        return f"({self.edge[0]}, {self.edge[1]}): {self.before.name.lower()} to {self.after.name.lower()}"

    def ratio(self, figure: str) -> float | None:
        """A figure of the neighbour over that of the DAG; None where one is undefined, or the DAG's is not positive."""
        ours, theirs = self.own[figure], self.figures[figure]
        return None if ours is None or theirs is None or not ours > 0 else theirs / ours


def neighbours(dag: Dag, x: Any, setting: Setting) -> tuple[Neighbour, ...]:
    """All neighbours that have a path, the one with the largest lambda_min of the NNGP first.

    Args:
        dag: at most 8 nodes.
        x: rows [N, d]; the first 256 count.
        setting: order, embedding and activation (the method is exact).

    Raises:
        InputError: more nodes.
    """
    n = dag.num_nodes
    if n > MAX_NODES:
        raise InputError(f"neighbours are computed for up to {MAX_NODES} nodes, this DAG has {n}")
    changes = [(s, t, dag.op(s, t), op) for t in range(1, n) for s in range(t) for op in Op if op is not dag.op(s, t)]
    dags = [dag, *(_changed(dag, s, t, after) for s, t, _, after in changes)]
    figures: list[dict[str, Any]] = [{}] * len(dags)
    codes = np.stack([d.to_array() for d in dags])
    arguments: dict[str, Any] = {
        "order": setting.order,
        "embedding": setting.embedding,
        "activation": setting.activation,
    }
    for index, rows in sweep_figures(codes, np.asarray(x)[:_MAX_ROWS], **arguments):
        for i, row in zip(index, rows, strict=True):
            figures[i] = row
    found = [
        Neighbour(d, (s, t), before, after, row, figures[0])
        for d, (s, t, before, after), row in zip(dags[1:], changes, figures[1:], strict=True)
        if row["n_paths"]
    ]
    return tuple(sorted(found, key=lambda neighbour: -(neighbour.figures["nngp_lambda_min"] or 0.0)))


def _changed(dag: Dag, s: int, t: int, op: Op) -> Dag:
    ops = bytearray(dag.ops)
    ops[edge_index(s, t)] = op
    return Dag(dag.num_nodes, bytes(ops))
