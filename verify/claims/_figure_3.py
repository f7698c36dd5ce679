"""What the claims about the three DAGs of Figure 3 share."""

from __future__ import annotations

from typing import Any

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.kernel import kernel_fn
from verify import Captioned, Context, Dags, Evidence, Finding, KeyValue, Lines, Points, Series, Table
from verify.tools.literal import EQUATIONS, relu_f

__all__ = ["check_equation"]

_SETTINGS = (
    ("independent", "activation-last", "gaussian"),
    ("exact", "activation-first", "gaussian"),
    ("exact", "activation-first", "gaussian-trained"),
    ("exact", "activation-last", "gaussian"),
    ("exact", "activation-last", "gaussian-trained"),
    ("exact", "activation-last", "stem"),
)
_DRAWN = 24
"""Rows whose pairs are drawn."""
_NETWORKS = (
    ("activation-first", "gaussian-trained"),
    ("activation-last", "gaussian-trained"),
    ("activation-last", "stem"),
)


def check_equation(context: Context, name: str, condition: str) -> Evidence:
    """One of Eq. 6-11 against the kernels of all readings on real data, and against networks of finite width."""
    code, equations, formula = EQUATIONS[name]
    dag = Dag.from_code(code)
    rows = context.rows(64)
    gram = rows @ rows.T
    np.fill_diagonal(gram, 1.0)
    findings, table, series, key_values, gaps = [], [], [], {}, []
    for method, order, embedding in _SETTINGS:
        start = relu_f(gram) if embedding == "stem" else gram
        expected = formula(start)
        actual = np.asarray(kernel_fn(dag, method, order, embedding)(rows, get="nngp"))
        difference = actual - expected
        error = float(np.abs(difference).max() / np.diag(expected).max())
        eigenvalues = np.linalg.eigvalsh(actual), np.linalg.eigvalsh(expected)
        off = ~np.eye(len(rows), dtype=bool)
        reading = f"{method}, {order}, {embedding}"
        bound = float((np.diag(expected)[0] - expected[off]).min())
        pair = float((np.diag(actual)[0] - np.abs(actual[off])).min())
        findings += [
            Finding.agreement(
                error,
                tolerance=1e-10,
                cases=gram.size,
                order=order,
                embedding=embedding,
                method=method,
                label="K^(3)",
                detail=f"{equations} on {len(rows)} rows of {context.data}, relative to the diagonal",
            ),
            Finding.agreement(
                abs(pair / bound - 1),
                tolerance=1e-9,
                cases=int(off.sum()) // 2,
                order=order,
                embedding=embedding,
                method=method,
                label="smallest eigenvalue of two rows",
                detail=f"{pair:.6g}, by the equation {bound:.6g}",
            ),
        ]
        table.append(
            [
                reading,
                error,
                float(difference.min()),
                float(difference.max()),
                float(eigenvalues[0][0]),
                float(eigenvalues[1][0]),
                pair,
                bound,
            ]
        )
        if error > 1e-10 and embedding != "gaussian-trained":
            some = np.triu_indices(_DRAWN)
            gaps.append(Series(reading, gram[some].tolist(), difference[some].tolist()))
        key_values[f"difference of K_11, {method} {order} {embedding}"] = KeyValue(float(difference[0, 0]), 1e-9, 1e-10)
        key_values[f"lambda_min, {method} {order} {embedding}"] = KeyValue(float(eigenvalues[0][0]), 1e-7)
        if embedding != "gaussian-trained":
            series.append(_spectrum(reading, eigenvalues[0]))
    for order, embedding in _NETWORKS:
        measured, value = _networks(context, dag, rows[:6], formula, order, embedding)
        findings.append(measured)
        key_values[f"K_12 of networks, {order} {embedding}"] = value
    false = [r for r in findings if r.holds is False and r.label == "K^(3)"]
    worst = max(false, key=lambda r: r.worst or 0.0, default=None)
    return Evidence(
        findings,
        summary=_summary(equations, table, findings),
        condition=condition if false else "",
        inside={"reading": findings[0].name(), "error": findings[0].worst},
        outside=None if worst is None else {"reading": worst.name(), "error relative to the diagonal": worst.worst},
        counterexample=None if worst is None else {"margin": worst.worst, "confirmed": "networks of finite width"},
        would_decide="more seeds, or wider networks",
        tables=[
            Table(
                f"K^(3) of {code} against {equations}",
                [
                    "reading",
                    "largest error / diagonal",
                    "smallest difference",
                    "largest difference",
                    "lambda_min",
                    "by the equation",
                    "smallest of two rows",
                    "by the equation ",
                ],
                table,
            )
        ],
        plots=[
            Dags(f"{name.replace('dag-', 'DAG#')}", [Captioned(code, equations)]),
            Lines(f"Spectrum on {len(rows)} rows of {context.data}", series, x="index", y="eigenvalue", yscale="log"),
            *_differences(equations, gaps),
        ],
        key_values=key_values,
    )


