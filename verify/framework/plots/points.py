"""Plots of points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from nngp_dag.theme.notation import mathtext
from verify.framework.errors import EvidenceError
from verify.framework.plots.series import Series, SeriesPlot, defined

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nngp_dag.plots.style import Look

__all__ = ["Points"]


@dataclass(frozen=True)
class Points(SeriesPlot):
    """Points; one with an undefined coordinate is left out. They have no bands."""

    kind: ClassVar[str] = "points"

    def _check(self) -> None:
        super()._check()
        for series in self.series:
            if series.low is not None:
                raise EvidenceError(f"series {series.label!r}: points have no band")

    def _draw_series(self, ax: Axes, series: Series, look: Look) -> None:
        shape = look | {"linestyle": "", "markersize": 3.5, "alpha": 0.6}
        ax.plot(defined(series.x), defined(series.y), label=mathtext(series.label), **shape)
