"""The table of many DAGs (`dag_table`) as a CSV file; a sweep that was killed goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.reading import Setting
from nngp_dag.spectrum import dag_table
from nngp_dag.spectrum.statistics_table import statistics_columns, statistics_memory, statistics_rows
from nngp_dag.support.digest import digest
from nngp_dag.support.files import check_writable
from nngp_dag.support.memory import require_memory
from nngp_dag.support.progress import ProgressBar, no_progress
from nngp_dag.support.row_format import CsvRows
from nngp_dag.support.table import WholeTable

__all__ = ["SweepFile", "sweep_to_file"]


@dataclass(frozen=True)
class SweepFile:
    """A finished table.

    Attributes:
        path: of the CSV file.
        num_dags: its number of rows.
        num_resumed: number of rows that an earlier, unfinished run had computed.
    """

    path: Path
    num_dags: int
    num_resumed: int


def sweep_to_file(
    codes: np.ndarray | Sequence[Dag],
    x: ArrayLike,
    out: Path,
    setting: Setting | None = None,
    *,
    y: ArrayLike | None = None,
    eigenvalues: bool = True,
    progress: ProgressBar = no_progress,
    devices: Sequence[jax.Device] | None = None,
) -> SweepFile:
    """The statistics of many DAGs on the same data, a row per DAG in their order, with the columns `dag_table.COLUMNS`
    or, without eigenvalues, `statistics_columns`.

    Rows are kept in `OUT.partial` as they are finished; OUT appears whole. Called again with the same arguments after
    it was interrupted, it computes the rows that are missing, to the same bits.

    Args:
        codes: flat codes of DAGs of equal node count, integers [A, E] (`enumerate_codes`), or DAGs of any sizes.
        x: rows [N, d]; float64 where the smallest eigenvalue matters.
        out: the CSV file, in an existing folder.
        setting: method, order, embedding and activation; by default exact.
        y: labels, for alignments; without eigenvalues only.
        eigenvalues: False for `statistics_table`, whose statistics need none, and whose kernels are never in memory.
        progress: opens a progress bar.
        devices: of this process, that share the pieces; the table is the same to the last bit. With eigenvalues only.

    Raises:
        InputError: the file cannot be written, `OUT.partial` holds rows of something else, there is too little memory,
            or as `dag_table.sweep_rows`.
    """
    if devices is not None and not eigenvalues:
        raise InputError("a sweep without eigenvalues uses all cores of one device: leave the devices out")
    check_writable(out, "a CSV file")
    setting = Setting.make() if setting is None else setting
    x = np.asarray(x)
    groups = _groups(codes)
    total = sum(len(rows) for _, rows in groups)
    num_nodes = max(Dag.from_array(rows[0]).num_nodes for _, rows in groups)
    kind = _with_eigenvalues(x, setting, num_nodes, devices) if eigenvalues else _without_eigenvalues(x, y, setting)
    require_memory(kind.memory, f"a sweep over kernels of {len(x):,} rows")
    identity = {**_identity(setting), "data": digest(x), "codes": digest(*(rows for _, rows in groups))}
    identity |= kind.identity
    with WholeTable(out, CsvRows(kind.columns, ["code"]), identity, "another sweep") as table:
        num_resumed = len(table)
        with progress("DAGs", total, "DAGs", start=num_resumed) as advance:
            for places, rows in groups:
                left = np.array([int(place) not in table for place in places])
                # In the pieces of an uninterrupted sweep: the last bits of a row depend on its piece.
                for index, found in kind.rows(rows, left):
                    piece = zip(places[index].tolist(), found, strict=True)
                    table.add([(place, row) for place, row in piece if place not in table])
                    advance(len(table))
        table.finish()
    return SweepFile(out, total, num_resumed)


class _Kind(NamedTuple):
    """One of the two kinds of tables: columns, bytes that are needed, what identity has beside the setting, and
    pieces of rows for codes of one size, those where a row is wanted.
    """

    columns: tuple[str, ...]
    memory: int
    identity: dict[str, object]
    rows: Callable[[np.ndarray, np.ndarray], Iterator[tuple[np.ndarray, list[dag_table.Row]]]]


def _with_eigenvalues(x: np.ndarray, setting: Setting, num_nodes: int, devices: Sequence[jax.Device] | None) -> _Kind:
    def rows(codes: np.ndarray, wanted: np.ndarray) -> Iterator[tuple[np.ndarray, list[dag_table.Row]]]:
        return dag_table.sweep_rows(codes, x, setting, wanted=wanted, devices=devices)

    return _Kind(dag_table.COLUMNS, dag_table.sweep_memory(len(x), num_nodes), {}, rows)


def _without_eigenvalues(x: np.ndarray, y: ArrayLike | None, setting: Setting) -> _Kind:
    def rows(codes: np.ndarray, wanted: np.ndarray) -> Iterator[tuple[np.ndarray, list[dag_table.Row]]]:
        return statistics_rows(codes, x, y, setting, wanted=wanted)

    labels = None if y is None else digest(np.asarray(y))
    return _Kind(
        statistics_columns(y is not None), statistics_memory(len(x)), {"eigenvalues": False, "labels": labels}, rows
    )


def _groups(codes: np.ndarray | Sequence[Dag]) -> list[tuple[np.ndarray, np.ndarray]]:
    """The DAGs in groups of equal node count: (places [a], flat codes [a, E])."""
    if isinstance(codes, np.ndarray):
        return [(np.arange(len(codes)), codes)]
    sizes = np.array([dag.num_nodes for dag in codes])
    every = [np.flatnonzero(sizes == size) for size in np.unique(sizes)]
    return [(places, np.stack([codes[int(i)].to_array() for i in places])) for places in every]


def _identity(setting: Setting) -> dict[str, object]:
    """The setting as plain data; an activation also by some of its values, as functions may share a name."""
    values = setting.activation(jnp.array([-1.5, -0.5, 0.5, 1.5]))
    return {
        **setting.names(),
        "activation_values": [f"{value:.5g}" for value in np.asarray(values)],
    }
