"""A kernel as a function of the angle between two unit inputs, by every method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nngp_dag.activations import Activation
from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.plots.style import METHOD_LINES, figure_style, new_axes, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_angle"]


def plot_angle(
    dag: Dag,
    ax: Axes | None = None,
    *,
    kernel: str = "nngp",
    order: str | None = None,
    embedding: str = "gaussian",
    activation: str | Activation = "relu",
    methods: Sequence[str] = ("exact", "independent", "path-sum", "neural-tangents"),
    gap: bool = False,
    num_points: int = 181,
) -> Axes:
    """K(x, x') of two unit inputs against the angle between them, a line a method.

    A method that does not serve the DAG is named in the legend, without a line. On the sphere this curve is the kernel:
    its value at 0 is K(x, x), and its shape near 0 decides the small eigenvalues.

    Args:
        dag: any DAG.
        ax: where to draw; by default a new figure.
        kernel: nngp or ntk.
        order: as in `kernel_fn`; the same for all methods, by default activation-last.
        embedding: as in `kernel_fn`.
        activation: as in `kernel_fn`.
        methods: which methods.
        gap: draw K(x, x) - K(x, x') instead, the smallest eigenvalue of two rows at an acute angle; logarithmic.
        num_points: number of angles.

    Returns:
        The Axes.

    Raises:
        InputError: an unknown name.
    """
    from nngp_dag.kernel import kernel_fn

    if kernel not in ("nngp", "ntk"):
        raise InputError(f"unknown kernel {kernel!r}: accepted are nngp and ntk")
    order = order or "activation-last"
    angles = np.linspace(0, np.pi, num_points)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    with figure_style():
        ax = new_axes(ax)
        tidy(ax)
        absent: list[str] = []
        for i, method in enumerate(methods):
            look = METHOD_LINES[method] | {"linewidth": 3.2 - 0.6 * i, "zorder": 2 + 0.1 * i}
            try:
                fn = kernel_fn(dag, method, order, embedding, activation)
            except InputError:
                absent.append(method)
                continue
            values = np.asarray(fn(circle[:1], circle, get=kernel))[0]
            shown = (values[0] - values)[1:] if gap else values
            ax.plot(np.degrees(angles[-shown.size :]), shown, label=method, **look)
        ax.set(xlim=(0, 180), xticks=[0, 45, 90, 135, 180], xlabel="angle between $x$ and $x'$ (degrees)")
        whole = "K" if kernel == "nngp" else r"(K + \Theta)"
        ax.set_ylabel(f"${whole}(x, x) - {whole}(x, x')$" if gap else f"${whole}(x, x')$")
        if gap:
            ax.set_yscale("log")
        title = f"({', '.join(absent)}: does not apply)" if absent else None
        ax.legend(title=title, title_fontsize=7.5)
    return ax
