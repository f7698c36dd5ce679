"""Eq. 12 as an identity: is the kernel the sum over paths of f^d, over all DAGs?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from nngp_dag.proofs import Term
from nngp_dag.reading import Setting
from verify import Context, Evidence, Matrix, Table, claim
from verify.framework.needs import Need
from verify.framework.record import FindingRecord
from verify.papers import CONNECTIVITY
from verify.tools.exhaustive import Exhaustive, Statement, identity_violations, try_on_spaces
from verify.tools.exhaustive_controls import classes_left_out, true_of_every_dag
from verify.tools.proofs import term
from verify.tools.settings import NNGP_SETTINGS, path_sum_of
from verify.tools.spaces import ConnectedDags, complete_space, two_point_kernels


def _error(kernel: str) -> Callable[[ConnectedDags, Setting], np.ndarray]:
    def measure(space: ConnectedDags, setting: Setting) -> np.ndarray:
        ours = two_point_kernels(space, setting, kernel)
        theirs = two_point_kernels(space, path_sum_of(setting, kernel), kernel)
        off = np.abs(ours.covariance - theirs.covariance).max(axis=1)
        return np.maximum(off, np.abs(ours.variance - theirs.variance)) / theirs.variance

    return measure


def _shortfall(space: ConnectedDags, setting: Setting) -> np.ndarray:
    """The largest shortfall of K_ii - K_ij below P - sum_p f^(d_p) for rho in [-1, 1), over P, [A]."""
    ours, paths = (two_point_kernels(space, s) for s in (setting, path_sum_of(setting)))
    return np.asarray((paths.gap - ours.gap).max(axis=1) / paths.variance)


def _misses(code: str, setting: Setting) -> Sequence[Sequence[Term]]:
    """A difference of K_ij or of K_ii, in either direction."""
    path_sum = path_sum_of(setting)
    return [
        [term(code, setting, quantity, sign), term(code, path_sum, quantity, -sign)]
        for quantity in ("covariance", "variance")
        for sign in (1, -1)
    ]


_IDENTITY = Statement("that the kernel is the sum over paths", _error("nngp"), identity_violations, _misses)
_NEIGHBOUR = Statement(
    "that K_ii - K_ij is at least P - sum over paths",
    _shortfall,
    lambda setting: (),
    lambda code, setting: [[term(code, path_sum_of(setting), "gap-ratio"), term(code, setting, "gap-ratio", -1)]],
    ratios=True,
)


def _needs(reading: FindingRecord) -> list[Need]:
    return _IDENTITY.needs(reading)


@claim(
    "eq-12-identity",
    title="The kernel is the sum over paths of f^d",
    paper=CONNECTIVITY,
    source="Eq. 12 and the general rules",
    statement="For every DAG the NNGP is sum_p f^(d_p)(K^(0)): it depends on the DAG only through its number of paths"
    " of each depth.",
    latex=r"K^{(H)} = \sum_{p=1}^{P} f^{d_p}(K^{(0)})",
    expected="refuted",
    settings={"DAGs": "all of four nodes; of five in the full profile", "rows": "two unit rows, rho in [-1, 1)"},
    duration=2,
    needs=_needs,
)
def check(context: Context) -> Evidence:
    """Every DAG with a path in every reading, NNGP and (counts only) NTK."""
    spaces = [complete_space(n) for n in context.pick(quick=(4,), full=(4, 5))]
    result = try_on_spaces(spaces, NNGP_SETTINGS, _IDENTITY)
    total = len(spaces[0].names)
    equal = {count.setting: total - count.failing for count in result.of_space(spaces[0])}
    ntk = {setting: int((_error("ntk")(spaces[0], setting) <= 1e-11).sum()) for setting in NNGP_SETTINGS}
    return Evidence(
        result.findings,
        summary=_summary(spaces, result, equal),
        condition="The identity is true of every DAG in none of these classes, and of no other (tried on every DAG of"
        " the spaces). (a) A linear edge leaves a node that paths of different depths reach: f is strictly convex, so f"
        " of a sum is not the sum. In exact also (b): two nodes are joined by two skip paths, so that a feature meets"
        " its own copy. In exact activation-last also (c): skip paths bring the features of two linear edges to one"
        " node, where their means multiply; after a stem (a) is contained in it.",
        counterexample=result.counterexample(NNGP_SETTINGS[0]),
        certificates=result.certificates,
        controls=true_of_every_dag(
            "K_ii - K_ij is at least P - sum over paths (one side of the identity).",
            spaces[0],
            NNGP_SETTINGS,
            _NEIGHBOUR,
            sorted({found.code for found in result.smallest}),
        )
        + classes_left_out(spaces[0], NNGP_SETTINGS, _IDENTITY),
        tables=[
            *result.tables("differ from the sum over paths"),
            Table(
                f"DAGs of {total} whose kernel is the sum over paths",
                ["reading", "NNGP", "NTK"],
                [[str(setting), equal[setting], ntk[setting]] for setting in NNGP_SETTINGS],
            ),
        ],
        plots=[result.drawings(), _map(spaces[0])],
        key_values=result.key_values,
    )


def _summary(spaces: Sequence[ConnectedDags], result: Exhaustive, equal: Mapping[Setting, int]) -> str:
    """The numbers of DAGs for which it is an identity, by setting; `equal` has those of the first space."""
    total = len(spaces[0].names)
    first = ", ".join(f"{count} ({setting})" for setting, count in equal.items())
    others = "".join(
        f"; of {len(space.names)} of {space.num_nodes} nodes for "
        + ", ".join(str(len(space.names) - count.failing) for count in result.of_space(space))
        for space in spaces[1:]
    )
    return (
        f"Of {total} four-node DAGs with a path, the sum over paths is the kernel for {first}{others}."
        f" The other {spaces[0].total - total} of {spaces[0].total} have no path: kernel and sum are zero."
    )


def _map(space: ConnectedDags) -> Matrix:
    """The distance of the sum over paths from the kernel, by correlation and reading."""
    rows, values = [], []
    for setting in NNGP_SETTINGS:
        ours, theirs = (two_point_kernels(space, s) for s in (setting, path_sum_of(setting)))
        off = np.abs(ours.covariance - theirs.covariance) / theirs.variance[:, None]
        for words, quantile in (("median", 0.5), ("largest", 1.0)):
            wrong = off[off.max(axis=1) > 1e-11]
            rows.append(f"{setting}: {words}")
            values.append(np.quantile(wrong, quantile, axis=0).tolist())
    rho = two_point_kernels(space, NNGP_SETTINGS[0]).rho
    return Matrix(
        "|K_ij - sum over paths| / P over the DAGs for which they differ",
        values,
        rows,
        [f"{r:.2f}" for r in rho],
        x="rho",
        label="discrepancy",
        scale="log",
    )
