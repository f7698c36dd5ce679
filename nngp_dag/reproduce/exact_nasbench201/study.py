"""The rows of the study: a cell of every class and its measures, kept as they are finished."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nngp_dag.conv import conv_kernel_fn
from nngp_dag.conv.functions import is_normalized
from nngp_dag.conv.images import shrunk, unit_images
from nngp_dag.errors import InputError
from nngp_dag.nas.images import Images
from nngp_dag.reproduce.exact_nasbench201.measures import MEASURES, measured
from nngp_dag.spaces.nasbench201 import NasBench201
from nngp_dag.support.digest import digest
from nngp_dag.support.progress import ProgressBar, no_progress
from nngp_dag.support.row_format import Row, row_format
from nngp_dag.support.table import GrowingTable

__all__ = ["StudyData", "cells_in_order", "run_study", "study_data"]

_COLUMNS = ("architecture", *MEASURES)


@dataclass(frozen=True, eq=False)
class StudyData:
    """Images of the study.

    Attributes:
        x: of unit mean square, float64 [N, size, size, 3].
        y: labels [N].
        source: where they came from.
    """

    x: np.ndarray
    y: np.ndarray
    source: str


def study_data(images: Images, count: int, size: int) -> StudyData:
    """The first images of every class, as many of each, shrunk to `size` and scaled to unit mean square.

    Raises:
        InputError: images without labels, or of which a class has too few.
    """
    if images.y is None:
        raise InputError(f"{images.source} has no labels, which the study compares kernels with")
    classes = np.unique(images.y)
    if count < len(classes) or count % len(classes):
        raise InputError(f"{count} images of {len(classes)} classes: a multiple of {len(classes)} is needed")
    each = count // len(classes)
    found = [np.flatnonzero(images.y == label)[:each] for label in classes]
    if min(map(len, found)) < each:
        raise InputError(f"{images.source} has fewer than {each} images of a class")
    index = np.concatenate(found)
    return StudyData(unit_images(shrunk(images.x[index].astype(np.float64), size)), images.y[index], images.source)


def cells_in_order(seed: int, sample: int | None) -> np.ndarray:
    """One cell of every class in a random order, int8 [C, 6]; the first `sample` of them where that is given."""
    cells, _ = NasBench201().classes()
    order = np.random.default_rng(seed).permutation(len(cells))
    return cells[order[:sample]]


def run_study(
    data: StudyData,
    cells: np.ndarray,
    out: Path,
    *,
    stages: int = 3,
    normalization: str = "none",
    progress: ProgressBar = no_progress,
) -> list[Row]:
    """A row for every cell [C, 6], in a .csv file that a second start goes on with.

    Args:
        data: images and labels.
        cells: genes.
        out: the file; rows of other images, sizes or networks are refused.
        stages: of the networks, of one cell each.
        normalization: "none" or "layer", as for `conv_kernel_fn`.
        progress: opens a progress bar.

    Raises:
        InputError: the file cannot be written or holds something else, or the images cannot be halved.
    """
    space = NasBench201()
    has_norm = is_normalized(normalization)
    settings = digest(data.x, data.y, f"{stages} stages" + (", layer norm" if has_norm else ""))[:16]
    rows = row_format(out, (*_COLUMNS, "settings"), ("architecture", "settings"))
    found: list[Row] = []
    with (
        GrowingTable(out, rows, settings, "another study (other images, sizes or networks)", "measures") as table,
        progress("Exact kernels", len(cells), "cells") as advance,
    ):
        for genes in cells:
            text = space.write(genes[None])
            if text not in table:
                table.add([(text, {"architecture": text, **_measures(genes, data, stages, normalization)})])
            found.append({column: table[text][column] for column in _COLUMNS})
            advance(len(found))
        table.finish()
    return found


def _measures(genes: np.ndarray, data: StudyData, stages: int, normalization: str) -> Row:
    kernels = conv_kernel_fn(genes[None], stages=stages, normalization=normalization)(data.x)
    return {
        f"{name}_{measure}": value
        for name in ("nngp", "ntk")
        for measure, value in measured(np.asarray(getattr(kernels, name)), data.y).items()
    }
