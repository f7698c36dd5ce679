"""The order of the three DAGs with their scale taken out, for two points: divided by the diagonal."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from nngp_dag.dag import Dag
from nngp_dag.proofs import Inequality, Term, prove
from nngp_dag.proofs.certificate import to_certificate
from nngp_dag.reading import Setting
from verify import Context, Control, Evidence, Finding, KeyValue, Lines, Proof, Series, Table, claim
from verify.framework.needs import Need, at_a_point, setting_of
from verify.framework.record import FindingRecord
from verify.papers import CONNECTIVITY
from verify.tools.literal import EQUATIONS
from verify.tools.proofs import RHOS, Proved, largest_difference, term, two_point_at
from verify.tools.settings import NNGP_SETTINGS, key
from verify.tools.structure import structure

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


def _difference(upper: str, lower: str, setting: Setting, quantity: str, scale: str) -> tuple[Term, Term]:
    """A quantity of `upper` minus that of `lower`."""
    return term(upper, setting, quantity, 1, scale), term(lower, setting, quantity, -1, scale)


def _at_points(upper: str, lower: str, setting: Setting, scale: str) -> Proved | None:
    """A certified point at which the gap of `upper` is above that of `lower`, with the largest margin."""
    return largest_difference(_difference(upper, lower, setting, "gap-ratio", scale))


def _relation(a: str, b: str, setting: Setting, scale: str = "variance") -> _Relation:
    """The relation of the scale-free gap of a to that of b, which is true where it is below; raw with scale "none"."""
    for_it, against = _at_points(b, a, setting, scale), _at_points(a, b, setting, scale)
    if for_it and against:
        words = f"true at rho = {for_it.rho}, false at {against.rho}, crossing near {_crossing(a, b, setting):.4f}"
        return _Relation(False, words, [for_it.certificate, against.certificate], against)
    upper, lower = (b, a) if for_it else (a, b)
    attempts = [_difference(upper, lower, setting, "gap-ratio", scale)]
    # Where both tend to the same limit at v = 0, it is the deficits below the limit that differ.
    if scale == "variance" and all(_limit_is_variance(code, setting) for code in (a, b)):
        attempts.append(_difference(lower, upper, setting, "deficit", scale))
    for terms in attempts:
        proof = prove(Inequality(terms, Fraction(0), Fraction(2)), max_boxes=256)
        if proof.proved:
            proofs = [to_certificate(proof)] + ([against.certificate] if against else [])
            return _Relation(
                against is None, "reversed for all rho" if against else "true for all rho", proofs, against
            )
    return _Relation(False if against else None, "undecided between the points tried", [], against)


def _limit_is_variance(code: str, setting: Setting) -> bool:
    """True where the gap ratio tends to K_ii at v = 0, exactly: no means meet in the DAG, so that limit and K_ii are
    one recursion.
    """
    if setting.method != "exact" or setting.order == "activation-first":
        return True
    return not structure(Dag.from_code(code), setting.embedding == "stem").mean_meeting


def _limits() -> Finding:
    """The finding that the structure says for every DAG and setting whether the limit is K_ii, as the balls do."""
    wrong = []
    for setting in NNGP_SETTINGS:
        for code in CODES:
            point = two_point_at(code, setting, Fraction(0))
            below = bool(point.limit < point.variance)
            if below == _limit_is_variance(code, setting) or not (below or point.limit.overlaps(point.variance)):
                wrong.append(f"{code} in {setting}")
    cases = len(NNGP_SETTINGS) * len(CODES)
    return Finding(
        not wrong, cases=cases, tolerance=0.0, worst=float(len(wrong)), detail=f"wrong for {wrong or 'none'}"
    )


def _controls() -> list[Control]:
    """The raw order, which is true, by the same evidence; limits; and an order that is false."""
    raw = [_relation(CODES[i], CODES[i + 1], setting, "none") for setting in NNGP_SETTINGS for i in (0, 1)]
    holds = [relation.holds for relation in raw]
    detail = f"{holds.count(True)} of {len(holds)} relations proved, {holds.count(False)} refuted"
    finding = Finding(
        True if all(holds) else False if False in holds else None,
        cases=len(raw),
        tolerance=0.0,
        worst=float(holds.count(False)),
        detail=detail,
    )
    last = NNGP_SETTINGS[2]
    equal = _difference(CODES[1], CODES[0], last, "limit", "variance")
    reached = prove(Inequality(equal, Fraction(0), Fraction(0)))
    return [
        Control.keeps("Without the division the gaps are ordered DAG#1 < DAG#2 < DAG#3 (order-dag-123).", finding),
        Control.keeps("The gap ratio tends to K_ii at rho = 1 where no means meet, and below it elsewhere.", _limits()),
        Control.not_proved(f"{reached.inequality.words} (it is below)", reached.proved),
    ]


def _needs(reading: FindingRecord) -> list[Need]:
    setting = setting_of(reading)

    def terms(code: str) -> tuple[Term, ...]:
        i = CODES.index(code) if code in CODES[:2] else None
        return () if i is None else _difference(code, CODES[i + 1], setting, "gap-ratio", "variance")

    return [at_a_point(f"a point where the scale-free order is false, {setting}", terms)]


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
    paper=CONNECTIVITY,
    source="Section 3.3, after Eq. 11, with the scale taken out",
    statement="For every rho in (-1, 1) the bounds divided by K_ii are ordered DAG#1 < DAG#2 < DAG#3.",
    latex=r"\frac{K_{ii} - K_{ij}}{K_{ii}}:\quad \text{DAG\#1} < \text{DAG\#2} < \text{DAG\#3}",
    expected="refuted",
    settings={"rows": "two unit rows", "rho": "all of (-1, 1)"},
    duration=2,
    needs=_needs,
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
        condition="Only the raw order of two rows is a theorem (order-dag-123); DAG#2 and DAG#3 have three and four"
        " paths, which scale the output. Scale-free, independent and exact activation-first agree that DAG#1 is last"
        " and that DAG#2 and DAG#3 change places at one rho (both limits at rho = 1 are exactly K_ii, as no means meet,"
        " so that their deficits are compared: written proof order-limits); under exact activation-last the means of"
        " DAG#2 and DAG#3 add to the diagonal alone, and DAG#1 is ahead near rho = 1.",
        counterexample=counterexample,
        certificates=certificates,
        controls=_controls(),
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
