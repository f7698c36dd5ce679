r"""Whole kernels in ball arithmetic, and rigorous bounds of their smallest eigenvalue (ReLU, unit rows).

On unit rows the variance of a node is the same for every row, so that an entry is the two-point kernel of its pair
(`two_point`, any method that it knows).

With K = L D L' in balls, lambda_min(K) > t is proved where every pivot of K - t I is positive; lambda_min(K) < t where
a vector has x'(K - t I) x < 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from flint import arb, fmpq

from nngp_dag.dag import Dag
from nngp_dag.paths import path_counts
from nngp_dag.proofs.relu import relu_dual
from nngp_dag.proofs.two_point import two_point
from nngp_dag.reading import Setting

__all__ = [
    "Matrix",
    "exceeds",
    "falls_below",
    "pair_bound_by_paths",
    "unit_gram",
    "unit_row_kernel",
]

Matrix = list[list[arb]]
"""A symmetric matrix [N][N] of balls."""


def unit_gram(x: np.ndarray) -> Matrix:
    """The Gram matrix of rows x [N, d] divided by their norms; the diagonal is exactly 1, floats are taken as they
    are.
    """
    rows = [[arb(float(value)) for value in row] for row in x]
    norms = [_dot(row, row).sqrt() for row in rows]
    n = len(rows)
    gram = [[arb(1)] * n for _ in range(n)]
    for i in range(n):
        for j in range(i):
            gram[i][j] = gram[j][i] = _dot(rows[i], rows[j]) / (norms[i] * norms[j])
    return gram


def unit_row_kernel(dag: Dag, gram: Matrix, setting: Setting) -> Matrix:
    """The NNGP of a DAG with a path, on a Gram matrix [N][N] of unit rows, in a setting that `two_point` takes.

    An entry's v = 1 - rho is a ball; K_ii - K_ij increases in v, so that the ends of the ball enclose it.

    Raises:
        InputError: a setting that `two_point` refuses, or a DAG without a path.
    """
    n = len(gram)
    variance = two_point(dag, fmpq(0), None, setting).variance
    kernel = [[variance] * n for _ in range(n)]
    for i in range(n):
        for j in range(i):
            v = 1 - gram[i][j]
            low, high = _rational(arb(v.lower()).max(arb(0))), _rational(arb(v.upper()).min(arb(2)))
            kernel[i][j] = kernel[j][i] = two_point(dag, low, high, setting).covariance
    return kernel


def pair_bound_by_paths(dag: Dag, gram: Matrix) -> arb:
    """The right-hand side of Eq. 12 on a Gram matrix of unit diagonal: min over i != j of P - sum_d n_d f^d(K_ij)."""
    counts = path_counts(dag.pruned())
    best: arb | None = None
    for i in range(len(gram)):
        for j in range(i):
            chain, total = gram[i][j], arb(0)
            for d, count in enumerate(counts):
                chain = relu_dual(chain) if d else chain
                total += count * (1 - chain)
            best = total if best is None else best.min(total)
    assert best is not None
    return best


def exceeds(matrix: Matrix, t: arb) -> bool:
    """True where lambda_min > t is proved: all pivots of matrix - t I are positive."""
    n = len(matrix)
    rows = [[matrix[i][j] - t if i == j else matrix[i][j] for j in range(i + 1)] for i in range(n)]
    for k in range(n):
        pivot = rows[k][k]
        if not pivot > 0:
            return False
        for i in range(k + 1, n):
            factor = rows[i][k] / pivot
            for j in range(k + 1, i + 1):
                rows[i][j] -= factor * rows[j][k]
    return True


def falls_below(matrix: Matrix, t: arb, vector: Sequence[float] | Sequence[arb]) -> bool:
    """True where a vector x (a computed eigenvector, say) proves lambda_min < t: x' (matrix - t I) x < 0."""
    x = [value if isinstance(value, arb) else arb(float(value)) for value in vector]
    image = [_dot(row, x) for row in matrix]
    return bool(_dot(x, image) < t * _dot(x, x))


def _dot(a: Sequence[arb], b: Sequence[arb]) -> arb:
    return sum((x * y for x, y in zip(a, b, strict=True)), arb(0))


def _rational(point: arb) -> fmpq:
    """An exact ball (an end of another) as a rational number."""
    mantissa, exponent = point.man_exp()
    return fmpq(mantissa) * fmpq(2) ** int(exponent)
