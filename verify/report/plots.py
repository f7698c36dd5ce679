"""Plots of a report as inline SVG, drawn from the data in report.json."""

from __future__ import annotations

import io
import re
import zlib
from collections import Counter
from collections.abc import Mapping

from verify.framework.plots import plot_of

__all__ = ["draw_svg", "unique_ids"]


def draw_svg(record: Mapping[str, object]) -> str:
    """A plot of report.json as an `<svg>` element; the same data give the same text.

    Raises:
        EvidenceError: an unknown kind, or data that cannot be drawn.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    from nngp_dag.plots import figure_style

    plot = plot_of(record)
    with figure_style(), rc_context({"svg.hashsalt": "nngp-dag", "svg.fonttype": "none"}):
        buffer = io.StringIO()
        FigureCanvasSVG(plot.draw()).print_svg(buffer, metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    return unique_ids(svg[svg.index("<svg") :], plot.title)


def unique_ids(svg: str, title: str) -> str:
    """`svg` with prefixed ids, so that several can share a page."""
    prefix = "f" + format(zlib.crc32(f"{title} {len(svg)}".encode()), "x")
    seen: Counter[str] = Counter()

    def unique(match: re.Match[str]) -> str:
        name = match.group(1)
        seen[name] += 1
        again = f"-{seen[name]}" if seen[name] > 1 else ""  # an edge that several DAGs of a plot have
        return f'id="{prefix}{name.replace(" ", "-")}{again}"'

    svg = re.sub(r'\bid="([^"]+)"', unique, svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}\1"', svg)
    return re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}\1)", svg)
