"""General rule: the diagonal is the number of paths."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nngp_dag.proofs import Term
from nngp_dag.reading import Setting
from verify import Context, Control, Evidence, claim
from verify.framework.needs import Need
from verify.framework.record import FindingRecord
from verify.papers import CONNECTIVITY
from verify.tools.exhaustive import VIOLATIONS, Statement, Violation, try_on_spaces
from verify.tools.exhaustive_controls import classes_left_out, found_false, true_of_every_dag
from verify.tools.proofs import term
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


def _error_of_linear(space: ConnectedDags, setting: Setting) -> np.ndarray:
    """The distance of K_ii from the number of paths with a linear edge, relative to all, [A]."""
    paths = space.counts.sum(axis=1)
    return np.abs(two_point_kernels(space, setting).variance - space.counts[:, 1:].sum(axis=1)) / paths


def _shortfall(space: ConnectedDags, setting: Setting) -> np.ndarray:
    """The shortfall of K_ii below the number of paths, relative to it, [A]."""
    paths = space.counts.sum(axis=1)
    return np.asarray(1 - two_point_kernels(space, setting).variance / paths)


def _misses(code: str, setting: Setting) -> Sequence[Sequence[Term]]:
    """K_ii above P, or below."""
    path_sum = path_sum_of(setting)
    return [[term(code, setting, "variance", sign), term(code, path_sum, "variance", -sign)] for sign in (1, -1)]


_RULE = Statement("that K_ii is P", _error, _violations, _misses)
_NEIGHBOUR = Statement(
    "that K_ii is at least P",
    _shortfall,
    lambda setting: (),
    lambda code, setting: _misses(code, setting)[1:],
)


def _controls(space: ConnectedDags, codes: Sequence[str]) -> list[Control]:
    """A statement weaker than the rule, which is true; a false one where the rule is true; incomplete conditions."""
    linear = found_false(space, NNGP_SETTINGS[:1], _error_of_linear, _RULE.tolerance)
    return [
        *true_of_every_dag("K_ii is at least P.", space, NNGP_SETTINGS, _NEIGHBOUR, codes),
        Control.rejects("In independent K_ii is the number of paths with a linear edge.", linear),
        *classes_left_out(space, NNGP_SETTINGS, _RULE),
    ]


def _needs(reading: FindingRecord) -> list[Need]:
    return _RULE.needs(reading)


@claim(
    "diagonal-rule",
    title="The diagonal of the kernel is the number of paths",
    paper=CONNECTIVITY,
    source="General rules before Eq. 12",
    statement="On unit rows every diagonal entry of K^(H) is P, the number of end-to-end paths.",
    latex=r"K^{(H)}_{ii} = P",
    expected="holds-conditionally",
    settings={"DAGs": "all of four nodes; of five in the full profile", "rows": "unit rows"},
    fast=True,
    duration=6,
    needs=_needs,
)
def check(context: Context) -> Evidence:
    """Every DAG with a path in every reading."""
    spaces = [complete_space(n) for n in context.pick(quick=(4,), full=(4, 5))]
    result = try_on_spaces(spaces, NNGP_SETTINGS, _RULE)
    return Evidence(
        result.findings,
        summary="It is true of every DAG in the paper's recursion. In a wide network it is false of "
        + ", ".join(
            f"{c.failing} of {len(c.space.names)} DAGs ({c.setting}, {c.space.num_nodes} nodes)"
            for c in result.counts
            if c.failing
        )
        + ".",
        condition="True for the paper's own recursion (independent), where k f(1) = k and K_ii is counted as paths are"
        " (written proof path-counts, at z = 1). For exact it is true of the DAGs in which no two nodes are joined by"
        " two skip paths (z + z has four times the variance of z) and, in activation-last, skip paths bring the"
        " features of no two linear edges to one node (their means multiply); of no others (tried on every DAG of the"
        " spaces).",
        inside={
            "reading": str(NNGP_SETTINGS[0]),
            "DAGs": len(spaces[0].names),
            "largest error": result.counts[0].largest,
        },
        outside=result.counterexample(NNGP_SETTINGS[2]) or result.counterexample(NNGP_SETTINGS[1]),
        certificates=result.certificates,
        controls=_controls(spaces[0], sorted({found.code for found in result.smallest})),
        tables=result.tables("have another diagonal than P"),
        plots=[result.drawings()],
        key_values=result.key_values,
    )
