"""Equations of the three DAGs of Figure 3 against kernels and networks, for the claims about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.kernel.functions import kernel_of
from nngp_dag.reading import Reading, Setting
from verify import Captioned, Context, Dags, Evidence, Finding, KeyValue, Lines, Plot, Points, Series, Table
from verify.tools.literal import EQUATIONS, relu_f
from verify.tools.settings import DATA_SETTINGS, key

__all__ = ["check_equation"]

_KERNEL = "K^(3)"
_TOLERANCE = 1e-10
"""Largest difference of a kernel that is the equation's, over the diagonal."""
_COLUMNS = (
    "reading",
    "largest error / diagonal",
    "smallest difference",
    "largest difference",
    "lambda_min",
    "by the equation",
    "smallest of two rows",
    "by the equation ",
)
_DRAWN = 24
"""Rows whose pairs are drawn."""
_NETWORKS = (
    Reading.make("activation-first", "gaussian-trained"),
    Reading.make("activation-last", "gaussian-trained"),
    Reading.make("activation-last", "stem"),
)


@dataclass(frozen=True)
class _Equation:
    """One of Eq. 6-11: the name of the DAG and its code, the equations, and K^(3) as a function of K^(0)."""

    name: str
    code: str
    words: str
    formula: Callable[[np.ndarray], np.ndarray]

    @property
    def dag(self) -> Dag:
        """The DAG."""
        return Dag.from_code(self.code)

    def kernel(self, rows: np.ndarray, embedding: str) -> np.ndarray:
        """K^(3) by the equation on unit rows [N, d], float64 [N, N]."""
        gram = _gram(rows)
        return self.formula(relu_f(gram) if embedding == "stem" else gram)


@dataclass(frozen=True)
class _Comparison:
    """A kernel and the equation's, [N, N] each, on the same rows, of Gram matrix [N, N]."""

    equation: _Equation
    setting: Setting
    data: str
    gram: np.ndarray
    actual: np.ndarray
    expected: np.ndarray

    @property
    def difference(self) -> np.ndarray:
        """The kernel minus the equation's."""
        return self.actual - self.expected

    @property
    def error(self) -> float:
        """The largest difference, over the largest diagonal entry."""
        return float(np.abs(self.difference).max() / np.diag(self.expected).max())

    @property
    def pair(self) -> float:
        """The smallest eigenvalue of two rows."""
        return float((np.diag(self.actual)[0] - np.abs(self.actual[self._off])).min())

    @property
    def bound(self) -> float:
        """The smallest eigenvalue of two rows by the equation."""
        return float((np.diag(self.expected)[0] - self.expected[self._off]).min())

    @property
    def _off(self) -> np.ndarray:
        return ~np.eye(len(self.gram), dtype=bool)

    @cached_property
    def spectra(self) -> tuple[np.ndarray, np.ndarray]:
        """The eigenvalues of both, ascending, [N] each."""
        return np.linalg.eigvalsh(self.actual), np.linalg.eigvalsh(self.expected)

    def findings(self) -> list[Finding]:
        """The findings that the equation is the kernel, and that its bound is right."""
        rows = len(self.gram)
        return [
            Finding.agreement(
                self.error,
                tolerance=_TOLERANCE,
                cases=self.gram.size,
                setting=self.setting,
                label=_KERNEL,
                detail=f"{self.equation.words} on {rows} rows of {self.data}, relative to the diagonal",
            ),
            Finding.agreement(
                abs(self.pair / self.bound - 1),
                tolerance=1e-9,
                cases=rows * (rows - 1) // 2,
                setting=self.setting,
                label="smallest eigenvalue of two rows",
                detail=f"{self.pair:.6g}, by the equation {self.bound:.6g}",
            ),
        ]

    def row(self) -> list[object]:
        """The comparison as a row of the table."""
        actual, expected = self.spectra
        smallest = float(actual[0]), float(expected[0])
        least, most = float(self.difference.min()), float(self.difference.max())
        return [str(self.setting), self.error, least, most, *smallest, self.pair, self.bound]

    def key_values(self) -> dict[str, KeyValue]:
        """The difference of the first diagonal entry, and the smallest eigenvalue."""
        return {
            f"difference of K_11, {key(self.setting)}": KeyValue(float(self.difference[0, 0]), 1e-9, 1e-10),
            f"lambda_min, {key(self.setting)}": KeyValue(float(self.spectra[0][0]), 1e-7),
        }

    def gap(self) -> Series:
        """The difference of some pairs of rows over their correlation."""
        some = np.triu_indices(_DRAWN)
        return Series(str(self.setting), self.gram[some].tolist(), self.difference[some].tolist())

    def spectrum(self) -> Series:
        """The eigenvalues, the largest first."""
        values = self.spectra[0]
        return Series(str(self.setting), list(range(1, len(values) + 1)), values[::-1].tolist())


