"""A space that is a list of graphs: anyone's cells, as DAGs, code strings or networkx graphs with an edge attribute
`op`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nngp_dag.dag import Dag, DagLike, as_dag
from nngp_dag.errors import InputError
from nngp_dag.paths import path_counts
from nngp_dag.spaces.base import Space
from nngp_dag.support.reading_files import read_text

__all__ = ["ListedSpace"]


class ListedSpace(Space):
    """The space of the given graphs, of any sizes; the notation of a cell is its code string, its gene its place in
    the list.

    Args:
        graphs: at least one graph (`as_dag`); a graph given twice counts once.
        name, title: see `Space`.
    """

    genes = 1

    def __init__(self, graphs: Iterable[DagLike], name: str = "listed", title: str = "listed cells") -> None:
        self.members = tuple(dict.fromkeys(as_dag(graph) for graph in graphs))
        if not self.members:
            raise InputError("a space needs at least one graph")
        self.name, self.title = name, title
        self._position = {dag: i for i, dag in enumerate(self.members)}
        counts = [path_counts(dag) for dag in self.members]
        self._counts = np.zeros((len(counts), max(map(len, counts), default=0) or 1), dtype=object)
        for row, count in zip(self._counts, counts, strict=True):
            row[: len(count)] = count

    @classmethod
    def from_file(cls, path: str | Path) -> ListedSpace:
        """The space of a text file with a code string per line; blank lines are skipped."""
        path = Path(path)
        lines = read_text(path).splitlines()
        dags = []
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    dags.append(Dag.from_code(line))
                except InputError as error:
                    raise InputError(f"{path}, line {number}: {error}") from None
        if not dags:
            raise InputError(f"{path} lists no code")
        return cls(dags, name=f"codes:{path}", title=path.stem)

    def parse(self, text: str) -> np.ndarray:
        """See `Space.parse`: a code string that the space lists."""
        dag = Dag.from_code(text)
        if dag not in self._position:
            raise InputError(f"code {text.strip()!r} is not in the space {self.title}")
        return np.array([[self._position[dag]]], dtype=np.int64)

    def write(self, architecture: npt.ArrayLike) -> str:
        """See `Space.write`."""
        return self.cell_dag(np.asarray(architecture)[0]).to_code()

    @property
    def num_cells(self) -> int:
        """Number of different graphs."""
        return len(self.members)

    def cells_at(self, index: npt.ArrayLike) -> np.ndarray:
        """See `Space.cells_at`."""
        return np.asarray(index, dtype=np.int64)[:, None]

    def cell_dag(self, row: npt.ArrayLike) -> Dag:
        """See `Space.cell_dag`."""
        return self.members[int(np.asarray(row)[0])]

    def path_counts(self, rows: npt.ArrayLike) -> np.ndarray:
        """See `Space.path_counts`; Python integers, whatever the size of the graphs."""
        return np.asarray(self._counts[np.asarray(rows)[:, 0]])

    def num_parameterised(self, rows: npt.ArrayLike) -> np.ndarray:
        """Number of linear edges of each graph."""
        linear = np.array([dag.num_linear for dag in self.members], dtype=np.int64)
        return np.asarray(linear[np.asarray(rows)[:, 0]])
