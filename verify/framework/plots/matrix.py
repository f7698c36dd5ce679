"""Matrices as colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from nngp_dag.errors import unknown_text
from nngp_dag.theme.notation import mathtext
from verify.framework.checks import MaybeNumber, as_numbers, text
from verify.framework.errors import EvidenceError
from verify.framework.plots.plot import PLOT_WIDTH, Plot, blank
from verify.framework.plots.series import defined

if TYPE_CHECKING:
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

__all__ = ["Matrix"]

_SCALES = ("linear", "log")
_MOST_LABELS = 12
"""Labels of columns that are written; of more, every second, third, ..."""


@dataclass(frozen=True)
class Matrix(Plot):
    """A matrix, its entries shown as colours.

    Attributes:
        values: numbers [R][C]; an undefined one (NaN, infinite or None) stays blank.
        rows, columns: labels, R and C of them.
        x, y: labels of the axes. label: of the colours.
        scale: "linear", or "log": colours over four decades.
    """

    kind: ClassVar[str] = "matrix"

    values: Sequence[Sequence[MaybeNumber]]
    rows: Sequence[str]
    columns: Sequence[str]
    x: str = ""
    y: str = ""
    label: str = ""
    scale: str = "linear"

    def _check(self) -> None:
        values = tuple(as_numbers(row, "values") for row in self.values)
        rows, columns = (tuple(text(name, "labels") for name in names) for names in (self.rows, self.columns))
        for name in ("x", "y", "label"):
            text(getattr(self, name), name)
        if len(values) != len(rows) or any(len(row) != len(columns) for row in values):
            raise EvidenceError(f"values are not [{len(rows)}][{len(columns)}], as the labels say")
        if self.scale not in _SCALES:
            raise EvidenceError(unknown_text("scale", self.scale, _SCALES))
        cells = [cell for row in values for cell in row if cell is not None]
        if not cells:
            raise EvidenceError("no value is defined")
        if self.scale == "log" and max(cells) <= 0:
            raise EvidenceError("no value is positive, as a logarithmic scale needs")
        for name, made in (("values", values), ("rows", rows), ("columns", columns)):
            object.__setattr__(self, name, made)

    def draw(self) -> Figure:
        """The matrix with its labels and a bar of colours."""
        values = [defined(row) for row in self.values]
        drawn = blank(PLOT_WIDTH, 1.2 + 0.22 * len(values))
        ax = drawn.add_subplot()
        image = ax.imshow(values, aspect="auto", cmap="magma_r", norm=self._colours())
        ax.set_yticks(range(len(values)), self.rows, fontsize=7)
        every = -(-len(self.columns) // _MOST_LABELS)
        ax.set_xticks(range(0, len(self.columns), every), self.columns[::every], fontsize=7, rotation=45, ha="right")
        ax.set_xlabel(mathtext(self.x))
        ax.set_ylabel(mathtext(self.y))
        drawn.colorbar(image, ax=ax, label=mathtext(self.label))
        return drawn

    def _colours(self) -> Normalize:
        from matplotlib.colors import LogNorm, Normalize

        cells = [cell for row in self.values for cell in row if cell is not None]
        if self.scale == "log":
            return LogNorm(max(cells) * 1e-4, max(cells), clip=True)
        return Normalize(min(*cells, 0.0), max(cells))
