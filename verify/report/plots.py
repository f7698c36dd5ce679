"""Plots of a report as inline SVG, drawn from the data in report.json."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from nngp_dag.theme.svg import page_svg
from verify.framework.plots import plot_of

__all__ = ["draw_svg"]


_RC: dict[Any, Any] = {
    "svg.hashsalt": "nngp-dag",
    "svg.fonttype": "none",
    "mathtext.fontset": "dejavusans",  # text that stays text needs a font whose letters have their own numbers
}


def draw_svg(record: Mapping[str, object]) -> str:
    """A plot of report.json as an `<svg>` element; the same data give the same text.

    Raises:
        EvidenceError: an unknown kind, or data that cannot be drawn.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    from nngp_dag.plots import figure_style

    plot = plot_of(record)
    with figure_style(), rc_context(_RC):
        buffer = io.StringIO()
        FigureCanvasSVG(plot.draw()).print_svg(buffer, metadata={"Date": None, "Creator": None})
    return page_svg(buffer.getvalue(), plot.title)
