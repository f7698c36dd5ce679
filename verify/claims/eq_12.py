"""Eq. 12 as an upper bound of the smallest eigenvalue, over all DAGs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nngp_dag.proofs import Term
from nngp_dag.reading import Setting
from verify import Context, Evidence, KeyValue, Lines, Series, claim
from verify.claims._eq_12_rows import ORTHONORMAL, needs_on_rows, on_data, on_orthonormal_rows
from verify.framework.needs import Need, setting_of
from verify.framework.record import FindingRecord
from verify.papers import CONNECTIVITY
from verify.tools.exhaustive import VIOLATIONS, Counterexample, Exhaustive, Statement, Violation, try_on_spaces
from verify.tools.exhaustive_controls import classes_left_out, true_of_every_dag
from verify.tools.proofs import term
from verify.tools.settings import NNGP_SETTINGS, key, path_sum_of
from verify.tools.spaces import ConnectedDags, TwoPointKernels, complete_space, two_point_kernels


def _largest(excess: np.ndarray, kernels: TwoPointKernels) -> np.ndarray:
    """The largest excess for rho in (-1, 1), [A]."""
    return excess[:, np.abs(kernels.rho) < 1 - 1e-12].max(axis=1)


def _both(space: ConnectedDags, setting: Setting) -> tuple[TwoPointKernels, TwoPointKernels]:
    return two_point_kernels(space, setting), two_point_kernels(space, path_sum_of(setting))


def _excess(space: ConnectedDags, setting: Setting) -> np.ndarray:
    """The largest excess of lambda_min over P - sum_p f^(d_p), [A]."""
    ours, paths = _both(space, setting)
    return _largest(ours.smallest_eigenvalue - paths.gap, ours)


def _excess_absolute(space: ConnectedDags, setting: Setting) -> np.ndarray:
    """The largest excess of lambda_min over P - |sum_p f^(d_p)|, [A]."""
    ours, paths = _both(space, setting)
    return _largest(ours.smallest_eigenvalue - paths.smallest_eigenvalue, ours)


def _excess_of_gap(space: ConnectedDags, setting: Setting) -> np.ndarray:
    """The largest excess of K_ii - K_ij over P - sum_p f^(d_p), [A]."""
    ours, paths = _both(space, setting)
    return _largest(ours.gap - paths.gap, ours)


def _excess_over_input(space: ConnectedDags, setting: Setting) -> np.ndarray:
    """The largest excess of lambda_min over K_ii (1 - rho), [A]."""
    ours = two_point_kernels(space, setting)
    return _largest(ours.smallest_eigenvalue - ours.variance[:, None] * (1 - ours.rho), ours)


def _violations(setting: Setting) -> list[Violation]:
    names = [] if setting.embedding == "stem" else ["mixed_depth"]
    if setting.method == "exact":
        names.append("double_skip")
        if setting.order == "activation-last":
            names.append("mean_meeting_before_linear")
    return [VIOLATIONS[name] for name in names]


def _constant_and_negative(space: ConnectedDags, stem: bool) -> np.ndarray:
    """Means meet, and the sum over paths is negative near rho = -1, bool [A]."""
    paths = two_point_kernels(space, path_sum_of(NNGP_SETTINGS[3 if stem else 2]))
    return space.flags("mean_meeting", stem) & (paths.covariance[:, -1] < 0)


_SHIFTED = Violation(
    "skip paths bring the features of two linear edges to one node, and the sum over paths is negative near rho = -1",
    _constant_and_negative,
)


def _violations_absolute(setting: Setting) -> list[Violation]:
    last = (setting.method, setting.order, setting.embedding) == ("exact", "activation-last", "gaussian")
    return _violations(setting) + [_SHIFTED] * last


def _against(quantity: str, right: str) -> Statement:
    """lambda_min against a quantity of the sum over paths."""

    def misses(code: str, setting: Setting) -> Sequence[Sequence[Term]]:
        return [[term(code, setting, "eigenvalue-ratio"), term(code, path_sum_of(setting), quantity, -1)]]

    absolute = quantity == "eigenvalue-ratio"
    return Statement(
        f"lambda_min <= {right}",
        _excess_absolute if absolute else _excess,
        _violations_absolute if absolute else _violations,
        misses,
        label="with |sum|" if absolute else "",
        ratios=True,
    )


_EQ_12 = _against("gap-ratio", "P - sum over paths")
_ABSOLUTE = _against("eigenvalue-ratio", "P - |sum over paths|")
_NEIGHBOUR = Statement(
    "lambda_min <= K_ii (1 - rho)",
    _excess_over_input,
    lambda setting: (),
    lambda code, setting: [[term(code, setting, "eigenvalue-ratio"), term(code, setting, "variance", -1)]],
    ratios=True,
)


def _needs(reading: FindingRecord) -> list[Need]:
    if reading["label"] == ORTHONORMAL:
        return needs_on_rows(setting_of(reading))
    return (_ABSOLUTE if reading["label"] else _EQ_12).needs(reading)


@claim(
    "eq-12",
    title="P minus the sum over paths of f^d bounds the smallest eigenvalue",
    paper=CONNECTIVITY,
    source="Eq. 12",
    statement="For every DAG the smallest eigenvalue of the kernel of two rows, or of more, is at most P - sum_p"
    " f^(d_p)(rho) of any two of them.",
    latex=r"\lambda_{\min}(K^{(H)}) \le \min_{i \ne j} \Big( P - \sum_{p=1}^{P} f^{d_p}(K^{(0)}_{ij}) \Big)",
    expected="refuted",
    settings={
        "DAGs": "all of four nodes; of five in the full profile",
        "rows": "two unit rows, rho in (-1, 1); 8 orthonormal rows, and 8 of real data",
    },
    fast=True,
    duration=2,
    needs=_needs,
)
def check(context: Context) -> Evidence:
    """Every DAG with a path in every reading; the smallest counterexample of each class proved at a rational rho."""
    spaces = [complete_space(n) for n in context.pick(quick=(4,), full=(4, 5))]
    result = try_on_spaces(spaces, NNGP_SETTINGS, _EQ_12)
    absolute = try_on_spaces(spaces[:1], NNGP_SETTINGS, _ABSOLUTE)
    gaps = {setting: int((_excess_of_gap(spaces[0], setting) > 1e-9).sum()) for setting in NNGP_SETTINGS}
    orthonormal = [on_orthonormal_rows(setting) for setting in NNGP_SETTINGS]
    rows = context.rows(8)
    real = [on_data(rows, context.data, setting) for setting in NNGP_SETTINGS[1:]]
    codes = sorted({found.code for found in result.smallest})
    counts = "; ".join(
        f"{space.num_nodes} nodes ({len(space.names)} DAGs with a path): "
        + ", ".join(f"{count.failing} in {count.setting}" for count in result.of_space(space))
        for space in spaces
    )
    return Evidence(
        [*result.findings, *absolute.findings, *(finding for finding, _ in orthonormal), *real],
        summary=f"DAGs whose lambda_min exceeds Eq. 12: {counts}. Of N rows too: on orthonormal ones in every reading,"
        f" on {len(rows)} rows of {context.data} in {len(real)}.",
        condition="It bounds the smallest eigenvalue of every DAG in none of these classes, and of no other (written"
        " proof eq-12-domain; tried on every DAG of the spaces). (a) A linear edge leaves a node that paths of"
        " different depths reach. In exact also (b): two nodes are joined by two skip paths. In exact activation-last"
        " also (c): skip paths bring the features of two linear edges to one node that a linear edge leaves; after a"
        " stem (a) is contained in it."
        " Reason: the gap k - k f(kappa / k) of a linear edge is superadditive over kernels, because k f(kappa / k) is"
        " convex and of degree one; each violation adds to the gap, and nothing takes from it; and near rho = 1"
        " lambda_min is the gap.",
        counterexample=result.counterexample(NNGP_SETTINGS[0]),
        certificates=[*_distinct(result, absolute), *(c for _, found in orthonormal for c in found)],
        controls=true_of_every_dag(
            "lambda_min <= K_ii (1 - rho), which is Eq. 12 with K_ii for P and without f.",
            spaces[0],
            NNGP_SETTINGS,
            _NEIGHBOUR,
            codes,
        )
        + classes_left_out(spaces[0], NNGP_SETTINGS, _EQ_12)
        + classes_left_out(spaces[0], NNGP_SETTINGS[2:3], _ABSOLUTE)[-1:],
        tables=result.tables("exceed Eq. 12"),
        plots=[result.drawings(), _curves(spaces[0], result.smallest)],
        key_values=result.key_values
        | {
            f"exceed with |K_ij|: {key(count.setting)}": KeyValue(count.failing, 0)
            for count in absolute.of_space(spaces[0])
        },
        notes=[
            _note("With |sum| on the right", {c.setting: c.failing for c in absolute.of_space(spaces[0])})
            + f" In activation-last it is exceeded also where {_SHIFTED.words}: the constant that means add moves"
            " |K_ij| and |sum| apart.",
            _note("With K_ii - K_ij on the left", gaps),
        ],
    )


def _note(words: str, counts: dict[Setting, int]) -> str:
    return f"{words}: " + ", ".join(f"{n} in {setting}" for setting, n in counts.items()) + "."


def _distinct(*results: Exhaustive) -> list[dict[str, object]]:
    return list({str(c["id"]): dict(c) for result in results for c in result.certificates}.values())


def _curves(space: ConnectedDags, smallest: list[Counterexample]) -> Lines:
    series = []
    for found in smallest:
        index = space.index(found.code)
        ours, paths = _both(space, found.setting)
        excess = (ours.smallest_eigenvalue - paths.gap)[index]
        series.append(Series(f"{found.code}: {found.setting}", ours.rho.tolist(), excess.tolist()))
    return Lines("lambda_min minus Eq. 12", series, x="rho", y="excess", yscale="symlog")
