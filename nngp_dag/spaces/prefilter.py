"""The paper's filter (Section 5.3): keep an architecture when its effective depth and width lie near the space's
centre.

`prefilter("nasbench201")` is a predicate, `prefilter(...).iter(candidates)` a generator; both cost microseconds per
architecture and drop into any search loop:

    keep = nngp_dag.prefilter("nasbench201")
    for architecture in keep.iter(candidates):
        score(architecture)

Bounds are included and compared exactly, as fractions. A cell without a path, or without a parameterised one, never
passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from nngp_dag.dag import DagLike, as_dag
from nngp_dag.errors import InputError
from nngp_dag.paths import path_statistics
from nngp_dag.spaces import Space, get
from nngp_dag.spaces.base import Architecture
from nngp_dag.spaces.listed import ListedSpace
from nngp_dag.spaces.shape import Box, Number

__all__ = ["Prefilter", "prefilter"]

_T = TypeVar("_T")


class Prefilter:
    """A predicate on architectures of a space: whether (d, m) of its cells lies in a box.

    Args:
        space: the space whose notation it reads.
        box: the box, exact bounds included.
        cells: the cells that have to pass; all of them by default (the authors' released code looks at the normal
        cell).
    """

    def __init__(self, space: Space, box: Box, cells: Sequence[str] | None = None) -> None:
        self.space, self.box = space, box
        self.cells = tuple(space.cells if cells is None else cells)
        unknown = [cell for cell in self.cells if cell not in space.cells]
        if unknown or not self.cells:
            raise InputError(
                f"unknown cell {unknown[0] if unknown else ''!r}: {space.title} has {', '.join(space.cells)}"
            )
        self._rows = [space.cells.index(cell) for cell in self.cells]
        self._cell_passes = lru_cache(maxsize=1 << 16)(self._decide)

    def __call__(self, architecture: Architecture | DagLike) -> bool:
        """True for an architecture that passes.

        Args:
            architecture: a line of the space's notation, genes [cells, genes], or the cell itself as a `Dag` or a
                networkx DiGraph with an edge attribute `op`.

        Raises:
            InputError: the architecture cannot be read.
        """
        if isinstance(architecture, str):
            rows = self.space.parse(architecture)
        elif isinstance(architecture, (np.ndarray, list, tuple)):
            rows = np.asarray(architecture)
            if rows.shape != (len(self.space.cells), self.space.genes):
                raise InputError(
                    f"an architecture of {self.space.title} is an array [{len(self.space.cells)}, {self.space.genes}],"
                    f" got shape {list(rows.shape)}"
                )
        else:
            statistics = path_statistics(as_dag(architecture))
            depth, width = statistics.effective_depth, statistics.effective_width
            return depth > 0 and self.box.contains(depth, width)
        return all(self._cell_passes(rows[i].tobytes(), rows.dtype.str) for i in self._rows)

    def _decide(self, genes: bytes, dtype: str) -> bool:
        paths, length, active = self.space.cell_totals(np.frombuffer(genes, dtype=dtype))
        return length > 0 and self.box.contains(Fraction(length, paths), Fraction(active * paths, length))

    def mask(self, architectures: npt.ArrayLike) -> np.ndarray:
        """True for those of many architectures [A, cells, genes] that pass, at once: bool [A]."""
        rows = np.asarray(architectures)
        passes = [self.space.totals(rows[:, i]).within(self.box) for i in self._rows]
        return np.asarray(np.logical_and.reduce(passes))

    def iter(self, architectures: Iterable[_T]) -> Iterator[_T]:
        """Those of `architectures` that pass, unchanged, one by one as they come."""
        return (architecture for architecture in architectures if self(architecture))

    def __repr__(self) -> str:
        return f"Prefilter({self.space.name!r}, ranges=({self.box}), cells={self.cells!r})"


def prefilter(
    space: str | Space | Iterable[DagLike],
    keep_radius: Number | None = None,
    ranges: Sequence[Number] | None = None,
    cells: Sequence[str] | None = None,
) -> Prefilter:
    """The filter of Section 5.3 for a space: |d - d*| <= keep_radius r_d and |m - m*| <= keep_radius r_m.

    Args:
        space: a name (`nngp_dag.spaces.names()`), a `Space`, or the graphs themselves (see `ListedSpace`).
        keep_radius: share of the radius, 1/2 by default. Centre and radius come from the exact range of its cells.
        ranges: the bounds d_min, d_max, m_min and m_max instead of `keep_radius`.
        cells: the cells that have to pass, all by default.

    Raises:
        InputError: an unknown space or cell, both `keep_radius` and `ranges`, or numbers that are no range.
    """
    if isinstance(space, str):
        space = get(space)
    elif not isinstance(space, Space):
        space = ListedSpace(space)
    if ranges is not None:
        if keep_radius is not None:
            raise InputError("give either keep_radius or ranges, not both")
        if len(ranges) != 4:
            raise InputError(f"ranges are four numbers dmin, dmax, mmin, mmax, got {len(ranges)}")
        return Prefilter(space, Box.make(*ranges), cells)
    return Prefilter(space, space.range.shrink(Fraction(1, 2) if keep_radius is None else keep_radius), cells)
