"""The order of the three DAGs' smallest eigenvalues on N rows: proved false, and why it is true after a stem."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.proofs import EigenvalueBound, prove_bound
from nngp_dag.proofs.certificate import to_certificate
from nngp_dag.proofs.eigenvalue_bound import Side
from nngp_dag.reading import Setting
from nngp_dag.spectrum import pair_bound
from verify import Context, Control, Evidence, Finding, KeyValue, Proof, Table, claim
from verify.framework.needs import Need, exactly, setting_of
from verify.framework.record import FindingRecord
from verify.papers import CONNECTIVITY
from verify.tools.literal import EQUATIONS
from verify.tools.order_series import positive_coefficients
from verify.tools.pair_recursion import exact_pair
from verify.tools.settings import NNGP_SETTINGS, key

CODES = [code for code, *_ in EQUATIONS.values()]
_GAUSSIAN, _STEM = NNGP_SETTINGS[:3], NNGP_SETTINGS[3]
_TERMS = 400
_TOLERANCE = 1e-12
"""Rounding of an eigenvalue, over the diagonal."""


@dataclass(frozen=True)
class _Rows:
    """Rows of integers on which lambda_min of the DAG `low` is above `bound`, and that of `high` below: false order."""

    low: int
    high: int
    rows: tuple[tuple[int, ...], ...]
    bound: Fraction

    @property
    def words(self) -> str:
        """The inequality that they refute."""
        return f"DAG#{self.low} < DAG#{self.high}"

    @property
    def unit(self) -> np.ndarray:
        """The rows divided by their norms, float64 [N, 2]."""
        rows = np.array(self.rows, dtype=np.float64)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def bounds(self, setting: Setting) -> tuple[EigenvalueBound, EigenvalueBound]:
        """The two bounds that refute it together: on the same rows, at the same number."""
        sides: tuple[tuple[int, Side], ...] = ((self.low, "above"), (self.high, "below"))
        first, second = (EigenvalueBound(CODES[i - 1], setting, self.rows, side, self.bound) for i, side in sides)
        return first, second


_REFUTATIONS = (
    _Rows(1, 2, ((-1, -2), (1, 3), (-3, 2), (-1, 3), (1, -2), (1, -1)), Fraction(14151, 10**6)),
    _Rows(2, 3, ((2, -3), (-3, -2), (2, 1), (-1, 2)), Fraction(10358, 10**4)),
)
_GROWING = ("2_21_002", "2_21_012", "2_21_112")
"""DAG#3 without two of the edges into its output, without one, and whole: each adds a positive semi-definite part."""


def _of(words: str) -> _Rows:
    return next(found for found in _REFUTATIONS if found.words == words)


def _needs(reading: FindingRecord) -> list[Need]:
    return [exactly(bound, shows=False) for bound in _of(reading["label"]).bounds(setting_of(reading))]


def _refuted(refutation: _Rows, setting: Setting) -> tuple[Finding, list[Mapping[str, object]]]:
    """The finding that an inequality is false, and the certificates of both bounds."""
    proofs = [prove_bound(bound) for bound in refutation.bounds(setting)]
    certificates: list[Mapping[str, object]] = [to_certificate(proof) for proof in proofs]
    proved = all(proof.proved for proof in proofs)
    low, high = (_smallest(_kernel(code, setting, refutation.unit)) for code in _pair(refutation))
    finding = Finding(
        False if proved else None,
        setting=setting,
        label=refutation.words,
        proof=Proof.by_certificates(*certificates) if proved else None,
        cases=1,
        worst=low - high,
        detail=f"on {len(refutation.rows)} rows {low:.6g} > {float(refutation.bound)} > {high:.6g}",
    )
    return finding, certificates


def _cases() -> list[tuple[Setting, _Rows]]:
    """The settings without a stem, and the inequalities."""
    return list(itertools.product(_GAUSSIAN, _REFUTATIONS))


def _pair(refutation: _Rows) -> tuple[str, str]:
    return CODES[refutation.low - 1], CODES[refutation.high - 1]


def _kernel(code: str, setting: Setting, rows: np.ndarray) -> np.ndarray:
    """K on unit rows [N, d], by the paper's equations or by the reference recursion."""
    gram = np.clip(rows @ rows.T, -1.0, 1.0)
    np.fill_diagonal(gram, 1.0)
    if setting.method == "independent":
        return next(formula for of, _, formula in EQUATIONS.values() if of == code)(gram)
    return exact_pair(Dag.from_code(code), 1.0, gram, 1.0, setting.order, setting.embedding)[0]


