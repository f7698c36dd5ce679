"""General rule: off-diagonal entries depend on the in-degree of the output and the depths of the paths only."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.reading import Setting
from verify import Captioned, Context, Dags, Evidence, Finding, KeyValue, Table, Undecided, claim
from verify.tools.proofs import Proved, largest_difference, term
from verify.tools.settings import NNGP_SETTINGS, key
from verify.tools.spaces import ConnectedDags, complete_space, two_point_kernels

_TOLERANCE = 1e-9


def _groups(space: ConnectedDags) -> list[list[int]]:
    """DAGs of equal numbers of paths of each depth and equal in-degree of the output (both pruned)."""
    groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for i, name in enumerate(space.names):
        pruned = Dag.from_code(name).pruned()
        in_degree = sum(t == pruned.num_nodes - 1 for _, t, _ in pruned.edges())
        groups[in_degree, *space.counts[i].tolist()].append(i)
    return [members for members in groups.values() if len(members) > 1]


@dataclass(frozen=True)
class _Outcome:
    """The outcome of a setting: the number of groups that disagree, the largest spread of K_ij within a group, and the
    disagreeing pair of fewest edges with its proof.
    """

    setting: Setting
    groups: int
    disagreeing: int
    spread: float
    pair: tuple[str, str] | None = None
    proved: Proved | None = None

    @property
    def counterexample(self) -> dict[str, object] | None:
        """The pair in words."""
        if self.pair is None or self.proved is None:
            return None
        return {"codes": " and ".join(self.pair), "rho": str(self.proved.rho), "margin": self.proved.margin}

    @property
    def finding(self) -> Finding:
        """The outcome as a finding."""
        return Finding(
            self.disagreeing == 0,
            setting=self.setting,
            cases=self.groups,
            tolerance=_TOLERANCE,
            worst=self.spread,
            detail=f"{self.disagreeing} of {self.groups} groups of DAGs disagree",
            counterexample=self.counterexample,
        )


def _outcome(space: ConnectedDags, setting: Setting, groups: list[list[int]]) -> _Outcome:
    """The groups compared in one setting, the counterexample certified."""
    k = two_point_kernels(space, setting).covariance
    disagreeing, largest, best = 0, 0.0, None
    for members in groups:
        spread = float(np.ptp(k[members], axis=0).max())
        largest = max(largest, spread)
        if spread <= _TOLERANCE:
            continue
        disagreeing += 1
        ranked = sorted(members, key=lambda i: (_size(space.names[i]), space.names[i]))
        first = ranked[0]
        other = next(i for i in ranked if np.abs(k[i] - k[first]).max() > _TOLERANCE)
        pair = tuple(Dag.from_code(space.names[i]).pruned().to_code() for i in (first, other))
        size = _size(pair[0]) + _size(pair[1])
        if best is None or (size, pair) < best:
            best = (size, pair)
    if best is None:
        return _Outcome(setting, len(groups), disagreeing, largest)
    pair = best[1][0], best[1][1]
    return _Outcome(setting, len(groups), disagreeing, largest, pair, _certify(pair, setting))


def _size(code: str) -> int:
    return len(list(Dag.from_code(code).pruned().edges()))


def _certify(pair: tuple[str, str], setting: Setting) -> Proved:
    a, b = pair
    found = [
        largest_difference(
            [term(x, setting, "covariance"), term(y, setting, "covariance", -1)],
        )
        for x, y in ((a, b), (b, a))
    ]
    best = max((proved for proved in found if proved), key=lambda proved: proved.margin, default=None)
    if best is None:
        raise Undecided(f"the difference between {a} and {b} in {setting} could not be certified")
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
    outcomes = [_outcome(space, setting, groups) for setting in NNGP_SETTINGS]
    failing = [outcome for outcome in outcomes if outcome.pair is not None]
    first = outcomes[0].counterexample
    rows = [
        [str(o.setting), o.groups, o.disagreeing, o.spread, o.counterexample["codes"] if o.counterexample else None]
        for o in outcomes
    ]
    return Evidence(
        [outcome.finding for outcome in outcomes],
        summary=f"Of {len(groups)} groups of four-node DAGs that the rule cannot tell apart, "
        + ", ".join(f"{outcome.disagreeing} disagree in {outcome.setting}" for outcome in outcomes)
        + ".",
        condition="True among the DAGs for which Eq. 12 is an identity (claim eq-12-identity): their kernel is the sum"
        " over paths, which depends on the numbers of paths of each depth and on nothing else.",
        counterexample=None if first is None else {**first, "confirmed": "interval arithmetic"},
        certificates=[outcome.proved.certificate for outcome in failing if outcome.proved],
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
                [Captioned(code, str(outcome.setting)) for outcome in failing for code in outcome.pair or ()],
            )
        ],
        key_values={f"groups that disagree, {key(o.setting)}": KeyValue(o.disagreeing, 0) for o in outcomes},
    )
