"""The order of the three DAGs with their scale taken out, for two points: divided by the diagonal."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from nngp_dag.proofs import Inequality, prove
from nngp_dag.proofs.certificate import to_certificate
from nngp_dag.reading import Setting
from verify import Context, Evidence, Finding, KeyValue, Lines, Proof, Series, Table, claim
from verify.tools.literal import EQUATIONS
from verify.tools.proofs import RHOS, Proved, term, two_point_at
from verify.tools.settings import NNGP_SETTINGS, key

CODES = [code for code, *_ in EQUATIONS.values()]
_GRID = [Fraction(i, 64) for i in range(-63, 64)]


@dataclass(frozen=True)
class _Relation:
    """The relation of two DAGs' scale-free gaps: one below the other for all rho, for none, or at certified points."""

    holds: bool | None
    words: str
    certificates: list[Mapping[str, object]]
    against: Proved | None = None


def _gap_ratio(code: str, setting: Setting, rho: Fraction) -> float:
    """(K_ii - K_ij) / (K_ii (1 - rho)), the middle of its ball."""
    point = two_point_at(code, setting, 1 - rho)
    return float(point.ratio / point.variance)


def _at_points(upper: str, lower: str, setting: Setting) -> Proved | None:
    """A certified point at which the scale-free gap of `upper` is above that of `lower`, with the largest margin."""
    best = None
    terms = (term(upper, setting, "gap-ratio", 1, "variance"), term(lower, setting, "gap-ratio", -1, "variance"))
    for rho in RHOS:
        proof = prove(Inequality(terms, 1 - rho, 1 - rho))
        if proof.proved and (best is None or proof.margin > best.margin):
            best = Proved(rho, proof.margin, to_certificate(proof))
    return best


def _relation(a: str, b: str, setting: Setting) -> _Relation:
    """The relation of the scale-free gap of a to that of b, which is true where it is below."""
    for_it, against = _at_points(b, a, setting), _at_points(a, b, setting)
    if for_it and against:
        words = f"true at rho = {for_it.rho}, false at {against.rho}, crossing near {_crossing(a, b, setting):.4f}"
        return _Relation(False, words, [for_it.certificate, against.certificate], against)
    upper, lower = (b, a) if for_it else (a, b)
    # Where both tend to the same limit at v = 0, it is the deficits below the limit that differ.
    for quantity, sign in (("gap-ratio", 1), ("deficit", -1)):
        if quantity == "deficit" and not _same_limit(a, b, setting):
            continue
        terms = (term(upper, setting, quantity, sign, "variance"), term(lower, setting, quantity, -sign, "variance"))
        proof = prove(Inequality(terms, Fraction(0), Fraction(2)), max_boxes=256)
        if proof.proved:
            proofs = [to_certificate(proof)] + ([against.certificate] if against else [])
            return _Relation(
                against is None, "reversed for all rho" if against else "true for all rho", proofs, against
            )
    return _Relation(False if against else None, "undecided between the points tried", [], against)


def _same_limit(a: str, b: str, setting: Setting) -> bool:
    """True where the scale-free gap ratios tend to 1 at v = 0 for both: neither kernel has a part made of means."""
    points = [two_point_at(code, setting, Fraction(0)) for code in (a, b)]
    return all(point.limit.overlaps(point.variance) for point in points)


def _crossing(a: str, b: str, setting: Setting) -> float:
    """The first rho (from above) at which the two scale-free gaps change order, by bisection."""

    def above(rho: Fraction) -> bool:
        return _gap_ratio(a, setting, rho) > _gap_ratio(b, setting, rho)

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
    for setting in NNGP_SETTINGS:
        relations = {(i, j): _relation(CODES[i - 1], CODES[j - 1], setting) for i, j in ((1, 2), (2, 3), (1, 3))}
        for (i, j), relation in relations.items():
            certificates += relation.certificates
            rows.append([str(setting), f"DAG#{i} < DAG#{j}", relation.words])
        violations = [r.against for r in (relations[1, 2], relations[2, 3]) if r.against]
        worst = max(violations, key=lambda proved: proved.margin, default=None)
        if worst is not None:
            key_values[f"largest certified violation, {key(setting)}"] = KeyValue(worst.margin, 1e-6)
            if setting == NNGP_SETTINGS[0]:
                counterexample = _counterexample(setting, worst)
        findings.append(_finding(setting, relations, worst))
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
        plots=[_plot(setting) for setting in NNGP_SETTINGS],
        key_values=key_values,
    )


def _counterexample(setting: Setting, worst: Proved) -> dict[str, object]:
    return {
        "reading": str(setting),
        "statement": worst.certificate["statement"],
        "margin": worst.margin,
        "confirmed": "interval arithmetic",
    }


def _finding(setting: Setting, relations: Mapping[tuple[int, int], _Relation], worst: Proved | None) -> Finding:
    """The finding that DAG#1 < DAG#2 and DAG#2 < DAG#3 in a setting."""
    outcomes = [relations[1, 2].holds, relations[2, 3].holds]
    holds = False if False in outcomes else None if None in outcomes else True
    return Finding(
        holds,
        setting=setting,
        cases=len(RHOS),
        tolerance=0.0,
        worst=worst.margin if worst else 0.0,
        proof=_proof(holds, relations, worst),
        detail="; ".join(f"DAG#{i} < DAG#{j}: {r.words}" for (i, j), r in relations.items()),
    )


def _proof(holds: bool | None, relations: Mapping[tuple[int, int], _Relation], worst: Proved | None) -> Proof | None:
    """The certified violation of a false order; both orders of a true one."""
    if holds is None:
        return None
    if worst is not None:
        return Proof.by_certificates(worst.certificate)
    return Proof.by_certificates(*(c for pair in ((1, 2), (2, 3)) for c in relations[pair].certificates))


def _plot(setting: Setting) -> Lines:
    rhos = _GRID[::2]
    series = [
        Series(f"DAG#{i}", [float(rho) for rho in rhos], [_gap_ratio(code, setting, rho) for rho in rhos])
        for i, code in enumerate(CODES, start=1)
    ]
    return Lines(str(setting), series, x="rho", y="(K_ii - K_ij) / (K_ii (1 - rho))")
