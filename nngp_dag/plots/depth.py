"""The propagation of a spectrum: the eigenvalues of every node's kernel, from the input to the output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.errors import InputError
from nngp_dag.plots.style import COLOURS, GREY, SYMBOLS, Look, figure_style, new_axes, tidy
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
    # What cannot be told from zero is drawn on the line of zero, half a decade below all that can, between two ticks.
    zero = 10 ** (np.floor(np.log10(values[resolved].min())) - 0.5)
    values = np.where(resolved, values, zero)
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
        every = max(1, len(position) // 10)  # in a long chain markers would hide the line
        for name, line, look in lines:
            ax.plot(position, line, label=SYMBOLS.get(name, name), markevery=every, **look)
        ax.set(yscale="log", xlabel="node $t$", ylabel=_label(scale_free))
        low, high = float(values.min()), float(values.max())
        margin = (high / low) ** 0.05
        ax.set_ylim(low / margin, high * margin)
        if not resolved.all():
            _mark_zero(ax, zero)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        if legend:
            ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3, columnspacing=1.2)
    return ax


def _mark_zero(ax: Axes, zero: float) -> None:
    """A line for what is zero, named like a tick; ticks below it would be of no value."""
    ax.axhline(zero, color=GREY, linestyle=":", linewidth=1, zorder=1)
    ax.annotate(
        "zero",
        (0.001, zero),
        xycoords=("axes fraction", "data"),
        xytext=(-5, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=7.5,
        annotation_clip=True,  # where limits that were set later leave it out
    )


def _label(scale_free: bool) -> str:
    return SYMBOLS["scale_free"] + " of $K_{tt}$" if scale_free else SYMBOLS["eigenvalue"] + " of $K_{tt}$"
