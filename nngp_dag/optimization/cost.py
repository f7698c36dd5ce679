"""The time of a search for the best connectivity, as far as it is known before it begins."""

from __future__ import annotations

from collections.abc import Sequence

from nngp_dag.optimization.criteria.base import Criterion, kernels_of

__all__ = ["estimated_seconds"]

_KERNELS = {2: 2, 3: 8, 4: 83, 5: 2_859, 6: 343_031}
"""Distinct kernels of all DAGs at most, by nodes (of the exact method; the others have fewer)."""

_SECONDS_PER_PAIR = 3e-8
"""Of one core, for a pair of rows of a kernel that a bound discards (334,344 kernels on 64 rows: 46 s)."""

_SECONDS_PER_CUBE = 5e-10
"""Of one core, times the cube of the rows, for the eigenvalues or the inverse of a kernel that is judged."""


def estimated_seconds(
    nodes: int, num_rows: int, criteria: Sequence[Criterion], evaluations: int | None = None
) -> float:
    """Seconds of one core, as an order of magnitude.

    Args:
        nodes: of the DAGs.
        num_rows: N of the data.
        criteria: one or two.
        evaluations: kernels that a search by evolution judges; None: all DAGs are searched.
    """
    if not kernels_of(criteria):
        return 0.0
    judged_by_all = any(criterion.kernels and criterion.optimist is None for criterion in criteria)
    kernels = _KERNELS.get(nodes, 0) if evaluations is None else evaluations
    each = _SECONDS_PER_PAIR * num_rows**2 * (1 if evaluations is None else nodes)
    return kernels * (each + (_SECONDS_PER_CUBE * num_rows**3 if judged_by_all or evaluations is not None else 0.0))
