"""A DAG as a picture, in the style of the paper's Figure 3: solid arrows linear, dashed skip, dotted zero."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from nngp_dag.dag import Dag, Op
from nngp_dag.errors import InputError
from nngp_dag.plots.style import COLOURS, Look, figure_style, new_axes
from nngp_dag.theme.palette import EDGES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MAX_DRAWN", "draw_dag"]

MAX_DRAWN = 40
"""The largest number of nodes that a drawing serves."""

_LOOK: dict[Op, Look] = {
    Op.LINEAR: {"color": EDGES["linear"].light, "linestyle": "-", "linewidth": 1.4, "zorder": 3},
    Op.SKIP: {"color": EDGES["skip"].light, "linestyle": (0, (4, 2)), "linewidth": 1.4, "zorder": 2},
    Op.ZERO: {"color": EDGES["zero"].light, "linestyle": (0, (1, 2)), "linewidth": 0.8, "zorder": 1},
}
_SMALL = 8
"""Up to this number of nodes every edge is drawn, zero edges too."""


def draw_dag(dag: Dag, ax: Axes | None = None, *, title: str | None = None, legend: bool | None = None) -> Axes:
    """Draw a DAG as nodes in a row, input left and output right, with an arrow per edge.

    Edges between neighbours are straight. Of the others, those out of even nodes bend upwards and those out of odd
    nodes downwards, the same edge always the same way, so that DAGs can be compared; four nodes are drawn without
    crossings. Above eight nodes linear edges bend upwards and skip edges downwards instead, and zero edges are left
    out: there would be hundreds. Nodes and edges that lie on no path from input to output are faded.

    Args:
        dag: at most 40 nodes.
        ax: where to draw; by default a new plot.
        title: by default the code (shortened).
        legend: explain the arrows; by default in a new plot only.

    Returns:
        The Axes.

    Raises:
        InputError: more than 40 nodes.
    """
    n = dag.num_nodes
    if n > MAX_DRAWN:
        raise InputError(
            f"a drawing serves up to {MAX_DRAWN} nodes, this DAG has {n}: draw its pruned() form, or a part"
        )
    with figure_style():
        legend = ax is None if legend is None else legend
        large = n > _SMALL
        low, high = _extent(dag, large)
        unit = max(0.34, 8 / max(n, 8))
        ax = new_axes(ax, 0.6 + unit * n, 1.2 + unit * (high - low + 0.8))
        radius = min(0.38, 0.21 + 0.006 * max(0, n - 4))
        on_path = dag.reachable()
        _draw_nodes(ax, on_path, radius)
        for s, t, op in _edges(dag, large):
            _draw_edge(ax, s, t, op, radius, large, faded=not (on_path[s] and on_path[t]))
        ax.set(xlim=(-0.6, n - 0.4), ylim=(low - radius - 0.15, high + radius + 0.15), aspect="equal")
        ax.set_axis_off()
        code = dag.to_code()
        ax.set_title((code if len(code) <= 48 else code[:45] + "...") if title is None else title)
        if legend:
            _draw_legend(ax, [op for op in _LOOK if any(o == op for *_, o in _edges(dag, large))], large)
    return ax


def _edges(dag: Dag, large: bool) -> Iterator[tuple[int, int, Op]]:
    """The edges that are drawn."""
    for t in range(1, dag.num_nodes):
        for s in range(t):
            op = dag.op(s, t)
            if op is not Op.ZERO or not large:
                yield s, t, op


def _bend(s: int, t: int, op: Op, large: bool) -> float:
    """The distance of the control point of the arc from its chord, as a fraction of it; positive upwards."""
    if t == s + 1:
        return 0.0
    # Longer arcs leave more steeply, so that arcs of one node part at once.
    size = 0.46 + 0.002 * (t - s) if large else 0.34 + 0.05 * (t - s - 1)
    upwards = op is Op.LINEAR if large else s % 2 == 0
    return size if upwards else -size


def _extent(dag: Dag, large: bool) -> tuple[float, float]:
    """Lowest and highest points of the arcs, which rise to half the height of their control points."""
    heights = [0.5 * (t - s) * _bend(s, t, op, large) for s, t, op in _edges(dag, large)]
    return min([0.0, *heights]), max([0.0, *heights])


def _draw_nodes(ax: Axes, on_path: np.ndarray, radius: float) -> None:
    from matplotlib.patches import Circle

    for i, alive in enumerate(on_path):
        fill = "#E4EEF5" if alive and i in (0, len(on_path) - 1) else "white"
        colour = COLOURS["black"] if alive else "#B5B5B5"
        ax.add_patch(Circle((i, 0), radius, facecolor=fill, edgecolor=colour, linewidth=1.0, zorder=4))
        ax.text(i, 0, str(i), ha="center", va="center_baseline", color=colour, zorder=5)


def _draw_edge(ax: Axes, s: int, t: int, op: Op, radius: float, large: bool, faded: bool) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    points = _arc(s, t, _bend(s, t, op, large), radius)
    arrow = FancyArrowPatch(
        path=Path(points, [Path.MOVETO, Path.CURVE3, Path.CURVE3]),
        arrowstyle="-|>",
        mutation_scale=6 if large else 10,
        alpha=0.35 if faded and op is not Op.ZERO else 1.0,
        **_LOOK[op] | ({"linewidth": 0.7} if large else {}),
    )
    arrow.set_gid(f"edge {s} {t} {op.name.lower()}")
    ax.add_patch(arrow)


def _arc(s: int, t: int, bend: float, radius: float) -> np.ndarray:
    """Control points [3, 2] of the quadratic curve from node s to node t, cut where it leaves and meets their circles.

    Cutting it here, once, is far quicker than matplotlib's cutting of each arrow at two patches in every draw.
    """
    start, control, end = np.array([(s, 0.0), ((s + t) / 2, bend * (t - s)), (t, 0.0)])

    def at(u: float) -> np.ndarray:
        return (1 - u) ** 2 * start + 2 * u * (1 - u) * control + u**2 * end

    low, high = 0.0, 0.5
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if np.hypot(*(at(middle) - start)) < radius else (low, middle)
    u, v = low, 1 - low
    # The polar form of the curve at (u, u), (u, v), (v, v) controls the piece between.
    return np.array([at(u), (1 - u) * (1 - v) * start + (u + v - 2 * u * v) * control + u * v * end, at(v)])


def _draw_legend(ax: Axes, ops: list[Op], large: bool) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], label=op.name.lower(), **_LOOK[op]) for op in ops]
    if large:
        handles.append(Line2D([], [], linestyle="none", label="(zero edges not drawn)"))
    ax.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=len(handles))
