"""The order of the three DAGs with their scale taken out, for two points: divided by the diagonal."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import fmpq

from nngp_dag.dag import Dag
from nngp_dag.proofs import Inequality, prove, two_point
from nngp_dag.proofs.certificate import to_certificate
from verify import Context, Evidence, Finding, KeyValue, Lines, Series, Table, claim
from verify.tools.literal import EQUATIONS
from verify.tools.proofs import RHOS, Proved, term
from verify.tools.spaces import READINGS

CODES = [code for code, *_ in EQUATIONS.values()]
_Name = tuple[str, str, str]
_GRID = [Fraction(i, 64) for i in range(-63, 64)]


@dataclass(frozen=True)
class _Relation:
    """Whether one DAG's scale-free gap is below another's: for all rho, for none, or at which certified points."""

    holds: bool | None
    words: str
    certificates: list[Any]
    against: Proved | None = None


def _gap_ratio(code: str, reading: _Name, rho: Fraction) -> float:
    """(K_ii - K_ij) / (K_ii (1 - rho)), the middle of its ball."""
    v = 1 - rho
    point = two_point(Dag.from_code(code), fmpq(v.numerator, v.denominator), None, *reading)
    return float(point.ratio / point.variance)


def _at_points(upper: str, lower: str, reading: _Name) -> Proved | None:
    """A certified point at which the scale-free gap of `upper` is above that of `lower`, with the largest margin."""
    best = None
    terms = (term(upper, reading, "gap-ratio", 1, "variance"), term(lower, reading, "gap-ratio", -1, "variance"))
    for rho in RHOS:
        statement = f"scale-free gap of {upper} > of {lower} at rho = {rho}, {', '.join(reading)}"
        proof = prove(Inequality(terms, 1 - rho, 1 - rho, statement))
        if proof.proved and (best is None or proof.margin > best.margin):
            best = Proved(rho, proof.margin, to_certificate(proof))
    return best


def _relation(a: str, b: str, reading: _Name) -> _Relation:
    """Whether the scale-free gap of a is below that of b."""
    for_it, against = _at_points(b, a, reading), _at_points(a, b, reading)
    if for_it and against:
        words = f"true at rho = {for_it.rho}, false at {against.rho}, crossing near {_crossing(a, b, reading):.4f}"
        return _Relation(False, words, [for_it.certificate, against.certificate], against)
    upper, lower = (b, a) if for_it else (a, b)
    # Where both tend to the same limit at v = 0, it is the deficits below the limit that differ.
    for quantity, sign in (("gap-ratio", 1), ("deficit", -1)):
        if quantity == "deficit" and not _same_limit(a, b, reading):
            continue
        terms = (term(upper, reading, quantity, sign, "variance"), term(lower, reading, quantity, -sign, "variance"))
        statement = f"scale-free {quantity}: {upper} {'>' if sign > 0 else '<'} {lower}, {', '.join(reading)}"
        proof = prove(Inequality(terms, Fraction(0), Fraction(2), statement), max_boxes=256)
        if proof.proved:
            proofs = [to_certificate(proof)] + ([against.certificate] if against else [])
            return _Relation(
                against is None, "reversed for all rho" if against else "true for all rho", proofs, against
            )
    return _Relation(False if against else None, "undecided between the points tried", [], against)


def _same_limit(a: str, b: str, reading: _Name) -> bool:
    """Whether the scale-free gap ratios tend to 1 at v = 0 for both: neither kernel has a part made of means."""
    points = [two_point(Dag.from_code(code), fmpq(0), None, *reading) for code in (a, b)]
    return all(point.limit.overlaps(point.variance) for point in points)


def _crossing(a: str, b: str, reading: _Name) -> float:
    """The first rho (from above) at which the two scale-free gaps change order, by bisection."""

    def above(rho: Fraction) -> bool:
        return _gap_ratio(a, reading, rho) > _gap_ratio(b, reading, rho)

    grid = _GRID[::-1]
    high, low = next((x, y) for x, y in itertools.pairwise(grid) if above(x) != above(y))
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (low, middle) if above(middle) != above(low) else (middle, high)
    return float(low)


@claim(
    "order-dag-123-scale-free",
    title="lambda_dag1 < lambda_dag2 < lambda_dag3, divided by the diagonal",
    source="Section 3.3, after Eq. 11, with the scale taken out",
    statement="For every rho in (-1, 1) the bounds divided by K_ii are ordered DAG#1 < DAG#2 < DAG#3.",
    latex=r"\frac{K_{ii} - K_{ij}}{K_{ii}}:\quad \text{DAG\#1} < \text{DAG\#2} < \text{DAG\#3}",
    expected="refuted",
    settings={"rows": "two unit rows", "rho": "all of (-1, 1)"},
    duration=1,
)
def check(context: Context) -> Evidence:
    """Each inequality in each reading: proved, proved reversed, or with certified points of both kinds."""
    findings, certificates, rows, key_values = [], [], [], {}
    counterexample = None
    for reading in READINGS:
        method, order, embedding = reading
        relations = {(i, j): _relation(CODES[i - 1], CODES[j - 1], reading) for i, j in ((1, 2), (2, 3), (1, 3))}
        for (i, j), relation in relations.items():
            certificates += relation.certificates
            rows.append([", ".join(reading), f"DAG#{i} < DAG#{j}", relation.words])
        needed = [relations[1, 2], relations[2, 3]]
        worst = max((r.against for r in needed if r.against), key=lambda proved: proved.margin, default=None)
        if worst is not None:
            key_values[f"largest certified violation, {' '.join(reading)}"] = KeyValue(worst.margin, 1e-6)
            if reading == READINGS[0]:
                counterexample = {
                    "reading": ", ".join(reading),
                    "statement": worst.certificate["statement"],
                    "margin": worst.margin,
                    "confirmed": "interval arithmetic",
                }
        outcomes = [relation.holds for relation in needed]
        holds = False if False in outcomes else None if None in outcomes else True
        findings.append(
            Finding(
                holds,
                order=order,
                embedding=embedding,
                method=method,
                cases=len(RHOS),
                tolerance=0.0,
                worst=worst.margin if worst else 0.0,
                proof="interval arithmetic" if holds is not None else "",
                detail="; ".join(f"DAG#{i} < DAG#{j}: {r.words}" for (i, j), r in relations.items()),
            )
        )
    return Evidence(
        findings,
        summary="Divided by K_ii the order is another one in every reading. "
        + "; ".join(f"{row[0]}: {row[1]} {row[2]}" for row in rows if row[1] != "DAG#1 < DAG#3")
        + ".",
        condition="Only the raw order is a theorem (order-dag-123); DAG#2 and DAG#3 have three and four paths, which"
        " scale the output."
        " Scale-free, independent and exact activation-first agree that DAG#1 is last and that DAG#2 and DAG#3 change"
        " places at"
        " one rho; under exact activation-last the means of DAG#2 and DAG#3 add to the diagonal alone, and DAG#1 is"
        " ahead near rho = 1.",
        counterexample=counterexample,
        certificates=certificates,
        notes=[
            "The condition number of two points is (2 - g) / g with g = (K_ii - K_ij) / K_ii where K_ij >= 0, as it is"
            " here for rho near 1: it falls as g grows, so a ranking by it is this one."
        ],
        tables=[Table("Scale-free relations", ["reading", "relation", "is"], rows)],
        plots=[_plot(reading) for reading in READINGS],
        key_values=key_values,
    )


def _plot(reading: _Name) -> Lines:
    rhos = _GRID[::2]
    series = [
        Series(f"DAG#{i}", [float(rho) for rho in rhos], [_gap_ratio(code, reading, rho) for rho in rhos])
        for i, code in enumerate(CODES, start=1)
    ]
    return Lines(", ".join(reading), series, x="rho", y="(K_ii - K_ij) / (K_ii (1 - rho))")
