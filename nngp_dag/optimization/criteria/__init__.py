"""The criteria of a comparison of graphs. One is a module with its `CRITERION`, and its entry here."""

from __future__ import annotations

from nngp_dag.errors import InputError, unknown
from nngp_dag.optimization.criteria import condition, lambda_min, leave_one_out, linear_edges, slope, training_loss
from nngp_dag.optimization.criteria.base import Batch as Batch
from nngp_dag.optimization.criteria.base import Criterion as Criterion
from nngp_dag.optimization.criteria.base import Probes as Probes
from nngp_dag.optimization.criteria.base import kernels_of as kernels_of
from nngp_dag.optimization.problem import Problem

__all__ = ["CRITERIA", "Batch", "Criterion", "Probes", "get", "kernels_of", "named"]

CRITERIA: dict[str, Criterion] = {
    module.CRITERION.name: module.CRITERION
    for module in (lambda_min, condition, training_loss, leave_one_out, slope, linear_edges)
}
"""The criteria by name."""


def named(names: str) -> tuple[Criterion, ...]:
    """One criterion, or the two of a Pareto front with a comma between them.

    Raises:
        InputError: an unknown name, more than two, one twice, or cost alone.
    """
    given = [name.strip() for name in names.split(",")]
    for name in given:
        if name not in CRITERIA:
            raise unknown("criterion", name, CRITERIA)
    if len(given) > 2 or len(set(given)) < len(given):
        raise InputError(f"one criterion, or two different ones with a comma between them, got {names}")
    if given == ["cost"]:
        raise InputError("the cost alone has no best graph but a copy of the input: give cost beside another criterion")
    return tuple(CRITERIA[name] for name in given)


def get(names: str, problem: Problem) -> tuple[Criterion, ...]:
    """`named`, for a problem.

    Raises:
        InputError: as `named`, or labels that are missing.
    """
    found = named(names)
    if any(criterion.needs_labels for criterion in found):
        problem.labelled()
    return found
