"""The infinite-width prediction of a training curve: full-batch gradient descent on mean squared error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.kernel.functions import kernel_of
from nngp_dag.prediction.dynamics import LinearDynamics
from nngp_dag.reading import Reading, Setting
from nngp_dag.support.memory import require_memory
from nngp_dag.wiring import NetworkLike

__all__ = ["PredictedCurve", "predict_curve"]


@dataclass(frozen=True)
class PredictedCurve:
    """Loss and accuracy at infinite width, averaged over random networks, at each step [P].

    Attributes:
        steps: step numbers.
        loss: mean over rows of |u - y|^2 / 2, in expectation (exact); infinite where it overflows (divergence).
        accuracy: mean over `draws` draws of the initial outputs from their Gaussian process; NaN where outputs are not
            finite.
        accuracy_error: standard error of `accuracy`.
    """

    steps: tuple[int, ...]
    loss: np.ndarray
    accuracy: np.ndarray
    accuracy_error: np.ndarray


def predict_curve(
    dag: NetworkLike,
    x: ArrayLike,
    targets: ArrayLike,
    learning_rate: float,
    steps: Sequence[int],
    *,
    reading: Reading | None = None,
    output_scale: float = 1.0,
    draws: int = 32,
    seed: int = 0,
) -> PredictedCurve:
    """Predict what `train` measures with mse, gd and the ntk parameterisation, from the exact kernels.

    Args:
        dag: any DAG, or a wiring: its biases are trained, and random at the start.
        x: rows [N, d].
        targets: y [N, C]; an output's class is its largest coordinate.
        learning_rate: as in `TrainConfig` (the loss is a mean over rows).
        steps: where to predict.
        reading: one that has an exact kernel; by default activation-last, gaussian, ReLU.
        output_scale: factor s on the outputs; both kernels are multiplied by s^2.
        draws: initial functions for the accuracy.
        seed: seed of the draws.

    Raises:
        InputError: no exact kernel for this setting, or too little memory.
    """
    rows, y = np.asarray(x, np.float64), np.asarray(targets, np.float64)
    n = len(rows)
    require_memory(8 * (6 * n**2 + 3 * draws * n * y.shape[1]), f"the predicted curve of {n:,} rows")
    kernels = kernel_of(dag, Setting("exact", reading or Reading()))(rows)
    nngp, ntk = (output_scale**2 * np.asarray(kernel) for kernel in kernels)
    dynamics = LinearDynamics(ntk, learning_rate)
    values, vectors = np.linalg.eigh(nngp)
    root = vectors * np.sqrt(np.maximum(values, 0))
    initial = root @ np.random.default_rng(seed).normal(size=(draws, n, y.shape[1]))
    labels = y.argmax(axis=1)
    hits = np.empty((len(steps), draws))
    with np.errstate(over="ignore", invalid="ignore"):  # above the largest learning rate numbers become infinite
        losses = dynamics.expected_losses(list(steps), y, nngp)
        for i, step in enumerate(steps):
            outputs = dynamics.outputs(step, y, initial)
            finite = np.isfinite(outputs).all()
            hits[i] = (outputs.argmax(axis=2) == labels).mean(axis=1) if finite else np.nan
    error = hits.std(axis=1, ddof=1) / np.sqrt(draws)
    return PredictedCurve(tuple(steps), losses, hits.mean(axis=1), error)
