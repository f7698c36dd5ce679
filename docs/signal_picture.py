"""The picture of the page on signal propagation: python -m docs.signal_picture.

Left and middle: the order-to-chaos plane of a chain of tanh edges, and of DAG#3. Right: the correlation map of a chain
of 20 edges, by ReLU and by activations shaped for it.
"""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from nngp_dag import Dag, Wiring
from nngp_dag.analysis.images import quantised
from nngp_dag.plots import figure_style, plot_order_chaos
from nngp_dag.plots.style import GREY, line, tidy
from nngp_dag.reading import ActivationLike
from nngp_dag.signal import SignalMaps, deep_kernel_shaping, order_chaos_plane, tailored_activation

DEPTH = 20


def main() -> None:
    """Draw it and write docs/images/order_chaos.png."""
    plt.switch_backend("Agg")
    dag_3 = Wiring.make("2_21_112").divided_by_in_degree()
    with figure_style():
        figure, axes = plt.subplots(1, 3, figsize=(11.4, 3.5), layout="constrained", width_ratios=[1, 1.22, 0.95])
        for ax, cell, title in zip(axes, ("2", dag_3), ("a chain of tanh edges", "DAG#3, tanh"), strict=False):
            maps = SignalMaps.of(cell, activation="tanh")
            plane = order_chaos_plane(maps, np.linspace(0.3, 1.8, 46), np.linspace(0, 1, 41))
            plot_order_chaos(plane, ax, colour_bar=ax is axes[1]).set_title(title)
        correlations(axes[2])
    path = Path(__file__).parent / "images" / "order_chaos.png"
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150)
    path.write_bytes(quantised(buffer.getvalue(), 256))
    print(f"{path}: {path.stat().st_size / 1024:.0f} KB")


def correlations(ax: plt.Axes) -> None:
    """The correlation after 20 edges against that of the inputs."""
    chain = Dag.from_edges({(t, t + 1): "linear" for t in range(DEPTH)})
    shaped = {
        "ReLU": "relu",
        r"DKS, tanh, $\zeta = 1.5$": deep_kernel_shaping(chain, "tanh").activation,
        r"TAT, leaky ReLU, $\eta = 0.9$": tailored_activation(chain).activation,
        r"TAT, leaky ReLU, $\eta = 0.5$": tailored_activation(chain, max_value=0.5).activation,
    }
    c = np.linspace(-1, 1, 201)
    tidy(ax)
    ax.plot(c, c, color=GREY, linestyle=":", linewidth=1)
    for i, (name, activation) in enumerate(shaped.items()):
        look = {key: value for key, value in line(i).items() if key != "marker"}
        ax.plot(c, after(activation, c), label=name, **look)
    ax.set(xlabel="correlation of the inputs", ylabel=f"after {DEPTH} edges", title="shaped for a chain")
    ax.legend(loc="lower right")


def after(activation: ActivationLike, c: np.ndarray) -> np.ndarray:
    """The correlation map of one edge, as often as the chain has edges; variances stay at 1."""
    maps = SignalMaps.of("2", activation=activation)
    for _ in range(DEPTH):
        c = np.clip(np.asarray(maps.correlation(c)), -1, 1)
    return c


if __name__ == "__main__":
    main()
