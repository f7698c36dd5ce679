r"""The training loss that infinite width predicts after some steps of gradient descent, in expectation.

With Theta = V diag(lambda) V' and q_i = 1 - eta lambda_i / N it is (1 / 2N) sum_i q_i^2t ([V'y]_i^2 + C [V'KV]_ii), K
the NNGP and C the number of outputs (`prediction.LinearDynamics`, here for many kernels at once). By default eta is
half the largest stable learning rate of each graph, N / lambda_max, so that scale alone buys no speed.
"""

from __future__ import annotations

import numpy as np

from nngp_dag.optimization.criteria.base import Batch, Criterion
from nngp_dag.support.blas import one_blas_thread

__all__ = ["CRITERION", "training_losses"]


def training_losses(
    nngp: np.ndarray, ntk: np.ndarray, targets: np.ndarray, steps: int, learning_rate: float | None
) -> np.ndarray:
    """Expected losses float64 [A] of kernels [A, N, N]; infinite where gradient descent diverges beyond float64."""
    n = ntk.shape[1]
    with one_blas_thread():
        eigenvalues, basis = np.linalg.eigh(ntk)
    largest = eigenvalues[:, -1:]
    rates = n / np.where(largest > 0, largest, np.inf) if learning_rate is None else learning_rate
    # Rounding makes zeros of a singular kernel negative: where nothing is, nothing moves.
    kept = np.where(eigenvalues > n * np.finfo(np.float64).eps * largest, eigenvalues, 0)
    with np.errstate(over="ignore"):
        powers = (1 - rates * kept / n) ** (2 * steps)
    signal = ((np.swapaxes(basis, 1, 2) @ targets) ** 2).sum(axis=2)
    noise = targets.shape[1] * ((nngp @ basis) * basis).sum(axis=1)
    return np.asarray((powers * (signal + noise)).sum(axis=1) / (2 * n))


def _values(batch: Batch) -> np.ndarray:
    problem = batch.problem
    return training_losses(batch.nngp, batch.ntk, problem.labelled(), problem.steps, problem.learning_rate)


CRITERION = Criterion("loss", "predicted training loss", False, _values, ("nngp", "ntk"), needs_labels=True)
