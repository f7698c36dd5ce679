"""The dual map of an activation on correlations, its iterates and its fixed points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nngp_dag import activations
from nngp_dag.activations import Activation
from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.plots.style import COLOURS, GREY, SYMBOLS, figure_style, new_axes, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["fixed_points", "plot_dual_map"]

_GRID = 2001


def plot_dual_map(
    activation: str | Activation = "relu", ax: Axes | None = None, *, iterates: Sequence[int] = (1, 2, 3, 5, 10, 30)
) -> Axes:
    """The dual map f and its iterates f^d against the correlation of two unit inputs, what a chain of linear edges
    does.

    Where f^d crosses the dotted diagonal the correlation stays: filled circles attract (|f'| < 1, or = 1 from the side
    that exists), open ones repel. Shades run from the first iterate (light) to the last (dark).

    Args:
        activation: a name, or an `Activation`.
        ax: where to draw; by default a new plot.
        iterates: numbers d >= 1 of linear edges.

    Returns:
        The Axes.

    Raises:
        InputError: no iterates, or one below 1.
    """
    if not iterates or min(iterates) < 1:
        raise InputError("iterates are numbers of linear edges, at least one of them, each at least 1")
    activation = activations.get(activation)
    rho = np.linspace(-1, 1, 401)
    with figure_style():
        from matplotlib.colors import LinearSegmentedColormap

        ax = new_axes(ax, 3.6, 3.4)
        tidy(ax)
        ax.plot([-1, 1], [-1, 1], color=GREY, linestyle=":", linewidth=1)
        shades = LinearSegmentedColormap.from_list("depth", ["#9CCBE8", COLOURS["blue"], "#00263D"])
        depths = sorted(iterates)
        curves = np.array([_iterate(activation, rho, d) for d in depths])
        place = _widest(curves)
        for i, (d, values) in enumerate(zip(depths, curves, strict=True)):
            colour = shades(i / max(1, len(depths) - 1))
            ax.plot(rho, values, color=colour)
            look = {"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85}
            ax.text(rho[place], values[place], f"{d}", color=colour, fontsize=8, ha="center", va="center", bbox=look)
        ax.text(0.97, 0.03, "numbers: $d$", transform=ax.transAxes, va="bottom", ha="right", fontsize=8)
        for point, attracts in fixed_points(activation):
            fill = COLOURS["vermilion"] if attracts else "white"
            ax.plot(point, point, "o", ms=5, color=fill, mec=COLOURS["vermilion"], zorder=5, clip_on=False)
        ax.set(xlim=(-1, 1), aspect="equal", title=f"dual map of {activation.name}")
        ax.set_ylim(min(-1.0, ax.get_ylim()[0]) if activation.name == "identity" else ax.get_ylim()[0], 1.02)
        ax.set(xlabel=f"correlation {SYMBOLS['correlation']}", ylabel=r"$f^{\,d}(\rho)$")
    return ax


def fixed_points(activation: str | Activation) -> list[tuple[float, bool]]:
    """Correlations that the dual map leaves alone, each with whether it attracts.

    Roots of f(rho) - rho on [-1, 1] (f on unit variances): ends, and changes of sign on a grid of 2,001 points, refined
    by bisection. Whether one attracts is seen by iterating f from beside it. For the identity every point is fixed: the
    list is empty.
    """
    activation = activations.get(activation)
    rho = np.linspace(-1, 1, _GRID)
    off = _iterate(activation, rho, 1) - rho
    if np.abs(off).max() < 1e-9:
        return []
    points = [float(r) for r, o in zip(rho, off, strict=True) if abs(o) < 1e-12]
    for i in np.flatnonzero((off[:-1] * off[1:] < 0) & (np.abs(off[:-1]) >= 1e-12) & (np.abs(off[1:]) >= 1e-12)):
        low, high = rho[i], rho[i + 1]
        for _ in range(60):
            middle = (low + high) / 2
            same = (_iterate(activation, np.array([middle]), 1)[0] - middle) * off[i] > 0
            low, high = (middle, high) if same else (low, middle)
        points.append(float(low))
    return [(point, _attracts(activation, point)) for point in sorted(points)]


def _widest(curves: np.ndarray) -> int:
    """Where on the grid the curves lie farthest apart, [D, R] -> index: labels fit there."""
    if len(curves) == 1:
        return curves.shape[1] // 4
    edge = 24
    inner = slice(edge, -edge)
    return edge + int(np.abs(np.diff(curves[:, inner], axis=0)).min(axis=0).argmax())


def _attracts(activation: Activation, point: float) -> bool:
    """True where correlations beside a fixed point, within [-1, 1], come nearer in one step."""
    beside = [p for p in (point - 1e-3, point + 1e-3) if -1 <= p <= 1]
    after = _iterate(activation, np.array(beside), 1)
    return bool((np.abs(after - point) < np.abs(np.array(beside) - point)).all())


def _iterate(activation: Activation, rho: np.ndarray, depth: int) -> np.ndarray:
    """f^d(rho) on unit variances: the NNGP of one linear edge, again and again (f(1, 1, 1) = 1)."""
    from nngp_dag.kernel import pair_kernel

    one, edge = np.ones(_GRID), Dag.from_code("2")
    values = np.resize(rho, _GRID)  # one size, one compilation
    for _ in range(depth):
        values = np.clip(np.asarray(pair_kernel(edge, one, values, one, activation=activation).nngp), -1, 1)
    return values[: rho.size]
