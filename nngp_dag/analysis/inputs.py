"""What `analyze` and `compare` are given, turned into a DAG and rows."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError

if TYPE_CHECKING:
    import networkx as nx

    from nngp_dag.datasets import Dataset

__all__ = ["DagLike", "DataLike", "as_dag", "as_rows"]

DagLike: TypeAlias = "Dag | str | dict[tuple[int, int], Any] | nx.DiGraph"
"""A `Dag`, a code, edges {(s, t): op}, or a networkx DiGraph."""

DataLike: TypeAlias = "str | os.PathLike[str] | Dataset | ArrayLike"
"""A specification of data or a file, a `Dataset`, or rows [N, d]."""


def as_dag(dag: DagLike) -> Dag:
    """A `Dag`, a code string, an edge dictionary or a networkx DiGraph, as a `Dag`."""
    if isinstance(dag, Dag):
        return dag
    if isinstance(dag, str):
        return Dag.from_code(dag)
    if isinstance(dag, dict):
        return Dag.from_edges(dag)
    if hasattr(dag, "is_directed"):
        return Dag.from_networkx(dag)
    raise InputError(
        f"expected a Dag, a code like '2_02_002', edges {{(s, t): op}} or a networkx DiGraph, got {type(dag).__name__}"
    )


def as_rows(data: DataLike) -> tuple[str, np.ndarray]:
    """A name and rows, float64 [N, d], of a specification (`digits:128`, a file), a `Dataset` or an array.

    Rows of an array are taken as they are.

    Raises:
        InputError: data that cannot be read, or an array that is not [N, d] of finite numbers.
    """
    from nngp_dag.datasets import Dataset, load

    if isinstance(data, (str, os.PathLike)):
        data = load(data, labels=False)
    if isinstance(data, Dataset):
        return data.name, data.x
    try:
        rows = np.asarray(data, np.float64)
    except (TypeError, ValueError):
        raise InputError(f"expected data as a name, a file or an array [N, d], got {type(data).__name__}") from None
    if rows.ndim != 2 or 0 in rows.shape or not np.isfinite(rows).all():
        raise InputError(f"expected rows [N, d] of finite numbers, got shape {rows.shape}")
    return f"{rows.shape[0]:,} rows of length {rows.shape[1]}", rows