def _smallest(kernel: np.ndarray) -> float:
    return float(np.linalg.eigvalsh(kernel)[0])


def _random_grams(rng: np.random.Generator, sets: int, n: int) -> np.ndarray:
    """Gram matrices [sets, n, n] of random unit rows in the plane."""
    x = rng.standard_normal((sets, n, 2))
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    gram = np.clip(x @ np.swapaxes(x, -1, -2), -1.0, 1.0)
    gram[:, np.arange(n), np.arange(n)] = 1.0
    return gram


def _margins(grams: np.ndarray, low: str, high: str, setting: Setting) -> np.ndarray:
    """lambda_min of `high` minus that of `low` over the latter's diagonal, [sets], by the reference recursion."""
    kernels = [
        exact_pair(Dag.from_code(code), 1.0, grams, 1.0, setting.order, setting.embedding)[0] for code in (low, high)
    ]
    least = [np.linalg.eigvalsh(kernel)[:, 0] for kernel in kernels]
    return np.asarray((least[1] - least[0]) / kernels[0][:, 0, 0])


def _searched(grams: Sequence[np.ndarray], pairs: Sequence[tuple[str, str]], settings: Sequence[Setting]) -> Finding:
    """The finding that a search over rows comes upon no set on which an inequality is false."""
    margins = np.concatenate([_margins(g, *pair, s) for g in grams for pair in pairs for s in settings])
    failing = int((margins < -_TOLERANCE).sum())
    return Finding(
        failing == 0,
        cases=len(margins),
        tolerance=_TOLERANCE,
        worst=float(margins.min()),
        detail=f"false for {failing} of {len(margins)} sets of rows",
    )


def _after_a_stem(refutation: _Rows, grams: Sequence[np.ndarray]) -> Finding:
    """The finding that an inequality is true after a stem: by its power series, and by a search."""
    positive = positive_coefficients(refutation.low, refutation.high, _TERMS)
    found = _searched(grams, [_pair(refutation)], [_STEM])
    return Finding(
        found.holds if positive == _TERMS else None,
        setting=_STEM,
        label=refutation.words,
        cases=found.cases,
        tolerance=found.tolerance,
        worst=found.worst,
        detail=f"the first {positive} coefficients of the difference are positive (proved); {found.detail}",
    )


def _controls(rng: np.random.Generator, sets: int, grams: Sequence[np.ndarray]) -> list[Control]:
    """True statements that the search has to leave alone, and false bounds that may not be proved."""
    exact = NNGP_SETTINGS[1:]
    pairs = [_random_grams(rng, sets, 2)]
    low, high = _REFUTATIONS[1].bounds(_GAUSSIAN[0])
    wrong = EigenvalueBound(high.code, high.setting, high.rows, "above", high.bound)
    below = EigenvalueBound(low.code, low.setting, low.rows, "below", low.bound)
    return [
        Control.keeps(
            "For N = 2 rows the order is true (order-dag-123).",
            _searched(pairs, [_pair(found) for found in _REFUTATIONS], exact),
        ),
        Control.keeps(
            "For any N rows lambda_min grows with each edge into the output of DAG#3 (a positive semi-definite part).",
            _searched(grams, list(itertools.pairwise(_GROWING)), exact),
        ),
        *(Control.not_proved(bound.words, prove_bound(bound).proved) for bound in (wrong, below)),
        Control.not_proved(
            "Without a stem the coefficients of the differences are positive.",
            any(positive_coefficients(f.low, f.high, _TERMS, stem=False) == _TERMS for f in _REFUTATIONS),
            "coefficient "
            + ", ".join(
                f"{positive_coefficients(f.low, f.high, _TERMS, stem=False)} of DAG#{f.high} - DAG#{f.low}"
                for f in _REFUTATIONS
            )
            + " is not",
        ),
    ]


