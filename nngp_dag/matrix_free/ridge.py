"""Predictions from products alone: kernel ridge regression and gradient flow, by conjugate gradients and by Lanczos.

Ridge: K_* (K + jitter)^-1 y, the solution by SciPy's conjugate gradients with a Nystrom preconditioner, all columns of
y in one Krylov space. Gradient flow on |f - y|^2 / 2 from f = 0: after time t training outputs are (1 - exp(-t K)) y,
test outputs K_* K^-1 (1 - exp(-t K)) y, here K_* phi(K) y with phi(x) = (1 - exp(-t x)) / x, by Lanczos from y.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse.linalg import LinearOperator, cg

from nngp_dag.errors import InputError
from nngp_dag.matrix_free.lanczos import lanczos
from nngp_dag.matrix_free.nystrom import Nystrom
from nngp_dag.matrix_free.operator import KernelOperator

__all__ = ["gradient_flow", "kernel_ridge"]


def kernel_ridge(
    operator: KernelOperator,
    y: ArrayLike,
    jitter: float,
    x_test: ArrayLike,
    *,
    rank: int | None = None,
    tolerance: float = 1e-8,
    seed: int = 0,
    max_products: int = 2000,
) -> np.ndarray:
    """K_* (K + jitter I)^-1 y [M, C].

    Args:
        operator: the kernel of the training rows.
        y: targets [N, C].
        jitter: added to the diagonal, at least 0.
        x_test: rows [M, d].
        rank: columns of the preconditioner; by default a quarter of the rows, at most 600.
        tolerance: |y - (K + jitter) a| / |y| at most.
        seed: of the columns.
        max_products: at most.

    Raises:
        InputError: targets of another length, a jitter that is negative, or too few products for the tolerance.
    """
    targets = _targets(operator, y)
    if not 0 <= jitter < np.inf:
        raise InputError(f"the jitter must be a number that is not negative, got {jitter}")
    n, columns = targets.shape
    rank = min(n, 600, max(1, n // 4)) if rank is None else min(n, rank)
    preconditioner = Nystrom.of(operator, rank, seed, jitter)

    def stacked(function):  # type: ignore[no-untyped-def]
        shape = (n * columns, n * columns)
        return LinearOperator(shape, lambda v: function(v.reshape(n, columns)).ravel(), dtype=np.float64)

    solution, left = cg(
        stacked(lambda v: operator.matmat(v) + jitter * v),
        targets.ravel(),
        rtol=tolerance,
        maxiter=max_products,
        M=stacked(preconditioner.solve),
    )
    if left:
        raise InputError(f"no solution to {tolerance:g} in {max_products} products: allow more, or a larger jitter")
    return operator.against(x_test, solution.reshape(n, columns))


def gradient_flow(
    operator: KernelOperator, y: ArrayLike, time: float, x_test: ArrayLike, *, tolerance: float = 1e-8, steps: int = 300
) -> np.ndarray:
    """K_* K^-1 (1 - exp(-time K)) y [M, C].

    Args:
        operator: the NTK of the training rows.
        y: targets [N, C].
        time: at least 0; a step of gradient descent on the loss averaged over rows is learning rate / N of it.
        x_test: rows [M, d].
        tolerance: two results of Lanczos, five steps apart, differ by at most this share of |phi(K) y|.
        steps: of Lanczos at most; about sqrt(time lambda_max) are needed.

    Raises:
        InputError: targets of another length, a negative time, or too few steps.
    """
    targets = _targets(operator, y)
    if not 0 <= time < np.inf:
        raise InputError(f"the time must be a number that is not negative, got {time}")
    there = np.linalg.norm(targets, axis=0) > 0
    weights = np.zeros_like(targets)
    if there.any():
        weights[:, there] = _phi(operator, targets[:, there], time, tolerance, steps)
    return operator.against(x_test, weights)


def _phi(operator: KernelOperator, y: np.ndarray, time: float, tolerance: float, steps: int) -> np.ndarray:
    from nngp_dag.matrix_free.lanczos import Tridiagonal

    def coefficients(found: Tridiagonal) -> np.ndarray:
        each = []
        for s in range(y.shape[1]):
            values, vectors = found.ritz(s)
            each.append(vectors @ (_share(values, time) * vectors[0]) * found.lengths[s])
        return np.stack(each, axis=-1)

    def settled(found: Tridiagonal) -> bool:
        k = found.steps
        if k < 10 or k % 5:
            return k >= len(found.basis[0])
        before = Tridiagonal(found.basis[: k - 5], found.alpha[: k - 5], found.beta[: k - 5], found.lengths)
        now = coefficients(found)
        now[: k - 5] -= coefficients(before)
        return bool(np.linalg.norm(now) <= tolerance * np.linalg.norm(coefficients(found)))

    found = lanczos(operator.matmat, y, steps, enough=settled)
    if found.steps < min(len(y), steps) or found.steps >= len(y) or settled(found):
        return np.einsum("kns,ks->ns", found.basis, coefficients(found))
    raise InputError(f"no result to {tolerance:g} in {steps} steps of Lanczos: allow more, or a shorter time")


def _share(x: np.ndarray, time: float) -> np.ndarray:
    """(1 - exp(-time x)) / x, and time at 0."""
    positive = np.abs(x) > 0
    return np.where(positive, -np.expm1(-time * np.where(positive, x, 1.0)) / np.where(positive, x, 1.0), time)


def _targets(operator: KernelOperator, y: ArrayLike) -> np.ndarray:
    targets = np.asarray(y, np.float64)
    if targets.ndim != 2 or len(targets) != operator.shape[0]:
        raise InputError(f"targets must be [{operator.shape[0]}, C], got shape {targets.shape}")
    return targets
