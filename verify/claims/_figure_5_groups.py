"""Accuracy on NAS-Bench-201 by group of equal effective depth, width and number of convolutions.

`data/figure_5_groups.csv` holds count, mean, variance and distances from the median of each group: all that the claims
need, so that they are checked on machines without the benchmark as well. `summarise` makes it from the benchmark:

    python -m verify.claims._figure_5_groups nas_bench_201_test_accuracy.csv
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

__all__ = ["COMPLETE", "DATASETS", "FILE", "INCOMPLETE", "Group", "load_groups", "merged", "summarise"]

FILE = Path(__file__).parent / "data" / "figure_5_groups.csv"
DATASETS = ("cifar10", "cifar100", "imagenet16_120")
COMPLETE, INCOMPLETE = "complete", "chain with shortcuts"
"""All cells; and cells of three convolutions in a row whose other edges are skips, pooling or missing: a prior on
topology.
"""

_COLUMNS = ("cells", "parameterised", "depth", "width", "count")
_VALUES = ("mean", "variance", "spread", "spread_variance")


@dataclass(frozen=True)
class Group:
    """Architectures of one set of cells with equal (d, m) and number of convolutions.

    Attributes:
        cells: `COMPLETE` or `INCOMPLETE`.
        parameterised: number of convolutions.
        depth, width: effective depth and width.
        count: number of architectures.
        mean, variance: of their accuracy, by data set (population variance).
        spread, spread_variance: mean and population variance of the distance of their accuracy from the group's median,
            by data set: what the test of Brown and Forsythe compares.
    """

    cells: str
    parameterised: int
    depth: Fraction
    width: Fraction
    count: int
    mean: Mapping[str, float]
    variance: Mapping[str, float]
    spread: Mapping[str, float]
    spread_variance: Mapping[str, float]


def load_groups(file: Path = FILE) -> list[Group]:
    """The recorded groups."""
    with file.open(newline="", encoding="utf-8") as stream:
        return [
            Group(
                row["cells"],
                int(row["parameterised"]),
                Fraction(row["depth"]),
                Fraction(row["width"]),
                int(row["count"]),
                {name: float(row[f"{name}_mean"]) for name in DATASETS},
                {name: float(row[f"{name}_variance"]) for name in DATASETS},
                {name: float(row[f"{name}_spread"]) for name in DATASETS},
                {name: float(row[f"{name}_spread_variance"]) for name in DATASETS},
            )
            for row in csv.DictReader(stream)
        ]


def merged(groups: Iterable[Group], dataset: str) -> tuple[int, float, float]:
    """Count, mean and unbiased variance of the accuracy over the architectures of several groups."""
    chosen = list(groups)
    counts = np.array([g.count for g in chosen], dtype=np.float64)
    means = np.array([g.mean[dataset] for g in chosen])
    variances = np.array([g.variance[dataset] for g in chosen])
    total = counts.sum()
    mean = counts @ means / total
    spread = counts @ (variances + (means - mean) ** 2)
    return int(total), float(mean), float(spread / (total - 1))


def summarise(benchmark: Benchmark) -> str:
    """The groups of a NAS-Bench-201 benchmark, as the text of `FILE`."""
    codes = benchmark.space.codes(benchmark.cell())  # type: ignore[attr-defined]
    chain = (codes[:, [0, 2, 5]] == 2).all(axis=1) & (codes[:, [1, 3, 4]] < 2).all(axis=1)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*_COLUMNS, *(f"{name}_{what}" for name in DATASETS for what in _VALUES)])
    for cells, mask in ((COMPLETE, np.ones(len(benchmark), dtype=bool)), (INCOMPLETE, chain)):
        for number in sorted(set(benchmark.parameterised[mask].tolist())):
            writer.writerows(_rows(cells, number, benchmark.select(mask & (benchmark.parameterised == number))))
    return stream.getvalue()


def _rows(cells: str, number: int, benchmark: Benchmark) -> Iterable[list[object]]:
    groups = group(benchmark)
    for i, (depth, width) in enumerate(groups.shapes):
        values = []
        for name in DATASETS:
            accuracy = benchmark.accuracy[name][groups.member == i]
            spread = np.abs(accuracy - np.median(accuracy))
            values += [groups.mean[name][i], groups.deviation[name][i] ** 2, spread.mean(), spread.var()]
        yield [cells, number, depth, width, groups.counts[i], *(f"{x:.6f}" for x in values)]


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    write_text(FILE, summarise(read("nasbench201", sys.argv[1])))
