"""Figures of a report as inline SVG, drawn from the data in report.json.

A figure is {"kind", "title", ...}:

- `lines`, `points`: "series": [{"label", "x", "y", optional "low", "high" (a band)}], optional "x", "y" (axis labels),
  "xscale", "yscale", "ylim" (two limits);
- `dags`: "dags": [{"code", "caption"}];
- `matrix`: "values" [R][C] (null allowed), "rows", "columns" (labels), optional "x", "y", "label" (of the colours)
  and "scale" ("log": colours over four decades).
"""

from __future__ import annotations

import io
import math
import re
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nngp_dag.dag import Dag

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

__all__ = ["KINDS", "draw_svg", "unique_ids"]

_WIDTH = 6.4
_DAGS_A_ROW = 3


def draw_svg(figure: Mapping[str, Any]) -> str:
    """A figure as an `<svg>` element; the same data give the same text.

    Raises:
        ValueError: an unknown kind.
    """
    if figure["kind"] not in KINDS:
        raise ValueError(f"unknown kind of figure {figure['kind']!r}: accepted are {', '.join(KINDS)}")
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    from nngp_dag.plots import figure_style

    with figure_style(), rc_context({"svg.hashsalt": "nngp-dag", "svg.fonttype": "none"}):
        drawn = KINDS[figure["kind"]](figure)
        buffer = io.StringIO()
        FigureCanvasSVG(drawn).print_svg(buffer, metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    return unique_ids(svg[svg.index("<svg") :], str(figure["title"]))


def unique_ids(svg: str, title: str) -> str:
    """Prefix the ids of an SVG, so that several can share a page."""
    prefix = "f" + format(zlib.crc32(f"{title} {len(svg)}".encode()), "x")
    seen: Counter[str] = Counter()

    def unique(match: re.Match[str]) -> str:
        name = match.group(1)
        seen[name] += 1
        again = f"-{seen[name]}" if seen[name] > 1 else ""  # an edge that several DAGs of a figure have
        return f'id="{prefix}{name.replace(" ", "-")}{again}"'

    svg = re.sub(r'\bid="([^"]+)"', unique, svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}\1"', svg)
    return re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}\1)", svg)


def _new(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _series(figure: Mapping[str, Any], plot: Callable[[Axes, Mapping[str, Any], str], None]) -> Figure:
    series = figure["series"]
    drawn = _new(_WIDTH, 3.4 + 0.16 * max(0, len(series) - 4))
    ax = drawn.add_subplot()
    colours = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C8C8C"]
    for i, line in enumerate(series):
        plot(ax, line, colours[i % len(colours)])
    ax.set_xscale(figure.get("xscale", "linear"))
    ax.set_yscale(figure.get("yscale", "linear"))
    ax.set_ylim(figure.get("ylim"))
    ax.set_xlabel(figure.get("x", ""))
    ax.set_ylabel(figure.get("y", ""))
    if len(series) > 4:
        ax.legend(
            loc="upper center", bbox_to_anchor=(0.5, -0.16), fontsize=7, frameon=False, ncols=1 if _long(series) else 2
        )
    elif len(series) > 1:
        ax.legend(fontsize=8, frameon=False)
    return drawn


def _long(series: list[Mapping[str, Any]]) -> bool:
    return any(len(line["label"]) > 44 for line in series)


def _line(ax: Axes, line: Mapping[str, Any], colour: str) -> None:
    x, y = ([math.nan if value is None else value for value in line[axis]] for axis in ("x", "y"))
    ax.plot(x, y, color=colour, label=line["label"], linewidth=1.3)
    if "low" in line:
        ax.fill_between(x, line["low"], line["high"], color=colour, alpha=0.18, linewidth=0)


def _dots(ax: Axes, line: Mapping[str, Any], colour: str) -> None:
    ax.plot(line["x"], line["y"], ".", color=colour, label=line["label"], markersize=4, alpha=0.6)


def _dags(figure: Mapping[str, Any]) -> Figure:
    from nngp_dag.plots import draw_dag

    items = figure["dags"]
    columns = min(_DAGS_A_ROW, max(len(items), 1))
    rows = max(1, math.ceil(len(items) / columns))
    captions = max((item["caption"].count("\n") for item in items), default=0)
    drawn = _new(2.6 * columns, rows * (1.9 + 0.16 * captions))
    for i, item in enumerate(items):
        ax = drawn.add_subplot(rows, columns, i + 1)
        draw_dag(Dag.from_code(item["code"]), ax, title=item["code"], legend=False)
        ax.text(0.5, -0.04, item["caption"], transform=ax.transAxes, ha="center", va="top", fontsize=7)
    return drawn


def _matrix(figure: Mapping[str, Any]) -> Figure:
    values = [[math.nan if cell is None else cell for cell in row] for row in figure["values"]]
    drawn = _new(_WIDTH, 1.2 + 0.22 * len(values))
    ax = drawn.add_subplot()
    image = ax.imshow(values, aspect="auto", cmap="magma_r", norm=_colours(figure, values))
    ax.set_yticks(range(len(values)), figure["rows"], fontsize=7)
    ax.set_xticks(range(len(figure["columns"])), figure["columns"], fontsize=7, rotation=45, ha="right")
    ax.set_xlabel(figure.get("x", ""))
    ax.set_ylabel(figure.get("y", ""))
    drawn.colorbar(image, ax=ax, label=figure.get("label", ""))
    return drawn


def _colours(figure: Mapping[str, Any], values: list[list[float]]) -> Normalize:
    from matplotlib.colors import LogNorm, Normalize

    cells = [cell for row in values for cell in row if not math.isnan(cell)]
    if figure.get("scale") == "log":
        return LogNorm(max(cells) * 1e-4, max(cells), clip=True)
    return Normalize(min(*cells, 0.0), max(cells))


KINDS: dict[str, Callable[[Mapping[str, Any]], Figure]] = {
    "lines": lambda figure: _series(figure, _line),
    "points": lambda figure: _series(figure, _dots),
    "dags": _dags,
    "matrix": _matrix,
}
"""How each kind of figure is drawn. A new kind is one function and one entry here."""
