"""The neighbours of a DAG: all DAGs that differ from it in the operation of one edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.analysis.programs import exact_kernels
from nngp_dag.dag import Dag, Op, edge_index
from nngp_dag.errors import InputError
from nngp_dag.kernel.result import Kernel
from nngp_dag.paths import path_statistics
from nngp_dag.reading import Reading
from nngp_dag.spectrum import spectrum

__all__ = ["MAX_NODES", "Neighbour", "neighbours"]

MAX_NODES = 8
"""The largest DAG whose neighbours are computed (56 of them)."""

_MAX_ROWS = 256


@dataclass(frozen=True)
class Neighbour:
    """One neighbour, with the statistics of its exact kernels on the same rows (at most the first 256).

    Attributes:
        dag: the neighbour.
        edge: the edge that differs.
        before, after: its operation in the DAG, and in the neighbour.
        statistics: paths, lambda_min (as it is and scale-free), condition and trace, with the names of
            `nngp_dag.spectrum.dag_table`.
        own: the same statistics of the DAG itself.
    """

    dag: Dag
    edge: tuple[int, int]
    before: Op
    after: Op
    statistics: dict[str, float | None]
    own: dict[str, float | None]

    @property
    def change(self) -> str:
        """The change in words: the edge, its operation before, and its operation after."""
        return f"({self.edge[0]}, {self.edge[1]}): {self.before.name.lower()} to {self.after.name.lower()}"

    def ratio(self, name: str) -> float | None:
        """A statistic of the neighbour over the DAG's; None where one is undefined, or the DAG's is not positive."""
        ours, theirs = self.own[name], self.statistics[name]
        return None if ours is None or theirs is None or not ours > 0 else theirs / ours


def neighbours(dag: Dag, x: ArrayLike, reading: Reading) -> tuple[Neighbour, ...]:
    """All neighbours that have a path, the one with the largest lambda_min of the NNGP first.

    Args:
        dag: at most 8 nodes.
        x: rows [N, d]; the first 256 count.
        reading: one that has an exact kernel.

    Raises:
        InputError: more nodes.
    """
    n = dag.num_nodes
    if n > MAX_NODES:
        raise InputError(f"neighbours are computed for up to {MAX_NODES} nodes, this DAG has {n}")
    changes = [(s, t, dag.op(s, t), op) for t in range(1, n) for s in range(t) for op in Op if op is not dag.op(s, t)]
    dags = [dag, *(_changed(dag, s, t, after) for s, t, _, after in changes)]
    kernels = exact_kernels(dags, np.asarray(x)[:_MAX_ROWS], reading)
    statistics = [_statistics(d, kernel) for d, kernel in zip(dags, kernels, strict=True)]
    found = [
        Neighbour(d, (s, t), before, after, row, statistics[0])
        for d, (s, t, before, after), row in zip(dags[1:], changes, statistics[1:], strict=True)
        if row["n_paths"]
    ]
    return tuple(sorted(found, key=lambda neighbour: -(neighbour.statistics["nngp_lambda_min"] or 0.0)))


def _statistics(dag: Dag, kernel: Kernel) -> dict[str, float | None]:
    paths = path_statistics(dag)
    found: dict[str, float | None] = {
        "n_paths": paths.num_paths,
        "effective_depth": float(paths.effective_depth),
        "effective_width": float(paths.effective_width),
        "num_linear": dag.pruned().num_linear,
    }
    for name, matrix in kernel._asdict().items():
        s = spectrum(matrix)
        found |= {f"{name}_lambda_min": s.lambda_min, f"{name}_lambda_min_scale_free": s.scale_free.lambda_min}
        found |= {f"{name}_condition": s.condition, f"{name}_trace": s.trace}
    return found


def _changed(dag: Dag, s: int, t: int, op: Op) -> Dag:
    ops = bytearray(dag.ops)
    ops[edge_index(s, t)] = op
    return Dag(dag.num_nodes, bytes(ops))
