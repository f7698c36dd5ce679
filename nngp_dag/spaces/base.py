"""An architecture space: its notation, its cells as DAGs, its exact size, and its path statistics at once.

An *architecture* is an integer array [cells, genes]: one row per cell (NAS-Bench-201 has one cell, DARTS a normal and a
reduction cell), in the encoding that the space defines. All cells of a space share that encoding, so that everything
about paths works on rows [A, genes] of any number of cells at once.

Adding a space is one module with one subclass of `Space`, and its line in `nngp_dag.spaces.SPACES`; the tests, the
command line, the pre-filter and the plots then serve it. A subclass gives `name`, `title`, `genes` and the methods
marked abstract; `distribution` has to be overridden only where the cells are too many to be listed.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator
from functools import cached_property
from typing import ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.spaces.shape import Box, PathTotals, ShapeTable
from nngp_dag.support.memory import require_memory

__all__ = ["CHUNK", "MAX_LISTED", "Architecture", "Space"]

Architecture: TypeAlias = str | npt.ArrayLike
"""An architecture as users give it: a line of the space's notation, or integers [cells, genes]."""

CHUNK = 1 << 16
"""Cells handled at a time: keeps the working arrays of a few hundred bytes per cell within the processor's cache."""

MAX_LISTED = 20_000_000
"""The largest number of cells that `Space.cells_in_chunks` lists."""


class Space(abc.ABC):
    """An architecture space. Instances are immutable; `nngp_dag.spaces.get(name)` returns them."""

    name: str
    """The name on the command line and in the registry."""
    title: str
    """The name in tables and plots."""
    cells: ClassVar[tuple[str, ...]] = ("cell",)
    """Names of the cells of an architecture, in the order of its rows."""
    complete: ClassVar[bool] = False
    """True where any two nodes may be joined, with no topological restriction (Remark 5.1)."""

    # ---- notation ---------------------------------------------------------------------------------------------------

    @abc.abstractmethod
    def parse(self, text: str) -> np.ndarray:
        """The architecture of a line of the space's notation, int8 [cells, genes].

        Raises:
            InputError: the line is malformed; the message says where and what is accepted.
        """

    @abc.abstractmethod
    def write(self, architecture: npt.ArrayLike) -> str:
        """The notation of an architecture [cells, genes], the inverse of `parse` on architectures in normal form."""

    @property
    @abc.abstractmethod
    def genes(self) -> int:
        """Number of integers that encode a cell."""

    # ---- counting and listing ---------------------------------------------------------------------------------------

    @property
    @abc.abstractmethod
    def num_cells(self) -> int:
        """Number of different cells that can be written, exactly."""

    @property
    def num_architectures(self) -> int:
        """Number of different architectures, exactly: every combination of cells."""
        return self.num_cells ** len(self.cells)

    def count_distinct(self) -> int | None:
        """Number of cells that differ as pruned graphs up to relabelling of nodes, the space's operations told apart.

        None where the space does not count them.
        """
        return None

    def other_counts(self) -> dict[str, int]:
        """Numbers of cells up to other notions of equality that are in use for this space, by their names."""
        return {}

    @abc.abstractmethod
    def cells_at(self, index: npt.ArrayLike) -> np.ndarray:
        """The cells with the given numbers, int8 [A, genes]; the space numbers its cells 0..num_cells-1.

        Args:
            index: integers [A] below `num_cells`, which is below 2^63 in every space.
        """

    def cells_in_chunks(self, chunk: int = CHUNK) -> Iterator[np.ndarray]:
        """All cells in the order of their numbers, int8 [at most chunk, genes] at a time.

        Raises:
            InputError: the space has more than `MAX_LISTED` cells; use `sample` or `distribution`.
        """
        if self.num_cells > MAX_LISTED:
            raise InputError(f"{self.title} has {self.num_cells:,} cells, too many to list: sample them instead")
        for start in range(0, self.num_cells, chunk):
            yield self.cells_at(np.arange(start, min(start + chunk, self.num_cells), dtype=np.int64))

    def enumerate(self) -> np.ndarray:
        """All cells, int8 [num_cells, genes]; InputError where they are too many (see `cells_in_chunks`)."""
        return np.concatenate(list(self.cells_in_chunks()))

    def sample(self, num: int, rng: np.random.Generator) -> np.ndarray:
        """`num` independent uniform architectures, int8 [num, cells, genes]."""
        cells = num * len(self.cells)
        require_memory(8 * cells * (1 + self.genes), f"a sample of {num:,} architectures")
        index = rng.integers(self.num_cells, size=cells, dtype=np.int64)
        return self.cells_at(index).reshape(num, len(self.cells), self.genes)

    # ---- cells as DAGs ----------------------------------------------------------------------------------------------

    @abc.abstractmethod
    def cell_dag(self, row: npt.ArrayLike) -> Dag:
        """The DAG of one cell, genes [genes]: convolutions and linear layers are linear, skips and pooling skip
        (Remark 4.2).
        """

    def dags(self, architecture: Architecture) -> dict[str, Dag]:
        """The DAG of each cell of an architecture: a line of notation, or an array [cells, genes]."""
        rows = self.parse(architecture) if isinstance(architecture, str) else np.asarray(architecture)
        return {cell: self.cell_dag(row) for cell, row in zip(self.cells, rows, strict=True)}

    def dag(self, architecture: Architecture) -> Dag:
        """The DAG of the (first) cell of an architecture: a line of notation, or an array [cells, genes]."""
        return next(iter(self.dags(architecture).values()))

    # ---- paths, vectorised ------------------------------------------------------------------------------------------

    @abc.abstractmethod
    def path_counts(self, rows: npt.ArrayLike) -> np.ndarray:
        """Number of end-to-end paths with d parameterised operations of each cell, integers [A, depth + 1].

        Args:
            rows: genes [A, genes].
        """

    @abc.abstractmethod
    def num_parameterised(self, rows: npt.ArrayLike) -> np.ndarray:
        """Number of parameterised operations written in each cell, on a path or not, int64 [A]."""

    def totals(self, rows: npt.ArrayLike) -> PathTotals:
        """Path totals of many cells [A, genes], in chunks: effective depth and width of each, exactly."""
        rows = np.asarray(rows)
        parts = [
            PathTotals.from_counts(self.path_counts(rows[i : i + CHUNK])) for i in range(0, max(len(rows), 1), CHUNK)
        ]
        return PathTotals.concatenate(parts)

    def cell_totals(self, row: npt.ArrayLike) -> tuple[int, int, int]:
        """Path totals (P, S, Q) of one cell, genes [genes]: `totals` for a single one, where a space may be faster."""
        totals = self.totals(np.asarray(row)[None])
        return int(totals.paths[0]), int(totals.length[0]), int(totals.active[0])

    def distribution(self) -> ShapeTable:
        """The exact numbers of the space's cells with each effective depth, width and number of parameterised
        operations.
        """
        tables = [
            ShapeTable.count(PathTotals.from_counts(self.path_counts(rows)), self.num_parameterised(rows))
            for rows in self.cells_in_chunks()
        ]
        return ShapeTable.merge(tables)

    @cached_property
    def range(self) -> Box:
        """The exact range of (d, m) over the cells with d > 0; its centre and radius are those of Section 5.3."""
        return self.distribution().range
