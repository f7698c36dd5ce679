"""Eq. 8 of `scaling` on chains: learning rates go as L^(-3/2)."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from verify import Context, Control, Evidence, Finding, KeyValue, Proof, Table, claim
from verify.papers import SCALING
from verify.tools.first_step import FirstStep, by_target, chain, first_step

_PROOF = Proof.written("scaling-first-step")


def _steps(longest: int) -> list[FirstStep]:
    """The moments of chains of 1, 2, ... hidden vertices; C = 2 and a read-out of 2 / n^2, so that Gamma is 1."""
    return [first_step(dag, by_target(dag)) for dag in map(chain, range(1, longest + 1))]


def _is(values: list[Fraction], formula: Callable[[int], Fraction], detail: str) -> Finding:
    wrong = [length for length, value in enumerate(values, 1) if value != formula(length)]
    return Finding(not wrong, cases=len(values), detail=detail, worst=float(len(wrong)), tolerance=0.0)


def _as_power(values: list[Fraction], shift: int, power: int, label: str, identity: Finding) -> Finding:
    """The finding that values / (L + shift)^power have bounds above 0; the exact formula behind it is `identity`.

    A quotient that tends to no positive number moves by a factor of 2 at least where the length doubles.
    """
    last = len(values)
    half, full = (values[length - 1] / Fraction(length + shift) ** power for length in (last // 2, last))
    moved = float(max(half / full, full / half))
    quotients = [value / Fraction(length + shift) ** power for length, value in enumerate(values, 1)]
    holds = None if not identity.holds else True if moved < 1.1 else False if moved > 1.8 else None
    return Finding(
        holds,
        label=label,
        proof=None if holds is None else _PROOF,
        cases=last,
        worst=moved,
        tolerance=1.1,
        detail=f"{identity.detail}; over (L{f' + {shift}' if shift else ''})^{power}: {float(min(quotients)):.4g} to"
        f" {float(max(quotients)):.4g}, and a factor of {moved:.3g} from L = {last // 2} to {last}",
        counterexample=None if holds is not False else {"L": last, "margin": moved},
    )


@claim(
    "scaling-chains",
    title="On chains learning rates go as L^(-3/2)",
    paper=SCALING,
    source="Eq. 8 with one path, Appendix D (after Jelassi et al. 2023)",
    statement="On a chain of L hidden vertices the learning rate at which the first step changes pre-activations by"
    " order 1 goes as L^(-3/2).",
    latex=r"P = 1: \quad \eta^* \simeq c \cdot L^{-3/2}",
    expected="holds-conditionally",
    settings={
        "DAGs": "chains of 1 to 60 hidden vertices; 400 in the full profile",
        "E(Delta z)^2": "the largest of hidden vertices (Eq. 7), or the output's (Eq. 25)",
        "L": "hidden vertices, or ReLUs by Eq. 1",
        "arithmetic": "rational, in the limit of infinite width",
    },
    fast=True,
    duration=1,
)
def check(context: Context) -> Evidence:
    """The recursion on every chain against the closed form of the written proof."""
    steps = _steps(context.pick(quick=60, full=400))
    hidden, output = [step.largest for step in steps], [step.output for step in steps]
    cubic = _is(hidden, lambda n: Fraction(n * (2 * n * n + 1), 12), "E(Delta z)^2 / eta^2 = L (2 L^2 + 1) / 12")
    square = _is(output, lambda n: Fraction(n * n, 4), "E(Delta z)^2 / eta^2 = L^2 / 4")
    findings = [
        _as_power(hidden, 0, 3, "largest hidden change; L hidden vertices", cubic),
        _as_power(hidden, 1, 3, "largest hidden change; L + 1 ReLUs", cubic),
        _as_power(output, 0, 3, "change of the output", square),
    ]
    monotone = all(step.hidden[-1] == step.largest for step in steps)
    controls = [
        Control.rejects("It is L (2 L^2 - 1) / 12.", _is(hidden, lambda n: Fraction(n * (2 * n * n - 1), 12), "")),
        *(Control.rejects(f"Rates go as L^(-{power}/2).", _as_power(hidden, 0, power, "", cubic)) for power in (2, 4)),
        Control.keeps(
            "The last hidden vertex changes most.", Finding(monotone, cases=len(steps), detail="on every chain")
        ),
    ]
    rows = [
        [base, length, float(hidden[base - 1] / hidden[length - 1]) ** 0.5, (base / length) ** 1.5]
        for base, length in ((1, 3), (1, 10), (3, 10), (3, 30))
    ]
    recipe = rows[1][3] / rows[1][2] - 1
    return Evidence(
        findings,
        summary="The largest change, that of the last hidden vertex, is exactly L (2 L^2 + 1) / 12 on every chain to"
        f" L = {len(steps)}: between 1/6 and 1/4 of L^3. The output's is L^2 / 4.",
        condition="True where Eq. 7 is asked of every vertex, hidden ones included: these change most (written proof"
        " scaling-first-step). False of the output's change alone, which would allow L^(-1).",
        inside={"reading": "largest hidden change", "L": 10, "E(Delta z)^2 / L^3": float(hidden[9] / 1000)},
        outside={"reading": "change of the output", "L": 10, "E(Delta z)^2 / L^3": float(output[9] / 1000)},
        controls=controls,
        tables=[
            Table("Rates of a deeper chain over that of a base", ["base L", "L", "exact", "(base / L)^(3/2)"], rows)
        ],
        notes=[
            f"The paper's recipe starts from L = 1, where L^3 is not yet the leading term: at L = 10 it gives a rate"
            f" {recipe:+.0%} from the exact one; from L = 3, as in Appendix D, {rows[2][3] / rows[2][2] - 1:+.1%}."
        ],
        key_values={"E(Delta z)^2, L = 10": KeyValue(float(hidden[9]))},
    )
