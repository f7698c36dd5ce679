"""A statement tried on every DAG of complete spaces, with the structural condition that decides it and certified
counterexamples.

The condition is a list of *violations*: structural classes of which a DAG must be in none for the statement to be true
of it. It is tested on every DAG: a DAG outside all classes for which the statement fails, or one inside some class for
which it is true, makes the claim crash rather than report a condition that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.reading import Setting
from verify import Captioned, Dags, Finding, KeyValue, Table, Undecided
from verify.framework.finding import CLEARLY_FALSE
from verify.tools.proofs import Proved
from verify.tools.settings import key
from verify.tools.spaces import ConnectedDags

__all__ = ["VIOLATIONS", "Counterexample", "Exhaustive", "FailureCount", "Statement", "Violation", "try_on_spaces"]


@dataclass(frozen=True)
class Violation:
    """A structural class: its name in words, and the field of `Structure` that says whether a DAG is in it."""

    words: str
    flag: str


VIOLATIONS = {
    "mixed_depth": Violation("a linear edge leaves a node that paths of different depths reach", "mixed_depth"),
    "double_skip": Violation("two nodes are joined by two skip paths", "double_skip"),
    "mean_meeting": Violation("skip paths bring the features of two linear edges to one node", "mean_meeting"),
    "mean_meeting_before_linear": Violation(
        "skip paths bring the features of two linear edges to one node that a linear edge leaves",
        "mean_meeting_before_linear",
    ),
}
"""All classes. Under the stem the input itself is a feature of a linear edge."""


@dataclass(frozen=True)
class Statement:
    """A statement about each DAG, and how it is tried.

    Attributes:
        measure: by how much each DAG of a space misses it in a setting, float [A]; at most `tolerance` where
            it is true.
        violations: the classes that decide it in a setting.
        certify: a proof that a DAG (by its code) misses it in a setting; None where there is none.
        tolerance: the largest rounding; a miss must be `CLEARLY_FALSE` times as large.
    """

    measure: Callable[[ConnectedDags, Setting], np.ndarray]
    violations: Callable[[Setting], Sequence[Violation]]
    certify: Callable[[str, Setting], Proved | None]
    tolerance: float = 1e-11

    def certified(self, code: str, setting: Setting) -> Proved:
        """The proof that a DAG misses it.

        Raises:
            Undecided: there is none.
        """
        proved = self.certify(code, setting)
        if proved is None:
            raise Undecided(f"the counterexample {code} in {setting} could not be certified")
        return proved


@dataclass(frozen=True)
class FailureCount:
    """For how many DAGs of a space a statement fails in a setting, and by how much at most."""

    setting: Setting
    space: ConnectedDags
    failing: int
    largest: float


@dataclass(frozen=True)
class Counterexample:
    """The DAG of fewest edges that is in one class alone, of so many."""

    setting: Setting
    words: str
    alike: int
    code: str
    proved: Proved


@dataclass
class Exhaustive:
    """All that came of it: findings, counts, the smallest counterexamples of each class, and the first of all."""

    findings: list[Finding] = field(default_factory=list)
    counts: list[FailureCount] = field(default_factory=list)
    smallest: list[Counterexample] = field(default_factory=list)
    first: dict[Setting, tuple[str, Proved]] = field(default_factory=dict)

    def of_space(self, space: ConnectedDags) -> list[FailureCount]:
        """The counts of one space, in the order of the settings."""
        return [count for count in self.counts if count.space is space]

    @property
    def certificates(self) -> list[Mapping[str, object]]:
        """The proofs of the smallest counterexamples."""
        return [found.proved.certificate for found in self.smallest]

    @property
    def key_values(self) -> dict[str, KeyValue]:
        """The counts, which a baseline records."""
        return {f"fail: {key(c.setting)}, {c.space.num_nodes} nodes": KeyValue(c.failing, 0) for c in self.counts}

    def tables(self, failing: str) -> list[Table]:
        """The two tables; `failing` says what the counted DAGs do."""
        counts = [[str(c.setting), c.space.num_nodes, len(c.space.names), c.failing, c.largest] for c in self.counts]
        smallest = [
            [
                str(s.setting),
                s.words,
                s.alike,
                s.code,
                _edges(s.code),
                str(s.proved.rho),
                s.proved.margin,
            ]
            for s in self.smallest
        ]
        return [
            Table(f"DAGs that {failing}", ["reading", "nodes", "DAGs with a path", failing, "largest"], counts),
            Table(
                "Counterexample with the fewest edges of each class, certified by interval arithmetic",
                ["reading", "class (in no other)", "DAGs", "code", "edges", "rho", "margin"],
                smallest,
            ),
        ]

    def counterexample(self, setting: Setting) -> dict[str, object] | None:
        """The smallest counterexample of a setting, as evidence for `refuted`."""
        if setting not in self.first:
            return None
        code, proved = self.first[setting]
        return {
            "code": code,
            "reading": str(setting),
            "rho": str(proved.rho),
            "margin": proved.margin,
            "confirmed": "interval arithmetic",
        }

    def drawings(self) -> Dags:
        """The drawings of the smallest counterexamples, each drawn once."""
        captions: dict[str, list[str]] = {}
        for found in self.smallest:
            captions.setdefault(found.code, []).append(str(found.setting))
        dags = [Captioned(code, "\n".join(dict.fromkeys(names))) for code, names in captions.items()]
        return Dags("Smallest counterexamples", dags)


def try_on_spaces(spaces: Sequence[ConnectedDags], settings: Sequence[Setting], statement: Statement) -> Exhaustive:
    """Try a statement on every DAG of every space in every setting.

    Args:
        spaces: complete spaces; the smallest counterexamples are looked for in the first.
        settings: one finding each.
        statement: what is tried.

    Raises:
        Undecided: the classes do not separate the DAGs, or a counterexample could not be certified.
    """
    result = Exhaustive()
    for setting in settings:
        stem = setting.embedding == "stem"
        classes = list(statement.violations(setting))
        for space in spaces:
            missed = statement.measure(space, setting)
            fails = np.asarray(missed > statement.tolerance)
            flags = np.array([space.flags(v.flag, stem) for v in classes] or np.zeros((0, len(space.names)), bool))
            _separates(space, setting, missed, np.asarray(flags.any(axis=0)), statement.tolerance)
            result.counts.append(FailureCount(setting, space, int(fails.sum()), float(missed.max())))
            if space is spaces[0]:
                result.findings.append(_finding(result, space, setting, fails, statement))
                for violation, flag in zip(classes, flags, strict=True):
                    alone = fails & flag & (flags.sum(axis=0) == 1)
                    code = space.smallest(alone)
                    if code is not None:
                        proved = statement.certified(code, setting)
                        found = Counterexample(setting, violation.words, int(alone.sum()), code, proved)
                        result.smallest.append(found)
    return result


def _edges(code: str) -> int:
    return len(list(Dag.from_code(code).edges()))


def _separates(
    space: ConnectedDags, setting: Setting, missed: np.ndarray, violated: np.ndarray, tolerance: float
) -> None:
    wrong = np.flatnonzero((missed > tolerance) != violated)
    if wrong.size:
        names = ", ".join(space.names[i] for i in wrong[:5])
        raise Undecided(f"{setting}: the structural condition is wrong for {wrong.size} DAGs, such as {names}")
    if violated.any() and missed[violated].min() < CLEARLY_FALSE * tolerance:
        raise Undecided(f"{setting}: a miss of {missed[violated].min():.1e} is not clearly beyond rounding")


def _finding(
    result: Exhaustive, space: ConnectedDags, setting: Setting, fails: np.ndarray, statement: Statement
) -> Finding:
    """The finding of a setting, with its smallest counterexample, which becomes the first of `result`."""
    count, total, code = int(fails.sum()), len(space.names), space.smallest(fails)
    worst, counterexample = 0.0, None
    if code is not None:
        proved = statement.certified(code, setting)
        result.first[setting] = code, proved
        worst = proved.margin
        counterexample = {"code": code, "rho": str(proved.rho), "margin": proved.margin}
    return Finding(
        count == 0,
        setting=setting,
        cases=total,
        tolerance=statement.tolerance,
        worst=worst,
        detail=f"false for {count} of {total} DAGs" + (f"; smallest: {code}" if code else ""),
        counterexample=counterexample,
    )
