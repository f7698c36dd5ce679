"""The order-to-chaos plane: chi over weight scale and bias scale, and the critical line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.plots.style import COLOURS, GREY, figure_style, new_axes
from nngp_dag.signal import OrderChaosPlane

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_order_chaos"]

_DEEPEST = 2.0
"""Colours run from chi = 1/4 to chi = 4, in powers of two."""


def plot_order_chaos(plane: OrderChaosPlane, ax: Axes | None = None, *, colour_bar: bool = True) -> Axes:
    """Chi of a stacked cell over weight scale and bias scale, ordered in blue and chaotic in red, the critical line
    between.

    Hatched is where the variance grows without bound. The upper axis has the literature's sigma_w^2 = c w^2, where all
    edges have one activation and the cell's own weight scale is 1.

    Args:
        plane: what `order_chaos_plane` found; at least two bias scales.
        ax: where to draw; by default a new plot.
        colour_bar: whether to draw one.

    Returns:
        The Axes.

    Raises:
        InputError: a plane of one bias scale.
    """
    if plane.bias_scale.size < 2:
        raise InputError("a plane of one bias scale is a line: give at least two to plot")
    w, v = plane.weight_scale, plane.bias_scale
    with figure_style():
        from matplotlib.colors import LinearSegmentedColormap

        ax = new_axes(ax, 4.6, 3.4)
        shades = LinearSegmentedColormap.from_list("order", [COLOURS["blue"], "#FFFFFF", COLOURS["vermilion"]])
        with np.errstate(divide="ignore"):
            height = np.clip(np.log2(plane.chi), -_DEEPEST, _DEEPEST)
        levels = np.linspace(-_DEEPEST, _DEEPEST, 33)
        filled = ax.contourf(w, v, height, levels=levels, cmap=shades)
        if np.isinf(plane.variance).any():
            endless = ax.contourf(w, v, np.isinf(plane.variance), levels=[0.5, 1.5], colors="none", hatches=["//"])
            endless.set(facecolor="none", edgecolor="#B9A99C", linewidth=0)
        ax.plot(plane.critical, v, color=COLOURS["black"], label=r"$\chi = 1$")
        _name_phases(ax, plane)
        ax.set(xlabel="weight scale $w$", ylabel=r"bias scale $v = \sigma_b$", xlim=w[[0, -1]], ylim=v[[0, -1]])
        ax.spines[["top", "right"]].set_color(GREY)
        _literature_axis(ax, plane)
        if colour_bar:
            bar = ax.figure.colorbar(filled, ax=ax, ticks=range(-2, 3))
            bar.ax.set_yticklabels(["1/4", "1/2", "1", "2", "4"])
            bar.set_label(r"$\chi$")
    return ax


def _name_phases(ax: Axes, plane: OrderChaosPlane) -> None:
    """The names in the middle of where chi is below and above 1."""
    for name, chosen in (("ordered", plane.chi < 1), ("chaotic", plane.chi > 1)):
        if chosen.mean() < 0.05:
            continue
        row, column = (int(np.median(index)) for index in np.nonzero(chosen))
        if not chosen[row, column]:
            rows = np.nonzero(chosen)[0]
            row = int(np.bincount(rows).argmax())
            column = int(np.median(np.nonzero(chosen[row])[0]))
        look = {"facecolor": "white", "edgecolor": "none", "pad": 1.2, "alpha": 0.8}
        ax.text(plane.weight_scale[column], plane.bias_scale[row], name, ha="center", va="center", bbox=look)


def _literature_axis(ax: Axes, plane: OrderChaosPlane) -> None:
    wiring = plane.maps.wiring
    sigmas = set(wiring.activations)
    if len(sigmas) != 1 or not (np.asarray(wiring.weight_scale) == 1).all():
        return
    (sigma,) = sigmas
    assert sigma is not None
    c = sigma.normalization
    upper = ax.secondary_xaxis(
        "top", functions=(lambda w: c * np.maximum(w, 0) ** 2, lambda s: (np.maximum(s, 0) / c) ** 0.5)
    )
    upper.set_xlabel(rf"$\sigma_w^2 = c\, w^2$ of {sigma.name}")
    upper.tick_params(labelsize=7.5)
