"""Plots of lines, with or without bands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from nngp_dag.theme.notation import mathtext
from verify.framework.errors import EvidenceError
from verify.framework.plots.series import Series, SeriesPlot, defined

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nngp_dag.plots.style import Look

__all__ = ["Lines"]


@dataclass(frozen=True)
class Lines(SeriesPlot):
    """Lines through their points; where a value is undefined the line has a gap. Every x is defined."""

    kind: ClassVar[str] = "lines"

    def _check(self) -> None:
        super()._check()
        for series in self.series:
            if None in series.x:
                raise EvidenceError(f"series {series.label!r}: an undefined x")

    def _draw_series(self, ax: Axes, series: Series, look: Look) -> None:
        x = defined(series.x)
        ax.plot(x, defined(series.y), label=mathtext(series.label), **(look | {"marker": ""}))
        if series.low is not None and series.high is not None:
            band = defined(series.low), defined(series.high)
            ax.fill_between(x, *band, color=look["color"], alpha=0.18, linewidth=0)
