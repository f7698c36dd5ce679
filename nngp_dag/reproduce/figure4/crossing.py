"""A late crossing of two training curves: one behind in the first half of training, and ahead in the last quarter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nngp_dag.errors import InputError
from nngp_dag.reproduce.figure4.order import early_accuracy
from nngp_dag.support.statistics import Estimate

__all__ = ["Crossing", "late_accuracy", "late_crossing"]


@dataclass(frozen=True)
class Crossing:
    """Accuracy of the curve that should overtake less that of the other, over seeds.

    Attributes:
        early: mean difference in the first half of the points, with its interval.
        late: the same in the last quarter.
    """

    early: Estimate
    late: Estimate

    @property
    def holds(self) -> bool | None:
        """True where the early interval is below zero and the late one above, False where one is on the other side."""
        if self.early.high < 0 < self.late.low:
            return True
        if self.early.low > 0 or self.late.high < 0:
            return False
        return None


def late_accuracy(accuracy: npt.ArrayLike, share: float = 0.25) -> np.ndarray:
    """Mean over the last `share` of the points of curves [P, ...], [...]."""
    return early_accuracy(np.asarray(accuracy, np.float64)[::-1], share)


def late_crossing(overtaking: npt.ArrayLike, overtaken: npt.ArrayLike, confidence: float = 0.95) -> Crossing:
    """Compare two DAGs' curves early and late, seed by seed.

    Args:
        overtaking: accuracies [P, S] of the DAG that should be behind early and ahead late.
        overtaken: accuracies [P, S] of the other.
        confidence: level at which both intervals (Student's t, paired by seed) hold together (Bonferroni).

    Raises:
        InputError: fewer than four points, between which no window could be told from the other, or than two seeds.
    """
    difference = np.asarray(overtaking, np.float64) - np.asarray(overtaken, np.float64)
    points, seeds = difference.shape
    if points < 4 or seeds < 2:
        raise InputError(f"a late crossing needs at least 4 points and 2 seeds, got {points} and {seeds}")
    each = 1 - (1 - confidence) / 2
    return Crossing(
        Estimate.mean(early_accuracy(difference), each),
        Estimate.mean(late_accuracy(difference), each),
    )
