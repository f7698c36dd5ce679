"""Random graphs of five nodes and the steps that their networks take to a given loss: recorded, or trained anew.

The file is made by

    python -m verify.claims._best_connectivity
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nngp_dag import datasets
from nngp_dag.dag import Dag
from nngp_dag.datasets.dataset import unit_rows
from nngp_dag.optimization import CRITERIA, Problem, quotient
from nngp_dag.optimization.judging import GraphJudge
from nngp_dag.optimization.training import TrainedGraphs, largest_eigenvalues, train_graphs
from nngp_dag.reading import Setting
from nngp_dag.support.files import write_text
from verify import Context

__all__ = ["FILE", "TARGET", "Trained", "chosen_graphs", "recorded", "trained"]

FILE = Path(__file__).parent / "data" / "best_connectivity.csv"
TARGET = 0.5
"""Share of the targets' size to which the squared residual has to fall."""

_ROWS = "digits:64"
_STEPS = 500
_WIDTH = 64
_LINEAR = 4


@dataclass(frozen=True, eq=False)
class Trained:
    """Graphs, and how fast their networks were trained.

    Attributes:
        label: the data.
        x: rows [N, d].
        y: targets, -1 or 1, [N].
        dags: D graphs; by lambda-min the best, the median and the worst of four linear edges come first.
        largest: lambda_max of each NTK, [D].
        fixed, tuned: mean steps to the target, [D].
    """

    label: str
    x: np.ndarray
    y: np.ndarray
    dags: tuple[Dag, ...]
    largest: np.ndarray
    fixed: np.ndarray
    tuned: np.ndarray


def rows(spec: str, data_dir: Path | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows and targets: 1 for classes below 5, else -1."""
    data = datasets.load(spec, data_dir=data_dir)
    assert data.y is not None
    return data.x, np.where(data.y < 5, 1.0, -1.0)


def _subset(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """64 images of a file of CIFAR-10 with x_train and y_train, as `rows`."""
    with np.load(path) as arrays:
        chosen = np.random.default_rng(0).permutation(len(arrays["y_train"]))[:64]
        pixels, labels = arrays["x_train"][chosen].reshape(64, -1), arrays["y_train"][chosen]
    return unit_rows(pixels, path.name), np.where(labels < 5, 1.0, -1.0)


def chosen_graphs(x: np.ndarray, count: int = 100, seed: int = 0) -> tuple[Dag, ...]:
    """The best, median and worst of four linear edges by lambda-min, and `count` random ones, all of five nodes."""
    classes = quotient(5)
    dags = [Dag.from_array(code) for code in classes.codes()]
    same = np.flatnonzero(classes.num_linear == _LINEAR)
    cost = GraphJudge((CRITERIA["lambda-min"],), Problem(x)).costs([dags[i] for i in same])[:, 0]
    order = same[np.argsort(cost, kind="stable")]
    special = [int(order[0]), int(order[len(order) // 2]), int(order[-1])]
    drawn = np.random.default_rng(seed).choice(np.flatnonzero(classes.num_linear > 0), count, replace=False)
    return tuple(dags[i] for i in [*special, *(int(i) for i in drawn if i not in special)])


def recorded(file: Path = FILE) -> Trained:
    """The graphs that were trained on digits."""
    with file.open(newline="", encoding="utf-8") as stream:
        table = list(csv.DictReader(stream))
    x, y = rows(_ROWS)
    columns = (np.array([float(row[name]) for row in table]) for name in ("largest", "fixed", "tuned"))
    return Trained("digits", x, y, tuple(Dag.from_code(row["code"]) for row in table), *columns)


def trained(context: Context) -> list[Trained]:
    """The recorded graphs; in the full profile trained anew, with --data-dir also on MNIST and CIFAR-10."""
    if context.profile == "quick":
        return [recorded()]
    found = [_train("digits", rows(_ROWS), seeds=(10, 11, 12))]
    folder = None if context.data_dir is None else Path(context.data_dir)
    if folder is not None:
        found.append(_train("MNIST", rows("mnist-test:64", folder), seeds=(0, 1)))
    if folder is not None and (folder / "cifar10_subset.npz").exists():
        found.append(_train("CIFAR-10", _subset(folder / "cifar10_subset.npz"), seeds=(0, 1)))
    return found


def _train(label: str, data: tuple[np.ndarray, np.ndarray], seeds: Sequence[int]) -> Trained:
    x, y = data
    dags = chosen_graphs(x)
    problem = Problem(x, y[:, None], Setting())
    largest = largest_eigenvalues(dags, problem)
    found: TrainedGraphs = train_graphs(
        dags, problem, y, width=_WIDTH, seeds=seeds, steps=_STEPS, target=TARGET, largest=largest
    )
    return Trained(label, x, y, tuple(dags), largest, found.mean_steps(False), found.mean_steps(True))


def text_of(sample: Trained) -> str:
    """The text of `FILE`."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["code", "largest", "fixed", "tuned"])
    for dag, *numbers in zip(sample.dags, sample.largest, sample.fixed, sample.tuned, strict=True):
        writer.writerow([dag.to_code(), *(f"{number:.9g}" for number in numbers)])
    return stream.getvalue()


if __name__ == "__main__":
    write_text(FILE, text_of(_train("digits", rows(_ROWS), seeds=(0, 1))))