def check_equation(context: Context, name: str, condition: str) -> Evidence:
    """One of Eq. 6-11 against the kernels of all readings on real data, and against networks of finite width."""
    equation = _Equation(name, *EQUATIONS[name])
    rows = context.rows(64)
    comparisons = [_compared(equation, setting, rows, context.data) for setting in DATA_SETTINGS]
    networks = [_networks(context, equation, rows[:6], reading) for reading in _NETWORKS]
    findings = [finding for comparison in comparisons for finding in comparison.findings()]
    findings += [finding for finding, _ in networks]
    values = {name: value for comparison in comparisons for name, value in comparison.key_values().items()}
    values |= {f"K_12 of networks, {f.order} {f.embedding}": value for f, value in networks}
    false = [finding for finding in findings if finding.holds is False and finding.label == _KERNEL]
    worst = max(false, key=lambda finding: finding.worst or 0.0, default=None)
    return Evidence(
        findings,
        summary=_summary(comparisons, findings),
        condition=condition if false else "",
        inside={"reading": findings[0].name(), "error": findings[0].worst},
        outside=None if worst is None else {"reading": worst.name(), "error relative to the diagonal": worst.worst},
        counterexample=None if worst is None else {"margin": worst.worst, "confirmed": "networks of finite width"},
        would_decide="more seeds, or wider networks",
        tables=[Table(f"K^(3) of {equation.code} against {equation.words}", _COLUMNS, [c.row() for c in comparisons])],
        plots=_plots(equation, comparisons, f"{len(rows)} rows of {context.data}"),
        key_values=values,
    )


def _compared(equation: _Equation, setting: Setting, rows: np.ndarray, data: str) -> _Comparison:
    """The kernel of a setting on unit rows [N, d], beside the equation's."""
    actual = np.asarray(kernel_of(equation.dag, setting)(rows, get="nngp"))
    return _Comparison(equation, setting, data, _gram(rows), actual, equation.kernel(rows, setting.embedding))


def _gram(rows: np.ndarray) -> np.ndarray:
    """The inner products of unit rows, with ones on the diagonal."""
    gram = rows @ rows.T
    np.fill_diagonal(gram, 1.0)
    return gram


def _summary(comparisons: list[_Comparison], findings: list[Finding]) -> str:
    differ = [
        f"{c.setting} (by {c.difference.min():.4g} to {c.difference.max():.4g})"
        for c in comparisons
        if c.error > _TOLERANCE
    ]
    total = len(comparisons)
    where = f"in {total - len(differ)} of {total} readings" if differ else f"in all {total} readings"
    eigenvalues = sum(1 for f in findings if f.label.startswith("smallest") and f.holds)
    networks = [
        f"{'accepted' if f.holds else 'rejected'} in {f.order}, {f.embedding}"
        for f in findings
        if "networks" in f.label
    ]
    return (
        f"{comparisons[0].equation.words} is the kernel {where}, and its smallest eigenvalue of two rows is right in"
        f" {eigenvalues}. By networks: {'; '.join(networks)}."
        + (f" It differs in {'; '.join(differ)}." if differ else "")
    )


def _networks(context: Context, equation: _Equation, rows: np.ndarray, reading: Reading) -> tuple[Finding, KeyValue]:
    """The equation against the mean kernel of independent networks: Student's t over all entries, Bonferroni.

    The key value is the mean of K_12, which other random numbers may move by four standard errors of a difference.
    """
    from nngp_dag.finite.montecarlo import agreement, monte_carlo

    width, seeds = context.pick(quick=(256, 16), full=(1024, 64))
    estimate = monte_carlo(equation.dag, rows, width, seeds, context.seed, reading=reading)
    result = agreement(estimate.nngp, equation.kernel(rows, reading.embedding), seeds)
    mean, error = (float(values[0, 1]) for values in (estimate.nngp.mean, estimate.nngp.standard_error))
    finding = Finding(
        result.accepted,
        setting=reading,
        method="networks",
        label=f"{_KERNEL} against Monte-Carlo networks",
        cases=len(rows) * (len(rows) + 1) // 2,
        tolerance=0.01,
        worst=result.p,
        confidence=0.99,
        detail=f"{seeds} networks of width {width}: p = {result.p:.2g}, relative error {result.relative_error:.3f}",
    )
    return finding, KeyValue(mean, 0.0, 4 * float(np.sqrt(2)) * error)


def _plots(equation: _Equation, comparisons: list[_Comparison], data: str) -> list[Plot]:
    """The DAG, the spectra, and where a kernel is not the equation's, by how much, for pairs of rows."""
    shown = [comparison for comparison in comparisons if comparison.setting.embedding != "gaussian-trained"]
    spectra = [comparison.spectrum() for comparison in shown]
    plots: list[Plot] = [
        Dags(equation.name.replace("dag-", "DAG#"), [Captioned(equation.code, equation.words)]),
        Lines(f"Spectrum on {data}", spectra, x="index", y="eigenvalue", yscale="log"),
    ]
    wrong = [comparison for comparison in shown if comparison.error > _TOLERANCE]
    if wrong:
        drawn = [c.difference[np.triu_indices(_DRAWN)] for c in wrong]
        low, high = min(0.0, *(float(d.min()) for d in drawn)), max(0.0, *(float(d.max()) for d in drawn))
        margin = 0.08 * (high - low)
        plots.append(
            Points(
                f"K^(3) minus {equation.words}, for pairs among {_DRAWN} rows",
                [comparison.gap() for comparison in wrong],
                x="correlation rho of the rows",
                y="difference",
                ylim=[low - margin, high + margin],
            )
        )
    return plots
