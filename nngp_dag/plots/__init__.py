"""Plots (matplotlib): each function takes an optional Axes, draws in the project's style, and returns the Axes."""

from nngp_dag.plots.angle import plot_angle as plot_angle
from nngp_dag.plots.dag_drawing import MAX_DRAWN as MAX_DRAWN
from nngp_dag.plots.dag_drawing import draw_dag as draw_dag
from nngp_dag.plots.depth import plot_depth as plot_depth
from nngp_dag.plots.dual_map import fixed_points as fixed_points
from nngp_dag.plots.dual_map import plot_dual_map as plot_dual_map
from nngp_dag.plots.order_chaos import plot_order_chaos as plot_order_chaos
from nngp_dag.plots.space import plot_discrepancy_map as plot_discrepancy_map
from nngp_dag.plots.space import plot_space as plot_space
from nngp_dag.plots.spectra import plot_spectral_density as plot_spectral_density
from nngp_dag.plots.spectra import plot_spectrum as plot_spectrum
from nngp_dag.plots.style import SYMBOLS as SYMBOLS
from nngp_dag.plots.style import figure_style as figure_style
from nngp_dag.plots.style import use_style as use_style

__all__ = [
    "MAX_DRAWN",
    "SYMBOLS",
    "draw_dag",
    "figure_style",
    "fixed_points",
    "plot_angle",
    "plot_depth",
    "plot_discrepancy_map",
    "plot_dual_map",
    "plot_order_chaos",
    "plot_space",
    "plot_spectral_density",
    "plot_spectrum",
    "use_style",
]
