"""Proofs that a kernel differs from Eq. 6, 8 or 10, or its smallest eigenvalue from Eq. 7, 9 or 11, at one rho.

In certificates the equation is the recursion *independent* of the same DAG, which it is written out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from nngp_dag.proofs import Inequality, Term
from nngp_dag.reading import Setting
from verify.framework.needs import Need, Statement, any_of, at_a_point, setting_of
from verify.framework.record import FindingRecord
from verify.tools.literal import EQUATIONS
from verify.tools.proofs import RHOS, Proved, largest_of, term

__all__ = ["EIGENVALUE", "EIGENVALUE_NEGATIVE", "KERNEL", "certified", "needs_of"]

KERNEL = "K^(3)"
EIGENVALUE = "smallest eigenvalue of two rows"
EIGENVALUE_NEGATIVE = f"{EIGENVALUE}, rho < 0"
_NEGATIVE = tuple(Fraction(p, 100) for p in (-99, -95, -90, -75, -50, -25))


def _differences(code: str, label: str, setting: Setting) -> list[list[Term]]:
    """The differences between a kernel and the equation's, in both directions."""
    equation = Setting.make("independent", "activation-last", setting.embedding)
    quantities = (("variance",) * 2, ("covariance",) * 2) if label == KERNEL else (("eigenvalue-ratio", "gap-ratio"),)
    return [
        [term(code, setting, ours, sign), term(code, equation, theirs, -sign)]
        for ours, theirs in quantities
        for sign in (1, -1)
    ]


def certified(code: str, label: str, setting: Setting) -> Proved | None:
    """The largest difference that is proved; None where there is none."""
    rhos = _NEGATIVE if label == EIGENVALUE_NEGATIVE else tuple(rho for rho in RHOS if rho >= 0)
    return largest_of(_differences(code, label, setting), label != KERNEL, rhos)


def needs_of(name: str) -> Callable[[FindingRecord], list[Need]]:
    """The needs of the claim about one of the DAGs: a difference at a rho of the reading's sign."""
    code = EQUATIONS[name][0]

    def needs(reading: FindingRecord) -> list[Need]:
        label, setting = reading["label"], setting_of(reading)
        words = f"a difference between {code} in {setting} and its equation: {label}"
        points = [at_a_point(words, _only(code, terms)) for terms in _differences(code, label, setting)]
        difference = any_of(words, points)
        return [Need(words, lambda found: difference.accepts(found) and _sign(found, label), shows=False)]

    return needs


def _only(code: str, terms: Sequence[Term]) -> Callable[[str], Sequence[Term]]:
    return lambda other: terms if other == code else ()


def _sign(found: Statement, label: str) -> bool:
    """True where the rho of a point is one that the label speaks of."""
    if not isinstance(found, Inequality) or label == KERNEL:
        return isinstance(found, Inequality)
    return (found.low > 1) == (label == EIGENVALUE_NEGATIVE)
