"""The order of the three DAGs' bounds, proved for every rho by interval arithmetic."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from nngp_dag.proofs import Inequality, prove
from nngp_dag.proofs.certificate import to_certificate
from verify import Captioned, Context, Dags, Evidence, Finding, KeyValue, Table, Undecided, claim
from verify.tools.literal import EQUATIONS
from verify.tools.proofs import term
from verify.tools.spaces import READINGS

CODES = [code for code, *_ in EQUATIONS.values()]
_CROSSING = (Fraction(3, 10), Fraction(7, 4))
"""v = 1 - rho between which the scale-free gaps of DAG#2 and DAG#3 change their order (independent)."""


def _controls() -> list[list[Any]]:
    """Statements that are true at one end of an interval and false at the other: no prover may prove them.

    Raises:
        Undecided: one is proved, so that no proof here is worth anything.
    """
    rows = []
    for large, small, end in ((2, 3, "lower"), (3, 2, "upper")):
        terms = tuple(
            term(CODES[i - 1], READINGS[0], "gap-ratio", sign, "variance") for i, sign in ((large, 1), (small, -1))
        )
        statement = f"scale-free gap of DAG#{large} > of DAG#{small} for v in [{_CROSSING[0]}, {_CROSSING[1]}]"
        proof = prove(Inequality(terms, *_CROSSING, statement), max_boxes=64)
        if proof.proved:
            raise Undecided(f"the prover proved what is false: {statement}")
        rows.append([statement, f"at the {end} end only", "not proved"])
    return rows


@claim(
    "order-dag-123",
    title="lambda_dag1 < lambda_dag2 < lambda_dag3",
    source="Section 3.3, after Eq. 11",
    statement="For every rho in (-1, 1) the upper bounds K_ii - K_ij of the three DAGs, and the smallest eigenvalues"
    " themselves, are"
    " ordered: DAG#1 < DAG#2 < DAG#3.",
    latex=r"1 - f^3(\rho) \;<\; 3 (1 - f(\rho)) \;<\; 4 - \tilde f(\rho), \qquad \rho \in (-1, 1)",
    expected="certified",
    settings={"rows": "two unit rows", "rho": "all of [-1, 1), with the limit rho -> 1 of the quotient by 1 - rho"},
    fast=True,
    duration=1,
)
def check(context: Context) -> Evidence:
    """Both quantities, both inequalities, every reading; divided by v = 1 - rho so that the end rho -> 1 is strict
    too.
    """
    findings, certificates, key_values = [], [], {}
    rows: list[list[Any]] = []
    for reading in READINGS:
        method, order, embedding = reading
        for quantity, words in (("gap-ratio", "K_ii - K_ij"), ("eigenvalue-ratio", "lambda_min")):
            proofs = []
            for small, large in ((1, 2), (2, 3)):
                terms = (term(CODES[large - 1], reading, quantity), term(CODES[small - 1], reading, quantity, -1))
                statement = f"{words} / v of DAG#{small} < of DAG#{large}, {', '.join(reading)}"
                proofs.append(prove(Inequality(terms, Fraction(0), Fraction(2), statement)))
            certificates += [to_certificate(proof) for proof in proofs]
            boxes, margin = sum(p.boxes for p in proofs), min(p.margin for p in proofs)
            seconds, proved = sum(p.seconds for p in proofs), all(p.proved for p in proofs)
            rows.append([", ".join(reading), words, proved, boxes, proofs[0].precision, margin, seconds])
            key_values[f"boxes, {words}, {' '.join(reading)}"] = KeyValue(boxes, 0.5, 2)
            findings.append(
                Finding(
                    True if proved else None,
                    order=order,
                    embedding=embedding,
                    method=method,
                    label=words,
                    proof="interval arithmetic" if proved else "",
                    cases=boxes,
                    worst=margin,
                    detail=f"{boxes} boxes, {proofs[0].precision} bits, {seconds:.3f} s"
                    if proved
                    else "not proved within the budget",
                )
            )
    return Evidence(
        findings,
        summary=f"Proved for all rho in [-1, 1) in {len(READINGS)} readings with {sum(row[3] for row in rows)} boxes."
        f" On the scale of the"
        " kernels as they are: DAG#2 and DAG#3 have three and four paths, so larger outputs (claims order-dag-123-*).",
        would_decide="a larger budget of boxes",
        certificates=certificates,
        tables=[
            Table(
                "Proofs on v = 1 - rho in [0, 2]",
                ["reading", "quantity over v", "proved", "boxes", "bits", "smallest margin", "s"],
                rows,
            ),
            Table("Controls", ["statement", "true", "outcome"], _controls()),
        ],
        plots=[
            Dags(
                "The three DAGs of Figure 3",
                [Captioned(code, name.replace("dag-", "DAG#")) for name, (code, *_) in EQUATIONS.items()],
            )
        ],
        key_values=key_values,
    )
