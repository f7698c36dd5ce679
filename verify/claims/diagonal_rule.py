"""General rule: the diagonal is the number of paths."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from verify import Context, Evidence, claim
from verify.tools.exhaustive import VIOLATIONS, Violation, try_on_spaces
from verify.tools.proofs import Proved, largest_difference, term
from verify.tools.spaces import READINGS, Space, complete_space, path_sum_reading, two_point_kernels

_Name = tuple[str, str, str]


def _violations(reading: _Name) -> list[Violation]:
    if reading[0] != "exact":
        return []
    names = ["double_skip"] + ["mean_meeting"] * (reading[1] == "activation-last")
    return [VIOLATIONS[name] for name in names]


def _error(space: Space, reading: _Name) -> np.ndarray:
    """How far K_ii is from the number of paths, relative to it, [A]."""
    paths = space.counts.sum(axis=1)
    return np.abs(two_point_kernels(space, reading).variance - paths) / paths


@lru_cache
def _certify(code: str, reading: _Name) -> Proved | None:
    terms = [term(code, reading, "variance"), term(code, path_sum_reading(reading), "variance", -1)]
    return largest_difference(f"K_ii > P for {code}, {' '.join(reading)}", terms)


@claim(
    "diagonal-rule",
    title="The diagonal of the kernel is the number of paths",
    source="General rules before Eq. 12",
    statement="On unit rows every diagonal entry of K^(H) is P, the number of end-to-end paths.",
    latex=r"K^{(H)}_{ii} = P",
    expected="holds-conditionally",
    settings={"DAGs": "all of four nodes; of five in the full profile", "rows": "unit rows"},
    fast=True,
    duration=6,
)
def check(context: Context) -> Evidence:
    """Every DAG with a path in every reading."""
    spaces = [complete_space(n) for n in context.pick(quick=(4,), full=(4, 5))]
    result = try_on_spaces(spaces, READINGS, _error, _violations, _certify)
    return Evidence(
        result.findings,
        summary="It is an identity of the paper's recursion. In a wide network it is false of "
        + ", ".join(f"{row[3]} of {row[2]} DAGs ({row[0]}, {row[1]} nodes)" for row in result.counts if row[3])
        + ".",
        condition="True for the paper's own recursion (independent). For exact it is true of the DAGs in which no two"
        " nodes are joined by two"
        " skip paths (z + z has four times the variance of z) and, in activation-last, skip paths bring the features"
        " of no two linear"
        " edges to one node (their means multiply); for no others.",
        inside={"reading": ", ".join(READINGS[0]), "DAGs": result.counts[0][2], "largest error": result.counts[0][4]},
        outside=result.counterexample(READINGS[2]) or result.counterexample(READINGS[1]),
        certificates=result.certificates,
        tables=result.tables("have another diagonal than P"),
        plots=[result.drawings()],
        key_values=result.key_values,
    )
