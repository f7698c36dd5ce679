"""The order of the three DAGs' bounds, proved for every rho by interval arithmetic."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from nngp_dag.proofs import Inequality, prove
from nngp_dag.proofs.certificate import to_certificate
from nngp_dag.proofs.prove import ProofAttempt
from nngp_dag.reading import Setting
from verify import Captioned, Context, Control, Dags, Evidence, Finding, KeyValue, Proof, Table, claim
from verify.framework.needs import Need, exactly, setting_of
from verify.framework.record import FindingRecord
from verify.papers import CONNECTIVITY
from verify.tools.literal import EQUATIONS
from verify.tools.proofs import term
from verify.tools.settings import NNGP_SETTINGS, key

CODES = [code for code, *_ in EQUATIONS.values()]
_READINGS = {
    "K_ii - K_ij": ("gap-ratio", Fraction(0)),
    "lambda_min": ("eigenvalue-ratio", Fraction(0)),
    "lambda_min, rho < 0": ("eigenvalue-ratio", Fraction(1)),
}
"""Of each reading the quantity, and the v = 1 - rho from which on it is ordered. K_ii - K_ij is the right-hand side of
Eq. 7, 9 and 11; lambda_min is K_ii - |K_ij|, which for DAG#3 differs from it near rho = -1 (claim dag-3).
"""
_CROSSING = (Fraction(3, 10), Fraction(7, 4))
"""v = 1 - rho between which the scale-free gaps of DAG#2 and DAG#3 change their order (independent)."""


def _controls() -> list[Control]:
    """Statements that are true at one end of an interval and false at the other: no prover may prove them."""
    controls = []
    for large, small, end in ((2, 3, "lower"), (3, 2, "upper")):
        terms = tuple(
            term(CODES[i - 1], NNGP_SETTINGS[0], "gap-ratio", sign, "variance") for i, sign in ((large, 1), (small, -1))
        )
        attempt = prove(Inequality(terms, *_CROSSING), max_boxes=64)
        words = f"{attempt.inequality.words} (true at the {end} end of v only)"
        controls.append(Control.not_proved(words, attempt.proved))
    return controls


@dataclass(frozen=True)
class _Order:
    """Proofs of both inequalities of the order, for one quantity in one setting."""

    setting: Setting
    words: str
    proofs: tuple[ProofAttempt, ProofAttempt]

    @property
    def proved(self) -> bool:
        """True where both are proved."""
        return all(proof.proved for proof in self.proofs)

    @property
    def certificates(self) -> list[Mapping[str, object]]:
        """The certificates of both."""
        return [to_certificate(proof) for proof in self.proofs]

    @property
    def boxes(self) -> int:
        """The number of boxes of both."""
        return sum(proof.boxes for proof in self.proofs)

    @property
    def margin(self) -> float:
        """The smaller margin."""
        return min(proof.margin for proof in self.proofs)

    @property
    def seconds(self) -> float:
        """The time of both."""
        return sum(proof.seconds for proof in self.proofs)

    @property
    def finding(self) -> Finding:
        """The order as a finding."""
        return Finding(
            True if self.proved else None,
            setting=self.setting,
            label=self.words,
            proof=Proof.by_certificates(*self.certificates) if self.proved else None,
            cases=self.boxes,
            worst=self.margin,
            detail=f"{self.boxes} boxes, {self.proofs[0].precision} bits, {self.seconds:.3f} s"
            if self.proved
            else "not proved within the budget",
        )

    @property
    def row(self) -> list[object]:
        """The order as a row of the table."""
        bits = self.proofs[0].precision
        return [str(self.setting), self.words, self.proved, self.boxes, bits, self.margin, self.seconds]


def _inequalities(setting: Setting, label: str) -> list[Inequality]:
    """DAG#1 < DAG#2 and DAG#2 < DAG#3, on v = 1 - rho up to 2."""
    quantity, low = _READINGS[label]
    return [
        Inequality((term(large, setting, quantity), term(small, setting, quantity, -1)), low, Fraction(2))
        for small, large in itertools.pairwise(CODES)
    ]


def _needs(reading: FindingRecord) -> list[Need]:
    return [exactly(inequality, shows=True) for inequality in _inequalities(setting_of(reading), reading["label"])]


def _order(setting: Setting, words: str) -> _Order:
    """Both inequalities tried."""
    first, second = (prove(inequality) for inequality in _inequalities(setting, words))
    return _Order(setting, words, (first, second))


@claim(
    "order-dag-123",
    title="lambda_dag1 < lambda_dag2 < lambda_dag3",
    paper=CONNECTIVITY,
    source="Section 3.3, after Eq. 11",
    statement="For every rho in (-1, 1) the upper bounds K_ii - K_ij of the three DAGs (Eq. 7, 9, 11), and the smallest"
    " eigenvalues K_ii - |K_ij| themselves, are ordered: DAG#1 < DAG#2 < DAG#3.",
    latex=r"1 - f^3(\rho) \;<\; 3 (1 - f(\rho)) \;<\; 4 - \tilde f(\rho), \qquad \rho \in (-1, 1)",
    expected="certified",
    settings={"rows": "two unit rows", "rho": "all of [-1, 1), with the limit rho -> 1 of the quotient by 1 - rho"},
    fast=True,
    duration=1,
    needs=_needs,
)
def check(context: Context) -> Evidence:
    """Both quantities, lambda_min also for rho < 0 alone, both inequalities, every reading; divided by v = 1 - rho so
    that the end rho -> 1 is strict too.
    """
    orders = [_order(setting, words) for setting in NNGP_SETTINGS for words in _READINGS]
    return Evidence(
        [order.finding for order in orders],
        summary=f"Proved for all rho in [-1, 1) in {len(NNGP_SETTINGS)} readings with"
        f" {sum(order.boxes for order in orders)} boxes. On the scale of the kernels as they are: DAG#2 and DAG#3 have"
        " three and four paths, so larger outputs (claims order-dag-123-*). Of two rows: for more, order-n-rows.",
        would_decide="a larger budget of boxes",
        certificates=[certificate for order in orders for certificate in order.certificates],
        tables=[
            Table(
                "Proofs on v = 1 - rho in [0, 2]",
                ["reading", "quantity over v", "proved", "boxes", "bits", "smallest margin", "s"],
                [order.row for order in orders],
            ),
        ],
        controls=_controls(),
        plots=[
            Dags(
                "The three DAGs of Figure 3",
                [Captioned(code, name.replace("dag-", "DAG#")) for name, (code, *_) in EQUATIONS.items()],
            )
        ],
        key_values={f"boxes, {o.words}, {key(o.setting)}": KeyValue(o.boxes, 0.5, 2) for o in orders},
    )
