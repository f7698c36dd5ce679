"""The arguments of `analyze` and `compare`, turned into a DAG and rows."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.dag import DagLike, as_dag
from nngp_dag.errors import InputError

if TYPE_CHECKING:
    from nngp_dag.datasets import Dataset

__all__ = ["DagLike", "DataLike", "as_dag", "as_rows"]

DataLike: TypeAlias = "str | os.PathLike[str] | Dataset | ArrayLike"
"""A specification of data or a file, a `Dataset`, or rows [N, d]."""


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
