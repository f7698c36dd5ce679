"""Lanczos' recursion for a block of independent start vectors, one product for all of them, step by step.

With q_1 = v / |v|: alpha_j = q_j' A q_j, beta_j q_{j+1} = A q_j - alpha_j q_j - beta_{j-1} q_{j-1}, made orthogonal
twice to all earlier vectors, so that T = tridiag(alpha, beta) behaves as in exact arithmetic, on which the error bounds
here rest. Each start vector has a recursion of its own; they only share the product, whose cost is that of the kernel.

A step of 60,000 rows takes a minute. So steps are told as they are done and kept on the disk (`KeptSteps`), which the
one-call Lanczos of libraries does not allow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nngp_dag.matrix_free.kept import KeptSteps

__all__ = ["Tridiagonal", "lanczos"]

Multiply = Callable[[np.ndarray], np.ndarray]
"""A v [N, s] of v [N, s], A symmetric."""


@dataclass(frozen=True)
class Tridiagonal:
    """Lanczos' decomposition of s start vectors after k steps.

    Attributes:
        basis: orthonormal vectors of each start, [k, N, s].
        alpha: diagonals [k, s].
        beta: off-diagonals [k, s]; the last is what is left over.
        lengths: norms of the start vectors, [s].
    """

    basis: np.ndarray
    alpha: np.ndarray
    beta: np.ndarray
    lengths: np.ndarray

    @property
    def steps(self) -> int:
        """K."""
        return len(self.alpha)

    def of_starts(self, starts: slice) -> Tridiagonal:
        """The same of some of the start vectors."""
        return Tridiagonal(self.basis[:, :, starts], self.alpha[:, starts], self.beta[:, starts], self.lengths[starts])

    def ritz(self, start: int) -> tuple[np.ndarray, np.ndarray]:
        """Ritz values [k], ascending, of one start vector, and the eigenvectors [k, k] of its tridiagonal matrix."""
        from scipy.linalg import eigh_tridiagonal

        values, vectors = eigh_tridiagonal(self.alpha[:, start], self.beta[:-1, start])
        return values, vectors

    def residuals(self, start: int) -> np.ndarray:
        """|A y - theta y| of each Ritz pair, [k]: some eigenvalue of A is within it of theta."""
        _, vectors = self.ritz(start)
        return self.beta[-1, start] * np.abs(vectors[-1])


def lanczos(
    multiply: Multiply,
    start: np.ndarray,
    num_steps: int,
    *,
    keep: Path | None = None,
    identity: str = "",
    done: Callable[[int], None] = lambda steps: None,
    enough: Callable[[Tridiagonal], bool] = lambda so_far: False,
) -> Tridiagonal:
    """Lanczos' decomposition of a symmetric A.

    Args:
        multiply: the product with A.
        start: start vectors [N, s].
        num_steps: at most N are made.
        keep: folder of the steps done; a run that was killed goes on there, having lost one step at most.
        identity: what is computed, as a text: steps of something else in `keep` are refused.
        done: told of the number of steps done.
        enough: stops early.

    Raises:
        InputError: `keep` holds steps of something else, or cannot be written.
    """
    n, s = start.shape
    num_steps = min(num_steps, n)
    lengths = np.linalg.norm(start, axis=0)
    basis = np.empty((s, num_steps, n)).transpose(1, 2, 0)  # vectors of one start lie together
    alpha, beta = np.zeros((num_steps, s)), np.zeros((num_steps, s))
    kept = None if keep is None else KeptSteps(keep, identity)
    j, q = 0, start / lengths
    while kept is not None and j < num_steps and (step := kept.read(j)) is not None:
        basis[j], alpha[j], beta[j], q = q, step.alpha, step.beta, step.following
        j += 1
    done(j)
    while j < num_steps and not (j and enough(Tridiagonal(basis[:j], alpha[:j], beta[:j], lengths))):
        basis[j] = q
        q, alpha[j], beta[j] = _step(multiply, basis[: j + 1], beta[j - 1] if j else np.zeros(s))
        if kept is not None:
            kept.write(j, alpha[j], beta[j], q)
        j += 1
        done(j)
    return Tridiagonal(basis[:j], alpha[:j], beta[:j], lengths)


def _step(multiply: Multiply, basis: np.ndarray, before: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """q_{j+1} [N, s], alpha_j and beta_j [s] from all earlier vectors [j, N, s]."""
    q = basis[-1]
    r = multiply(q)
    alpha = np.einsum("ns,ns->s", q, r)
    r = r - alpha * q
    if len(basis) > 1:
        r -= before * basis[-2]
    for _ in range(2):  # twice is enough (Parlett)
        r -= _projected(basis, r)
    beta = np.linalg.norm(r, axis=0)
    # A start vector in an invariant subspace has found all that it can: what is left is rounding.
    gone = beta <= 16 * np.finfo(np.float64).eps * (np.abs(alpha) + before)
    beta = np.where(gone, 0.0, beta)
    if gone.any():
        r[:, gone] = _fresh(basis[:, :, gone])
    return r / np.where(gone, 1.0, beta), alpha, beta


def _fresh(basis: np.ndarray) -> np.ndarray:
    """Unit vectors [N, s] orthogonal to [j, N, s]; zero where the basis is complete."""
    j, n, s = basis.shape
    if j >= n:
        return np.zeros((n, s))
    r = np.random.default_rng(j).standard_normal((n, s))
    for _ in range(3):
        r -= _projected(basis, r)
        r /= np.linalg.norm(r, axis=0)
    return r


def _projected(basis: np.ndarray, r: np.ndarray) -> np.ndarray:
    """Each column of r [N, s] projected on the vectors of its start, [j, N, s]."""
    return np.stack([q.T @ (q @ column) for q, column in zip(basis.transpose(2, 0, 1), r.T, strict=True)], axis=-1)
