"""Figure 4: training accuracy of DAG#1-3 as published and scale-matched, with the NTK's prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nngp_dag.plots.curves import plot_curves, prediction_key, prediction_line
from nngp_dag.plots.style import GREY, figure_style, shown_name, tidy
from nngp_dag.reproduce.figure4 import NAMES, Figure4, Panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_figure4"]


def plot_figure4(result: Figure4) -> Figure:
    """Two panels: the authors' training accuracy as published, and with outputs of equal scale.

    Lines are means over seeds with a band of one standard deviation; in short dashes, what the NTK predicts
    at initialisation. The shaded part of the axis is the early half, which the orders in the titles refer to.
    """
    import matplotlib.pyplot as plt

    preset = result.preset
    with figure_style():
        figure, axes = plt.subplots(1, 2, figsize=(8.6, 3.9), layout="constrained", sharey=True)
        for ax, panel, title in zip(
            axes, (result.as_published, result.scale_matched), ("as published", "scale-matched"), strict=True
        ):
            _panel(ax, panel, title)
        _legend(axes[0])
        axes[1].set_ylabel("")
        figure.suptitle(
            f"{shown_name(result.data)}: {result.rows:,} rows, width {preset.width}, SGD, batch {preset.batch},"
            f" learning rate {preset.learning_rate:g}, {preset.epochs} epochs, {preset.seeds} seeds"
            + ("" if preset.name == "paper" else "\n(paper: width 1024, learning rate 1e-05, 1000 epochs, 3 seeds)"),
            fontsize=9.5,
        )
        return figure


def _panel(ax: Axes, panel: Panel, title: str) -> None:
    plot_curves(panel.curves, "class_accuracy", running=True, names=NAMES, legend=False, ax=ax)
    steps = np.asarray(panel.curves.steps)
    for i in range(len(NAMES)):
        ax.plot(steps, panel.predicted[:, i], **prediction_line(i))
    points = steps[1:]
    ax.axvspan(0, points[int(np.ceil(len(points) / 2)) - 1], color=GREY, alpha=0.08, linewidth=0)
    ax.set_xlim(0, steps[-1])
    ax.set_title(f"{title}\nearly order: {_order(panel.order)}\nNTK predicts: {_order(panel.predicted_order)}")
    tidy(ax)


def _legend(ax: Axes) -> None:
    handles = ax.get_legend_handles_labels()[0]
    ax.legend(handles=[*handles, prediction_key("NTK prediction")], loc="lower right")


def _order(names: list[str]) -> str:
    return " > ".join(names)
