"""Lemma 3.3 (Eq. 5): the smallest eigenvalue is bounded by that of any 2x2 principal submatrix."""

from __future__ import annotations

from typing import cast

import numpy as np

from nngp_dag.dag import Dag
from nngp_dag.kernel import kernel_fn
from nngp_dag.spectrum import pair_bound
from verify import Context, Evidence, Finding, KeyValue, Lines, Series, Table, claim
from verify.tools.literal import EQUATIONS

_TOLERANCE = 1e-12


def _pair_bound(matrix: np.ndarray) -> float:
    """The smallest eigenvalue of any 2x2 principal submatrix, written out: (a + d - sqrt((a - d)^2 + 4 b^2)) / 2."""
    i, j = np.triu_indices(len(matrix), 1)
    a, d, b = matrix[i, i], matrix[j, j], matrix[i, j]
    return float(((a + d - np.sqrt((a - d) ** 2 + 4 * b**2)) / 2).min())


def _margins(matrix: np.ndarray) -> tuple[float, float, float, float]:
    """Bound minus lambda_min over lambda_max; the library's bound minus ours, likewise; lambda_min; the bound."""
    eigenvalues = np.linalg.eigvalsh(matrix)
    bound, (library, _) = _pair_bound(matrix), pair_bound(matrix)
    return (
        (bound - eigenvalues[0]) / eigenvalues[-1],
        abs(bound - (library or 0.0)) / eigenvalues[-1],
        eigenvalues[0],
        bound,
    )


def _reading(margins: list[float], library: list[float], label: str, what: str) -> list[Finding]:
    return [
        Finding.inequality(
            min(margins),
            tolerance=_TOLERANCE,
            cases=len(margins),
            strict=False,
            activation=None,
            label=label,
            detail="bound minus lambda_min, over lambda_max",
        ),
        Finding.agreement(
            max(library),
            tolerance=_TOLERANCE,
            cases=len(library),
            activation=None,
            label=f"the library's bound, {what}",
            detail="against the eigenvalue of the 2x2 matrix written out, over lambda_max",
        ),
    ]


@claim(
    "lemma-3.3",
    title="The smallest eigenvalue is at most that of any 2x2 principal submatrix",
    source="Lemma 3.3, Eq. 5",
    statement="For a positive definite K, lambda_min(K) is at most the smallest eigenvalue of each of its 2x2"
    " principal submatrices.",
    latex=r"\lambda_{\min}(K) \le \min_{i \ne j} \lambda_{\min} \begin{pmatrix} K_{ii} & K_{ij} \\ K_{ji} & K_{jj}"
    r" \end{pmatrix}",
    expected="holds",
    settings={
        "matrices": "random ones; kernels of the three DAGs on real data, N from 4 to 128 (512 in the full profile)"
    },
    fast=True,
    duration=1,
)
def check(context: Context) -> Evidence:
    """Random matrices of all shapes and conditions, and real kernels; how tight the bound is as N grows."""
    rng = context.rng()
    random: list[tuple[float, float, float, float]] = []
    for _ in range(context.pick(quick=200, full=2000)):
        n = int(rng.integers(2, 65))
        factor = rng.standard_normal((n, int(rng.integers(n, 3 * n + 1)))) * rng.lognormal(sigma=1.0, size=(n, 1))
        random.append(_margins(factor @ factor.T))
    sizes = [4, 8, 16, 32, 64, 128, *context.pick(quick=(), full=(256, 512))]
    data = context.rows(sizes[-1])
    real, rows, series = [], [], []
    for name, (code, *_) in EQUATIONS.items():
        kernel = np.asarray(kernel_fn(Dag.from_code(code), "independent")(data, get="nngp"))
        found = [_margins(kernel[:n, :n]) for n in sizes]
        real += found
        rows += [
            [name, n, smallest, bound, bound / smallest]
            for n, (_, _, smallest, bound) in zip(sizes, found, strict=True)
        ]
        series.append(Series(f"{name}: bound over lambda_min", sizes, [f[3] / f[2] for f in found]))
    findings = _reading([m[0] for m in random], [m[1] for m in random], "random matrices", "random matrices")
    findings += _reading([m[0] for m in real], [m[1] for m in real], "kernels on real data", "real data")
    tight = {row[1]: row[4] for row in rows if row[0] == "dag-1"}
    return Evidence(
        findings,
        summary=f"Never violated by {len(random)} random matrices and {len(real)} kernels on {context.data}. How"
        f" tight: for DAG#1 the bound is"
        f" {tight[sizes[0]]:.2f} times lambda_min at N = {sizes[0]}, {tight[sizes[-1]]:.2f} times at N = {sizes[-1]}.",
        condition="none needed: Cauchy's interlacing",
        inside={"matrices": "all"},
        outside={"matrices": "none known"},
        counterexample={
            "margin": min(m[0] for m in random + real),
            "confirmed": "not: the library or the test is wrong",
        },
        tables=[Table(f"On {context.data}", ["DAG", "N", "lambda_min", "pairwise bound", "ratio"], rows)],
        plots=[_lines(context, series)],
        key_values={f"bound / lambda_min, {row[0]}, N = {row[1]}": KeyValue(cast(float, row[4]), 1e-6) for row in rows},
    )


def _lines(context: Context, series: list[Series]) -> Lines:
    return Lines(
        f"Pairwise bound on {context.data}", series, x="rows N", y="bound / lambda_min", xscale="log", yscale="log"
    )
