r"""Steps that finite networks take to a given loss, to be compared with the order that a criterion predicts.

Full-batch gradient descent on |y - u|^2 / 2 of one real output, many graphs, seeds and learning rates in one program
(`finite.convergence.GradientDescent`). Two ways to choose learning rates: *fixed*, one for all graphs, the largest
that infinite width calls stable for every one of them, halved; and *tuned*, for each graph the best of a few multiples
of half its own largest stable one, 1 / lambda_max.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.kernel.functions import kernel_of
from nngp_dag.optimization.problem import Problem
from nngp_dag.support.progress import ProgressBar, no_progress

__all__ = ["FACTORS", "TrainedGraphs", "largest_eigenvalues", "train_graphs"]

FACTORS = (0.5, 1.0, 1.6)
"""Of half the largest stable learning rate, which is the one at 2."""

_CHUNK = 16


@dataclass(frozen=True, eq=False)
class TrainedGraphs:
    """The steps that graphs took to be trained.

    Attributes:
        dags: D graphs.
        target: the share of |y|^2 to which the squared residual has to fall.
        steps: of training.
        fixed: steps to the target at one learning rate for all, float64 [D, S]; infinite where it was not reached.
        tuned: the same at the best of each graph's own.
    """

    dags: tuple[Dag, ...]
    target: float
    steps: int
    fixed: np.ndarray
    tuned: np.ndarray

    def mean_steps(self, tuned: bool) -> np.ndarray:
        """Mean over seeds [D]; where a seed has not reached the target it counts with the steps that were made."""
        return np.minimum(self.tuned if tuned else self.fixed, self.steps).mean(axis=1)


def largest_eigenvalues(dags: Sequence[Dag], problem: Problem) -> np.ndarray:
    """lambda_max of each NTK on the rows, float64 [D]."""
    return np.array([np.linalg.eigvalsh(np.asarray(kernel_of(d, problem.setting)(problem.x).ntk))[-1] for d in dags])


def train_graphs(
    dags: Sequence[Dag],
    problem: Problem,
    y: np.ndarray,
    *,
    width: int,
    seeds: Sequence[int],
    steps: int,
    target: float = 0.2,
    largest: np.ndarray | None = None,
    progress: ProgressBar = no_progress,
) -> TrainedGraphs:
    """Train networks of every graph from every seed, at fixed and at tuned learning rates.

    Args:
        dags: D graphs with as many nodes each, or fewer.
        problem: the rows and the reading.
        y: one real target a row [N].
        width: of the networks.
        seeds: S of them.
        steps: of gradient descent.
        target: share of |y|^2.
        largest: lambda_max of each NTK [D], where it is known.
        progress: opens a progress bar over the graphs.

    Raises:
        InputError: as `GradientDescent`.
    """
    from nngp_dag.finite.convergence.descent import GradientDescent

    largest = largest_eigenvalues(dags, problem) if largest is None else largest
    fixed_rate = 1 / float(largest.max())
    fixed, tuned = [], []
    with progress("Training", len(dags), "graphs") as advance:
        for start in range(0, len(dags), _CHUNK):
            # As many graphs in every call: one compilation.
            chosen = np.arange(start, start + _CHUNK) % len(dags)
            part = [dags[int(i)] for i in chosen]
            descent = GradientDescent(part, problem.x, y, width, seeds, problem.setting.reading, dtype="float32")
            found = [
                _steps_to(descent.residuals(np.broadcast_to(rates[:, None], (len(part), len(seeds))), steps), y, target)
                for rates in (np.full(len(part), fixed_rate), *(factor / largest[chosen] for factor in FACTORS))
            ]
            fixed.append(found[0])
            # One rate a graph, not one a seed: that with the fewest steps on average.
            means = np.stack([np.minimum(each, steps + 1).mean(axis=1) for each in found[1:]])
            tuned.append(np.stack(found[1:])[means.argmin(axis=0), np.arange(len(part))])
            advance(min(start + _CHUNK, len(dags)))
    kept = slice(0, len(dags))
    return TrainedGraphs(tuple(dags), target, steps, np.concatenate(fixed)[kept], np.concatenate(tuned)[kept])


def _steps_to(residuals: np.ndarray, y: np.ndarray, target: float) -> np.ndarray:
    """The first step at which a squared residual [..., T] is at most the target, float64 [...]; infinite for none."""
    reached = residuals <= target * float((y**2).sum())
    return np.where(reached.any(axis=-1), reached.argmax(axis=-1), np.inf).astype(np.float64)
