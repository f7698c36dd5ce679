"""General rule: off-diagonal entries depend on the in-degree of the output and the depths of the paths only."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from nngp_dag.dag import Dag
from verify import Captioned, Context, Dags, Evidence, Finding, KeyValue, Table, claim
from verify.framework.errors import Undecided
from verify.tools.proofs import Proved, largest_difference, term
from verify.tools.spaces import READINGS, Space, complete_space, two_point_kernels

_Name = tuple[str, str, str]


def _groups(space: Space) -> list[list[int]]:
    """DAGs of equal numbers of paths of each depth and equal in-degree of the output (both pruned)."""
    groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for i, name in enumerate(space.names):
        pruned = Dag.from_code(name).pruned()
        in_degree = sum(t == pruned.num_nodes - 1 for _, t, _ in pruned.edges())
        groups[in_degree, *space.counts[i].tolist()].append(i)
    return [members for members in groups.values() if len(members) > 1]


def _worst_pair(space: Space, reading: _Name, groups: list[list[int]]) -> tuple[int, float, tuple[str, str] | None]:
    """Number of groups that disagree, the largest spread of K_ij within a group, and the disagreeing pair of fewest
    edges.
    """
    k = two_point_kernels(space, reading).covariance
    disagreeing, largest, best = 0, 0.0, None
    for members in groups:
        spread = float(np.ptp(k[members], axis=0).max())
        largest = max(largest, spread)
        if spread <= 1e-9:
            continue
        disagreeing += 1
        ranked = sorted(members, key=lambda i: (_size(space.names[i]), space.names[i]))
        first = ranked[0]
        other = next(i for i in ranked if np.abs(k[i] - k[first]).max() > 1e-9)
        pair = tuple(Dag.from_code(space.names[i]).pruned().to_code() for i in (first, other))
        size = _size(pair[0]) + _size(pair[1])
        if best is None or (size, pair) < best:
            best = (size, pair)
    return disagreeing, largest, None if best is None else (best[1][0], best[1][1])


def _size(code: str) -> int:
    return len(list(Dag.from_code(code).pruned().edges()))


def _certify(pair: tuple[str, str], reading: _Name) -> Proved:
    a, b = pair
    found = [
        largest_difference(
            f"K_ij of {x} > K_ij of {y}, {' '.join(reading)}",
            [term(x, reading, "covariance"), term(y, reading, "covariance", -1)],
        )
        for x, y in ((a, b), (b, a))
    ]
    best = max((proved for proved in found if proved), key=lambda proved: proved.margin, default=None)
    if best is None:
        raise Undecided(f"the difference between {a} and {b} in {', '.join(reading)} could not be certified")
    return best


@claim(
    "off-diagonal-rule",
    title="Off-diagonal entries depend on the output's in-degree and the paths' depths only",
    source="General rules before Eq. 12",
    statement="Two DAGs with equal numbers of paths of each depth, and as many edges into the output, have the same"
    " off-diagonal entries.",
    latex=r"K^{(H)}_{ij} = F(\deg^-(H), \{d_p\}_p, K^{(0)}_{ij})",
    expected="refuted",
    settings={"DAGs": "all of four nodes", "rows": "two unit rows, rho in [-1, 1)"},
    duration=1,
)
def check(context: Context) -> Evidence:
    """Every group of DAGs that the rule says are alike, in every reading."""
    space = complete_space(4)
    groups = _groups(space)
    findings: list[Finding] = []
    rows: list[list[Any]] = []
    certificates, key_values, smallest = [], {}, {}
    for reading in READINGS:
        disagreeing, spread, pair = _worst_pair(space, reading, groups)
        key_values[f"groups that disagree, {' '.join(reading)}"] = KeyValue(disagreeing, 0)
        counterexample = None
        if pair is not None:
            proved = _certify(pair, reading)
            certificates.append(proved.certificate)
            counterexample = {"codes": " and ".join(pair), "rho": str(proved.rho), "margin": proved.margin}
            smallest[reading] = counterexample
        method, order, embedding = reading
        findings.append(
            Finding(
                disagreeing == 0,
                order=order,
                embedding=embedding,
                method=method,
                cases=len(groups),
                tolerance=1e-9,
                worst=spread,
                detail=f"{disagreeing} of {len(groups)} groups of DAGs disagree",
                counterexample=counterexample,
            )
        )
        rows.append(
            [", ".join(reading), len(groups), disagreeing, spread, counterexample["codes"] if counterexample else None]
        )
    first = smallest.get(READINGS[0])
    return Evidence(
        findings,
        summary=f"Of {len(groups)} groups of four-node DAGs that the rule cannot tell apart, "
        + ", ".join(f"{row[2]} disagree in {row[0]}" for row in rows)
        + ".",
        condition="True among the DAGs for which Eq. 12 is an identity (claim eq-12-identity): their kernel is the sum"
        " over paths, which"
        " depends on the numbers of paths of each depth and on nothing else.",
        counterexample=None if first is None else {**first, "confirmed": "interval arithmetic"},
        certificates=certificates,
        tables=[
            Table(
                "Groups of DAGs with equal path depths and in-degree",
                ["reading", "groups", "disagree", "largest spread of K_ij", "smallest pair"],
                rows,
            )
        ],
        plots=[
            Dags(
                "Alike to the rule, but not alike",
                [Captioned(code, ", ".join(r)) for r, c in smallest.items() for code in str(c["codes"]).split(" and ")],
            )
        ],
        key_values=key_values,
    )
