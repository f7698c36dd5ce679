"""Equations of the three DAGs of Figure 3 against kernels and networks, for the claims about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import brentq

from nngp_dag.reading import Reading
from verify import Captioned, Context, Control, Dags, Evidence, Finding, KeyValue, Lines, Plot, Points, Table
from verify.claims._figure_3_comparison import COLUMNS, DRAWN, TOLERANCE, EquationComparison, compared
from verify.claims._figure_3_equations import NEIGHBOURS, Equation, gram
from verify.claims._figure_3_proofs import EIGENVALUE, EIGENVALUE_NEGATIVE, KERNEL
from verify.tools.literal import EQUATIONS, relu_f
from verify.tools.settings import NNGP_SETTINGS

__all__ = ["check_equation"]

_NETWORKS = (
    Reading.make("activation-first", "gaussian-trained"),
    Reading.make("activation-last", "gaussian-trained"),
    Reading.make("activation-last", "stem"),
)


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def check_equation(context: Context, name: str, condition: str) -> Evidence:
    """One of Eq. 6-11 against the kernels of all readings, for correlations of both signs, and against networks."""
    equation = Equation(name, *EQUATIONS[name])
    data = context.rows(64)
    rows = np.concatenate([data, _unit(-data[:16] - data[16:32])])
    comparisons = [compared(equation, setting, rows, len(data)) for setting in NNGP_SETTINGS]
    few = np.concatenate([data[:5], _unit(-data[:1] - 0.3 * data[1:2])])
    networks = [_networks(context, equation, few, reading) for reading in _NETWORKS]
    findings = [finding for comparison in comparisons for finding in comparison.findings()]
    findings += [finding for finding, _, _ in networks]
    values = {name: value for comparison in comparisons for name, value in comparison.key_values().items()}
    values |= {f"K_12 of networks, {f.order} {f.embedding}": value for f, _, value in networks}
    false = [finding for finding in findings if finding.proof]
    worst = max(false, key=lambda finding: finding.worst or 0.0, default=None)
    named = {name for finding in false if finding.proof for name in finding.proof.certificates}
    proofs = [proved.certificate for comparison in comparisons for proved in comparison.proofs.values()]
    return Evidence(
        findings,
        summary=_summary(comparisons, findings),
        condition=condition if false else "",
        inside={"reading": findings[0].name(), "error": findings[0].worst},
        outside=None if worst is None else _outside(worst),
        counterexample=None if worst is None else {"margin": worst.worst, "confirmed": "interval arithmetic"},
        would_decide="more seeds, or wider networks",
        certificates=list({str(c["id"]): c for c in proofs if c["id"] in named}.values()),
        controls=_controls(equation, comparisons, [control for _, control, _ in networks]),
        tables=[Table(f"K^(3) of {equation.code} against {equation.words}", COLUMNS, [c.row() for c in comparisons])],
        plots=_plots(equation, comparisons, f"{len(data)} rows of {context.data}"),
        key_values=values,
        notes=_sign(equation),
    )


def _outside(finding: Finding) -> Mapping[str, object]:
    return {"reading": finding.name(), "error": finding.worst, **(finding.counterexample or {})}


def _controls(
    equation: Equation, comparisons: Sequence[EquationComparison], networks: Sequence[Control]
) -> list[Control]:
    """The equation of another DAG, which kernels and networks have to reject; and the eigenvalue with |K_ij|."""
    words, formula = NEIGHBOURS[equation.name]
    exact = next(c for c in comparisons if c.setting.method == "exact")
    other = formula(exact.gram)
    error = float(np.abs(exact.actual - other).max() / np.diag(other).max())
    found = Finding.agreement(error, tolerance=TOLERANCE, cases=other.size)
    first = comparisons[0]
    eigenvalues = first.by_equation[0, 0] - np.abs(first.by_equation[0, 1:])
    absolute = Finding.agreement(
        float(np.abs(first.pairs[0] - eigenvalues).max()), tolerance=TOLERANCE, cases=len(eigenvalues)
    )
    return [
        Control.rejects(f"{words} ({exact.setting})", found),
        *networks,
        Control.keeps("By the equation's kernel lambda_min of two rows is K_ii - |K_ij| for every rho.", absolute),
    ]


def _sign(equation: Equation) -> list[str]:
    """A note on where the off-diagonal is negative, if it is so anywhere."""

    def off(rho: float) -> float:
        return float(equation.formula(np.array([[1.0, rho], [rho, 1.0]]))[0, 1])

    if off(-1.0) >= 0:
        return []
    top = float(equation.formula(np.ones((1, 1)))[0, 0])
    return [
        f"K_ij is negative for rho < {brentq(off, -1.0, 0.0):.4f}, and lambda_min is K_ii - |K_ij| there: at rho = -1"
        f" {top - abs(off(-1.0)):.4f}, where K_ii - K_ij is {top - off(-1.0):.4f}."
    ]


def _summary(comparisons: Sequence[EquationComparison], findings: Sequence[Finding]) -> str:
    differ = [
        f"{c.setting} (by {c.difference.min():.4g} to {c.difference.max():.4g})"
        for c in comparisons
        if c.error > TOLERANCE
    ]
    kernels = [f for f in findings if f.label == KERNEL]
    where = ", ".join(
        f"in {sum(f.holds is True for f in findings if f.label == label)} for {words}"
        for label, words in ((EIGENVALUE, "rho >= 0"), (EIGENVALUE_NEGATIVE, "rho < 0"))
    )
    networks = [
        f"{'not rejected' if f.holds else 'rejected'} in {f.order}, {f.embedding}"
        for f in findings
        if f.method == "networks"
    ]
    return (
        f"{comparisons[0].equation.words} is the kernel in {sum(f.holds is True for f in kernels)} of {len(kernels)}"
        f" readings, and its smallest eigenvalue of two rows is right, of {len(comparisons)} readings, {where}. By"
        f" networks: {'; '.join(networks)}." + (f" It differs in {'; '.join(differ)}." if differ else "")
    )


def _networks(
    context: Context, equation: Equation, rows: np.ndarray, reading: Reading
) -> tuple[Finding, Control, KeyValue]:
    """The equation, and that of its neighbour, against the mean kernel of independent networks: Student's t over all
    entries, Bonferroni.

    The key value is the mean of K_12, which other random numbers may move by four standard errors of a difference.
    """
    from nngp_dag.finite.montecarlo import agreement, monte_carlo

    width, seeds = context.pick(quick=(256, 64), full=(1024, 64))
    estimate = monte_carlo(equation.dag, rows, width, seeds, context.seed, reading=reading)
    mean, error = (float(values[0, 1]) for values in (estimate.nngp.mean, estimate.nngp.standard_error))
    words, formula = NEIGHBOURS[equation.name]
    k0 = relu_f(gram(rows)) if reading.embedding == "stem" else gram(rows)
    found = []
    for kernel in (equation.formula, formula):
        result = agreement(estimate.nngp, kernel(k0), seeds)
        found.append(
            Finding(
                result.accepted,
                setting=reading,
                method="networks",
                label=f"{KERNEL} against Monte-Carlo networks",
                cases=len(rows) * (len(rows) + 1) // 2,
                tolerance=0.01,
                worst=result.p,
                confidence=0.99,
                detail=f"{seeds} networks of width {width}: p = {result.p:.2g}, relative error"
                f" {result.relative_error:.3f}",
            )
        )
    control = Control.rejects(f"{words} (networks, {reading.order}, {reading.embedding})", found[1])
    return found[0], control, KeyValue(mean, 0.0, 4 * float(np.sqrt(2)) * error)


def _plots(equation: Equation, comparisons: Sequence[EquationComparison], data: str) -> list[Plot]:
    """The DAG, the spectra, and where a kernel is not the equation's, by how much, for pairs of rows."""
    plots: list[Plot] = [
        Dags(equation.name.replace("dag-", "DAG#"), [Captioned(equation.code, equation.words)]),
        Lines(f"Spectrum on {data}", [c.spectrum() for c in comparisons], x="index", y="eigenvalue", yscale="log"),
    ]
    wrong = [comparison for comparison in comparisons if comparison.error > TOLERANCE]
    if wrong:
        drawn = [c.difference[np.triu_indices(DRAWN)] for c in wrong]
        low, high = min(0.0, *(float(d.min()) for d in drawn)), max(0.0, *(float(d.max()) for d in drawn))
        margin = 0.08 * (high - low)
        plots.append(
            Points(
                f"K^(3) minus {equation.words}, for pairs among {DRAWN} rows",
                [comparison.gap() for comparison in wrong],
                x="correlation rho of the rows",
                y="difference",
                ylim=[low - margin, high + margin],
            )
        )
    return plots
