"""The values of DAGs of any size: of each normal form once, through planes where these are closed forms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.kernel.functions import kernel_of
from nngp_dag.optimization.criteria import Batch, Criterion, kernels_of
from nngp_dag.optimization.normal_form import Forms, Rules
from nngp_dag.optimization.planes import Planes, numbered
from nngp_dag.optimization.problem import Problem
from nngp_dag.paths import path_counts

__all__ = ["GraphJudge"]


@dataclass
class GraphJudge:
    """Remembers the values of every kernel that it has seen.

    Attributes:
        criteria: what graphs are judged by.
        problem: what they are judged on.
        known: values [k] by normal form.
    """

    criteria: tuple[Criterion, ...]
    problem: Problem
    known: dict[tuple[Any, ...], np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._forms = None if self.problem.setting.method == "path-sum" else Forms(Rules.of(self.problem.setting))

    def form(self, dag: Dag) -> tuple[Any, ...]:
        """The normal form by which a DAG is remembered; empty without a path."""
        return tuple(path_counts(dag)) if self._forms is None else self._forms.of(dag)

    def costs(self, dags: Sequence[Dag]) -> np.ndarray:
        """Costs [A, k] of DAGs with a path (less is better)."""
        forms = [self.form(dag) for dag in dags]
        new = {form: dag for form, dag in zip(forms, dags, strict=True) if form not in self.known}
        if new:
            for form, values in zip(new, self._values([dag.pruned() for dag in new.values()]), strict=True):
                self.known[form] = values
        found = np.stack([self.known[form] for form in forms])
        return np.stack([c.costs(column) for c, column in zip(self.criteria, found.T, strict=True)], axis=1)

    def _values(self, dags: list[Dag]) -> np.ndarray:
        names = kernels_of(self.criteria)
        kernels = self._kernels(dags, names)
        n = len(self.problem.x)
        found = np.empty((len(dags), len(self.criteria)))
        for size in {dag.num_nodes for dag in dags}:  # a batch has codes of one length
            index = np.array([i for i, dag in enumerate(dags) if dag.num_nodes == size])
            codes = np.stack([dags[i].to_array() for i in index])
            parts = [kernels[name][index] if name in kernels else np.zeros((0, n, n)) for name in ("nngp", "ntk")]
            batch = Batch(self.problem, codes, *parts)
            found[index] = np.stack([criterion.values(batch) for criterion in self.criteria], axis=1)
        return found

    def _kernels(self, dags: list[Dag], names: tuple[str, ...]) -> dict[str, np.ndarray]:
        setting, x = self.problem.setting, self.problem.x
        if not names:
            return {}
        if setting.activation.has_rules:
            kernels = [kernel_of(dag, setting)(x, get=names) for dag in dags]
            return {name: np.stack([np.asarray(getattr(k, name)) for k in kernels]) for name in names}
        forms, values = numbered(dags, setting)
        return dict(zip(names, Planes.of(values, x, setting).kernels(forms, names), strict=True))
