"""The pictures of an analysis: one panel each, and all in one figure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from nngp_dag.analysis.dag_on_data import DagOnData
from nngp_dag.errors import InputError
from nngp_dag.plots import MAX_DRAWN, draw_dag, figure_style, plot_spectrum
from nngp_dag.plots.angle import plot_angle
from nngp_dag.plots.depth import plot_depth
from nngp_dag.plots.style import METHOD_LINES, shown_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_Shown = TypeVar("_Shown")

__all__ = ["angle_panel", "depth_panel", "drawing", "panel_figure", "spectrum_panel", "summary_figure", "thumbnail"]


def summary_figure(analysis: DagOnData) -> Figure:
    """Drawing, kernel over the angle, spectra, and eigenvalues along depth, in one figure."""
    import matplotlib.pyplot as plt

    with figure_style():
        figure, axes = plt.subplots(2, 2, figsize=(8.6, 6.0), layout="constrained")
        for draw, ax in zip((drawing, angle_panel, spectrum_panel, depth_panel), axes.flat, strict=True):
            draw(analysis, ax)
    return figure


def panel_figure(
    draw: Callable[[_Shown, Axes], object], analysis: _Shown, width: float = 4.4, height: float = 3.1
) -> Figure:
    """One panel as a figure of its own, without pyplot: nothing is shown or kept."""
    from matplotlib.figure import Figure as PlainFigure

    with figure_style():
        figure = PlainFigure(figsize=(width, height), layout="constrained")
        draw(analysis, figure.subplots())
    return figure


def drawing(analysis: DagOnData, ax: Axes) -> None:
    """The DAG; of more than 40 nodes, or without a path, words only."""
    dag = analysis.dag
    if dag.num_nodes > MAX_DRAWN:
        dag = dag.pruned()
    if dag.num_nodes <= MAX_DRAWN:
        draw_dag(dag, ax, legend=True)
        return
    ax.set_axis_off()
    ax.text(0.5, 0.5, f"{dag.num_nodes} nodes:\ntoo many to draw", ha="center", va="center", transform=ax.transAxes)


def angle_panel(analysis: DagOnData, ax: Axes) -> None:
    """The NNGP of two unit inputs over their angle, by the four methods."""
    plot_angle(analysis.angle_curves, ax)
    ax.set_title("kernel of two unit inputs")


def spectrum_panel(analysis: DagOnData, ax: Axes) -> None:
    """Eigenvalues of the NNGP by all methods that apply, and of the exact NTK."""
    spectra = {method: kernels["nngp"] for method, kernels in analysis.spectra.items()}
    styles: dict[str, dict[str, str | float]] = {
        method: METHOD_LINES[method] | {"marker": "", "linewidth": 3.2 - 0.6 * i} for i, method in enumerate(spectra)
    }
    spectra["exact, NTK"] = analysis.exact_spectra["ntk"]
    styles["exact, NTK"] = {"color": "#222222", "linestyle": "-", "linewidth": 1.0, "marker": ""}
    plot_spectrum(spectra, ax, styles=styles)
    ax.set_title(f"eigenvalues on {shown_name(analysis.data)}")


def depth_panel(analysis: DagOnData, ax: Axes) -> None:
    """Eigenvalues of the exact kernel of every node."""
    if not analysis.nodes:
        raise InputError("no path leads from the input to the output: there is no kernel to draw")
    plot_depth(analysis.nodes, ax)
    ax.set_title("eigenvalues node by node")


def thumbnail(analysis: DagOnData, ax: Axes) -> None:
    """The DAG alone, small."""
    draw_dag(analysis.dag, ax, title="", legend=False)
