"""Eq. 12 as an upper bound of the smallest eigenvalue, over all DAGs."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from nngp_dag.reading import Setting
from verify import Context, Evidence, KeyValue, Lines, Series, claim
from verify.tools.exhaustive import VIOLATIONS, Counterexample, Statement, Violation, try_on_spaces
from verify.tools.proofs import Proved, largest_difference, term
from verify.tools.settings import NNGP_SETTINGS, key, path_sum_of
from verify.tools.spaces import ConnectedDags, complete_space, two_point_kernels


def _violations(setting: Setting) -> list[Violation]:
    names = ["mixed_depth"]
    if setting.method == "exact":
        names.append("double_skip")
        if setting.order == "activation-last":
            names.append("mean_meeting_before_linear")
    return [VIOLATIONS[name] for name in names]


def _excess(space: ConnectedDags, setting: Setting) -> np.ndarray:
    """The largest excess of K_ii - K_ij over Eq. 12 for rho in (-1, 1), [A]."""
    ours, bound = (two_point_kernels(space, s) for s in (setting, path_sum_of(setting)))
    return (ours.gap - bound.gap)[:, np.abs(ours.rho) < 1 - 1e-12].max(axis=1)


def _exceed_absolute(space: ConnectedDags, setting: Setting) -> int:
    """The number of DAGs that exceed it with K_ij and the sum by absolute value, as in the smallest eigenvalue."""
    ours, bound = (two_point_kernels(space, s) for s in (setting, path_sum_of(setting)))
    left, right = (k.variance[:, None] - np.abs(k.covariance) for k in (ours, bound))
    return int(((left - right)[:, np.abs(ours.rho) < 1 - 1e-12].max(axis=1) > 1e-9).sum())


@lru_cache
def _certify(code: str, setting: Setting) -> Proved | None:
    return largest_difference(
        [term(code, setting, "gap-ratio"), term(code, path_sum_of(setting), "gap-ratio", -1)],
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
    result = try_on_spaces(spaces, NNGP_SETTINGS, Statement(_excess, _violations, _certify))
    absolute = {setting: _exceed_absolute(spaces[0], setting) for setting in NNGP_SETTINGS}
    counts = "; ".join(
        f"{space.num_nodes} nodes ({len(space.names)} DAGs with a path): "
        + ", ".join(f"{count.failing} in {count.setting}" for count in result.of_space(space))
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
        counterexample=result.counterexample(NNGP_SETTINGS[0]),
        certificates=result.certificates,
        tables=result.tables("exceed Eq. 12"),
        plots=[result.drawings(), _curves(spaces[0], result.smallest)],
        key_values=result.key_values
        | {f"exceed with |K_ij|: {key(setting)}": KeyValue(n, 0) for setting, n in absolute.items()},
        notes=[
            "With |K_ij| and |sum| on both sides: "
            + ", ".join(f"{n} in {setting}" for setting, n in absolute.items())
            + "."
        ],
    )


def _curves(space: ConnectedDags, smallest: list[Counterexample]) -> Lines:
    series = []
    for found in smallest:
        index = space.index(found.code)
        ours, bound = (two_point_kernels(space, s) for s in (found.setting, path_sum_of(found.setting)))
        excess = (ours.gap - bound.gap)[index]
        series.append(Series(f"{found.code}: {found.setting}", ours.rho.tolist(), excess.tolist()))
    return Lines("Excess over Eq. 12", series, x="rho", y="excess", yscale="log")
