"""Theorem 3.1 at one learning rate and width: the measured residual against the bound, at every step.

The theorem says that, for eta small and m large enough,
    |y - u(k)|^2 <= (1 - eta lambda_min(K_HH) / 2)^k |y - u(0)|^2.
At infinite width the residual follows the NTK instead, r(k) = (1 - eta Theta)^k r(0), and lambda_min(Theta) >=
lambda_min(K): hence the bound, and its slack.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.finite.convergence.arguments import checked_dags, checked_targets
from nngp_dag.finite.convergence.descent import GradientDescent
from nngp_dag.kernel.functions import kernel_of
from nngp_dag.paths import path_statistics
from nngp_dag.reading import Reading, Setting

__all__ = ["BoundMeasurement", "KernelScales", "kernel_scales", "measure_bound"]


@dataclass(frozen=True)
class KernelScales:
    """The quantities that Theorem 3.1 and its cause depend on, for one DAG and data set of N rows.

    Attributes:
        nngp_min: lambda_min(K_HH), exact.
        ntk_min: lambda_min of the exact NTK.
        ntk_max: its lambda_max; linear dynamics are stable below eta = 2 / ntk_max.
        num_paths: P_H.
        rows: N.
        theorem_rate: lambda_min(K_HH) / (N P_H)^2, the theorem's eta without its factor 2^O(H) and constants.
    """

    nngp_min: float
    ntk_min: float
    ntk_max: float
    num_paths: int
    rows: int

    @property
    def theorem_rate(self) -> float:
        return self.nngp_min / (self.rows * self.num_paths) ** 2


@dataclass(frozen=True)
class BoundMeasurement:
    """One DAG at one learning rate and width, over S seeds and k = 0..T.

    Attributes:
        code: the DAG.
        width: m.
        learning_rate: eta, for L = |y - u|^2 / 2.
        scales: eigenvalues, number of paths and of rows.
        residuals: |y - u(k)|^2, [S, T + 1].
        bound: (1 - eta lambda_min(K) / 2)^k, [T + 1], a fraction of the residual at k = 0.
        predicted: mean over seeds of |y - u(k)|^2 at infinite width, [T + 1].
    """

    code: str
    width: int
    learning_rate: float
    scales: KernelScales
    residuals: np.ndarray
    bound: np.ndarray
    predicted: np.ndarray

    @property
    def slack(self) -> np.ndarray:
        """log(bound / measured) at every step, [S, T + 1]: negative where the bound fails."""
        with np.errstate(divide="ignore"):
            return np.log(self.bound) + np.log(self.residuals[:, :1]) - np.log(self.residuals)

    @property
    def failures(self) -> list[int | None]:
        """For each seed the first step at which the bound fails (beyond rounding), or None."""
        failed = self.slack < -1e-9
        return [int(np.argmax(row)) if row.any() else None for row in failed]

    @property
    def holds(self) -> bool:
        """The bound holds at every step for every seed."""
        return all(failure is None for failure in self.failures)

    def rates(self) -> dict[str, float]:
        """Decay of log |y - u|^2 a step: over the whole run (measured, predicted), and what each theory promises.

        `ntk` is that of the slowest mode, -2 log(1 - eta lambda_min(Theta)), which a long run tends to; `bound` is
        -log(1 - eta lambda_min(K) / 2).
        """
        steps = len(self.bound) - 1
        with np.errstate(divide="ignore", invalid="ignore"):
            measured = np.log(self.residuals[:, 0] / self.residuals[:, -1]).mean() / steps
            return {
                "measured": float(measured),
                "predicted": float(np.log(self.predicted[0] / self.predicted[-1]) / steps),
                "ntk": float(-2 * np.log(abs(1 - self.learning_rate * self.scales.ntk_min))),
                "bound": float(-np.log1p(-self.learning_rate * self.scales.nngp_min / 2)),
            }


def kernel_scales(dag: Dag, x: ArrayLike, reading: Reading | None = None) -> KernelScales:
    """Eigenvalues of the exact kernels on rows [N, d], with the number of paths."""
    rows = np.asarray(x, np.float64)
    kernels = kernel_of(dag, Setting("exact", reading or Reading()))(rows)
    nngp, ntk = (np.linalg.eigvalsh(np.asarray(kernel)) for kernel in kernels)
    return KernelScales(float(nngp[0]), float(ntk[0]), float(ntk[-1]), path_statistics(dag).num_paths, len(rows))


def measure_bound(
    dags: Sequence[Dag],
    x: ArrayLike,
    y: ArrayLike,
    *,
    width: int = 512,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    steps: int = 200,
    fraction: float = 0.5,
    learning_rate: float | None = None,
    reading: Reading | None = None,
    dtype: str | None = None,
) -> list[BoundMeasurement]:
    """Train networks of each DAG by full-batch gradient descent and compare with Theorem 3.1 at every step.

    Args:
        dags: DAGs with a path from input to output; all are trained as one program.
        x: rows [N, d], of unit norm as the theorem has them.
        y: targets [N].
        width: m.
        seeds: seeds of the networks.
        steps: T.
        fraction: learning rate of each DAG as a fraction of 2 / lambda_max(NTK), where linear dynamics turn unstable.
        learning_rate: one learning rate for all DAGs instead (Remark 3.2).
        reading: one that has an exact kernel; by default activation-last, gaussian, ReLU.
        dtype: as in `NetworkSpec`; by default JAX's default.

    Raises:
        InputError: unusable rows or targets, no DAG, one without a path, or steps below one.
    """
    rows, targets = checked_targets(x, y)
    dags = checked_dags(dags)
    if steps < 1:
        raise InputError(f"at least one step is needed, got {steps}")
    reading = reading or Reading()
    scales = [kernel_scales(dag, rows, reading) for dag in dags]
    rates = [learning_rate if learning_rate is not None else fraction * 2 / scale.ntk_max for scale in scales]
    runs = GradientDescent(dags, rows, targets, width, seeds, reading, dtype)
    residuals = runs.residuals(np.asarray(rates)[:, None], steps)
    return [
        BoundMeasurement(
            dag.to_code(),
            width,
            rate,
            scale,
            residuals[i],
            _bound(rate, scale.nngp_min, steps),
            _predicted(dag, rows, targets, rate, steps, reading),
        )
        for i, (dag, rate, scale) in enumerate(zip(dags, rates, scales, strict=True))
    ]


def _bound(rate: float, smallest: float, steps: int) -> np.ndarray:
    # Where eta lambda_min / 2 exceeds one the bound is zero: no such statement can be true of a network.
    return np.maximum(1 - rate * smallest / 2, 0.0) ** np.arange(steps + 1)


def _predicted(dag: Dag, x: np.ndarray, y: np.ndarray, rate: float, steps: int, reading: Reading) -> np.ndarray:
    from nngp_dag.prediction import LinearDynamics

    kernels = kernel_of(dag, Setting("exact", reading))(x)
    dynamics = LinearDynamics(kernels.ntk, rate * len(x))
    with np.errstate(over="ignore"):
        losses = dynamics.expected_losses(range(steps + 1), y[:, None], kernels.nngp)
    return 2 * len(x) * losses
