"""Eq. 12 as an upper bound of the smallest eigenvalue, over all DAGs."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from verify import Context, Evidence, KeyValue, Lines, Series, claim
from verify.tools.exhaustive import VIOLATIONS, Violation, try_on_spaces
from verify.tools.proofs import Proved, largest_difference, term
from verify.tools.spaces import READINGS, Space, complete_space, path_sum_reading, two_point_kernels

_Name = tuple[str, str, str]


def _violations(reading: _Name) -> list[Violation]:
    names = ["mixed_depth"]
    if reading[0] == "exact":
        names.append("double_skip")
        if reading[1] == "activation-last":
            names.append("mean_meeting_before_linear")
    return [VIOLATIONS[name] for name in names]


def _excess(space: Space, reading: _Name) -> np.ndarray:
    """The largest excess of K_ii - K_ij over Eq. 12 for rho in (-1, 1), [A]."""
    ours, bound = two_point_kernels(space, reading), two_point_kernels(space, path_sum_reading(reading))
    return (ours.gap - bound.gap)[:, np.abs(ours.rho) < 1 - 1e-12].max(axis=1)


def _exceed_absolute(space: Space, reading: _Name) -> int:
    """How many DAGs exceed it when K_ij and the sum are taken by absolute value, as the smallest eigenvalue is."""
    ours, bound = two_point_kernels(space, reading), two_point_kernels(space, path_sum_reading(reading))
    left, right = (k.variance[:, None] - np.abs(k.covariance) for k in (ours, bound))
    return int(((left - right)[:, np.abs(ours.rho) < 1 - 1e-12].max(axis=1) > 1e-9).sum())


@lru_cache
def _certify(code: str, reading: _Name) -> Proved | None:
    return largest_difference(
        f"K_ii - K_ij > P - sum_d n_d f^d(rho) for {code}, {' '.join(reading)}",
        [term(code, reading, "gap-ratio"), term(code, path_sum_reading(reading), "gap-ratio", -1)],
        weight_by_v=True,
    )


@claim(
    "eq-12",
    title="P minus the sum over paths of f^d bounds the smallest eigenvalue",
    source="Eq. 12",
    statement="For every DAG the smallest eigenvalue of a two-point kernel is at most P - sum_p f^(d_p)(rho).",
    latex=r"\lambda_{\min}(K^{(H)}) \le \min_{i \ne j} \Big( P - \sum_{p=1}^{P} f^{d_p}(K^{(0)}_{ij}) \Big)",
    expected="refuted",
    settings={"DAGs": "all of four nodes; of five in the full profile", "rows": "two unit rows, rho in (-1, 1)"},
    fast=True,
    duration=1,
)
def check(context: Context) -> Evidence:
    """Every DAG with a path in every reading; the smallest counterexample of each class proved at a rational rho."""
    spaces = [complete_space(n) for n in context.pick(quick=(4,), full=(4, 5))]
    result = try_on_spaces(spaces, READINGS, _excess, _violations, _certify)
    absolute = {reading: _exceed_absolute(spaces[0], reading) for reading in READINGS}
    counts = "; ".join(
        f"{space.num_nodes} nodes ({len(space.names)} DAGs with a path): "
        + ", ".join(f"{row[3]} in {row[0]}" for row in result.counts if row[1] == space.num_nodes)
        for space in spaces
    )
    return Evidence(
        result.findings,
        summary=f"DAGs that exceed Eq. 12: {counts}.",
        condition="It bounds the smallest eigenvalue of every DAG in none of these classes, and of no other. (a) A"
        " linear edge leaves a node"
        " that paths of different depths reach. In exact also (b): two nodes are joined by two skip paths. In exact"
        " activation-last also (c): skip paths bring the features of two linear edges to one node that a linear edge"
        " leaves."
        " Reason: the gap k - k f(kappa / k) of a linear edge is superadditive over kernels, because k f(kappa / k) is"
        " convex and"
        " of degree one; each violation adds to the gap, and nothing takes from it.",
        counterexample=result.counterexample(READINGS[0]),
        certificates=result.certificates,
        tables=result.tables("exceed Eq. 12"),
        plots=[result.drawings(), _curves(spaces[0], result.smallest)],
        key_values=result.key_values
        | {f"exceed with |K_ij|: {' '.join(reading)}": KeyValue(n, 0) for reading, n in absolute.items()},
        notes=[
            "With |K_ij| and |sum| on both sides: "
            + ", ".join(f"{n} in {', '.join(r)}" for r, n in absolute.items())
            + "."
        ],
    )


def _curves(space: Space, smallest: list[list[object]]) -> Lines:
    series = []
    for reading, _, _, code, *_ in smallest:
        method, order, embedding = str(reading).split(", ")
        name = method, order, embedding
        index = space.index(str(code))
        ours, bound = two_point_kernels(space, name), two_point_kernels(space, path_sum_reading(name))
        y = (ours.gap - bound.gap)[index]
        series.append(Series(f"{code}: {reading}", ours.rho.tolist(), y.tolist()))
    return Lines("Excess over Eq. 12", series, x="rho", y="excess", yscale="log")
