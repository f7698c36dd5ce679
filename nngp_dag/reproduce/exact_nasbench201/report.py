"""The report on exact kernels and accuracies: correlations, and verdicts on statements about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nngp_dag.accuracy import Benchmark
from nngp_dag.errors import InputError
from nngp_dag.nas.networks.network201 import MacroSpec
from nngp_dag.nas.networks.registry import space_networks
from nngp_dag.reproduce.exact_nasbench201.measures import HIGHER_IS_BETTER, MEASURES
from nngp_dag.reproduce.exact_nasbench201.ranks import RankCorrelations, explained, rank_correlations
from nngp_dag.spaces.nasbench201 import NasBench201
from nngp_dag.support.row_format import Row
from nngp_dag.support.statistics import Estimate

__all__ = ["CONTROLS", "MIN_CELLS", "Beside", "Study", "StudyStatement", "class_accuracies", "study_report"]

CONTROLS = ("convolutions", "parameters")
"""The columns that partial correlations hold fixed: the number of convolutions on paths of the cell; and that together
with the number of parameters of the full-size network."""

MIN_CELLS = 10
"""The least number of cells that correlations are computed on."""

_STATEMENTS = {
    "nngp_lambda_min": "larger least eigenvalues of the NNGP go with better cells",
    "nngp_lambda_min_scale_free": "larger scale-free least eigenvalues of the NNGP go with better cells",
    "ntk_lambda_min": "larger least eigenvalues of the NTK go with better cells",
    "ntk_lambda_min_scale_free": "larger scale-free least eigenvalues of the NTK go with better cells",
}


@dataclass(frozen=True)
class StudyStatement:
    """A statement with its verdict.

    Attributes:
        words: the statement.
        verdict: `holds` where the interval lies above the threshold in every reading, `refuted` where it lies below in
            every reading, `holds-conditionally` where both occur, else `inconclusive`.
        values: by reading, the number with its interval.
        threshold: what the number is compared with.
    """

    words: str
    verdict: str
    values: Mapping[str, Estimate]
    threshold: float

    @classmethod
    def judge(cls, words: str, values: Mapping[str, Estimate], threshold: float) -> StudyStatement:
        """The verdict of some readings."""
        above = [value.low > threshold for value in values.values()]
        below = [value.high < threshold for value in values.values()]
        if all(above):
            verdict = "holds"
        elif all(below):
            verdict = "refuted"
        else:
            verdict = "holds-conditionally" if any(above) and any(below) else "inconclusive"
        return cls(words, verdict, values, threshold)

    def as_dict(self) -> dict[str, object]:
        """Nested plain numbers."""
        values = {name: value.as_dict() for name, value in self.values.items()}
        return {"statement": self.words, "verdict": self.verdict, "threshold": self.threshold, "values": values}


@dataclass(frozen=True)
class Beside:
    """Correlations of columns on some cells.

    Attributes:
        size: number of cells, one of each class, those without a path left out.
        correlations: by data set and column; columns are signed so that better networks are expected to have more.
    """

    size: int
    correlations: Mapping[str, Mapping[str, RankCorrelations]]

    def as_dict(self) -> dict[str, object]:
        """Nested plain numbers."""
        return {
            "cells": self.size,
            "correlations": {
                data: {name: found.as_dict() for name, found in columns.items()}
                for data, columns in self.correlations.items()
            },
        }


@dataclass(frozen=True)
class Study(Beside):
    """The results.

    Attributes:
        size: number of cells, one of each class, those without a path left out.
        correlations: by data set and column; columns are signed so that better networks are expected to have more.
        statements: with verdicts.
        beside: the same columns and other scores, on the cells that have all of them; None without other scores.
    """

    statements: Sequence[StudyStatement]
    beside: Beside | None

    def as_dict(self) -> dict[str, object]:
        """Nested plain numbers."""
        return {
            **super().as_dict(),
            "statements": [statement.as_dict() for statement in self.statements],
            "beside": None if self.beside is None else self.beside.as_dict(),
        }


def class_accuracies(benchmark: Benchmark, cells: np.ndarray) -> dict[str, np.ndarray]:
    """By data set, the mean accuracy of all cells of the benchmark in the class of each cell [C, 6].

    Raises:
        InputError: a class of which the benchmark has no cell.
    """
    _, members = NasBench201().classes()
    powers = 5 ** np.arange(cells.shape[1])[::-1]
    classes = members[benchmark.architectures[:, 0] @ powers]
    counts = np.bincount(classes, minlength=members.max() + 1)
    wanted = members[cells @ powers]
    if not counts[wanted].all():
        missing = NasBench201().write(cells[np.argmin(counts[wanted])][None])
        raise InputError(f"the benchmark has no accuracy of {missing} or of a cell that is the same graph")
    return {
        name: (np.bincount(classes, accuracy, len(counts)) / np.maximum(counts, 1))[wanted]
        for name, accuracy in benchmark.accuracy.items()
    }


def study_report(
    rows: Sequence[Row],
    benchmark: Benchmark,
    scores: Mapping[str, Mapping[str, float]] | None = None,
    seed: int = 0,
    resamples: int = 1000,
) -> Study:
    """Correlations of all measures and of trivial columns with accuracy, and the statements.

    Args:
        rows: of `run_study`.
        benchmark: accuracies.
        scores: by name, other scores of some cells (higher is better) by their string: all columns are compared on the
            cells that have all of them.
        seed: of the bootstrap.
        resamples: of the bootstrap.

    Raises:
        InputError: too few cells, or accuracies that are missing.
    """
    rows = [row for row in rows if row["ntk_lambda_min"] is not None]
    if len(rows) < MIN_CELLS:
        raise InputError(f"{len(rows)} cells with a path: at least {MIN_CELLS} are needed")
    names = [str(row["architecture"]) for row in rows]
    cells = np.concatenate([NasBench201().parse(name) for name in names])
    columns, accuracies = _measures(rows) | _trivial(cells), class_accuracies(benchmark, cells)

    def compared(
        columns: Mapping[str, np.ndarray], chosen: slice | list[int]
    ) -> dict[str, dict[str, RankCorrelations]]:
        return {
            data: rank_correlations(columns, accuracy[chosen], CONTROLS, seed, resamples)
            for data, accuracy in accuracies.items()
        }

    correlations, beside = compared(columns, slice(None)), None
    if scores:
        chosen = [i for i, name in enumerate(names) if all(name in values for values in scores.values())]
        if len(chosen) < MIN_CELLS:
            raise InputError(f"{len(chosen)} of the cells have all other scores: at least {MIN_CELLS} are needed")
        others = {name: np.array([values[names[i]] for i in chosen]) for name, values in scores.items()}
        both = {name: column[chosen] for name, column in columns.items()} | others
        beside = Beside(len(chosen), compared(both, chosen))
    return Study(len(rows), correlations, _statements(columns, correlations, seed, resamples), beside)


def _measures(rows: Sequence[Row]) -> dict[str, np.ndarray]:
    columns = {}
    for name in MEASURES:
        sign = 1 if HIGHER_IS_BETTER[name.partition("_")[2]] else -1
        # A condition number that rounding cannot tell from infinity ranks last.
        columns[name] = np.array([np.inf if row[name] is None else row[name] for row in rows], np.float64) * sign
    return columns


def _trivial(cells: np.ndarray) -> dict[str, np.ndarray]:
    networks = space_networks("nasbench201")
    totals = networks.space.totals(cells)
    sizes = [networks.size(MacroSpec(), cell, 32) for cell in cells]
    return {
        CONTROLS[0]: networks.space.num_parameterised(cells).astype(np.float64),
        CONTROLS[1]: np.array([size.parameters for size in sizes], np.float64),
        "multiply-adds": np.array([size.multiply_adds for size in sizes], np.float64),
        "effective-depth": np.array([float(d) for d in totals.depth]),
        "effective-width": np.array([float(m) for m in totals.width]),
    }


def _statements(
    columns: Mapping[str, np.ndarray],
    correlations: Mapping[str, Mapping[str, RankCorrelations]],
    seed: int,
    resamples: int,
) -> list[StudyStatement]:
    found = []
    for name, words in _STATEMENTS.items():
        plain = {data: table[name].spearman for data, table in correlations.items()}
        given = {data: table[name].partial for data, table in correlations.items()}
        found.append(StudyStatement.judge(words, plain, 0.0))
        found.append(StudyStatement.judge(f"{words}, the number of convolutions held fixed", given, 0.0))
        given = {data: table[name].partial_all for data, table in correlations.items()}
        found.append(StudyStatement.judge(f"{words}, numbers of convolutions and parameters held fixed", given, 0.0))
    shape = {name: columns[name] for name in ("effective-depth", "effective-width")}
    targets = ("nngp_lambda_min_scale_free", "ntk_lambda_min_scale_free", "nngp_condition", "ntk_condition")
    shares = {name: explained(shape, columns[name], seed, resamples) for name in targets}
    words = "effective depth and width explain at least half of the variance of the ranks of the exact spectrum"
    return [*found, StudyStatement.judge(words, shares, 0.5)]
