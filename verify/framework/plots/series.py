"""Series over two axes: the data of plots of lines and of points."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from nngp_dag.errors import unknown_text
from nngp_dag.theme.notation import mathtext
from verify.framework.checks import MaybeNumber, as_number, as_numbers, instances, text
from verify.framework.errors import EvidenceError
from verify.framework.plots.plot import PLOT_WIDTH, Plot, blank

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from nngp_dag.plots.style import Look

__all__ = ["Series", "SeriesPlot", "defined"]

_SCALES = ("linear", "log", "symlog", "logit")


@dataclass(frozen=True)
class Series:
    """One series of a plot, with or without a band about it.

    Attributes:
        label: its name in the legend.
        x, y: places and values, sequences or arrays of one length; an undefined one (NaN, infinite or None) is left
        out. low, high: the band, as long as they.

    Raises:
        EvidenceError: lengths that differ, half a band, or what is no number.
    """

    label: str
    x: Sequence[MaybeNumber]
    y: Sequence[MaybeNumber]
    low: Sequence[MaybeNumber] | None = None
    high: Sequence[MaybeNumber] | None = None

    def __post_init__(self) -> None:
        text(self.label, "label of a series")
        if (self.low is None) != (self.high is None):
            raise EvidenceError(f"series {self.label!r}: a band has both `low` and `high`")
        lengths = {}
        for name in ("x", "y") if self.low is None else ("x", "y", "low", "high"):
            values = as_numbers(getattr(self, name), f"series {self.label!r}, {name}")
            object.__setattr__(self, name, values)
            lengths[name] = len(values)
        if len(set(lengths.values())) > 1:
            shown = ", ".join(f"{name} {length}" for name, length in lengths.items())
            raise EvidenceError(f"series {self.label!r}: unequal lengths ({shown})")


@dataclass(frozen=True)
class SeriesPlot(Plot):
    """Series on common axes.

    Attributes:
        series: what is drawn, in this order.
        x, y: labels of the axes.
        xscale, yscale: "linear", "log", "symlog" or "logit".
        ylim: lower and upper limit of y; by default as the data need.
    """

    parts: ClassVar[Mapping[str, type]] = {"series": Series}

    series: Sequence[Series]
    x: str = ""
    y: str = ""
    xscale: str = "linear"
    yscale: str = "linear"
    ylim: Sequence[float] | None = None

    def _check(self) -> None:
        object.__setattr__(self, "series", instances(self.series, Series, "series"))
        for name in ("x", "y"):
            text(getattr(self, name), f"label of {name}")
        for name in ("xscale", "yscale"):
            if getattr(self, name) not in _SCALES:
                raise EvidenceError(unknown_text(name, getattr(self, name), _SCALES))
        if self.ylim is not None:
            limits = tuple(as_number(limit, "ylim") for limit in self.ylim)
            if len(limits) != 2 or None in limits:
                raise EvidenceError("ylim: expected two numbers")
            object.__setattr__(self, "ylim", limits)

    def draw(self) -> Figure:
        """All series, with a legend below the axes where there are many."""
        from nngp_dag.plots.style import line, tidy

        below = len(self.series) > 4 or any(len(series.label) > 30 for series in self.series)
        drawn = blank(PLOT_WIDTH, 3.0 + 0.17 * len(self.series) * below)
        ax = drawn.add_subplot()
        tidy(ax)
        for i, series in enumerate(self.series):
            # Of lines that lie on each other the later ones are thinner, so that all are seen.
            self._draw_series(ax, series, line(i) | {"linewidth": max(1.0, 2.2 - 0.3 * i)})
        ax.set_xscale(self.xscale)
        ax.set_yscale(self.yscale, **({"linthresh": self._smallest_height()} if self.yscale == "symlog" else {}))
        if self.ylim is not None:
            ax.set_ylim(*self.ylim)
        ax.set_xlabel(mathtext(self.x))
        ax.set_ylabel(mathtext(self.y))
        if below:
            drawn.legend(loc="outside lower left", frameon=False, ncols=1)
        elif len(self.series) > 1:
            ax.legend(frameon=False)
        return drawn

    def _smallest_height(self) -> float:
        """The power of ten below the height of the lowest series: on a scale that is linear below it all show."""
        heights = [max((abs(y) for y in series.y if y is not None), default=0) for series in self.series]
        return float(10 ** math.floor(math.log10(min([height for height in heights if height > 0], default=1.0))))

    def _draw_series(self, ax: Axes, series: Series, look: Look) -> None:
        """Draw one series, in colour, dash, marker and line width of `look`."""
        raise NotImplementedError


def defined(values: Sequence[MaybeNumber]) -> list[float]:
    """Numbers as matplotlib takes them: NaN where one is undefined."""
    return [math.nan if value is None else value for value in values]
