"""Cells of NAS-Bench-201 with the spectra of their exact kernels and published accuracies: what the claims rank.

`recorded` has a random sample of the study on images of CIFAR-10 (`nngp-dag reproduce exact-nasbench201`): 30 images of
8 x 8, three stages of a cell. `computed` makes kernels anew, on digits, which every machine has. Accuracies are means
over all cells that are the same graph. The file is made from the study's rows and the benchmark by

    python -m verify.claims._exact_cells exact-nasbench201/cells.csv nas_bench_201_test_accuracy.csv 400
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nngp_dag import datasets
from nngp_dag.accuracy import Benchmark, read
from nngp_dag.conv import conv_kernel_fn
from nngp_dag.conv.images import shrunk, unit_images
from nngp_dag.reproduce.exact_nasbench201.measures import measured
from nngp_dag.reproduce.exact_nasbench201.report import class_accuracies
from nngp_dag.reproduce.exact_nasbench201.study import cells_in_order
from nngp_dag.spaces.nasbench201 import NasBench201
from nngp_dag.support.files import write_text
from verify import Context

__all__ = ["DATASETS", "FILE", "KERNELS", "SPECTRA", "Cells", "cells_text", "computed", "recorded", "samples"]

FILE = Path(__file__).parent / "data" / "exact_cells.csv"
DATASETS = ("cifar10", "cifar100", "imagenet16_120")
KERNELS = ("nngp", "ntk")
FORMS = ("lambda_min", "lambda_min_scale_free", "condition")
SPECTRA = tuple(f"{kernel}_{form}" for kernel in KERNELS for form in FORMS)
"""The columns of a cell: least eigenvalue, the same over the mean diagonal, condition number."""

_IMAGES = 32
_PIXELS = 8


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells with a path, no two the same graph.

    Attributes:
        label: the network and the images.
        genes: the operation of each edge, int8 [C, 6].
        spectra: by name, one of `SPECTRA`, [C]; a condition number is infinite where the kernel is singular.
        accuracy: test accuracy by data set, in percent, [C].
    """

    label: str
    genes: np.ndarray
    spectra: Mapping[str, np.ndarray]
    accuracy: Mapping[str, np.ndarray]

    @property
    def shape(self) -> dict[str, np.ndarray]:
        """Effective depth and width, [C]."""
        totals = NasBench201().totals(self.genes)
        return {
            "depth": np.array([float(d) for d in totals.depth]),
            "width": np.array([float(m) for m in totals.width]),
        }

    @property
    def convolutions(self) -> dict[str, np.ndarray]:
        """The number of convolutions, [C]."""
        return {"convolutions": NasBench201().num_parameterised(self.genes).astype(np.float64)}

    def first(self, count: int) -> Cells:
        """The first so many cells, a random sample like all of them."""

        def cut(columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
            return {name: column[:count] for name, column in columns.items()}

        return Cells(self.label, self.genes[:count], cut(self.spectra), cut(self.accuracy))


def recorded(file: Path = FILE) -> Cells:
    """The sample of the study."""
    with file.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    genes = np.array([[int(digit) for digit in row["cell"]] for row in rows], dtype=np.int8)
    columns = {name: np.array([float(row[name]) for row in rows]) for name in (*SPECTRA, *DATASETS)}
    return Cells(
        "three stages, CIFAR-10",
        genes,
        {name: columns[name] for name in SPECTRA},
        {name: columns[name] for name in DATASETS},
    )


def computed(cells: Cells, stages: int, size: int) -> Cells:
    """The same cells, their spectra computed anew on digits of size x size in networks of so many stages."""
    x = datasets.load(f"digits:{_IMAGES}").x.reshape(-1, _PIXELS, _PIXELS, 1)
    images, labels = unit_images(shrunk(x.astype(np.float64), size)), np.arange(_IMAGES)
    found: dict[str, list[float]] = {name: [] for name in SPECTRA}
    for genes in cells.genes:
        kernels = conv_kernel_fn(genes[None], stages=stages)(images)
        for kernel in KERNELS:
            values = measured(np.asarray(getattr(kernels, kernel)), labels)
            for form in FORMS:
                value = values[form]
                found[f"{kernel}_{form}"].append(np.inf if value is None else float(value))
    label = f"{('one', 'two', 'three')[stages - 1]} stage{'s' if stages > 1 else ''}, digits {size} x {size}"
    return Cells(label, cells.genes, {name: np.array(column) for name, column in found.items()}, cells.accuracy)


def samples(context: Context) -> list[Cells]:
    """The recorded cells, and some of them computed anew: with one stage; in the full profile with up to three."""
    cells = recorded()
    if context.profile == "quick":
        return [cells, computed(cells.first(40), 1, 4)]
    return [cells, *(computed(cells, stages, _PIXELS) for stages in (1, 2, 3))]


def cells_text(rows: Sequence[Mapping[str, str]], benchmark: Benchmark, count: int) -> str:
    """The text of `FILE`: of the first cells in the study's order those that have a path, from its rows."""
    space = NasBench201()
    found = {row["architecture"]: row for row in rows}
    cells = cells_in_order(0, count)
    chosen = [found[space.write(genes[None])] for genes in cells]
    connected = np.array([bool(row["ntk_lambda_min"]) for row in chosen])
    accuracies = class_accuracies(benchmark, cells)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["cell", *DATASETS, *SPECTRA])
    for i in np.flatnonzero(connected):
        values = [f"{accuracies[name][i]:.4f}" for name in DATASETS]
        spectra = [f"{float(chosen[i][name] or 'inf'):.9g}" for name in SPECTRA]
        writer.writerow(["".join(map(str, cells[i])), *values, *spectra])
    return stream.getvalue()


if __name__ == "__main__":
    with Path(sys.argv[1]).open(newline="", encoding="utf-8") as _stream:
        _rows = list(csv.DictReader(_stream))
    write_text(FILE, cells_text(_rows, read("nasbench201", sys.argv[2]), int(sys.argv[3])))
