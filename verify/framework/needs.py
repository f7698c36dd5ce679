"""Certificates that a claim needs: what each has to state for a reading to count as proved.

A proof that is valid may still be one of something else: of a point where the claim speaks of an interval, of another
quantity, method or scale. So a claim says for each of its readings what certificates it needs (`claim(needs=...)`), and
both the run and `verify --recheck` compare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from nngp_dag.proofs.eigenvalue_bound import EigenvalueBound
from nngp_dag.proofs.prove import Inequality, Term
from nngp_dag.proofs.recheck import read_statement
from nngp_dag.proofs.spectrum_bounds import SpectrumBounds
from nngp_dag.reading import Setting
from verify.framework.proof import INTERVALS
from verify.framework.record import FindingRecord

__all__ = ["Need", "Needs", "Statement", "Together", "any_of", "at_a_point", "exactly", "lacking", "setting_of"]


Statement = Inequality | EigenvalueBound | SpectrumBounds
"""The statement of a certificate."""


@dataclass(frozen=True)
class Need:
    """One certificate that a reading needs: in words, and the test of its statement.

    `shows` is the outcome of the reading that it proves; None where it may prove either.
    """

    words: str
    accepts: Callable[[Statement], bool]
    shows: bool | None = None

    def is_met(self, statements: Sequence[Statement]) -> bool:
        """True where one of the statements of a reading's certificates is accepted."""
        return any(self.accepts(statement) for statement in statements)


@dataclass(frozen=True)
class Together:
    """A statement that has to follow from the certificates of a reading together: an order of two intervals, say."""

    words: str
    follows: Callable[[Sequence[Statement]], bool]
    shows: bool | None = None

    def is_met(self, statements: Sequence[Statement]) -> bool:
        """True where it follows from these statements."""
        return self.follows(statements)


Needs = Callable[[FindingRecord], Sequence[Need | Together]]
"""From a reading to the certificates that it needs to be proved."""


def exactly(statement: Statement, shows: bool | None = None) -> Need:
    """A certificate of this very statement, which proves that the reading is true (or false)."""
    return Need(statement.words, lambda found: found == statement, shows)


def at_a_point(words: str, terms: Callable[[str], Sequence[Term]]) -> Need:
    """A certificate of the inequality of `terms(code)` at one rho in (-1, 1), whichever DAG and rho it is of."""

    def accepts(found: Statement) -> bool:
        if not isinstance(found, Inequality) or found.low != found.high or not 0 < found.low < 2 or found.constant:
            return False
        return found.terms == tuple(terms(found.terms[0].code))

    return Need(words, accepts, shows=False)


def any_of(words: str, needs: Sequence[Need]) -> Need:
    """A certificate that one of these accepts."""
    outcomes = {need.shows for need in needs}
    shows = outcomes.pop() if len(outcomes) == 1 else None
    return Need(words, lambda found: any(need.accepts(found) for need in needs), shows)


def lacking(
    readings: Iterable[FindingRecord], certificates: Sequence[Mapping[str, object]], needs: Needs | None
) -> list[str]:
    """The shortcomings of the certificates that readings name, one line each.

    Args:
        readings: findings as plain data.
        certificates: those of the evidence, of well-formed content; whether they are proved is seen elsewhere.
        needs: what the claim needs; None where it does not say.
    """
    statements = {str(certificate.get("id")): read_statement(certificate) for certificate in certificates}
    lines = []
    for reading in readings:
        named = [name for name in reading["certificates"] if name in statements]
        lines += [f"{reading['name']}: certificate {n} is absent" for n in reading["certificates"] if n not in named]
        if reading["proof"] == INTERVALS and not reading["certificates"]:
            lines.append(f"{reading['name']}: it names no certificate")
        if reading["certificates"] and reading["holds"] is None:
            lines.append(f"{reading['name']}: undecided, and yet it names certificates")
        for need in needs(reading) if needs is not None and reading["certificates"] else ():
            if need.shows is not None and reading["holds"] is not need.shows:
                lines.append(f"{reading['name']}: its certificates prove the opposite of its outcome")
            if not need.is_met([statements[name] for name in named]):
                lines.append(f"{reading['name']}: no certificate of {need.words}")
    return lines


def setting_of(reading: FindingRecord) -> Setting:
    """The setting that a reading names, ReLU where it names no activation."""
    return Setting.make(
        reading["method"] or "exact",
        reading["order"],
        reading["embedding"] or "gaussian",
        reading["activation"] or "relu",
    )
