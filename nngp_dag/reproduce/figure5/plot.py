"""Figure 5: mean accuracy and its deviation over groups of equal effective depth and width."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nngp_dag.accuracy.groups import Groups
from nngp_dag.plots.style import COLOURS, SYMBOLS, figure_style, new_axes, shown_name
from nngp_dag.reproduce.figure5.report import BenchmarkReport
from nngp_dag.spaces import Box, PathTotals

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_figure5", "plot_shape_groups"]

_DARK, _LIGHT = 0.0, 0.93
_MIN_RADIUS, _MAX_RADIUS = 3.0, 15.0  # points
_CROWD = 25  # groups up to which circles have their full size


def plot_figure5(report: BenchmarkReport) -> Figure:
    """Figure 5 for every data set of a benchmark, side by side.

    Each circle is a group of architectures of equal (d, m): its grey level is their mean accuracy (black is worst), its
    radius the deviation. Blue: no cell of the space is that deep and that wide. Dashed: the box of the filter, half a
    radius around the centre of the space.
    """
    import matplotlib.pyplot as plt

    names = list(report.datasets)
    with figure_style():
        columns = min(len(names), 3)
        rows = -(-len(names) // columns)
        size = (0.4 + 3.55 * columns, 3.95 * rows)
        figure, axes = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
        table = report.benchmark.space.distribution()
        if report.fixed is not None:
            table = table.select(table.parameterised == report.fixed)
        box = report.benchmark.space.range.shrink(Fraction(1, 2))
        for ax, name in zip(axes.flat, names, strict=False):
            plot_shape_groups(report.groups, name, possible=table.totals, box=box, ax=ax)
            r = report.datasets[name].correlations
            over = (r["architectures"]["d, m"].multiple.value, r["groups"]["d, m"].multiple.value)
            ax.set_title(f"{_title(name)}\n$R$ = {over[0]:.2f} over architectures, {over[1]:.2f} over groups")
        for ax in axes.flat[len(names) :]:
            ax.set_visible(False)
        return figure


def plot_shape_groups(
    groups: Groups, dataset: str, possible: PathTotals | None = None, box: Box | None = None, ax: Axes | None = None
) -> Axes:
    """One panel of Figure 5.

    Args:
        groups: groups of equal (d, m).
        dataset: the data set.
        possible: path totals of the cells that exist, for the shaded region.
        box: a box to outline, such as the filter's.
        ax: where to draw; by default a new plot.

    Returns:
        The Axes.
    """
    depth, width = groups.depth, groups.width
    with figure_style():
        ax = new_axes(ax, 4.2, 4.2)
        high_d, high_m = 1.12 * depth.max() + 0.12, 1.12 * width.max() + 0.15
        if possible is not None:
            corners = _frontier(possible)
            high_d, high_m = max(high_d, 1.08 * corners[:, 0].max()), max(high_m, 1.08 * corners[:, 1].max())
            _shade(ax, corners, high_d, high_m)
        if box is not None:
            _outline(ax, box)
        largest, size = _circles(ax, groups, dataset)
        _size_legend(ax, largest, size, with_box=box is not None)
        ax.set(xlim=(-0.09 * high_d, high_d), ylim=(-0.09 * high_m, high_m))
        if depth.min() == 0:
            beside = np.sqrt(_area(groups.deviation[dataset][depth == 0].max(), largest, size)) / 2 + 2
            note = ax.annotate("no parameterised path", (0, 0), (beside, 0), textcoords="offset points")
            note.set(fontsize=7, color="#444444", ha="left", va="center", zorder=4)
        ax.set(xlabel=f"effective depth {SYMBOLS['effective_depth']}")
        ax.set(ylabel=f"effective width {SYMBOLS['effective_width']}", title=_title(dataset))
        ax.spines[["top", "right"]].set_visible(False)
    return ax


def _outline(ax: Axes, box: Box) -> None:
    """The box, dashed."""
    from matplotlib.patches import Rectangle

    (d_min, d_max, m_min, m_max) = map(float, box.bounds)
    outline = Rectangle((d_min, m_min), d_max - d_min, m_max - m_min, fill=False, zorder=2)
    outline.set(edgecolor=COLOURS["vermilion"], linestyle=(0, (4, 2)), linewidth=1.0)
    ax.add_patch(outline)


def _circles(ax: Axes, groups: Groups, dataset: str) -> tuple[float, float]:
    """A circle per group, and the bar of greys; the largest deviation that sizes tell apart, and its radius."""
    import matplotlib as mpl

    depth, mean, deviation = groups.depth, groups.mean[dataset], groups.deviation[dataset]
    greys = mpl.colors.LinearSegmentedColormap.from_list("accuracy", [str(_DARK), str(_LIGHT)])
    size = max(2.2 * _MIN_RADIUS, _MAX_RADIUS * min(1.0, (_CROWD / len(depth)) ** 0.5))  # many groups are drawn smaller
    order = np.argsort(-deviation)  # small circles on top
    # Cells without a parameterised path hardly learn: they would use up the scales of grey and of size.
    proper = depth > 0 if (depth > 0).any() else depth >= 0
    low, high, largest = float(mean[proper].min()), float(mean[proper].max()), float(deviation[proper].max())
    points = ax.scatter(
        depth[order],
        groups.width[order],
        s=_area(deviation[order], largest, size),
        c=mean[order],
        cmap=greys,
        vmin=low,
        vmax=max(high, low + 1e-9),
        edgecolors="#555555",
        linewidths=0.6,
        zorder=3,
    )
    bar = ax.figure.colorbar(points, ax=ax, pad=0.02, aspect=24, extend="min" if mean.min() < low else "neither")
    bar.set_label("mean accuracy (%)")
    bar.outline.set_linewidth(0.6)
    return largest, size


def _frontier(possible: PathTotals) -> np.ndarray:
    """Corners (d, m) of the attainable: for each depth the largest width at that depth or more, by increasing depth."""
    kept = possible.take(possible.nondegenerate)
    shape = np.unique(np.column_stack([kept.depth, kept.width]), axis=0)
    widest = np.maximum.accumulate(shape[::-1, 1])[::-1]
    corner = shape[:, 1] >= widest - 1e-12
    return np.asarray(shape[corner])


def _shade(ax: Axes, corners: np.ndarray, high_d: float, high_m: float) -> None:
    edges = np.concatenate([[-high_d], corners[:, 0]])
    x = np.append(edges, 2 * high_d)
    y = np.concatenate([corners[:, 1], [0, 0]])
    ax.fill_between(x, y, 2 * high_m, step="post", color=COLOURS["sky"], alpha=0.28, linewidth=0, zorder=0)
    ax.text(0.97, 0.97, "no such cell", transform=ax.transAxes, ha="right", va="top", color=COLOURS["blue"], fontsize=8)


def _area(deviation: npt.ArrayLike, largest: float, size: float) -> np.ndarray:
    """Marker areas in square points: the radius grows linearly with the deviation, up to the largest that is shown."""
    share = np.clip(np.asarray(deviation) / max(largest, 1e-12), 0, 1)
    radius = _MIN_RADIUS + (size - _MIN_RADIUS) * share
    return np.asarray((2 * radius) ** 2)


def _size_legend(ax: Axes, largest: float, size: float, with_box: bool) -> None:
    from matplotlib.lines import Line2D

    shown = (largest / 2, largest) if largest > 0 else (0.0,)
    handles: list[Artist] = [
        ax.scatter([], [], s=_area(v, largest, size), c="white", edgecolors="#555555", linewidths=0.6, label=f"{v:.2g}")
        for v in shown
    ]
    handles[-1].set_label(f"{shown[-1]:.2g} % dev.")
    if with_box:
        dashes = (0, (3, 1.5))
        handles.append(Line2D([], [], label="filter", color=COLOURS["vermilion"], linestyle=dashes, linewidth=1.0))
    ax.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.15),
        ncols=len(handles),
        fontsize=8,
        columnspacing=0.9,
        handletextpad=0.4,
        handlelength=2 * size / 8,  # in units of the font: as wide as the largest circle
        borderpad=size / 9,
    )


def _title(dataset: str) -> str:
    known = {
        "cifar10": "CIFAR-10",
        "cifar100": "CIFAR-100",
        "imagenet16_120": "ImageNet16-120",
        "imagenet16-120": "ImageNet16-120",
    }
    return known.get(dataset.lower()) or shown_name(dataset)
