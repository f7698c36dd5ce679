"""General rule: off-diagonal entries depend on the in-degree of the output and the depths of the paths only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.paths import path_counts
from nngp_dag.proofs import Inequality
from nngp_dag.reading import Setting
from verify import Captioned, Context, Control, Dags, Evidence, Finding, KeyValue, Proof, Table, Undecided, claim
from verify.framework.needs import Need, Statement, setting_of
from verify.framework.record import FindingRecord
from verify.papers import CONNECTIVITY
from verify.tools.exhaustive import identity_violations, membership
from verify.tools.proofs import Proved, largest_of, term
from verify.tools.settings import NNGP_SETTINGS, key
from verify.tools.spaces import ConnectedDags, complete_space, two_point_kernels

_TOLERANCE = 1e-9


def _of_the_rule(code: str) -> Hashable:
    """All that the rule knows of a DAG: numbers of paths of each depth and in-degree of the output (pruned)."""
    pruned = Dag.from_code(code).pruned()
    return sum(t == pruned.num_nodes - 1 for _, t, _ in pruned.edges()), path_counts(pruned)


def _isomorphism_class(code: str) -> Hashable:
    return Dag.from_code(code).canonical().to_code()


def _groups(space: ConnectedDags, alike: Callable[[str], Hashable], among: np.ndarray | None = None) -> list[list[int]]:
    """The groups of DAGs, two at least, that are alike, among those chosen (bool [A])."""
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for i, name in enumerate(space.names):
        if among is None or among[i]:
            groups[alike(name)].append(i)
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
            proof=Proof.by_certificates(self.proved.certificate) if self.proved else None,
            cases=self.groups,
            tolerance=_TOLERANCE,
            worst=self.spread,
            detail=f"{self.disagreeing} of {self.groups} groups of DAGs disagree",
            counterexample=self.counterexample,
        )


def _outcome(space: ConnectedDags, setting: Setting, groups: list[list[int]]) -> _Outcome:
    """The groups compared in one setting, the counterexample certified."""
    k = two_point_kernels(space, setting).covariance
    spreads = [float(np.ptp(k[members], axis=0).max()) for members in groups]
    pairs = [
        _smallest_pair(space, k, members)
        for members, spread in zip(groups, spreads, strict=True)
        if spread > _TOLERANCE
    ]
    largest = max(spreads, default=0.0)
    if not pairs:
        return _Outcome(setting, len(groups), 0, largest)
    pair = min(pairs, key=lambda codes: (sum(map(_size, codes)), codes))
    return _Outcome(setting, len(groups), len(pairs), largest, pair, _certify(pair, setting))


def _smallest_pair(space: ConnectedDags, k: np.ndarray, members: list[int]) -> tuple[str, str]:
    """The DAG of fewest edges of a group and the next that differs from it, pruned; k [A, R] is K_ij."""
    first, *others = sorted(members, key=lambda i: (_size(space.names[i]), space.names[i]))
    other = next(i for i in others if np.abs(k[i] - k[first]).max() > _TOLERANCE)
    a, b = (Dag.from_code(space.names[i]).pruned().to_code() for i in (first, other))
    return a, b


def _size(code: str) -> int:
    return len(list(Dag.from_code(code).pruned().edges()))


def _certify(pair: tuple[str, str], setting: Setting) -> Proved:
    a, b = pair
    proved = largest_of(
        [term(x, setting, "covariance"), term(y, setting, "covariance", -1)] for x, y in ((a, b), (b, a))
    )
    if proved is None:
        raise Undecided(f"the difference between {a} and {b} in {setting} could not be certified")
    return proved


def _needs(reading: FindingRecord) -> list[Need]:
    setting = setting_of(reading)

    def accepts(found: Statement) -> bool:
        if not isinstance(found, Inequality) or found.low != found.high or not 0 < found.low < 2 or found.constant:
            return False
        if len(found.terms) != 2:
            return False
        x, y = (item.code for item in found.terms)
        expected = (term(x, setting, "covariance"), term(y, setting, "covariance", -1))
        return found.terms == expected and _of_the_rule(x) == _of_the_rule(y)

    return [Need(f"different K_ij of two DAGs that the rule cannot tell apart, {setting}", accepts, shows=False)]


def _controls(space: ConnectedDags) -> list[Control]:
    """Groups whose members do have the same entries: the comparison has to find no difference."""
    isomorphic = _groups(space, _isomorphism_class)
    identical = {
        setting: _groups(
            space, _of_the_rule, np.logical_not(membership(space, setting, identity_violations(setting)).any(axis=0))
        )
        for setting in NNGP_SETTINGS
    }
    return [
        Control.keeps(words, _together([_outcome(space, setting, groups) for setting, groups in compared]))
        for words, compared in (
            (
                "DAGs that differ in the names of their nodes have the same K_ij.",
                [(setting, isomorphic) for setting in NNGP_SETTINGS],
            ),
            ("The rule is true among the DAGs whose kernel is the sum over paths.", list(identical.items())),
        )
    ]


def _together(outcomes: Sequence[_Outcome]) -> Finding:
    """The finding that no group disagrees in any setting."""
    return Finding(
        not any(outcome.disagreeing for outcome in outcomes),
        cases=sum(outcome.groups for outcome in outcomes),
        tolerance=_TOLERANCE,
        worst=max(outcome.spread for outcome in outcomes),
        detail=f"{sum(o.disagreeing for o in outcomes)} of {sum(o.groups for o in outcomes)} groups disagree",
    )


@claim(
    "off-diagonal-rule",
    title="Off-diagonal entries depend on the output's in-degree and the paths' depths only",
    paper=CONNECTIVITY,
    source="General rules before Eq. 12",
    statement="Two DAGs with equal numbers of paths of each depth, and as many edges into the output, have the same"
    " off-diagonal entries.",
    latex=r"K^{(H)}_{ij} = F(\deg^-(H), \{d_p\}_p, K^{(0)}_{ij})",
    expected="refuted",
    settings={"DAGs": "all of four nodes", "rows": "two unit rows, rho in [-1, 1)"},
    duration=1,
    needs=_needs,
)
def check(context: Context) -> Evidence:
    """Every group of DAGs that the rule says are alike, in every reading."""
    space = complete_space(4)
    groups = _groups(space, _of_the_rule)
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
        condition="True among the DAGs for which Eq. 12 is an identity (claim eq-12-identity; tried here on every"
        " group): their kernel is the sum over paths, which depends on the numbers of paths of each depth and on"
        " nothing else.",
        counterexample=None if first is None else {**first, "confirmed": "interval arithmetic"},
        certificates=[outcome.proved.certificate for outcome in failing if outcome.proved],
        controls=_controls(space),
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
