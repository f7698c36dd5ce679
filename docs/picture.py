"""The picture of the README: python -m docs.picture.

Top: the three DAGs of Figure 3 of the paper. Bottom: the kernel of DAG#2 by the paper's equations, by the exact
recursion and by real networks, then the spectra of all three as they are and with their scale taken out.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from nngp_dag import Dag, compare
from nngp_dag.analysis.images import png_bytes
from nngp_dag.finite.montecarlo import monte_carlo
from nngp_dag.plots import draw_dag, figure_style, plot_angle, plot_spectrum

DAGS = {"DAG#1": "2_02_002", "DAG#2": "1_01_222", "DAG#3": "2_21_112"}


def main() -> None:
    """Draw it and write docs/images/overview.png."""
    plt.switch_backend("Agg")
    comparison = compare(DAGS, "digits:200")
    with figure_style():
        figure = plt.figure(figsize=(9.6, 5.0), layout="constrained")
        top, bottom = figure.subfigures(2, 1, height_ratios=[1, 1.75])
        for ax, (name, code) in zip(top.subplots(1, 3), DAGS.items(), strict=True):
            draw_dag(Dag.from_code(code), ax, title=f"{name}   {code}", legend=name == "DAG#2")
        axes = bottom.subplots(1, 3)
        angle(axes[0])
        for ax, scale_free in zip(axes[1:], (False, True), strict=True):
            plot_spectrum(comparison.spectra["nngp"], ax, scale_free=scale_free)
            ax.set_title("scale-free: DAG#1 has the largest" if scale_free else "eigenvalues: DAG#3 has the largest")
    path = Path(__file__).parent / "images" / "overview.png"
    path.write_bytes(png_bytes(figure, dpi=180))
    print(f"{path}: {path.stat().st_size / 1024:.0f} KB")


def angle(ax: plt.Axes) -> None:
    """Kernel of DAG#2 over the angle, with networks of width 1,024 as points."""
    dag = Dag.from_code(DAGS["DAG#2"])
    plot_angle(dag, ax, methods=("exact", "independent"))
    angles = np.linspace(0, np.pi, 9)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    estimate = monte_carlo(dag, circle, width=1024, seeds=32).nngp
    look = {"fmt": "o", "color": "#222222", "markersize": 3.5, "capsize": 2, "zorder": 5}
    degrees, mean, error = np.degrees(angles), estimate.mean[0], 2 * estimate.standard_error[0]
    ax.errorbar(degrees, mean, error, label="32 networks, width 1,024", **look)
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(handles, ["exact", "the paper's Eq. 8", *labels[2:]])
    ax.set(title="DAG#2: networks decide", ylim=(0, 6.4))


if __name__ == "__main__":
    main()