@claim(
    "order-n-rows",
    title="lambda_min of N rows is ordered DAG#1 < DAG#2 < DAG#3",
    paper=CONNECTIVITY,
    source="Section 3.3, conclusion, for the smallest eigenvalue of N rows",
    statement="For any N unit rows, no two of them parallel, lambda_min(DAG#1) < lambda_min(DAG#2) <"
    " lambda_min(DAG#3).",
    latex=r"\lambda_{\min}(K_{\text{DAG\#1}}) < \lambda_{\min}(K_{\text{DAG\#2}}) < \lambda_{\min}(K_{\text{DAG\#3}})",
    expected="holds-conditionally",
    settings={"kernel": "NNGP", "rows": "any number of unit rows"},
    duration=2,
    needs=_needs,
)
def check(context: Context) -> Evidence:
    """Rows on which it is false, proved in balls; the power series of the differences, and a search, after a stem."""
    rng, sets = context.rng(), context.pick(quick=400, full=20_000)
    by_size = {n: _random_grams(rng, sets, n) for n in (3, 4, 5, 6, 8)}
    grams = list(by_size.values())
    refuted = [_refuted(found, setting) for setting, found in _cases()]
    findings = [finding for finding, _ in refuted] + [_after_a_stem(found, grams) for found in _REFUTATIONS]
    loose = _loose(context)
    return Evidence(
        findings,
        summary="False without a stem, in the paper's own recursion too: "
        + "; ".join(f"{finding.label} {finding.detail}" for finding, _ in refuted[:2])
        + f". After a stem true as far as it was tried: {findings[-1].detail}. The bound of Lemma 3.3 is"
        f" {min(loose.values()):.2f} to {max(loose.values()):.2f} times lambda_min on these rows.",
        condition="True for N = 2 (order-dag-123), where lambda_min is the bound of Lemma 3.3; for N rows that bound"
        " says nothing about the order. After a stem the power series in rho of DAG#2 - DAG#1 and of DAG#3 - DAG#2 have"
        f" positive coefficients (the first {_TERMS} proved in balls); if all are (not proved), the differences"
        " are positive semi-definite on any rows. Without a stem coefficient 3 of DAG#2 - DAG#1 is"
        " negative (f has no odd powers above the first, so that 3 f(K_0) is singular on a regular hexagon and f^3 is"
        " not), and coefficient 2 of DAG#3 - DAG#2.",
        inside={"reading": findings[-1].name(), "sets of rows": findings[-1].cases, "margin": findings[-1].worst},
        outside={"reading": findings[0].name(), "rows": str(_REFUTATIONS[0].rows), "margin": findings[0].worst},
        counterexample={"rows": str(_REFUTATIONS[1].rows), "margin": findings[1].worst, "confirmed": "ball arithmetic"},
        would_decide="other rows, or more bits",
        certificates=[certificate for _, certificates in refuted for certificate in certificates],
        controls=_controls(rng, sets, grams),
        tables=[_rarity(by_size), _table(loose)],
        key_values={
            f"margin of {found.words}, {key(setting)}": KeyValue(finding.worst, 1e-6)
            for (finding, _), (setting, found) in zip(refuted, _cases(), strict=True)
        },
    )


def _rarity(by_size: Mapping[int, np.ndarray]) -> Table:
    """The number of random sets of rows that violate each inequality."""
    rows = [
        [n, str(setting), found.words, len(grams), int((_margins(grams, *_pair(found), setting) < -_TOLERANCE).sum())]
        for n, grams in by_size.items()
        for setting in NNGP_SETTINGS[1:]
        for found in _REFUTATIONS
    ]
    return Table("Random rows in the plane", ["N", "reading", "inequality", "sets", "false for"], rows)


def _loose(context: Context) -> dict[tuple[str, str, str], float]:
    """The pairwise bound over lambda_min, by rows, setting and DAG."""
    cases = {f"{context.data}, 64 rows": context.rows(64)} | {f"against {f.words}": f.unit for f in _REFUTATIONS}
    ratios: dict[tuple[str, str, str], float] = {}
    for words, rows in cases.items():
        for setting in NNGP_SETTINGS:
            for name, code in zip(EQUATIONS, CODES, strict=True):
                kernel = _kernel(code, setting, rows)
                bound, _ = pair_bound(kernel)
                assert bound is not None  # there are two rows at least
                ratios[words, str(setting), name] = bound / _smallest(kernel)
    return ratios


def _table(loose: Mapping[tuple[str, str, str], float]) -> Table:
    rows = [
        [words, setting, *(loose[words, setting, name] for name in EQUATIONS)]
        for words, setting in dict.fromkeys((words, setting) for words, setting, _ in loose)
    ]
    return Table("The bound of Lemma 3.3 over lambda_min", ["rows", "reading", "DAG#1", "DAG#2", "DAG#3"], rows)
