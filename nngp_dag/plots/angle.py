"""A kernel as a function of the angle between two unit inputs, by every method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.errors import unknown
from nngp_dag.kernel.angle_curves import AngleCurves, angle_curves
from nngp_dag.plots.style import METHOD_LINES, figure_style, new_axes, tidy
from nngp_dag.reading import METHODS, Reading

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_angle"]


def plot_angle(
    dag: Dag | AngleCurves,
    ax: Axes | None = None,
    *,
    kernel: str = "nngp",
    gap: bool = False,
    methods: Sequence[str] = tuple(METHODS),
    reading: Reading | None = None,
) -> Axes:
    """K(x, x') of two unit inputs against the angle between them, a line per method.

    A method that does not serve the DAG is named in the legend, without a line. On the sphere this curve is the kernel:
    its value at 0 is K(x, x), and its shape near 0 decides the small eigenvalues.

    Args:
        dag: any DAG, or the kernels themselves, which several plots can share.
        ax: where to draw; by default a new plot.
        kernel: nngp or ntk.
        gap: draw K(x, x) - K(x, x') instead, the smallest eigenvalue of two rows at an acute angle; logarithmic.
        methods: which methods.
        reading: the same for all methods; by default activation-last, gaussian, ReLU.

    Returns:
        The Axes.

    Raises:
        InputError: an unknown name, or no method that applies.
    """
    if kernel not in ("nngp", "ntk"):
        raise unknown("kernel", kernel, "nngp and ntk")
    curves = dag if isinstance(dag, AngleCurves) else angle_curves(dag, methods, reading)
    with figure_style():
        ax = new_axes(ax)
        tidy(ax)
        for i, (method, values) in enumerate(getattr(curves, kernel).items()):
            look = METHOD_LINES[method] | {"linewidth": 3.2 - 0.6 * i, "zorder": 2 + 0.1 * i}
            shown = (values[0] - values)[1:] if gap else values
            ax.plot(np.degrees(curves.angles[-shown.size :]), shown, label=method, **look)
        ax.set(xlim=(0, 180), xticks=[0, 45, 90, 135, 180], xlabel="angle between $x$ and $x'$ (degrees)")
        whole = "K" if kernel == "nngp" else r"(K + \Theta)"
        ax.set_ylabel(f"${whole}(x, x) - {whole}(x, x')$" if gap else f"${whole}(x, x')$")
        if gap:
            ax.set_yscale("log")
        absent = ", ".join(curves.unavailable)
        ax.legend(title=f"({absent}: does not apply)" if absent else None, title_fontsize=7.5)
    return ax
