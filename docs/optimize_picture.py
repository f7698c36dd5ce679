"""The picture of the page on the best connectivity: python -m docs.optimize_picture.

Left: all distinct kernels of five nodes by cost and scale-free smallest NTK eigenvalue, with their front and DAG#1-3.
Middle: the best, the median and the worst graph of four linear edges. Right: steps that their networks, and those of
100 random graphs, take at tuned learning rates.
"""

from __future__ import annotations

import io
from pathlib import Path

import jax
import matplotlib.pyplot as plt
import numpy as np

from nngp_dag import Dag
from nngp_dag.analysis.images import quantised
from nngp_dag.datasets import load
from nngp_dag.optimization import CRITERIA, Problem, quotient
from nngp_dag.optimization.exhaustive import classes_of
from nngp_dag.optimization.judging import GraphJudge
from nngp_dag.optimization.leaders import front
from nngp_dag.plots import draw_dag, figure_style
from nngp_dag.plots.style import COLOURS, GREY, tidy
from verify.claims._best_connectivity import recorded

PAPER = {"DAG#1": "2_02_002", "DAG#2": "1_01_222", "DAG#3": "2_21_112"}


def main() -> None:
    """Draw it and write docs/images/best_connectivity.png."""
    plt.switch_backend("Agg")
    jax.config.update("jax_enable_x64", True)
    sample, problem = recorded(), Problem(load("digits:64").x)
    with figure_style():
        figure = plt.figure(figsize=(12.4, 3.7), layout="constrained")
        left, middle, right = figure.subfigures(1, 3, width_ratios=[1.1, 0.9, 1.1])
        _all_graphs(left.subplots(), problem)
        for ax, role, dag in zip(middle.subplots(3), ("best", "median", "worst"), sample.dags, strict=False):
            draw_dag(dag.pruned(), ax, title=f"{role} of four linear edges: {dag.pruned().to_code()}")
        ax = right.subplots()
        tidy(ax)
        values = -GraphJudge((CRITERIA["lambda-min"],), problem).costs(sample.dags)[:, 0]
        ax.plot(values[3:], sample.tuned[3:], "o", color=COLOURS["blue"], label="100 random graphs")
        for i, (role, marker) in enumerate((("best", "^"), ("median", "s"), ("worst", "v"))):
            ax.plot(values[i], sample.tuned[i], marker, color=COLOURS["vermilion"], markersize=7, label=role)
        ax.set(yscale="log", xlabel=r"$\lambda_{\min}$ of the NTK / mean diagonal", ylabel="steps to half the loss")
        ax.set_title("trained networks, learning rates tuned")
        ax.legend()
    path = Path(__file__).parent / "images" / "best_connectivity.png"
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150)
    path.write_bytes(quantised(buffer.getvalue(), 256))
    print(f"{path}: {path.stat().st_size / 1024:.0f} KB")


def _all_graphs(ax: plt.Axes, problem: Problem) -> None:
    """Cost and value of every distinct kernel, and the front."""
    classes, criteria = quotient(5), (CRITERIA["cost"], CRITERIA["lambda-min"])
    costs = np.empty((len(classes), 2))
    for index, batch in classes_of(criteria, classes, problem):
        costs[index] = np.stack([criterion.costs(criterion.values(batch)) for criterion in criteria], axis=1)
    tidy(ax)
    jitter = np.random.default_rng(0).uniform(-0.25, 0.25, len(costs))
    ax.plot(costs[:, 0] + jitter, -costs[:, 1], ".", color=GREY, markersize=2, label="2,681 distinct kernels")
    best = costs[front(costs)]
    ax.plot(best[:, 0], -best[:, 1], "-o", color=COLOURS["vermilion"], label="front: chains of linear edges")
    judge = GraphJudge((CRITERIA["lambda-min"],), problem)
    for (name, code), marker in zip(PAPER.items(), "sDP", strict=True):
        dag = Dag.from_code(code)
        value = -judge.costs([dag])[0, 0]
        ax.plot(dag.num_linear, value, marker, color=COLOURS["blue"], markersize=6, label=name)
    ax.set_ylim(top=0.17)
    ax.set(xlabel="linear edges", ylabel=r"$\lambda_{\min}$ of the NTK / mean diagonal", title="all DAGs of five nodes")
    ax.legend(loc="upper right")


if __name__ == "__main__":
    main()
