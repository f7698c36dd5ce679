"""Series over two axes: the data of plots of lines and of points."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from nngp_dag.errors import unknown_text
from verify.framework.checks import MaybeNumber, as_number, as_numbers, instances, text
from verify.framework.errors import EvidenceError
from verify.framework.plots.plot import PLOT_WIDTH, Plot, blank

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Series", "SeriesPlot", "defined"]

_SCALES = ("linear", "log", "symlog", "logit")
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C8C8C")


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
        drawn = blank(PLOT_WIDTH, 3.4 + 0.16 * max(0, len(self.series) - 4))
        ax = drawn.add_subplot()
        for i, series in enumerate(self.series):
            self._draw_series(ax, series, _COLOURS[i % len(_COLOURS)])
        ax.set_xscale(self.xscale)
        ax.set_yscale(self.yscale)
        if self.ylim is not None:
            ax.set_ylim(*self.ylim)
        ax.set_xlabel(self.x)
        ax.set_ylabel(self.y)
        if len(self.series) > 4:
            columns = 1 if any(len(series.label) > 44 for series in self.series) else 2
            ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), fontsize=7, frameon=False, ncols=columns)
        elif len(self.series) > 1:
            ax.legend(fontsize=8, frameon=False)
        return drawn

    def _draw_series(self, ax: Axes, series: Series, colour: str) -> None:
        """Draw one series."""
        raise NotImplementedError


def defined(values: Sequence[MaybeNumber]) -> list[float]:
    """Numbers as matplotlib takes them: NaN where one is undefined."""
    return [math.nan if value is None else value for value in values]
