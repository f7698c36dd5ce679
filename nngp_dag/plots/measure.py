"""Spectral densities of kernels that were never stored: from the nodes and weights of Lanczos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nngp_dag.errors import InputError
from nngp_dag.matrix_free.density import SpectralMeasure
from nngp_dag.plots.style import SYMBOLS, figure_style, line, new_axes, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_measure_density"]


def plot_measure_density(measures: Mapping[str, SpectralMeasure], ax: Axes | None = None) -> Axes:
    """Density of eigenvalues per decade (`SpectralMeasure.density`) against the eigenvalue, on a logarithmic scale.

    Args:
        measures: by label.
        ax: where to draw; by default a new plot.

    Returns:
        The Axes; ticks below mark the eigenvalues that are known one by one.

    Raises:
        InputError: no measure, or one with fewer than two distinct nodes above its resolution.
    """
    if not measures:
        raise InputError("nothing to draw: give a mapping from labels to measures")
    with figure_style():
        ax = new_axes(ax)
        tidy(ax)
        for index, (label, measure) in enumerate(measures.items()):
            points, density = measure.density()
            look = {key: value for key, value in line(index).items() if key != "marker"}
            ax.plot(points, density, label=label, **look)
            ax.fill_between(points, density, color=look["color"], alpha=0.12, linewidth=0)
            height = 0.03 * (1 + index)
            known = measure.atoms[measure.atoms > 0]
            ax.plot(known, [height] * len(known), "|", color=look["color"], transform=ax.get_xaxis_transform())
        ax.set_xscale("log")
        ax.set_ylim(bottom=0)
        ax.set(xlabel=SYMBOLS["eigenvalue"], ylabel="density per decade")
        if len(measures) > 1:
            ax.legend()
    return ax
