"""Proofs at single points and on intervals, in the terms of the claims."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import fmpq

from nngp_dag.dag import Dag
from nngp_dag.proofs import Inequality, Term, prove, two_point
from nngp_dag.proofs.certificate import to_certificate
from nngp_dag.proofs.two_point import TwoPoint
from nngp_dag.reading import Setting

__all__ = ["RHOS", "Proved", "largest_difference", "largest_of", "term", "two_point_at"]

RHOS = tuple(Fraction(p, 20) for p in (19, 18, 17, 16, 15, 14, 12, 10, 8, 5, 0, -5, -10, -15))
"""Rational correlations at which counterexamples are certified; the one with the largest margin is chosen."""


@dataclass(frozen=True)
class Proved:
    """A difference that was proved to be positive at one correlation."""

    rho: Fraction
    margin: float
    certificate: Mapping[str, object]


def term(code: str, setting: Setting, quantity: str, coefficient: int | Fraction = 1, scale: str = "none") -> Term:
    """A term for a setting, whose activation is ReLU."""
    return Term(Fraction(coefficient), code, setting, quantity, scale)


def two_point_at(code: str, setting: Setting, v: Fraction) -> TwoPoint:
    """The two-point kernel of a DAG at v = 1 - rho, in balls."""
    return two_point(Dag.from_code(code), fmpq(v.numerator, v.denominator), None, setting)


def largest_difference(
    terms: Iterable[Term], weight_by_v: bool = False, rhos: Sequence[Fraction] = RHOS
) -> Proved | None:
    """The correlation at which the sum of terms is most positive, certified; None where it is nowhere.

    Args:
        terms: the terms, as in `Inequality`.
        weight_by_v: the terms are ratios to v = 1 - rho, and the margin is to be that of the gaps themselves.
        rhos: the correlations to try.
    """
    terms = tuple(terms)
    best: Proved | None = None
    for rho in rhos:
        v = 1 - rho
        proof = prove(Inequality(terms, v, v))
        margin = proof.margin * float(v) if weight_by_v else proof.margin
        if proof.proved and (best is None or margin > best.margin):
            best = Proved(rho, margin, to_certificate(proof))
    return best


def largest_of(
    alternatives: Iterable[Sequence[Term]], weight_by_v: bool = False, rhos: Sequence[Fraction] = RHOS
) -> Proved | None:
    """The largest of the certified differences that several sums of terms come to; None where no sum is positive
    anywhere.
    """
    found = [largest_difference(terms, weight_by_v, rhos) for terms in alternatives]
    return max((proved for proved in found if proved), key=lambda proved: proved.margin, default=None)
