"""A statement tried on every DAG of complete spaces, with the structural condition that decides it and certified
counterexamples.

The condition is a list of *violations*: structural classes of which a DAG must be in none for the statement to be true
of it. It is tested on every DAG: a DAG outside all classes for which the statement fails, or one inside some class for
which it is true, makes the claim inconclusive rather than report a condition that is wrong
(`verify.tools.exhaustive_controls` tries it with a class left out).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.proofs import Term
from nngp_dag.reading import Setting
from verify import Captioned, Dags, Finding, KeyValue, Proof, Table, Undecided
from verify.framework.finding import CLEARLY_FALSE
from verify.framework.needs import Need, any_of, at_a_point, setting_of
from verify.framework.record import FindingRecord
from verify.tools.proofs import Proved, largest_of
from verify.tools.settings import key
from verify.tools.spaces import ConnectedDags

__all__ = [
    "VIOLATIONS",
    "Counterexample",
    "Exhaustive",
    "FailureCount",
    "Statement",
    "Violation",
    "identity_violations",
    "membership",
    "try_on_spaces",
]


@dataclass(frozen=True)
class Violation:
    """A structural class: its name in words, and which DAGs of a space are in it (bool [A]), with a stem or without."""

    words: str
    members: Callable[[ConnectedDags, bool], np.ndarray]


def _flag(words: str, name: str) -> Violation:
    """The class that a field of `Structure` says."""
    return Violation(words, lambda space, stem: space.flags(name, stem))


VIOLATIONS = {
    "mixed_depth": _flag("a linear edge leaves a node that paths of different depths reach", "mixed_depth"),
    "double_skip": _flag("two nodes are joined by two skip paths", "double_skip"),
    "mean_meeting": _flag("skip paths bring the features of two linear edges to one node", "mean_meeting"),
    "mean_meeting_before_linear": _flag(
        "skip paths bring the features of two linear edges to one node that a linear edge leaves",
        "mean_meeting_before_linear",
    ),
}
"""All classes. Under the stem the input itself is a feature of a linear edge; `mixed_depth` is then contained in
`mean_meeting_before_linear`: a node that a linear edge leaves and that only one feature reaches has the depths of that
feature's tail, one more each, and the first such tail is the input.
"""


def identity_violations(setting: Setting) -> list[Violation]:
    """The classes of which a DAG must be in none for its kernel to be the sum over paths."""
    names = [] if setting.embedding == "stem" else ["mixed_depth"]
    if setting.method == "exact":
        names += ["double_skip"] + ["mean_meeting"] * (setting.order == "activation-last")
    return [VIOLATIONS[name] for name in names]


@dataclass(frozen=True)
class Statement:
    """A statement about each DAG, and how it is tried.

    Attributes:
        words: the quantity, in a few words.
        measure: by how much each DAG of a space misses it in a setting, float [A]; at most `tolerance` where
            it is true.
        violations: the classes that decide it in a setting.
        misses: sums of terms of a DAG (by its code) in a setting; one that is positive at one rho in (-1, 1) proves
            that the DAG misses it.
        tolerance: the largest rounding; a miss must be `CLEARLY_FALSE` times as large.
        label: of its findings.
        ratios: the terms are ratios to 1 - rho.
    """

    words: str
    measure: Callable[[ConnectedDags, Setting], np.ndarray]
    violations: Callable[[Setting], Sequence[Violation]]
    misses: Callable[[str, Setting], Sequence[Sequence[Term]]]
    tolerance: float = 1e-11
    label: str = ""
    ratios: bool = False

    def proof(self, code: str, setting: Setting) -> Proved | None:
        """The proof that a DAG misses it, with the largest margin; None where there is none."""
        return _proof(self, code, setting)

    def certified(self, code: str, setting: Setting) -> Proved:
        """The proof that a DAG misses it.

        Raises:
            Undecided: there is none.
        """
        proved = self.proof(code, setting)
        if proved is None:
            raise Undecided(f"the counterexample {code} in {setting} could not be certified")
        return proved

    def needs(self, reading: FindingRecord) -> list[Need]:
        """The statement that a certificate which refutes a reading has."""
        setting = setting_of(reading)
        words = f"a DAG that misses {self.words} at one rho, {setting}"
        number = len(self.misses("2", setting))
        return [any_of(words, [at_a_point(words, self._alternative(i, setting)) for i in range(number)])]

    def _alternative(self, i: int, setting: Setting) -> Callable[[str], Sequence[Term]]:
        return lambda code: self.misses(code, setting)[i]


@lru_cache(maxsize=512)
def _proof(statement: Statement, code: str, setting: Setting) -> Proved | None:
    return largest_of(statement.misses(code, setting), statement.ratios)


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
        """The proofs of the smallest counterexamples, and of the first of all."""
        found = [found.proved for found in self.smallest] + [proved for _, proved in self.first.values()]
        return list({str(proved.certificate["id"]): proved.certificate for proved in found}.values())

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
        classes = list(statement.violations(setting))
        for space in spaces:
            missed = statement.measure(space, setting)
            fails = np.asarray(missed > statement.tolerance)
            flags = membership(space, setting, classes)
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


def membership(space: ConnectedDags, setting: Setting, classes: Sequence[Violation]) -> np.ndarray:
    """Membership of the DAGs in each class, bool [classes, A]."""
    members = [violation.members(space, setting.embedding == "stem") for violation in classes]
    return np.array(members, dtype=bool).reshape(len(classes), len(space.names))


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
    worst, counterexample, proof = 0.0, None, None
    if code is not None:
        proved = statement.certified(code, setting)
        result.first[setting] = code, proved
        worst, proof = proved.margin, Proof.by_certificates(proved.certificate)
        counterexample = {"code": code, "rho": str(proved.rho), "margin": proved.margin}
    return Finding(
        count == 0,
        setting=setting,
        label=statement.label,
        proof=proof,
        cases=total,
        tolerance=statement.tolerance,
        worst=worst,
        detail=f"false for {count} of {total} DAGs" + (f"; smallest: {code}" if code else ""),
        counterexample=counterexample,
    )