def _summary(equations: str, table: list[list[Any]], findings: list[Finding]) -> str:
    agree = [row[0] for row in table if row[1] <= 1e-10]
    differ = [f"{row[0]} (by {row[2]:.4g} to {row[3]:.4g})" for row in table if row[1] > 1e-10]
    where = f"in all {len(table)} readings" if not differ else f"in {len(agree)} of {len(table)} readings"
    eigenvalues = sum(1 for r in findings if r.label.startswith("smallest") and r.holds)
    networks = [
        f"{'accepted' if r.holds else 'rejected'} in {r.order}, {r.embedding}"
        for r in findings
        if "networks" in r.label
    ]
    return (
        f"{equations} is the kernel {where}, and its smallest eigenvalue of two rows is right in {eigenvalues}. By"
        f" networks: {'; '.join(networks)}." + (f" It differs in {'; '.join(differ)}." if differ else "")
    )


def _networks(
    context: Context, dag: Dag, rows: np.ndarray, formula: Any, order: str, embedding: str
) -> tuple[Finding, KeyValue]:
    """The equation against the mean kernel of independent networks: Student's t over all entries, Bonferroni.

    The key value is the mean of K_12, which other random numbers may move by four standard errors of a difference.
    """
    from nngp_dag.finite.montecarlo import agreement, monte_carlo
    from nngp_dag.reading import Setting

    width, seeds = context.pick(quick=(256, 16), full=(1024, 64))
    setting = Setting.make("exact", order, embedding)
    estimate = monte_carlo(dag, rows, width, seeds, context.seed, reading=setting.reading)
    gram = rows @ rows.T
    np.fill_diagonal(gram, 1.0)
    result = agreement(estimate.nngp, formula(relu_f(gram) if embedding == "stem" else gram), seeds)
    mean, error = (float(values[0, 1]) for values in (estimate.nngp.mean, estimate.nngp.standard_error))
    reading = Finding(
        result.accepted,
        order=order,
        embedding=embedding,
        method="networks",
        label="K^(3) against Monte-Carlo networks",
        cases=len(rows) * (len(rows) + 1) // 2,
        tolerance=0.01,
        worst=result.p,
        confidence=0.99,
        detail=f"{seeds} networks of width {width}: p = {result.p:.2g}, relative error {result.relative_error:.3f}",
    )
    return reading, KeyValue(mean, 0.0, 4 * float(np.sqrt(2)) * error)


def _spectrum(label: str, eigenvalues: np.ndarray) -> Series:
    return Series(label, list(range(1, len(eigenvalues) + 1)), eigenvalues[::-1].tolist())


def _differences(equations: str, gaps: list[Series]) -> list[Points]:
    """Where a kernel is not the equation's: by how much, for each pair of rows."""
    if not gaps:
        return []
    low, high = (end(0.0, *(y or 0.0 for gap in gaps for y in gap.y)) for end in (min, max))
    margin = 0.08 * (high - low)
    return [
        Points(
            f"K^(3) minus {equations}, for pairs among {_DRAWN} rows",
            gaps,
            x="correlation rho of the rows",
            y="difference",
            ylim=[low - margin, high + margin],
        )
    ]
