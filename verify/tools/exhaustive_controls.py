"""Controls of a statement that is tried on complete spaces (`verify.tools.exhaustive`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nngp_dag.reading import Setting
from verify import Control, Finding
from verify.tools.exhaustive import Statement, membership
from verify.tools.spaces import ConnectedDags

__all__ = ["classes_left_out", "found_false", "true_of_every_dag"]

_Measure = Callable[[ConnectedDags, Setting], np.ndarray]


def found_false(space: ConnectedDags, settings: Sequence[Setting], measure: _Measure, tolerance: float) -> Finding:
    """The finding that no DAG of a space misses a statement in any setting, by what it measures (`Statement`)."""
    missed = [np.asarray(measure(space, setting)) for setting in settings]
    failing = sum(int((values > tolerance).sum()) for values in missed)
    worst = max(float(values.max()) for values in missed)
    total = sum(len(values) for values in missed)
    detail = f"false for {failing} of {total} DAGs in {len(settings)} readings, by {worst:.2g} at most"
    return Finding(failing == 0, cases=total, tolerance=tolerance, worst=worst, detail=detail)


def true_of_every_dag(
    words: str, space: ConnectedDags, settings: Sequence[Setting], neighbour: Statement, codes: Sequence[str]
) -> list[Control]:
    """A neighbouring statement that is true of every DAG: the search finds no DAG that misses it, and no certificate
    that one of `codes`, counterexamples of the claim's own, does.
    """
    finding = found_false(space, settings, neighbour.measure, neighbour.tolerance)
    certified = [(code, setting) for setting in settings for code in codes if neighbour.proof(code, setting)]
    statement = f"Some DAG misses this: {words}"
    detail = f"{len(certified)} of {len(codes) * len(settings)} counterexamples of the claim certified against it"
    return [Control.keeps(words, finding), Control.not_proved(statement, bool(certified), detail)]


def classes_left_out(space: ConnectedDags, settings: Sequence[Setting], statement: Statement) -> list[Control]:
    """The structural condition with one of its classes left out, for each class: it has to be found wrong, in every
    setting that has the class.
    """
    wrong: dict[str, list[int]] = {}
    for setting in settings:
        classes = list(statement.violations(setting))
        fails = np.asarray(statement.measure(space, setting)) > statement.tolerance
        flags = membership(space, setting, classes)
        for i, violation in enumerate(classes):
            rest = np.delete(flags, i, axis=0).any(axis=0)
            wrong.setdefault(violation.words, []).append(int((rest != fails).sum()))
    return [_left_out(words, counts, len(space.names), statement) for words, counts in wrong.items()]


def _left_out(words: str, counts: Sequence[int], total: int, statement: Statement) -> Control:
    detail = "wrong for " + ", ".join(map(str, counts)) + f" of {total} DAGs, by reading"
    finding = Finding(min(counts) == 0, cases=total * len(counts), tolerance=0.0, worst=min(counts), detail=detail)
    of = f" ({statement.label})" if statement.label else ""
    return Control.rejects(f"The condition is complete without this class{of}: {words}.", finding)
