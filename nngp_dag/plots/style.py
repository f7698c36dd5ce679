"""One look for all plots: colours safe for the colour-blind, lines that survive grey print, one symbol per quantity.

Every plot takes an optional Axes, draws under `figure_style()`, and returns the Axes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nngp_dag.reading import METHODS
from nngp_dag.theme.palette import SERIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "COLOURS",
    "GREY",
    "LINES",
    "METHOD_LINES",
    "SYMBOLS",
    "Look",
    "figure_style",
    "line",
    "new_axes",
    "shown_name",
    "tidy",
    "use_style",
]

COLOURS = SERIES
"""The colours of lines, by name."""

GREY = "#8A8A8A"

SYMBOLS = {
    "nngp": r"$K$",
    "ntk": r"$K + \Theta$",
    "tangent": r"$\Theta$",
    "eigenvalue": r"$\lambda_i$",
    "lambda_min": r"$\lambda_{\min}$",
    "lambda_max": r"$\lambda_{\max}$",
    "scale_free": r"$\lambda_i \, / \, (\mathrm{tr} / N)$",
    "correlation": r"$\rho$",
    "effective_depth": r"$\bar d$",
    "effective_width": r"$\bar m$",
    "num_paths": r"$P$",
    "paths_by_depth": r"$n_d$",
}
"""The symbol of each quantity, the same in every plot."""

Look = dict[str, Any]
"""Properties of a line or a marker by matplotlib's names for them, as `Axes.plot` takes them."""

LINES: list[Look] = [
    {"color": COLOURS["blue"], "linestyle": "-", "marker": "o"},
    {"color": COLOURS["vermilion"], "linestyle": "--", "marker": "s"},
    {"color": COLOURS["green"], "linestyle": "-.", "marker": "^"},
    {"color": COLOURS["purple"], "linestyle": (0, (1, 1)), "marker": "D"},
    {"color": COLOURS["black"], "linestyle": (0, (5, 1, 1, 1, 1, 1)), "marker": "v"},
    {"color": COLOURS["orange"], "linestyle": (0, (8, 2)), "marker": "P"},
    {"color": COLOURS["sky"], "linestyle": (0, (3, 1, 1, 1)), "marker": "X"},
]
"""Colour, dash and marker of series; colour alone never tells two apart."""

METHOD_LINES = {
    method: {key: look[key] for key in ("color", "linestyle")}
    for method, look in zip(METHODS, itertools.cycle(LINES), strict=False)
}
"""The look of each method, the same in every plot."""

_Settings = Any  # the exact type would be a list of every setting's name
_RC: _Settings = {
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9.5,
    "legend.fontsize": 8.5,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "mathtext.fontset": "cm",
    "axes.linewidth": 0.7,
    "axes.titlepad": 8,
    "lines.linewidth": 1.4,
    "lines.markersize": 4,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "figure.dpi": 120,
    "savefig.dpi": 200,
    "savefig.bbox": "tight",
}


@contextmanager
def figure_style() -> Iterator[None]:
    """Fonts and line widths of the project's plots, for what is drawn inside; the user's settings are left alone."""
    import matplotlib as mpl

    # Not rc_context, which also takes back that a notebook's backend, loaded by the first plot, is interactive: no
    # later plot would be shown.
    before = {key: mpl.rcParams[key] for key in _RC}
    mpl.rcParams.update(_RC)
    try:
        yield
    finally:
        mpl.rcParams.update(before)


def use_style() -> None:
    """The style of `figure_style` for the rest of the session: for the first cell of a notebook."""
    import matplotlib as mpl

    bare: _Settings = {"axes.spines.top": False, "axes.spines.right": False}
    grid: _Settings = {"axes.grid": True, "grid.color": "#E6E6E6", "grid.linewidth": 0.6, "axes.axisbelow": True}
    mpl.rcParams.update(_RC)
    mpl.rcParams.update(bare)
    mpl.rcParams.update(grid)


def line(index: int) -> Look:
    """Colour, dash and marker of series number `index`; they repeat after the seventh."""
    return LINES[index % len(LINES)]


def shown_name(name: str) -> str:
    """A name of somebody's file or column as a plot's text: its dollars start no formula, and every character shows."""
    printable = (c if c.isprintable() else repr(c)[1:-1] for c in name)
    return "".join(printable).replace("$", r"\$")


def new_axes(ax: Axes | None, width: float = 4.2, height: float = 3.0) -> Axes:
    """The Axes given, or those of a new plot of the given size in inches."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    _, created = plt.subplots(figsize=(width, height), layout="constrained")
    return created


def tidy(ax: Axes) -> None:
    """Leave only the left and bottom spines, and a faint grid behind the data."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, color="#E6E6E6", linewidth=0.6)
    ax.set_axisbelow(True)
