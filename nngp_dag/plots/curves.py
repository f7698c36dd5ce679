"""Training curves with their deviation over seeds, and the infinite-width prediction beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nngp_dag.finite.training import Curves
from nngp_dag.plots.style import Look, figure_style, line, new_axes, tidy
from nngp_dag.prediction import PredictedCurve

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_curves", "plot_training", "prediction_key", "prediction_line"]

_LABELS = {
    "loss": "training loss",
    "accuracy": "training accuracy",
    "class_accuracy": "mean per-class training accuracy",
}


def plot_training(
    curves: Curves,
    predictions: Sequence[PredictedCurve | None] = (),
    *,
    names: Sequence[str] | None = None,
    title: str = "",
) -> Figure:
    """Loss and accuracy side by side: the plot of `nngp-dag train`.

    Args:
        curves: what was measured.
        predictions: one for each DAG, or none; short dashes of a darker shade, without markers.
        names: the DAGs' names in the legend, by default their codes.
        title: a line above both.
    """
    import matplotlib.pyplot as plt

    with figure_style():
        figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.3), layout="constrained")
        plot_curves(curves, "loss", predictions, names=names, ax=axes[0])
        plot_curves(curves, "accuracy", predictions, names=names, ax=axes[1])
        if title:
            figure.suptitle(title, fontsize=9.5)
        return figure


def plot_curves(
    curves: Curves,
    measure: str = "loss",
    predictions: Sequence[PredictedCurve | None] = (),
    *,
    running: bool = False,
    names: Sequence[str] | None = None,
    legend: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Mean over seeds of one measure for every DAG, with a band of one standard deviation.

    Curves that coincide are all seen: each has dashes of its own, and markers where the others have none.

    Args:
        curves: what was measured.
        measure: loss, accuracy or class_accuracy.
        predictions: one for each DAG, or none (loss and accuracy only).
        running: the measure over the batches between two points, as the authors report it, instead of on all rows.
        names: the DAGs' names in the legend.
        legend: whether to draw one.
        ax: where to draw; by default a new plot.

    Returns:
        The Axes.
    """
    values = curves.array(measure, running=running)
    steps = np.asarray(curves.steps[1:] if running else curves.steps)
    names = curves.codes if names is None else names
    predictions = predictions or [None] * len(names)
    with figure_style():
        ax = new_axes(ax)
        for i, (name, prediction) in enumerate(zip(names, predictions, strict=True)):
            look = line(i)
            mean, deviation = values[:, i].mean(axis=1), values[:, i].std(axis=1, ddof=1 if values.shape[2] > 1 else 0)
            every = max(len(steps) // 8, min(len(names), len(steps)))
            ax.plot(steps, mean, markevery=(i % every, every), label=name, **look)
            ax.fill_between(steps, mean - deviation, mean + deviation, color=look["color"], alpha=0.2, linewidth=0)
            if prediction is not None and measure in ("loss", "accuracy"):
                predicted = getattr(prediction, measure)
                ax.plot(prediction.steps, predicted, **prediction_line(i))
        ax.set_xlabel("step")
        ax.set_ylabel(_LABELS[measure])
        positive = values[np.isfinite(values)]
        if measure == "loss" and positive.size and positive.min() > 0 and positive.max() > 5 * positive.min():
            ax.set_yscale("log")
        tidy(ax)
        if legend:
            _legend(ax, any(p is not None for p in predictions))
    return ax


def prediction_line(index: int) -> Look:
    """The look of what infinite width predicts of series number `index`: short dashes of a darker shade, no markers.

    Dashes of three neighbouring series fall into each other's gaps, and the shade shows on the measured line itself.
    """
    from matplotlib.colors import to_rgb

    shade = tuple(0.55 * part for part in to_rgb(line(index)["color"]))
    return {"color": shade, "linestyle": (2 * (index % 3), (2, 4)), "linewidth": 1.2, "zorder": 2.5}


def prediction_key(label: str) -> Artist:
    """An entry of a legend for all lines of `prediction_line`."""
    from matplotlib.lines import Line2D

    return Line2D([], [], label=label, **(prediction_line(0) | {"color": "#222222"}))


def _legend(ax: Axes, predicted: bool) -> None:
    handles: list[Artist] = list(ax.get_legend_handles_labels()[0])
    ax.legend(handles=[*handles, prediction_key("infinite width")] if predicted else handles)
