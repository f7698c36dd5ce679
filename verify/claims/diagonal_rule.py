"""General rule: the diagonal is the number of paths."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from nngp_dag.reading import Setting
from verify import Context, Evidence, claim
from verify.tools.exhaustive import VIOLATIONS, Statement, Violation, try_on_spaces
from verify.tools.proofs import Proved, largest_difference, term
from verify.tools.settings import NNGP_SETTINGS, path_sum_of
from verify.tools.spaces import ConnectedDags, complete_space, two_point_kernels


def _violations(setting: Setting) -> list[Violation]:
    if setting.method != "exact":
        return []
    names = ["double_skip"] + ["mean_meeting"] * (setting.order == "activation-last")
    return [VIOLATIONS[name] for name in names]


def _error(space: ConnectedDags, setting: Setting) -> np.ndarray:
    """The distance of K_ii from the number of paths, relative to it, [A]."""
    paths = space.counts.sum(axis=1)
    return np.abs(two_point_kernels(space, setting).variance - paths) / paths


@lru_cache
def _certify(code: str, setting: Setting) -> Proved | None:
    terms = [term(code, setting, "variance"), term(code, path_sum_of(setting), "variance", -1)]
    return largest_difference(terms)


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
    result = try_on_spaces(spaces, NNGP_SETTINGS, Statement(_error, _violations, _certify))
    return Evidence(
        result.findings,
        summary="It is an identity of the paper's recursion. In a wide network it is false of "
        + ", ".join(
            f"{c.failing} of {len(c.space.names)} DAGs ({c.setting}, {c.space.num_nodes} nodes)"
            for c in result.counts
            if c.failing
        )
        + ".",
        condition="True for the paper's own recursion (independent). For exact it is true of the DAGs in which no two"
        " nodes are joined by two"
        " skip paths (z + z has four times the variance of z) and, in activation-last, skip paths bring the features"
        " of no two linear"
        " edges to one node (their means multiply); for no others.",
        inside={
            "reading": str(NNGP_SETTINGS[0]),
            "DAGs": len(spaces[0].names),
            "largest error": result.counts[0].largest,
        },
        outside=result.counterexample(NNGP_SETTINGS[2]) or result.counterexample(NNGP_SETTINGS[1]),
        certificates=result.certificates,
        tables=result.tables("have another diagonal than P"),
        plots=[result.drawings()],
        key_values=result.key_values,
    )
