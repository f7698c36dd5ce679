"""Checks of the DAGs, rows and targets of Theorem 3.1's experiments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.paths import path_statistics

__all__ = ["checked_dags", "checked_targets"]


def checked_dags(dags: Sequence[Dag]) -> list[Dag]:
    """The DAGs as a list; InputError where there is none, or one without a path from input to output."""
    if not dags:
        raise InputError("at least one DAG is needed")
    for dag in dags:
        if not path_statistics(dag).num_paths:
            raise InputError(f"every DAG needs a path from input to output, and {dag.to_code()} has none")
    return list(dags)


def checked_targets(x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Rows [N, d] and targets [N] as float64; InputError where they do not fit or are not finite."""
    rows, targets = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if (
        rows.ndim != 2
        or targets.shape != rows.shape[:1]
        or not np.isfinite(rows).all()
        or not np.isfinite(targets).all()
    ):
        raise InputError(f"expected finite rows [N, d] and targets [N], got shapes {rows.shape} and {targets.shape}")
    return rows, targets
