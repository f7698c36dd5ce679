"""A table of many DAGs on the same data without eigenvalues: path statistics and `sweep_statistics`, a row each."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.dag import Dag
from nngp_dag.kernel.result import Kernel
from nngp_dag.reading import METHODS, Setting
from nngp_dag.spectrum.dag_table import PATH_COLUMNS, Row, path_values, rows_one_by_one
from nngp_dag.spectrum.kernel_statistics import KernelStatistics, kernel_statistics
from nngp_dag.spectrum.sweep_statistics import sweep_statistics_chunks

__all__ = ["statistics_columns", "statistics_memory", "statistics_rows"]

_STATISTICS = (
    "trace",
    "mean_off_diagonal",
    "frobenius_norm",
    "participation_ratio",
    "pair_bound",
    "pair_i",
    "pair_j",
    "pair_bound_scale_free",
)
_OF_LABELS = ("alignment", "centred_alignment")

_CHUNK = 3**9
"""DAGs of a piece: little is lost when a sweep is killed, and most planes are shared."""


def statistics_columns(has_labels: bool) -> tuple[str, ...]:
    """The columns: those of `dag_table` that need no eigenvalues, and the statistics of `KernelStatistics`."""
    names = (*_STATISTICS, *(_OF_LABELS if has_labels else ()))
    return (*PATH_COLUMNS, *(f"{kernel}_{name}" for kernel in ("nngp", "ntk") for name in names))


def statistics_rows(
    codes: np.ndarray,
    x: ArrayLike,
    y: ArrayLike | None = None,
    setting: Setting | None = None,
    wanted: np.ndarray | None = None,
) -> Iterator[tuple[np.ndarray, list[Row]]]:
    """Rows of the table for many DAGs of equal node count, piece by piece, as `dag_table.sweep_rows` gives them.

    Args:
        codes: flat codes, integers [A, E].
        x: rows [N, d].
        y: labels, as `target_factor` takes them.
        setting: a method and a reading; by default exact, and the default reading.
        wanted: bool [A]; pieces without a wanted row are left out.

    Yields:
        (positions in `codes` [a], a list of a rows): dictionaries with the keys `statistics_columns`, None where a
        value is undefined. With method neural-tangents the statistics of a DAG that it cannot express are None.

    Raises:
        InputError: as `sweep_statistics`.
    """
    setting = setting or Setting()
    columns = statistics_columns(y is not None)
    if not METHODS[setting.method].is_pairwise:
        yield from rows_one_by_one(codes, x, setting, wanted, partial(_matrix_row, y=y, columns=columns))
        return
    num_rows = len(np.asarray(x))
    for index, found in sweep_statistics_chunks(codes, x, y, setting, chunk=_CHUNK, wanted=wanted):
        both = np.concatenate([_values(part, num_rows) for part in found if part is not None], axis=1)
        yield index, [_row(Dag.from_array(codes[i]), values, columns) for i, values in zip(index, both, strict=True)]


def statistics_memory(num_rows: int) -> int:
    """Bytes that such a sweep needs at least: weights of a piece, and the diagonals of some hundred planes."""
    return 2**28 + 2**15 * num_rows


def _values(found: KernelStatistics, num_rows: int) -> np.ndarray:
    """The statistics of a kernel in the order of the columns, [A, number], NaN where undefined."""
    assert found.pair_bound is not None
    assert found.pair is not None
    scale = np.where(found.mean_diagonal > 0, found.mean_diagonal, np.nan)
    pair = np.where(found.pair < 0, np.nan, found.pair)
    values = [
        found.mean_diagonal * num_rows,
        found.mean_off_diagonal,
        found.frobenius_norm,
        found.participation_ratio,
        found.pair_bound,
        *pair.T,
        found.pair_bound / scale,
    ]
    of_labels = [a for a in (found.alignment, found.centred_alignment) if a is not None]
    return np.stack([*values, *of_labels], axis=1)


def _row(dag: Dag, values: np.ndarray, columns: tuple[str, ...]) -> Row:
    row: Row = dict(zip(PATH_COLUMNS, path_values(dag), strict=True))
    for column, value in zip(columns[len(PATH_COLUMNS) :], values.tolist(), strict=True):
        defined = None if np.isnan(value) else value
        row[column] = int(defined) if defined is not None and column.endswith(("pair_i", "pair_j")) else defined
    return row


def _matrix_row(dag: Dag, kernels: Kernel | None, y: ArrayLike | None, columns: tuple[str, ...]) -> Row:
    if kernels is None:
        return _row(dag, np.full(len(columns) - len(PATH_COLUMNS), np.nan), columns)
    found = [_values(kernel_statistics(np.asarray(kernel)[None], y), len(kernel)) for kernel in kernels]
    return _row(dag, np.concatenate(found, axis=1)[0], columns)
