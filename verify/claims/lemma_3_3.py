"""Lemma 3.3 (Eq. 5): the smallest eigenvalue is bounded by that of any 2x2 principal submatrix."""

from __future__ import annotations

import numpy as np

from verify import Context, Evidence, Reading, claim


def _pair_bound(matrix: np.ndarray) -> float:
    """The smallest eigenvalue of any 2x2 principal submatrix, written out: (a + d - sqrt((a - d)^2 + 4 b^2)) / 2."""
    i, j = np.triu_indices(len(matrix), 1)
    a, d, b = matrix[i, i], matrix[j, j], matrix[i, j]
    return float(((a + d - np.sqrt((a - d) ** 2 + 4 * b**2)) / 2).min())


def _margin(matrix: np.ndarray) -> float:
    """Bound minus smallest eigenvalue, relative to the largest."""
    eigenvalues = np.linalg.eigvalsh(matrix)
    return float((_pair_bound(matrix) - eigenvalues[0]) / eigenvalues[-1])


@claim(
    "lemma-3.3",
    title="The smallest eigenvalue is at most that of any 2x2 principal submatrix",
    source="Lemma 3.3, Eq. 5",
    statement="For a positive definite K, lambda_min(K) <= the smallest eigenvalue of each of its 2x2 principal"
    " submatrices.",
    latex=r"\lambda_{\min}(K) \le \min_{i \ne j} \lambda_{\min} \begin{pmatrix} K_{ii} & K_{ij} \\ K_{ji} & K_{jj}"
    r" \end{pmatrix}",
    expected="holds",
    settings={"matrices": "random Wishart matrices"},
    fast=True,
)
def check(context: Context) -> Evidence:
    """Random matrices of all shapes and conditions."""
    rng = context.rng()
    random = []
    for _ in range(context.pick(quick=200, full=2000)):
        n = int(rng.integers(2, 65))
        factor = rng.standard_normal((n, int(rng.integers(n, 3 * n + 1)))) * rng.lognormal(sigma=1.0, size=(n, 1))
        random.append(_margin(factor @ factor.T))
    tolerance = 1e-12
    return Evidence(
        [
            Reading.inequality(
                min(random),
                tolerance=tolerance,
                cases=len(random),
                strict=False,
                activation=None,
                label="random matrices",
                detail="bound minus lambda_min, over lambda_max",
            )
        ],
        summary=f"{len(random)} random positive definite matrices of 2 to 64 rows: the bound is never violated.",
    )
