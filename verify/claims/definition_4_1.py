"""Definition 4.1: effective depth and width, against paths listed one by one."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from nngp_dag.dag import Dag, enumerate_codes
from nngp_dag.paths import effective_depth_width, path_counts_array, path_statistics
from verify import Context, Evidence, Finding, KeyValue, Proof, claim

_KNOWN = {
    "2_02_002": (1, Fraction(3), Fraction(1, 3)),
    "1_01_222": (3, Fraction(1), Fraction(3)),
    "2_21_112": (4, Fraction(5, 4), Fraction(12, 5)),
}
"""The paper's three DAGs by hand: paths, effective depth, effective width."""


def _depths(dag: Dag, node: int = 0) -> list[int]:
    """The number of linear edges of every path from a node to the output, one entry per path."""
    if node == dag.num_nodes - 1:
        return [0]
    found = []
    for t in range(node + 1, dag.num_nodes):
        op = int(dag.op(node, t))
        if op:
            found += [depth + (op == 2) for depth in _depths(dag, t)]
    return found


def _by_listing(dag: Dag) -> tuple[int, Fraction, Fraction]:
    depths = _depths(dag)
    depth = Fraction(sum(depths), len(depths)) if depths else Fraction(0)
    width = Fraction(sum(d > 0 for d in depths)) / depth if depth else Fraction(0)
    return len(depths), depth, width


@claim(
    "definition-4.1",
    title="Effective depth and width are what Definition 4.1 says",
    source="Definition 4.1, Eq. 13",
    statement="Effective depth is the mean number of linear edges of a path, effective width the number of paths with"
    " a linear edge over it.",
    latex=r"\bar d = \frac{\sum_p d_p}{P}, \qquad \bar m = \frac{\sum_p 1(d_p > 0)}{\bar d}",
    expected="certified",
    settings={"DAGs": "all 729 of four nodes; a sample of five (all 59,049 in the full profile)"},
    fast=True,
    duration=1,
)
def check(context: Context) -> Evidence:
    """Exact rationals from listing every path, against the library's pass over the nodes."""
    five = enumerate_codes(5)
    chosen = context.rng().choice(len(five), 500, replace=False) if context.profile == "quick" else np.arange(len(five))
    wrong, cases = 0, 0
    for codes in (enumerate_codes(4), five[chosen]):
        depths, widths = effective_depth_width(path_counts_array(codes))
        for code, depth, width in zip(codes, depths, widths, strict=True):
            dag = Dag.from_array(code)
            expected = _by_listing(dag)
            statistics = path_statistics(dag)
            exact = (statistics.num_paths, statistics.effective_depth, statistics.effective_width)
            close = abs(depth - expected[1]) < 1e-12 and abs(width - expected[2]) < 1e-12
            wrong += exact != expected or not close
            cases += 1
    for code, expected in _KNOWN.items():
        statistics = path_statistics(Dag.from_code(code))
        wrong += (statistics.num_paths, statistics.effective_depth, statistics.effective_width) != expected
        cases += 1
    return Evidence(
        [
            Finding(
                wrong == 0,
                activation=None,
                label="exact integers and rationals",
                cases=cases,
                tolerance=0.0,
                worst=float(wrong),
                proof=Proof.written("path-counts") if wrong == 0 else None,
                counterexample=None,
                detail=f"{wrong} of {cases} DAGs differ",
            )
        ],
        summary=f"{cases} DAGs, every path listed: {cases - wrong} agree exactly.",
        condition="" if wrong == 0 else "none known: the library is wrong",
        counterexample=None if wrong == 0 else {"margin": wrong, "confirmed": "exact arithmetic"},
        key_values={"DAGs that agree": KeyValue(cases - wrong, 0)},
    )
