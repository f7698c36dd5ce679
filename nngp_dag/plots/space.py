"""A whole space of DAGs at a glance: a statistic of every DAG against effective depth and width, and a map of codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.dag import num_edges, num_nodes_of
from nngp_dag.errors import InputError
from nngp_dag.paths import effective_depth_width, path_counts_array
from nngp_dag.plots.style import SYMBOLS, figure_style, new_axes, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_discrepancy_map", "plot_space"]

_REDUCE: dict[str, Callable[[np.ndarray], np.floating]] = {"max": np.nanmax, "min": np.nanmin, "median": np.nanmedian}


def plot_space(
    codes: ArrayLike,
    values: ArrayLike,
    ax: Axes | None = None,
    *,
    label: str = SYMBOLS["lambda_min"],
    reduce: Literal["max", "min", "median"] = "max",
    log: bool = False,
) -> Axes:
    """A statistic of every DAG against effective depth and width: a circle for all DAGs of equal (d, m).

    Its colour is the largest (smallest, median) value among them, its area their number. DAGs without a linear edge on
    a path (d = 0), or with an undefined value, are left out.

    Args:
        codes: flat codes of DAGs of equal node count, integers [A, E].
        values: a number for each, [A]; NaN where undefined.
        ax: where to draw; by default a new plot.
        label: what the values are, for the colour bar.
        reduce: which of the values of equal (d, m) is shown.
        log: logarithmic colours.

    Returns:
        The Axes.

    Raises:
        InputError: arrays that do not fit each other, or nothing to draw.
    """
    groups = _group_by_shape(codes, values, _REDUCE[reduce])
    with figure_style():
        from matplotlib.colors import LogNorm, Normalize

        ax = new_axes(ax, 4.6, 3.3)
        tidy(ax)
        order = np.argsort(-groups.number)  # small circles on top
        points = ax.scatter(
            groups.shapes[order, 0],
            groups.shapes[order, 1],
            s=_area(groups.number[order], groups.number),
            c=groups.values[order],
            cmap="viridis",
            norm=(LogNorm if log else Normalize)(groups.values.min(), groups.values.max()),
            edgecolors="white",
            linewidths=0.7,
        )
        bar = ax.figure.colorbar(points, ax=ax, pad=0.02, aspect=26)
        bar.set_label(f"{label} ({reduce} over DAGs)" if len(groups.shapes) < groups.number.sum() else label)
        bar.outline.set_linewidth(0.6)
        _size_legend(ax, groups.number)
        ax.set(xlabel=f"effective depth {SYMBOLS['effective_depth']}")
        ax.set(ylabel=f"effective width {SYMBOLS['effective_width']}")
        ax.margins(0.08)
    return ax


class _Groups(NamedTuple):
    """The distinct (d, m), float64 [G, 2]; the reduced value of each, [G]; and the number of its DAGs, [G]."""

    shapes: np.ndarray
    values: np.ndarray
    number: np.ndarray


def _group_by_shape(codes: ArrayLike, values: ArrayLike, reduce: Callable[[np.ndarray], np.floating]) -> _Groups:
    """DAGs of equal effective depth and width, to nine digits, without those of no depth or no value."""
    counts, value = path_counts_array(np.asarray(codes)), np.asarray(values, np.float64)
    if value.shape != counts.shape[:1]:
        raise InputError(f"{len(counts)} codes need as many values, got shape {value.shape}")
    depth, width = effective_depth_width(counts)
    keep = (depth > 0) & np.isfinite(value)
    if not keep.any():
        raise InputError("nothing to draw: no DAG has a linear edge on a path and a defined value")
    shapes, member, number = np.unique(
        np.round(np.stack([depth, width], axis=1)[keep], 9), axis=0, return_inverse=True, return_counts=True
    )
    member = member.reshape(-1)
    reduced = np.array([reduce(value[keep][member == g]) for g in range(len(shapes))])
    return _Groups(shapes, reduced, number)


def _area(number: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Areas of circles for so many DAGs, where `numbers` are all that occur."""
    area: np.ndarray = 34 + 300 * number / numbers.max()
    return area


