"""The complete spaces of Section 3: every pair of nodes joined by a zero, skip or linear edge; notation: code
strings.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nngp_dag.dag import Dag, count_isomorphism_classes, num_edges
from nngp_dag.errors import InputError
from nngp_dag.paths import path_counts_array
from nngp_dag.spaces.base import Space
from nngp_dag.spaces.shape import code_totals

__all__ = ["CompleteSpace", "complete_3", "complete_4", "complete_5", "complete_6"]


class CompleteSpace(Space):
    """All 3^E DAGs on a number of nodes. Genes are the digits of the code; cells are numbered in the order of codes."""

    complete = True

    def __init__(self, num_nodes: int) -> None:
        if not 2 <= num_nodes <= 9:
            raise InputError(f"complete spaces have 2 to 9 nodes, got {num_nodes}")
        self.name, self.title = f"complete-{num_nodes}", f"complete space of {num_nodes} nodes"
        self.num_nodes = num_nodes

    @property
    def genes(self) -> int:
        """One gene per edge."""
        return num_edges(self.num_nodes)

    def parse(self, text: str) -> np.ndarray:
        """See `Space.parse`: a code string such as `2_02_002`."""
        dag = Dag.from_code(text)
        if dag.num_nodes != self.num_nodes:
            raise InputError(
                f"code {text.strip()!r} has {dag.num_nodes} nodes, the {self.title} needs {self.num_nodes}"
            )
        return dag.to_array()[None]

    def write(self, architecture: npt.ArrayLike) -> str:
        """See `Space.write`."""
        (row,) = np.asarray(architecture)
        return Dag.from_array(row).to_code()

    @property
    def num_cells(self) -> int:
        """3^(n (n - 1) / 2)."""
        return 3**self.genes

    def count_distinct(self) -> int | None:
        """See `Space.count_distinct`: up to four nodes, beyond that None (it would take a while)."""
        return count_isomorphism_classes(self.enumerate()) if self.num_nodes <= 4 else None

    def cells_at(self, index: npt.ArrayLike) -> np.ndarray:
        """See `Space.cells_at`."""
        powers = 3 ** np.arange(self.genes - 1, -1, -1, dtype=np.int64)
        return (np.asarray(index, dtype=np.int64)[:, None] // powers % 3).astype(np.int8)

    def cell_dag(self, row: npt.ArrayLike) -> Dag:
        """See `Space.cell_dag`."""
        return Dag.from_array(np.asarray(row))

    def cell_totals(self, row: npt.ArrayLike) -> tuple[int, int, int]:
        """See `Space.cell_totals`."""
        return code_totals(np.asarray(row).tolist())

    def path_counts(self, rows: npt.ArrayLike) -> np.ndarray:
        """See `Space.path_counts`."""
        return path_counts_array(rows)

    def num_parameterised(self, rows: npt.ArrayLike) -> np.ndarray:
        """Number of linear edges of each DAG."""
        return np.asarray((np.asarray(rows) == 2).sum(axis=1))


def complete_3() -> CompleteSpace:
    """Three nodes, 27 DAGs."""
    return CompleteSpace(3)


def complete_4() -> CompleteSpace:
    """Four nodes, 729 DAGs: the DAG of Figure 2."""
    return CompleteSpace(4)


def complete_5() -> CompleteSpace:
    """Five nodes, 59,049 DAGs."""
    return CompleteSpace(5)


def complete_6() -> CompleteSpace:
    """Six nodes, 14,348,907 DAGs."""
    return CompleteSpace(6)
