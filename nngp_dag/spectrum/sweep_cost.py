"""The time and the disk that a sweep takes, as an estimate before anything is computed.

A sweep of days is a wish that the program may grant, since it resumes where it was killed: it is announced. A table
for which the disk has no room is refused.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from nngp_dag.errors import InputError
from nngp_dag.support.cores import available_cores
from nngp_dag.support.memory import shown_bytes
from nngp_dag.support.progress import shown_seconds

__all__ = ["SweepCost", "sweep_cost"]

_SECONDS_PER_CUBE = 5e-10
"""Of one core, for the spectra of both kernels of N rows, over N^3 (four DAGs of four nodes on 1,797 rows: 12 s)."""

_SECONDS_PER_PAIR = 1e-7
"""Of one core, for both kernels of a pair of rows at a node."""

_SECONDS_PER_ENTRY = 6e-9
"""Of one core, for an entry of both kernels where no eigenvalues are taken."""

_DISTINCT = 0.1
"""Kernels per DAG that differ, of all DAGs of a size (84 of 729 with four nodes, 2,860 of 59,049 with five)."""

_SECONDS_PER_ROW = 3e-4
"""Of one core, for the paths and the line of a DAG where no eigenvalues are taken (59,049 DAGs: 18 s)."""

_SECONDS_PER_DAG = 2e-4
_BYTES_PER_DAG = 600
"""Of the table and of its unfinished copy, with a checksum per row."""


@dataclass(frozen=True)
class SweepCost:
    """The cost of a sweep.

    Attributes:
        num_dags, num_rows: what is swept.
        seconds: wall-clock time, if all cores are used.
        bytes: of the table.
    """

    num_dags: int
    num_rows: int
    seconds: float
    bytes: int

    @property
    def words(self) -> str:
        """The cost in a line."""
        shown, size = shown_seconds(self.seconds), shown_bytes(self.bytes)
        return f"{self.num_dags:,} DAGs on {self.num_rows:,} rows: about {shown} and a table of about {size}"

    def require_disk(self, out: Path) -> None:
        """InputError where the disk of OUT has no room for the table."""
        free = shutil.disk_usage(out.resolve().parent).free
        if self.bytes > free:
            raise InputError(f"{self.words}, but only {shown_bytes(free)} of disk are free")


def sweep_cost(num_dags: int, num_nodes: int, num_rows: int, eigenvalues: bool = True) -> SweepCost:
    """The cost of a sweep over so many DAGs of so many nodes, on rows [N, d]."""
    if not eigenvalues:
        distinct = _DISTINCT if num_dags == 3 ** (num_nodes * (num_nodes - 1) // 2) else 1.0
        kernels = distinct * num_dags * _SECONDS_PER_ENTRY * num_rows**2 / available_cores()
        return SweepCost(num_dags, num_rows, num_dags * _SECONDS_PER_ROW + kernels, _BYTES_PER_DAG * num_dags)
    each = _SECONDS_PER_DAG + _SECONDS_PER_CUBE * num_rows**3 + _SECONDS_PER_PAIR * num_nodes * num_rows**2
    return SweepCost(num_dags, num_rows, num_dags * each / available_cores(), _BYTES_PER_DAG * num_dags)
