"""Scores of other origin beside exact kernels: the rows that `nngp-dag score` writes."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.nas.scores.registry import SCORES
from nngp_dag.spaces.nasbench201 import NasBench201
from nngp_dag.support.reading_files import bounded_lines, open_file

__all__ = ["read_scores"]


def read_scores(path: Path) -> dict[str, dict[str, float]]:
    """By score, its value for each architecture of NAS-Bench-201 (its string as the first of its class), higher better.

    Trivial baselines are left out: the study has its own.

    Raises:
        InputError: a file that cannot be read or has no column of a score.
    """
    with open_file(path) as file:
        lines = [line.decode(errors="surrogateescape") for line in bounded_lines(file)]
    rows = csv.DictReader(lines)
    names = [name for name in rows.fieldnames or () if name in SCORES and not SCORES[name].baseline]
    if not names or "architecture" not in (rows.fieldnames or ()):
        raise InputError(f"{path} has no scores: rows of `nngp-dag score --out FILE.csv` are needed")
    space = NasBench201()
    cells, members = space.classes()
    powers = 5 ** np.arange(space.genes)[::-1]
    found: dict[str, dict[str, float]] = {name: {} for name in names}
    for row in rows:
        genes = space.parse(row["architecture"])[0]
        text = space.write(cells[members[genes @ powers]][None])
        for name in names:
            try:
                value = float(row[name])
            except (TypeError, ValueError):
                raise InputError(f"{path}: {name} of {row['architecture']} is no number") from None
            found[name][text] = value if SCORES[name].higher_is_better else -value
    return found
