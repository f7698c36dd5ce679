"""The best connectivity by a criterion: `optimize`, and its result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.dag import Dag, num_edges
from nngp_dag.datasets import Dataset, load
from nngp_dag.errors import InputError
from nngp_dag.optimization import criteria as registry
from nngp_dag.optimization.comparison import ProvedOrder, compare_graphs
from nngp_dag.optimization.criteria import Criterion
from nngp_dag.optimization.evolution import evolve
from nngp_dag.optimization.exhaustive import search
from nngp_dag.optimization.kept_classes import kept_quotient
from nngp_dag.optimization.problem import Problem
from nngp_dag.optimization.quotient import MAX_NODES, Limits
from nngp_dag.paths import path_statistics
from nngp_dag.reading import ActivationLike, Setting
from nngp_dag.support.memory import require_memory
from nngp_dag.support.progress import ProgressBar, no_progress

__all__ = ["Graph", "Optimum", "as_problem", "best_graphs", "optimize"]

_ROWS = "digits:64"
_EVALUATIONS = 2000


@dataclass(frozen=True)
class Graph:
    """A graph that was found.

    Attributes:
        dag: pruned, the cheapest of those with its kernels.
        values: by name of a criterion.
        num_linear: its linear edges.
        num_paths, effective_depth, effective_width: of its paths (Definition 4.1).
        class_size: number of DAGs of the space with the same kernels; None where they were not counted.
    """

    dag: Dag
    values: dict[str, float]
    num_linear: int
    num_paths: int
    effective_depth: float
    effective_width: float
    class_size: int | None = None

    @classmethod
    def of(cls, dag: Dag, values: dict[str, float], class_size: int | None = None) -> Graph:
        """With the numbers of its paths."""
        pruned, paths = dag.pruned(), path_statistics(dag)
        depth, width = float(paths.effective_depth), float(paths.effective_width)
        return cls(pruned, values, pruned.num_linear, paths.num_paths, depth, width, class_size)

    def as_dict(self) -> dict[str, object]:
        """Plain data; `value` is that of the first criterion."""
        return {
            "code": self.dag.to_code(),
            "value": next(iter(self.values.values())),
            "values": self.values,
            "num_linear": self.num_linear,
            "num_paths": self.num_paths,
            "effective_depth": self.effective_depth,
            "effective_width": self.effective_width,
            "class_size": self.class_size,
        }


@dataclass(frozen=True, eq=False)
class Optimum:
    """The result of a search for the best connectivity.

    Attributes:
        criteria: one, or the two of a front.
        problem: what graphs were judged on.
        num_nodes: of the space.
        best: the best graphs, the best first; the front, in ascending order of its first criterion.
        evaluated: graphs whose values were computed.
        discarded: graphs of which a bound showed that they are not among the best.
        distinct: classes of DAGs with equal kernels within the limits; None where not all DAGs were looked at.
        total: DAGs of the space; without_path of them have zero kernels, beyond lie outside the limits.
        resumed: classes that an earlier, unfinished run had been through.
        comparison: what is proved of the first and the second; None of a front, or of a single graph.
    """

    criteria: tuple[Criterion, ...]
    problem: Problem
    num_nodes: int
    best: tuple[Graph, ...]
    evaluated: int
    discarded: int
    distinct: int | None
    total: int
    without_path: int | None = None
    beyond: int | None = None
    resumed: int = 0
    comparison: ProvedOrder | None = None

    @property
    def winner(self) -> Dag:
        """The best graph; of a front the one with the best value of its first criterion."""
        return self.best[0].dag

    @property
    def criterion(self) -> str:
        """The names of the criteria, with a comma between them."""
        return ",".join(criterion.name for criterion in self.criteria)

    def as_dict(self) -> dict[str, object]:
        """Plain data, as the command line gives it."""
        compared = self.comparison
        return {
            "criterion": self.criterion,
            "larger_is_better": [criterion.larger_is_better for criterion in self.criteria],
            "nodes": self.num_nodes,
            "rows": len(self.problem.x),
            **self.problem.setting.names(),
            "dags": self.total,
            "without_path": self.without_path,
            "beyond_limits": self.beyond,
            "distinct": self.distinct,
            "evaluated": self.evaluated,
            "discarded": self.discarded,
            "resumed": self.resumed,
            "best": [graph.as_dict() for graph in self.best],
            "told_apart": None
            if compared is None
            else {
                "better": compared.better,
                "other": compared.other,
                "on_data": compared.on_data,
                "intervals": compared.intervals,
                "two_points": compared.two_points,
                "words": compared.words,
            },
        }

    def __str__(self) -> str:
        """A table, and what is proved."""
        names = [criterion.name for criterion in self.criteria]
        lines = [f"{'code':24} {' '.join(f'{name:>14}' for name in names)} {'linear':>7} {'paths':>6} {'depth':>6}"]
        for graph in self.best:
            values = " ".join(f"{graph.values[name]:14.6g}" for name in names)
            shown = f"{graph.num_linear:7} {graph.num_paths:6} {graph.effective_depth:6.3g}"
            lines.append(f"{graph.dag.to_code():24} {values} {shown}")
        return "\n".join(lines if self.comparison is None else [*lines, self.comparison.words])


def optimize(
    nodes: int,
    criterion: str = "lambda-min",
    data: Dataset | ArrayLike | None = None,
    labels: ArrayLike | None = None,
    *,
    max_linear_edges: int | None = None,
    max_paths: int | None = None,
    top: int = 10,
    steps: int = 100,
    learning_rate: float | None = None,
    method: str = "exact",
    order: str | None = None,
    embedding: str = "gaussian",
    activation: ActivationLike = "relu",
    evaluations: int | None = None,
    seed: int = 0,
    out: Path | None = None,
) -> Optimum:
    """The best DAGs of so many nodes by a criterion, or the front of two.

        >>> import nngp_dag
        >>> nngp_dag.optimize(4, "lambda-min").winner
        Dag('2_02_002')

    Args:
        nodes: of the space; a DAG with fewer is one of it.
        criterion: lambda-min, condition, loss, loo or slope; or two of these and cost, with a comma between them.
        data: rows [N, d], or a `Dataset` with its labels; by default 64 digits.
        labels: of the rows [N] (integers), or targets [N, C]; for loss and loo.
        max_linear_edges: of a graph, after pruning.
        max_paths: from input to output.
        top: how many graphs are kept by one criterion; of two the whole front is.
        steps: of the predicted training loss.
        learning_rate: of it; by default half the largest stable one of each graph.
        method: exact, independent or path-sum.
        order: as of `kernel_fn`.
        embedding: as of `kernel_fn`.
        activation: as of `kernel_fn`.
        evaluations: search by evolution, and judge so many different kernels; by default every DAG of up to six nodes
            is searched, and of more nodes 2,000 kernels are judged.
        seed: of a search by evolution.
        out: a folder; a search through all DAGs that was interrupted goes on from there.

    Raises:
        InputError: anything out of range, labels that are missing, or limits that no DAG keeps within.
    """
    problem = as_problem(data, labels, Setting.make(method, order, embedding, activation), steps, learning_rate)
    limits = Limits(max_linear_edges, max_paths)
    return best_graphs(nodes, registry.get(criterion, problem), problem, limits, top, out, evaluations, seed)


def as_problem(
    data: Dataset | ArrayLike | None, labels: ArrayLike | None, setting: Setting, steps: int, rate: float | None
) -> Problem:
    """The problem of rows and labels in any form that `optimize` takes."""
    rows = load(_ROWS) if data is None else data
    if isinstance(rows, Dataset):
        targets = rows.one_hot() if labels is None and rows.y is not None else labels
        x = rows.x
    else:
        x, targets = np.asarray(rows, np.float64), labels
    if targets is not None:
        y = np.asarray(targets)
        targets = np.eye(int(y.max()) + 1)[y] if y.ndim == 1 and y.dtype.kind in "iu" else y.astype(np.float64)
    return Problem(np.asarray(x), None if targets is None else np.asarray(targets), setting, steps, rate)


def best_graphs(
    nodes: int,
    criteria: tuple[Criterion, ...],
    problem: Problem,
    limits: Limits,
    top: int = 10,
    out: Path | None = None,
    evaluations: int | None = None,
    seed: int = 0,
    progress: ProgressBar = no_progress,
) -> Optimum:
    """`optimize` with everything made."""
    if top < 1:
        raise InputError(f"one graph or more is kept, got {top}")
    require_memory(_memory(nodes, len(problem.x)), f"a search over kernels of {len(problem.x):,} rows")
    if nodes > MAX_NODES or evaluations is not None:
        budget = _EVALUATIONS if evaluations is None else evaluations
        return _evolved(nodes, criteria, problem, limits, top, budget, seed, progress)
    classes = kept_quotient(nodes, problem.setting, limits, out, progress)
    if not len(classes):
        raise InputError(f"no DAG of {nodes} nodes keeps within these limits: raise --max-linear-edges or --max-paths")
    kept = max(2, top) if len(criteria) == 1 else top
    found = search(classes, criteria, problem, kept, None if out is None else out / "pieces.jsonl", progress)
    places = found.leaders.places
    dags = [Dag.from_array(code) for code in classes.codes()[places]]
    best = _graphs(dags, found.leaders.costs, criteria, classes.size[places].tolist())
    return Optimum(
        criteria,
        problem,
        nodes,
        best[:top] if len(criteria) == 1 else best,
        found.judged,
        found.discarded,
        len(classes),
        classes.total,
        classes.without_path,
        classes.beyond,
        found.resumed,
        _compared(criteria, best, problem),
    )


def _evolved(
    nodes: int,
    criteria: tuple[Criterion, ...],
    problem: Problem,
    limits: Limits,
    top: int,
    evaluations: int,
    seed: int,
    progress: ProgressBar,
) -> Optimum:
    """`best_graphs` by evolution."""
    found = evolve(
        nodes, criteria, problem, limits, evaluations=evaluations, keep=max(2, top), seed=seed, progress=progress
    )
    best = _graphs(found.dags, found.costs, criteria, [None] * len(found.dags))
    total = 3 ** num_edges(nodes)
    return Optimum(
        criteria,
        problem,
        nodes,
        best[:top],
        found.judged,
        0,
        None,
        total,
        comparison=_compared(criteria, best, problem),
    )


def _graphs(
    dags: Sequence[Dag], costs: np.ndarray, criteria: tuple[Criterion, ...], sizes: Sequence[int | None]
) -> tuple[Graph, ...]:
    found = []
    for dag, row, size in zip(dags, costs.tolist(), sizes, strict=True):
        values = {c.name: c.value(cost) for c, cost in zip(criteria, row, strict=True)}
        found.append(Graph.of(dag, values, size))
    return tuple(found)


def _compared(criteria: tuple[Criterion, ...], best: tuple[Graph, ...], problem: Problem) -> ProvedOrder | None:
    """The proof that the first is better than the second; None of a front, or of a single graph."""
    if len(criteria) > 1 or len(best) < 2:
        return None
    return compare_graphs(criteria[0], best[0].dag, best[1].dag, problem)


def _memory(num_nodes: int, num_rows: int) -> int:
    """Bytes: a piece of kernels several times, the planes of one graph, and what the classes take."""
    return 8 * (4 * num_nodes + 8) * num_rows**2 + 2**28 + (2**30 if num_nodes == MAX_NODES else 0)
