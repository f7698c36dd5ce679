"""The learning rate and the width at which Theorem 3.1's bound begins to fail: measured, seed by seed.

The theorem leaves both as O(.) and Omega(.): eta = O(lambda_min / ((N P)^2 2^O(H))), and a width that grows at least as
(N P)^4 / lambda_min^4. Linear dynamics suggest another law: the bound holds up to about 2 / lambda_max(NTK).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.finite.convergence.arguments import checked_dags, checked_targets
from nngp_dag.finite.convergence.bound import KernelScales, kernel_scales
from nngp_dag.finite.convergence.descent import GradientDescent
from nngp_dag.reading import Reading

__all__ = ["LearningRateThreshold", "WidthFailures", "learning_rate_thresholds", "width_failures"]

_LARGEST = 4.0


@dataclass(frozen=True)
class LearningRateThreshold:
    """The largest learning rate at which the bound holds at each of `steps` steps, for one DAG.

    Attributes:
        code: the DAG.
        width: m.
        steps: number of steps looked at.
        scales: eigenvalues, number of paths and of rows.
        thresholds: for each seed, [S]; of the interval that bisection ends with, the end where the bound holds.
        resolution: relative width of that interval.
    """

    code: str
    width: int
    steps: int
    scales: KernelScales
    thresholds: np.ndarray
    resolution: float

    @property
    def stability(self) -> float:
        """Geometric mean of the thresholds in units of 2 / lambda_max(NTK), where linear dynamics turn unstable."""
        return float(np.exp(np.log(self.thresholds).mean()) * self.scales.ntk_max / 2)

    @property
    def over_theorem(self) -> float:
        """Geometric mean of the thresholds over the theorem's lambda_min(K) / (N P)^2, its factor 2^O(H) left out."""
        return float(np.exp(np.log(self.thresholds).mean()) / self.scales.theorem_rate)


@dataclass(frozen=True)
class WidthFailures:
    """Failures of the bound over seeds at each width, for one DAG at a fixed learning rate.

    Attributes:
        code: the DAG.
        learning_rate: eta.
        steps: number of steps looked at.
        scales: eigenvalues, number of paths and of rows.
        widths: m, ascending, [W].
        failures: number of seeds with a failure at each width, [W].
        seeds: S.
    """

    code: str
    learning_rate: float
    steps: int
    scales: KernelScales
    widths: tuple[int, ...]
    failures: tuple[int, ...]
    seeds: int

    @property
    def smallest_sufficient(self) -> int | None:
        """The smallest width from which on no seed fails at any larger one; None where the largest still fails."""
        sufficient = None
        for width, failures in zip(reversed(self.widths), reversed(self.failures), strict=True):
            if failures:
                break
            sufficient = width
        return sufficient

    @property
    def theorem_width(self) -> float:
        """(N P)^4 / lambda_min(K)^4, one of the theorem's lower limits, without its constant."""
        return (self.scales.rows * self.scales.num_paths / self.scales.nngp_min) ** 4