def _size_legend(ax: Axes, numbers: np.ndarray) -> None:
    for size in sorted({1, int(numbers.max())}):
        words = f"{size} DAG" + "s" * (size > 1)
        ax.scatter([], [], s=_area(np.array([size]), numbers), c="#BBBBBB", edgecolors="white", label=words)
    ax.legend(loc="upper right", labelspacing=1.0, borderaxespad=0.2)


def plot_discrepancy_map(
    codes: ArrayLike,
    values: ArrayLike,
    ax: Axes | None = None,
    *,
    label: str = "relative difference",
    floor: float = 1e-9,
    log: bool = False,
) -> Axes:
    """A number of every DAG of a complete space as a map: a row for the edges between inner nodes, a column for those
    into the output.

    Rows and columns run in the lexicographic order of codes, so that blocks show which edge matters. White: at most
    `floor`; grey: undefined.

    Args:
        codes: flat codes of a complete space in lexicographic order, integers [3^E, E] (`enumerate_codes`).
        values: a non-negative number for each, [3^E]; NaN where undefined.
        ax: where to draw; by default a new plot.
        label: what the values are, for the colour bar.
        floor: values up to here count as nothing.
        log: logarithmic colours.

    Returns:
        The Axes.

    Raises:
        InputError: codes that are no complete space in order, or values that do not fit them.
    """
    codes, values = np.asarray(codes), np.asarray(values, np.float64)
    n = num_nodes_of(codes.shape[-1])
    powers = 3 ** np.arange(codes.shape[-1] - 1, -1, -1)
    if codes.shape[0] != 3 ** codes.shape[-1] or not (codes @ powers == np.arange(codes.shape[0])).all():
        raise InputError("a map needs a complete space in lexicographic order: enumerate_codes(num_nodes)")
    if values.shape != codes.shape[:1]:
        raise InputError(f"{len(codes)} codes need as many values, got shape {values.shape}")
    rows, columns = 3 ** num_edges(n - 1), 3 ** (n - 1)
    grid = values.reshape(rows, columns)
    with figure_style():
        import matplotlib as mpl
        from matplotlib.colors import LogNorm, Normalize

        ax = new_axes(ax, 4.9, 4.2)
        colours = mpl.colormaps["cividis_r"].with_extremes(under="white", bad="#D5D5D5")
        high = max(float(np.nanmax(values)), 2 * floor)
        norm = (LogNorm if log else Normalize)(floor, high)
        image = ax.imshow(grid, cmap=colours, norm=norm, aspect="auto", interpolation="nearest", origin="upper")
        bar = ax.figure.colorbar(image, ax=ax, pad=0.02, aspect=26, extend="min")
        bar.set_label(label)
        bar.outline.set_linewidth(0.6)
        ax.grid(False)
        _digits(ax, rows, columns, codes, n)
    return ax


def _digits(ax: Axes, rows: int, columns: int, codes: np.ndarray, n: int) -> None:
    """Ticks with the code's digits at every ninth row and column, and lines between blocks of the first digits."""
    inner = num_edges(n - 1)
    for axis, size in ((ax.yaxis, rows), (ax.xaxis, columns)):
        step = max(1, size // 9)
        places = np.arange(0, size, step)
        first = codes[places * (columns if axis is ax.yaxis else 1)]
        digits = first[:, :inner] if axis is ax.yaxis else first[:, inner:]
        names = [_grouped(d, n, axis is ax.yaxis) for d in digits]
        axis.set_ticks(places, names, fontsize=7, family="monospace")
        for border in range(size // 3, size, max(1, size // 3)):
            (ax.axhline if axis is ax.yaxis else ax.axvline)(border - 0.5, color="#777777", linewidth=0.5)
    ax.tick_params(axis="x", rotation=90)
    ax.set(ylabel="edges between inner nodes", xlabel=f"edges into the output (node {n - 1})")


def _grouped(digits: np.ndarray, n: int, inner: bool) -> str:
    text = "".join(map(str, digits))
    if not inner:
        return text
    return "_".join(text[num_edges(t) : num_edges(t + 1)] for t in range(1, n - 1))
