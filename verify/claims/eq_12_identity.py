"""Eq. 12 as an identity: is the kernel the sum over paths of f^d, over all DAGs?"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from verify import Context, Evidence, Matrix, Table, claim
from verify.tools.exhaustive import VIOLATIONS, Violation, try_on_spaces
from verify.tools.proofs import Proved, largest_difference, term
from verify.tools.spaces import READINGS, Space, complete_space, path_sum_reading, two_point_kernels

_Name = tuple[str, str, str]


def _violations(reading: _Name) -> list[Violation]:
    names = ["mixed_depth"]
    if reading[0] == "exact":
        names += ["double_skip"] + ["mean_meeting"] * (reading[1] == "activation-last")
    return [VIOLATIONS[name] for name in names]


def _error(kernel: str) -> Callable[[Space, _Name], np.ndarray]:
    def measure(space: Space, reading: _Name) -> np.ndarray:
        ours = two_point_kernels(space, reading, kernel)
        theirs = two_point_kernels(space, path_sum_reading(reading, kernel), kernel)
        off = np.abs(ours.covariance - theirs.covariance).max(axis=1)
        return np.maximum(off, np.abs(ours.variance - theirs.variance)) / theirs.variance

    return measure


@lru_cache
def _certify(code: str, reading: _Name) -> Proved | None:
    """A difference of K_ii or of K_ij, in whichever direction it is largest."""
    statement = f"K differs from sum_d n_d f^d(rho) for {code}, {' '.join(reading)}"
    path_sum = path_sum_reading(reading)
    found = [
        largest_difference(
            f"{statement} ({quantity})", [term(code, reading, quantity, sign), term(code, path_sum, quantity, -sign)]
        )
        for quantity in ("covariance", "variance")
        for sign in (1, -1)
    ]
    return max((proved for proved in found if proved), key=lambda proved: proved.margin, default=None)


@claim(
    "eq-12-identity",
    title="The kernel is the sum over paths of f^d",
    source="Eq. 12 and the general rules",
    statement="For every DAG the NNGP is sum_p f^(d_p)(K^(0)): it depends on the DAG only through its number of paths"
    " of each depth.",
    latex=r"K^{(H)} = \sum_{p=1}^{P} f^{d_p}(K^{(0)})",
    expected="refuted",
    settings={"DAGs": "all of four nodes; of five in the full profile", "rows": "two unit rows, rho in [-1, 1)"},
    duration=1,
)
def check(context: Context) -> Evidence:
    """Every DAG with a path in every reading, NNGP and (counts only) NTK."""
    spaces = [complete_space(n) for n in context.pick(quick=(4,), full=(4, 5))]
    result = try_on_spaces(spaces, READINGS, _error("nngp"), _violations, _certify)
    total = len(spaces[0].names)
    equal = {
        reading: total - row[3] for reading, row in zip(READINGS, [r for r in result.counts if r[1] == 4], strict=True)
    }
    ntk = {reading: int((_error("ntk")(spaces[0], reading) <= 1e-11).sum()) for reading in READINGS}
    return Evidence(
        result.findings,
        summary=f"Of {total} four-node DAGs with a path, the sum over paths is the kernel for "
        + ", ".join(f"{count} ({', '.join(reading)})" for reading, count in equal.items())
        + "".join(
            f"; of {len(space.names)} of {space.num_nodes} nodes for "
            + ", ".join(str(len(space.names) - row[3]) for row in result.counts if row[1] == space.num_nodes)
            for space in spaces[1:]
        )
        + f". The other {spaces[0].total - total} of {spaces[0].total} have no path: kernel and sum are zero.",
        condition="The identity is true of every DAG in none of these classes, and of no other. (a) A linear edge"
        " leaves a node that paths of"
        " different depths reach: f is strictly convex, so f of a sum is not the sum. In exact also (b): two nodes are"
        " joined by two"
        " skip paths, so that a feature meets its own copy. In exact activation-last also (c): skip paths bring the"
        " features"
        " of two linear edges to one node, where their means multiply.",
        counterexample=result.counterexample(READINGS[0]),
        certificates=result.certificates,
        tables=[
            *result.tables("differ from the sum over paths"),
            Table(
                f"DAGs of {total} whose kernel is the sum over paths",
                ["reading", "NNGP", "NTK"],
                [[", ".join(reading), equal[reading], ntk[reading]] for reading in READINGS],
            ),
        ],
        plots=[result.drawings(), _map(spaces[0])],
        key_values=result.key_values,
    )


def _map(space: Space) -> Matrix:
    """How far the sum over paths is off, by correlation and reading."""
    rows, values = [], []
    for reading in READINGS:
        ours, theirs = (two_point_kernels(space, name) for name in (reading, path_sum_reading(reading)))
        off = np.abs(ours.covariance - theirs.covariance) / theirs.variance[:, None]
        for words, quantile in (("median", 0.5), ("largest", 1.0)):
            wrong = off[off.max(axis=1) > 1e-11]
            rows.append(f"{', '.join(reading)}: {words}")
            values.append(np.quantile(wrong, quantile, axis=0).tolist())
    rho = two_point_kernels(space, READINGS[0]).rho
    return Matrix(
        "|K_ij - sum over paths| / P over the DAGs for which they differ",
        values,
        rows,
        [f"{r:.2f}" for r in rho],
        x="rho",
        label="discrepancy",
        scale="log",
    )
