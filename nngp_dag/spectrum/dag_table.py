"""A table of many DAGs on the same data: path statistics and spectral statistics of both kernels, a row each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import jax
import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.kernel.chunks import sweep_chunks
from nngp_dag.kernel.functions import kernel_of
from nngp_dag.kernel.result import Kernel
from nngp_dag.paths import path_statistics
from nngp_dag.reading import METHODS, Setting
from nngp_dag.spectrum import SpectraSummary, spectra

Row: TypeAlias = dict[str, str | float | None]
"""The values of one DAG by column."""

__all__ = ["COLUMNS", "PATH_COLUMNS", "Row", "path_values", "rows_one_by_one", "sweep_memory", "sweep_rows"]

_STATISTICS = (
    "lambda_min",
    "lambda_max",
    "trace",
    "condition",
    "effective_rank",
    "pair_bound",
    "pair_i",
    "pair_j",
    "lambda_min_scale_free",
    "lambda_max_scale_free",
    "pair_bound_scale_free",
)

PATH_COLUMNS = ("code", "n_paths", "effective_depth", "effective_width", "num_linear")
"""Columns of a DAG itself: `num_linear` counts the linear edges on paths."""

COLUMNS = (
    *PATH_COLUMNS,
    *(f"{kernel}_{name}" for kernel in ("nngp", "ntk") for name in _STATISTICS),
)
"""Columns of a sweep: statistics as in `spectrum`, scale-free ones divided by the mean diagonal."""


def sweep_rows(
    codes: np.ndarray,
    x: ArrayLike,
    setting: Setting | None = None,
    chunk_bytes: int = 32 * 2**20,
    wanted: np.ndarray | None = None,
    devices: Sequence[jax.Device] | None = None,
) -> Iterator[tuple[np.ndarray, list[Row]]]:
    """Rows of the table for many DAGs of equal node count, piece by piece.

    Args:
        codes: flat codes, integers [A, E].
        x: rows [N, d]; float64 where the smallest eigenvalue matters.
        setting: a method and a reading; by default exact, and the default reading.
        chunk_bytes: memory for the kernels of one piece; small, so that little is lost when a sweep is killed.
        wanted: bool [A]; pieces without a wanted row are left out, and the others come whole. By default all.
        devices: to which pieces are dealt out; of several processes each gets the rows of its own devices
            (`sweep_chunks`). A method that needs whole matrices computes on one.

    Yields:
        (positions in `codes` [a], a list of a rows): dictionaries with the keys `COLUMNS`, None where a value is
        undefined. With method neural-tangents the statistics of a DAG that it cannot express are None.

    Raises:
        InputError: as `kernel_fn`, and where a kernel overflows its dtype.
    """
    setting = setting or Setting()
    if not METHODS[setting.method].is_pairwise:
        yield from rows_one_by_one(codes, x, setting, wanted, _matrix_row)
        return
    chunks = sweep_chunks(codes, x, setting=setting, chunk_bytes=chunk_bytes, wanted=wanted, devices=devices)
    for index, kernels in chunks:
        summaries = [_summary(kernel, codes[index]) for kernel in kernels]
        yield index, [_row(Dag.from_array(codes[i]), summaries, a) for a, i in enumerate(index)]


def sweep_memory(num_rows: int, num_nodes: int) -> int:
    """Bytes that a sweep over float64 kernels of `num_rows` rows needs at least: one DAG at a time."""
    planes = 4 * num_nodes + 2 * 3  # the recursion's state, and both kernels three times (spectra copy them)
    return 8 * planes * num_rows**2 + 2**27


def _summary(kernel: ArrayLike, codes: np.ndarray) -> SpectraSummary:
    matrices = np.asarray(kernel)
    finite = np.isfinite(np.einsum("aii->a", matrices))
    if not finite.all():
        code = Dag.from_array(codes[int(np.flatnonzero(~finite)[0])]).to_code()
        raise InputError(f"the kernel of {code} overflows {matrices.dtype}: use a DAG with fewer skip paths")
    return spectra(matrices)


def _row(dag: Dag, summaries: list[SpectraSummary], a: int) -> Row:
    values: list[float | None] = []
    for f in summaries:
        scale = f.mean_diagonal[a] if f.mean_diagonal[a] > 0 else np.nan
        values += [f.lambda_min[a], f.lambda_max[a], f.trace[a], f.condition[a], f.effective_rank[a], f.pair_bound[a]]
        values += [None if i < 0 else int(i) for i in f.pair[a]]
        values += [f.lambda_min[a] / scale, f.lambda_max[a] / scale, f.pair_bound[a] / scale]
    defined = [v if v is None or isinstance(v, int) else float(v) if np.isfinite(v) else None for v in values]
    return dict(zip(COLUMNS, [*path_values(dag), *defined], strict=True))


def rows_one_by_one(
    codes: np.ndarray,
    x: ArrayLike,
    setting: Setting,
    wanted: np.ndarray | None,
    row: Callable[[Dag, Kernel | None], Row],
) -> Iterator[tuple[np.ndarray, list[Row]]]:
    """The rows of a method that is no function of pairs, DAG by DAG, those that are wanted.

    `row` makes one of a DAG and its kernels; of None where neural-tangents cannot express the DAG, which stays in the
    table without statistics.
    """
    for position, dag in enumerate(map(Dag.from_array, codes)):
        if wanted is None or wanted[position]:
            try:
                kernels = kernel_of(dag, setting)(x)
            except InputError:
                kernels = None
            yield np.array([position]), [row(dag, kernels)]


def _matrix_row(dag: Dag, kernels: Kernel | None) -> Row:
    if kernels is None:
        return dict(zip(COLUMNS, [*path_values(dag), *[None] * (len(COLUMNS) - len(PATH_COLUMNS))], strict=True))
    return _row(dag, [spectra(np.asarray(kernel)[None]) for kernel in kernels], 0)


def path_values(dag: Dag) -> list[str | float]:
    """The values of `PATH_COLUMNS`."""
    statistics = path_statistics(dag)
    depth, width = float(statistics.effective_depth), float(statistics.effective_width)
    return [dag.to_code(), statistics.num_paths, depth, width, dag.pruned().num_linear]
