"""Figures (matplotlib): each function takes an optional Axes, draws in the project's style, and returns the Axes."""

from nngp_dag.plots.dag_drawing import MAX_DRAWN as MAX_DRAWN
from nngp_dag.plots.dag_drawing import draw_dag as draw_dag
from nngp_dag.plots.spectra import plot_spectral_density as plot_spectral_density
from nngp_dag.plots.spectra import plot_spectrum as plot_spectrum
from nngp_dag.plots.style import SYMBOLS as SYMBOLS
from nngp_dag.plots.style import figure_style as figure_style

__all__ = ["MAX_DRAWN", "SYMBOLS", "draw_dag", "figure_style", "plot_spectral_density", "plot_spectrum"]
