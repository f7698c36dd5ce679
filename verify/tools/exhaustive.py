"""A statement tried on every DAG of complete spaces, with the structural condition that decides it and certified
counterexamples.

The condition is a list of *violations*: structural classes of which a DAG must be in none for the statement to be true
of it. It is tested on every DAG: a DAG outside all classes for which the statement fails, or one inside some class for
which it is true, makes the claim crash rather than report a condition that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nngp_dag.dag import Dag
from verify import Captioned, Dags, Finding, KeyValue, Table, Undecided
from verify.tools.proofs import Proved
from verify.tools.spaces import Space

__all__ = ["VIOLATIONS", "Exhaustive", "Violation", "try_on_spaces"]

_Name = tuple[str, str, str]


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


@dataclass
class Exhaustive:
    """What came of it: findings, a table of counts and one of smallest counterexamples, certificates and key
    figures.
    """

    findings: list[Finding] = field(default_factory=list)
    counts: list[list[Any]] = field(default_factory=list)
    smallest: list[list[Any]] = field(default_factory=list)
    certificates: list[Mapping[str, Any]] = field(default_factory=list)
    key_values: dict[str, KeyValue] = field(default_factory=dict)
    first: dict[_Name, tuple[str, Proved]] = field(default_factory=dict)

    def tables(self, failing: str) -> list[Table]:
        """The two tables; `failing` says what the counted DAGs do."""
        counts = Table(
            f"DAGs that {failing}", ["reading", "nodes", "DAGs with a path", f"{failing}", "largest"], self.counts
        )
        smallest = Table(
            "Counterexample with the fewest edges of each class, certified by interval arithmetic",
            ["reading", "class (in no other)", "DAGs", "code", "edges", "rho", "margin"],
            self.smallest,
        )
        return [counts, smallest]

    def counterexample(self, reading: _Name) -> dict[str, Any] | None:
        """The smallest counterexample of a reading, as evidence for `refuted`."""
        if reading not in self.first:
            return None
        code, proved = self.first[reading]
        return {
            "code": code,
            "reading": ", ".join(reading),
            "rho": str(proved.rho),
            "margin": proved.margin,
            "confirmed": "interval arithmetic",
        }

    def drawings(self) -> Dags:
        """The drawings of the smallest counterexamples, each drawn once."""
        captions: dict[str, list[str]] = {}
        for reading, _, _, code, *_ in self.smallest:
            captions.setdefault(code, []).append(reading)
        dags = [Captioned(code, "\n".join(dict.fromkeys(names))) for code, names in captions.items()]
        return Dags("Smallest counterexamples", dags)


def try_on_spaces(
    spaces: Sequence[Space],
    readings: Sequence[_Name],
    measure: Callable[[Space, _Name], np.ndarray],
    violations: Callable[[_Name], Sequence[Violation]],
    certify: Callable[[str, _Name], Proved | None],
    *,
    tolerance: float = 1e-11,
    label: str = "",
) -> Exhaustive:
    """Try a statement on every DAG of every space in every reading.

    Args:
        spaces: complete spaces; the smallest counterexamples are looked for in the first.
        readings: (method, order, embedding) each.
        measure: by how much each DAG of a space misses the statement, float [A]; at most `tolerance` where it is true.
        violations: the classes that decide it in a reading.
        certify: a proof that a DAG misses it.
        tolerance: the largest rounding; a miss must be `CLEARLY_FALSE` times as large.
        label: label of the readings.

    Raises:
        Undecided: the classes do not separate the DAGs, or a counterexample could not be certified.
    """
    result = Exhaustive()
    for reading in readings:
        stem = reading[2] == "stem"
        classes = list(violations(reading))
        for space in spaces:
            missed = measure(space, reading)
            fails = np.asarray(missed > tolerance)
            flags = np.array([space.flags(v.flag, stem) for v in classes] or np.zeros((0, len(space.names)), bool))
            _separates(space, reading, missed, np.asarray(flags.any(axis=0)), tolerance)
            count = int(fails.sum())
            result.counts.append([", ".join(reading), space.num_nodes, len(space.names), count, float(missed.max())])
            result.key_values[f"{label or 'fail'}: {' '.join(reading)}, {space.num_nodes} nodes"] = KeyValue(count, 0)
            if space is spaces[0]:
                _first(result, space, reading, fails, certify, tolerance, label)
                for violation, flag in zip(classes, flags, strict=True):
                    alone = fails & flag & (flags.sum(axis=0) == 1)
                    _smallest(result, space, reading, violation.words, alone, certify)
    return result


def _separates(space: Space, reading: _Name, missed: np.ndarray, violated: np.ndarray, tolerance: float) -> None:
    wrong = np.flatnonzero((missed > tolerance) != violated)
    if wrong.size:
        names = ", ".join(space.names[i] for i in wrong[:5])
        raise Undecided(
            f"{', '.join(reading)}: the structural condition is wrong for {wrong.size} DAGs, such as {names}"
        )
    if violated.any() and missed[violated].min() < 1000 * tolerance:
        raise Undecided(f"{', '.join(reading)}: a miss of {missed[violated].min():.1e} is not clearly beyond rounding")


def _first(
    result: Exhaustive,
    space: Space,
    reading: _Name,
    fails: np.ndarray,
    certify: Callable[[str, _Name], Proved | None],
    tolerance: float,
    label: str,
) -> None:
    method, order, embedding = reading
    count, total, code = int(fails.sum()), len(space.names), space.smallest(fails)
    counterexample: dict[str, Any] | None = None
    if code is not None:
        proved = _certified(code, reading, certify)
        result.first[reading] = code, proved
        counterexample = {"code": code, "rho": str(proved.rho), "margin": proved.margin}
    result.findings.append(
        Finding(
            count == 0,
            order=order,
            embedding=embedding,
            method=method,
            label=label,
            cases=total,
            tolerance=tolerance,
            worst=counterexample["margin"] if counterexample else 0.0,
            detail=f"false for {count} of {total} DAGs" + (f"; smallest: {code}" if code else ""),
            counterexample=counterexample,
        )
    )


def _smallest(
    result: Exhaustive,
    space: Space,
    reading: _Name,
    words: str,
    alone: np.ndarray,
    certify: Callable[[str, _Name], Proved | None],
) -> None:
    code = space.smallest(alone)
    if code is None:
        return
    proved = _certified(code, reading, certify)
    result.certificates.append(proved.certificate)
    edges = len(list(Dag.from_code(code).edges()))
    row = [", ".join(reading), words, int(alone.sum()), code, edges, str(proved.rho), proved.margin]
    result.smallest.append(row)


def _certified(code: str, reading: _Name, certify: Callable[[str, _Name], Proved | None]) -> Proved:
    proved = certify(code, reading)
    if proved is None:
        raise Undecided(f"the counterexample {code} in {', '.join(reading)} could not be certified")
    return proved
