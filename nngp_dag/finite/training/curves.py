"""Training curves: loss, accuracy and mean per-class accuracy of every DAG and seed, and their mean and deviation."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nngp_dag.finite.training.program import Tally

__all__ = ["MEASURES", "Curves", "measures"]

MEASURES = ("loss", "accuracy", "class_accuracy")


def measures(tally: Tally) -> dict[str, np.ndarray]:
    """From sums over rows, arrays [...]: mean loss, accuracy, and the mean over classes of the accuracy in each class.

    Classes without rows do not count. The last is what the authors report as accuracy; it equals accuracy for
    balanced classes.
    """
    loss, correct, rows = (np.asarray(part, np.float64) for part in tally)
    total = rows.sum(axis=-1)
    present = rows > 0
    by_class = np.divide(correct, rows, out=np.zeros_like(correct), where=present)
    return {
        "loss": loss / total,
        "accuracy": correct.sum(axis=-1) / total,
        "class_accuracy": by_class.sum(axis=-1) / present.sum(axis=-1),
    }


@dataclass
class Curves:
    """Curves of D DAGs and S seeds at P points.

    Attributes:
        codes: the DAGs.
        seeds: the seeds.
        steps: step number of each point; the first is 0.
        evaluated: measures on all training rows at each point, each [P][D, S]; NaN where they were not asked for.
        running: measures over the batches since the point before, each batch before its update (as the authors report
            accuracy), each [P - 1][D, S].
    """

    codes: tuple[str, ...]
    seeds: tuple[int, ...]
    steps: list[int] = field(default_factory=list)
    evaluated: dict[str, list[np.ndarray]] = field(default_factory=lambda: {name: [] for name in MEASURES})
    running: dict[str, list[np.ndarray]] = field(default_factory=lambda: {name: [] for name in MEASURES})

    def array(self, measure: str, running: bool = False) -> np.ndarray:
        """A measure as float64 [P, D, S], or [P - 1, D, S] for the running one."""
        points = (self.running if running else self.evaluated)[measure]
        return np.reshape(points, (len(points), len(self.codes), len(self.seeds)))

    def summary(self) -> list[dict[str, object]]:
        """For each DAG: every measure's mean and standard deviation over seeds (ddof 1; 0 for one seed) at every
        point.
        """
        table = []
        for i, code in enumerate(self.codes):
            row: dict[str, object] = {"code": code}
            for name in MEASURES:
                row[name] = _mean_and_deviation(self.array(name)[:, i])
                row[f"running_{name}"] = _mean_and_deviation(self.array(name, running=True)[:, i])
            table.append(row)
        return table


def _mean_and_deviation(values: np.ndarray) -> dict[str, list[float]]:
    deviation = values.std(axis=1, ddof=1) if values.shape[1] > 1 else np.zeros(values.shape[0])
    return {"mean": values.mean(axis=1).tolist(), "std": deviation.tolist()}
