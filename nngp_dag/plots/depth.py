"""The propagation of a spectrum: the eigenvalues of every node's kernel, from the input to the output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.errors import InputError
from nngp_dag.plots.style import COLOURS, SYMBOLS, Look, figure_style, new_axes, tidy
from nngp_dag.spectrum import Spectrum, spectrum

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_depth"]

_QUANTILES = ((0.1, 0.9), (0.25, 0.75))


def plot_depth(
    nodes: Mapping[int, Spectrum | ArrayLike], ax: Axes | None = None, *, scale_free: bool = False, legend: bool = True
) -> Axes:
    """Eigenvalues of K_tt at every node t: the largest, the smallest, the median, and bands of 50 % and 80 % of them.

    Args:
        nodes: for each node a `Spectrum` or a kernel matrix [N, N], N >= 2.
        ax: where to draw; by default a new plot.
        scale_free: divide each node's eigenvalues by its mean diagonal, so that the number of paths does not show.
        legend: explain lines and bands.

    Returns:
        The Axes.

    Raises:
        InputError: no nodes, or only zero kernels.
    """
    if not nodes:
        raise InputError("nothing to draw: give a kernel or spectrum for each node")
    spectra = {node: s if isinstance(s, Spectrum) else spectrum(s) for node, s in nodes.items()}
    scale = {node: s.mean_diagonal if scale_free and s.mean_diagonal > 0 else 1.0 for node, s in spectra.items()}
    resolved = np.array([s.eigenvalues > s.resolution for s in spectra.values()])
    values = np.array([s.eigenvalues / scale[node] for node, s in spectra.items()])
    if not resolved.any():
        raise InputError("nothing to draw: no eigenvalue of any node can be told from zero")
    # What cannot be told from zero is drawn at the bottom, below all that can.
    bottom = 0.3 * float(values[resolved].min())
    values = np.where(resolved, values, bottom)
    position = np.array(list(spectra))
    with figure_style():
        from matplotlib.ticker import MaxNLocator

        ax = new_axes(ax)
        tidy(ax)
        for (low, high), alpha in zip(_QUANTILES, (0.16, 0.26), strict=True):
            band = np.quantile(values, [low, high], axis=1)
            share = round(100 * (high - low))
            ax.fill_between(
                position, *band, color=COLOURS["blue"], alpha=alpha, linewidth=0, label=f"{share} % of them"
            )
        lines: tuple[tuple[str, np.ndarray, Look], ...] = (
            ("lambda_max", values[:, -1], {"color": COLOURS["green"], "marker": "^", "linestyle": "-."}),
            ("median", np.median(values, axis=1), {"color": COLOURS["blue"], "marker": "o", "linestyle": "-"}),
            ("lambda_min", values[:, 0], {"color": COLOURS["vermilion"], "marker": "s", "linestyle": "--"}),
        )
        for name, line, look in lines:
            ax.plot(position, line, label=SYMBOLS.get(name, name), **look)
        if not resolved.all():
            ax.set_ylim(bottom=bottom)
            ax.annotate(
                "zero", (0, 0), xycoords="axes fraction", xytext=(4, 3), textcoords="offset points", fontsize=7.5
            )
        ax.set(yscale="log", xlabel="node $t$", ylabel=_label(scale_free))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        ax.margins(y=0.06)
        if legend:
            ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def _label(scale_free: bool) -> str:
    return SYMBOLS["scale_free"] + " of $K_{tt}$" if scale_free else SYMBOLS["eigenvalue"] + " of $K_{tt}$"
