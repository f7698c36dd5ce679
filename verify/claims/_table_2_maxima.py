"""The most accurate cells of NAS-Bench-201 by group of equal effective depth and width, recorded.

`data/table_2_maxima.csv` has, for each group and data set, how many architectures the group holds, how many of them
share its best test accuracy, and the first that does, with its accuracy on each data set. The best of the space is the
best of the groups. `summarise` makes it from the benchmark:

    python -m verify.claims._table_2_maxima nas_bench_201_test_accuracy.csv
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from nngp_dag.accuracy import Benchmark, read
from nngp_dag.accuracy.groups import group
from nngp_dag.support.files import write_text

__all__ = ["DATASETS", "FILE", "GroupBest", "load_maxima", "summarise"]

FILE = Path(__file__).parent / "data" / "table_2_maxima.csv"
DATASETS = ("cifar10", "cifar100", "imagenet16_120")


@dataclass(frozen=True)
class GroupBest:
    """The best architecture of a group on one data set.

    Attributes:
        depth, width: effective depth and width of the group.
        count: number of its architectures.
        dataset: the data set on which it is the best.
        ties: number of architectures of the group with that accuracy.
        cell: the operation of each edge, as digits.
        accuracy: its test accuracy by data set, in percent.
    """

    depth: Fraction
    width: Fraction
    count: int
    dataset: str
    ties: int
    cell: str
    accuracy: Mapping[str, float]

    @property
    def best(self) -> float:
        """The accuracy on the data set on which it is the best."""
        return self.accuracy[self.dataset]


def load_maxima(file: Path = FILE) -> list[GroupBest]:
    """The recorded architectures."""
    with file.open(newline="", encoding="utf-8") as stream:
        return [
            GroupBest(
                Fraction(row["depth"]),
                Fraction(row["width"]),
                int(row["count"]),
                row["dataset"],
                int(row["ties"]),
                row["cell"],
                {name: float(row[name]) for name in DATASETS},
            )
            for row in csv.DictReader(stream)
        ]


def summarise(benchmark: Benchmark) -> str:
    """The text of `FILE`, of a NAS-Bench-201 benchmark."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["depth", "width", "count", "dataset", "ties", "cell", *DATASETS])
    writer.writerows(_rows(benchmark))
    return stream.getvalue()


def _rows(benchmark: Benchmark) -> Iterable[list[object]]:
    groups = group(benchmark)
    for i, (depth, width) in enumerate(groups.shapes):
        members = np.flatnonzero(groups.member == i)
        for dataset in DATASETS:
            values = benchmark.accuracy[dataset][members]
            best = int(members[values.argmax()])
            cell = "".join(map(str, benchmark.cell()[best]))
            accuracies = [f"{benchmark.accuracy[name][best]:.4f}" for name in DATASETS]
            yield [depth, width, len(members), dataset, int((values == values.max()).sum()), cell, *accuracies]


if __name__ == "__main__":
    write_text(FILE, summarise(read("nasbench201", sys.argv[1])))
