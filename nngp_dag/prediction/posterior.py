"""Predictions of an infinitely wide network: the NNGP posterior, and the mean after training by gradient descent.

Classes are regressed as one-hot targets. The NNGP posterior is that of a Gaussian process with covariance K and noise
`jitter`: mean K_* (K + jitter)^-1 y, variance K_** - K_* (K + jitter)^-1 K_*^T. Training all weights to the end gives
the mean Theta_* (Theta + jitter)^-1 y.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.errors import InputError
from nngp_dag.kernel.functions import kernel_of
from nngp_dag.kernel.inputs import input_precision
from nngp_dag.kernel.result import Kernel
from nngp_dag.prediction.dynamics import LinearDynamics
from nngp_dag.reading import Setting
from nngp_dag.support.memory import require_memory
from nngp_dag.wiring import NetworkLike, as_wiring

__all__ = ["LARGEST_CONDITION", "Posterior", "Scores", "choose_jitter", "posterior", "scores"]

LARGEST_CONDITION = 1e10
"""A jitter is chosen so that lambda_max / (lambda_min + jitter) is at most this: solutions keep about six digits."""


@dataclass(frozen=True)
class Posterior:
    """Predictions on M test rows, C outputs.

    Attributes:
        nngp_mean: posterior mean, [M, C].
        nngp_variance: posterior variance of each output (the same for all C), [M].
        ntk_mean: mean prediction after training, [M, C].
        steps: number of steps of gradient descent; infinity: trained to the end.
        learning_rate: for the loss averaged over rows; None for infinitely many steps.
        nngp_jitter: added to the diagonal of the NNGP.
        ntk_jitter: added to that of the NTK; 0 for a finite number of steps.
    """

    nngp_mean: np.ndarray
    nngp_variance: np.ndarray
    ntk_mean: np.ndarray
    steps: float
    learning_rate: float | None
    nngp_jitter: float
    ntk_jitter: float


@dataclass(frozen=True)
class Scores:
    """`mse`: mean over rows of |mean - one-hot label|^2 / C; `accuracy`: of the largest output."""

    mse: float
    accuracy: float


def choose_jitter(kernel: ArrayLike) -> float:
    """The smallest number whose addition to the diagonal bounds the condition number by `LARGEST_CONDITION`."""
    eigenvalues = np.linalg.eigvalsh(np.asarray(kernel, np.float64))
    return float(max(0.0, eigenvalues[-1] / LARGEST_CONDITION - eigenvalues[0]))


def posterior(
    dag: NetworkLike,
    x_train: ArrayLike,
    y_train: ArrayLike,
    x_test: ArrayLike,
    *,
    steps: float = np.inf,
    learning_rate: float | None = None,
    jitter: float | None = None,
    setting: Setting | None = None,
) -> Posterior:
    """Predict test rows from training rows, by the kernels of a DAG; float64, on neural_tangents.predict.

    Args:
        dag: a DAG, or a wiring, with a path from input to output.
        x_train: rows [N, d].
        y_train: targets [N, C].
        x_test: rows [M, d].
        steps: steps of gradient descent for the NTK's prediction, from zero outputs; infinity trains to the end.
        learning_rate: for the loss averaged over rows; by default half of the largest stable one. Only with finite
            steps.
        jitter: added to both kernels' diagonals; by default chosen for each (`choose_jitter`).
        setting: a method and a reading; by default exact, and the default reading.

    Raises:
        InputError: a zero kernel, a jitter or number of steps out of range, or a learning rate that diverges.
    """
    train, test, y = (np.asarray(a, np.float64) for a in (x_train, x_test, y_train))
    if y.ndim != 2 or len(y) != len(train):
        raise InputError(f"targets must be [{len(train)}, C], got shape {y.shape}")
    steps = _checked_steps(steps, learning_rate, jitter)
    require_memory(8 * (6 * len(train) ** 2 + 3 * len(train) * len(test) + 3 * len(test) ** 2), "the posterior")
    fn = kernel_of(dag, setting or Setting())
    inner, cross, outer = fn(train), fn(test, train), fn(test)
    if not np.any(np.asarray(inner.nngp)):
        raise InputError(
            f"DAG {as_wiring(dag).dag.to_code()} has a zero kernel: no path from input to output, nothing to predict"
        )
    jitters = Kernel(*(choose_jitter(kernel) if jitter is None else float(jitter) for kernel in inner))  # type: ignore[arg-type]
    mean, covariance = _inference(inner, y, "nngp", float(jitters.nngp), cross, outer)
    ntk_jitter = float(jitters.ntk)
    if np.isinf(steps):
        ntk_mean = _inference(inner, y, "ntk", ntk_jitter, cross, None)
    else:
        dynamics, learning_rate = _stable_dynamics(inner.ntk, learning_rate)
        ntk_mean, ntk_jitter = dynamics.test_outputs(steps, cross.ntk, y), 0.0
    return Posterior(
        np.asarray(mean),
        np.maximum(np.diagonal(np.asarray(covariance)), 0),
        np.asarray(ntk_mean),
        steps,
        learning_rate,
        float(jitters.nngp),
        ntk_jitter,
    )


def _checked_steps(steps: float, learning_rate: float | None, jitter: float | None) -> float:
    """The number of steps as a float; InputError where it, the learning rate or the jitter is out of range."""
    if jitter is not None and not 0 <= jitter < np.inf:
        raise InputError(f"the jitter must be a number that is not negative, got {jitter}")
    try:
        steps = float(steps)
    except OverflowError:
        raise InputError("that many steps are no floating-point number: leave them out to train to the end") from None
    if not steps >= 0:
        raise InputError(f"the number of steps must not be negative, got {steps:g}")
    if learning_rate is not None and not 0 < learning_rate < np.inf:
        raise InputError(f"the learning rate must be a positive number, got {learning_rate}")
    if np.isinf(steps) and learning_rate is not None:
        raise InputError("a learning rate matters for a finite number of steps only: give steps too")
    return steps


def _stable_dynamics(ntk: ArrayLike, learning_rate: float | None) -> tuple[LinearDynamics, float]:
    """The dynamics at this learning rate, by default half of the largest stable one; InputError where they diverge."""
    dynamics = LinearDynamics(ntk, learning_rate or 1.0)
    if learning_rate is None:
        learning_rate = dynamics.largest_learning_rate / 2
        return LinearDynamics(ntk, learning_rate), learning_rate
    if learning_rate > dynamics.largest_learning_rate:
        raise InputError(
            f"gradient descent diverges at learning rate {learning_rate:g}: it must be below"
            f" {dynamics.largest_learning_rate:g}"
        )
    return dynamics, learning_rate


def scores(mean: np.ndarray, targets: np.ndarray) -> Scores:
    """Test error and accuracy of predicted means [M, C] against one-hot targets [M, C]."""
    hits = mean.argmax(axis=1) == targets.argmax(axis=1)
    return Scores(float(np.mean((mean - targets) ** 2)), float(np.mean(hits)))


def _inference(inner: Kernel, y: np.ndarray, get: str, jitter: float, cross: Kernel, outer: Kernel | None) -> Any:
    from nngp_dag.support.neural_tangents_compat import neural_tangents

    with input_precision(y):
        predict = neural_tangents.predict.gp_inference(
            inner, jnp.asarray(y), diag_reg=jitter, diag_reg_absolute_scale=True
        )
        return predict(get=get, k_test_train=cross, k_test_test=None if outer is None else outer.nngp)
