"""Labelled rows to learn from, and rows to test on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nngp_dag.datasets.dataset import Dataset
from nngp_dag.errors import InputError

__all__ = ["Split", "split"]


class Split(NamedTuple):
    """Rows, float64 [N, d] and [M, d], and their labels as indicator rows over the same classes, [N, C] and [M, C]."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def split(rows: Dataset, test: Dataset | None = None) -> Split:
    """Training and test rows with their labels.

    Args:
        rows: to learn from; without `test` their last fifth is held out.
        test: to test on.

    Raises:
        InputError: no labels, too few rows, or rows of different lengths.
    """
    x, y = rows.x, rows.one_hot()
    if test is None:
        kept = len(rows) - max(1, len(rows) // 5)
        if kept < 1:
            raise InputError(f"{rows.name} has {len(rows)} rows, too few to hold some out: give --test")
        return Split(x[:kept], y[:kept], x[kept:], y[kept:])
    y_test = test.one_hot()
    if test.x.shape[1] != x.shape[1]:
        raise InputError(f"{test.name} has {test.x.shape[1]} columns, but {rows.name} has {x.shape[1]}")
    classes = max(y.shape[1], y_test.shape[1])
    y, y_test = (np.pad(one_hot, [(0, 0), (0, classes - one_hot.shape[1])]) for one_hot in (y, y_test))
    return Split(x, y, test.x, y_test)