def learning_rate_thresholds(
    dags: Sequence[Dag],
    x: ArrayLike,
    y: ArrayLike,
    *,
    width: int = 512,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    steps: int = 100,
    rounds: int = 12,
    reading: Reading | None = None,
    dtype: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[LearningRateThreshold]:
    """Bisect (on a logarithmic scale) for the learning rate at which the bound begins to fail, every seed by itself.

    The bisection starts from 2^-6 and 4 times 2 / lambda_max(NTK); it takes failure to be monotone in the learning
    rate.

    Args:
        dags: DAGs with a path.
        x: rows [N, d] of unit norm.
        y: targets [N].
        width: m.
        seeds: seeds.
        steps: steps looked at.
        rounds: of bisection; each halves the logarithm of the interval.
        reading: one that has an exact kernel; by default activation-last, gaussian, ReLU.
        dtype: as in `NetworkSpec`.
        progress: called with the number of rounds done.

    Raises:
        InputError: unusable data, no DAG, one without a path, or a seed whose bound fails even at the smallest
            learning rate.
    """
    rows, targets = checked_targets(x, y)
    dags = checked_dags(dags)
    reading = reading or Reading()
    scales = [kernel_scales(dag, rows, reading) for dag in dags]
    runs = GradientDescent(dags, rows, targets, width, seeds, reading, dtype)
    unit = np.array([[2 / scale.ntk_max] for scale in scales])
    smallest = np.array([[scale.nngp_min] for scale in scales])
    low = np.log(np.repeat(unit * 2.0**-6, len(seeds), axis=1))
    high = np.log(np.repeat(unit * _LARGEST, len(seeds), axis=1))
    if not _holds(runs, np.exp(low), smallest, steps).all():
        raise InputError(f"the bound fails at every learning rate tried: width {width} is too small for it")
    for done in range(rounds):
        middle = (low + high) / 2
        holds = _holds(runs, np.exp(middle), smallest, steps)
        low, high = np.where(holds, middle, low), np.where(holds, high, middle)
        if progress is not None:
            progress(done + 1)
    resolution = float(np.exp((high - low).max()) - 1)
    return [
        LearningRateThreshold(dag.to_code(), width, steps, scale, np.exp(low[i]), resolution)
        for i, (dag, scale) in enumerate(zip(dags, scales, strict=True))
    ]


def width_failures(
    dags: Sequence[Dag],
    x: ArrayLike,
    y: ArrayLike,
    *,
    widths: Sequence[int] = (4, 8, 16, 32, 64, 128, 256),
    seeds: Sequence[int] = tuple(range(8)),
    steps: int = 100,
    fraction: float = 0.5,
    reading: Reading | None = None,
    dtype: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[WidthFailures]:
    """Count the seeds for which the bound fails, at each width.

    Args:
        dags: DAGs with a path.
        x: rows [N, d] of unit norm.
        y: targets [N].
        widths: widths to try.
        seeds: seeds.
        steps: steps looked at.
        fraction: learning rate as a fraction of 2 / lambda_max(NTK).
        reading: one that has an exact kernel; by default activation-last, gaussian, ReLU.
        dtype: as in `NetworkSpec`.
        progress: called with the number of widths done.

    Raises:
        InputError: unusable data, no width, no DAG, or one without a path.
    """
    rows, targets = checked_targets(x, y)
    dags = checked_dags(dags)
    ordered = sorted(set(widths))
    if not ordered:
        raise InputError("at least one width is needed")
    reading = reading or Reading()
    scales = [kernel_scales(dag, rows, reading) for dag in dags]
    rates = np.array([[fraction * 2 / scale.ntk_max] for scale in scales])
    smallest = np.array([[scale.nngp_min] for scale in scales])
    counts = np.zeros((len(dags), len(ordered)), int)
    for column, width in enumerate(ordered):
        runs = GradientDescent(dags, rows, targets, width, seeds, reading, dtype)
        counts[:, column] = (~_holds(runs, np.repeat(rates, len(seeds), axis=1), smallest, steps)).sum(axis=1)
        if progress is not None:
            progress(column + 1)
    return [
        WidthFailures(
            dag.to_code(),
            float(rates[i, 0]),
            steps,
            scale,
            tuple(ordered),
            tuple(int(c) for c in counts[i]),
            len(seeds),
        )
        for i, (dag, scale) in enumerate(zip(dags, scales, strict=True))
    ]


def _holds(runs: GradientDescent, rates: np.ndarray, smallest: np.ndarray, steps: int) -> np.ndarray:
    residuals = runs.residuals(rates, steps)
    factor = np.maximum(1 - rates * smallest / 2, 0.0)[..., None]
    bound = factor ** np.arange(steps + 1) * residuals[..., :1]
    return np.all(residuals <= bound * (1 + 1e-9), axis=-1)
