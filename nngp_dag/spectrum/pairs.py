"""The pairwise bound of Lemma 3.3: the smallest eigenvalue of any 2 x 2 principal submatrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["lowest_of_pairs", "pair_bound", "pair_bounds"]

BLOCK = 1 << 20
"""Entries that are worked on at a time: what is allocated beside the matrix stays near 50 MiB."""


def pair_bound(matrix: ArrayLike) -> tuple[float | None, tuple[int, int] | None]:
    """The smallest eigenvalue of any 2 x 2 principal submatrix, and the pair (i, j), i < j, that attains it.

    For unit diagonal it is 1 - max |K_ij| (Lemma 3.3's bound on lambda_min). On ties the lexicographically first.

    Args:
        matrix: symmetric real [N, N]; its upper triangle is read.

    Returns:
        (value, (i, j)), or (None, None) for N = 1.
    """
    bounds, pairs = pair_bounds(np.asarray(matrix)[None])
    if np.isnan(bounds[0]):
        return None, None
    return float(bounds[0]), (int(pairs[0, 0]), int(pairs[0, 1]))


def pair_bounds(k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Smallest 2 x 2 eigenvalue and its pair for matrices k [A, N, N]: float64 [A], int64 [A, 2]."""
    count, n = k.shape[:2]
    best = np.full(count, np.inf)
    pairs = np.full((count, 2), -1, dtype=np.int64)
    diagonal = np.diagonal(k, axis1=1, axis2=2).astype(np.float64)
    matrices = max(1, BLOCK // (n * n))
    rows = max(1, BLOCK // n)
    for a in range(0, count, matrices):
        chosen = slice(a, a + matrices)
        for i in range(0, n - 1, rows):
            stop = min(i + rows, n - 1)
            low = lowest_of_pairs(
                diagonal[chosen, i:stop, None], diagonal[chosen, None, i + 1 :], k[chosen, i:stop, i + 1 :]
            )
            row, column = np.tril_indices(stop - i, -1, n - i - 1)
            low[:, row, column] = np.inf
            flat = low.reshape(low.shape[0], -1)
            where = flat.argmin(axis=1)
            value = flat[np.arange(flat.shape[0]), where]
            better = np.flatnonzero(value < best[chosen])
            best[a + better] = value[better]
            row, column = np.divmod(where[better], n - i - 1)
            pairs[a + better] = np.stack([i + row, i + 1 + column], axis=1)
    best[pairs[:, 0] < 0] = np.nan
    return best, pairs


def lowest_of_pairs(a: np.ndarray, c: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Smallest eigenvalue of [[a, b], [b, c]], (a+c)/2 - sqrt(((a-c)/2)^2 + b^2), without its cancellation.

    The root exceeds |b| by h^2 / (root + |b|), h = (a-c)/2, and (a+c)/2 - |b| is exact where the two are close. Where a
    and c are far apart, the root exceeds |h| by b^2 / (root + |h|), and (a+c)/2 - |h| is the smaller of them.
    """
    b = np.abs(b.astype(np.float64, copy=False))
    h = 0.5 * a - 0.5 * c
    root = np.hypot(h, b)
    beyond = root + b
    np.divide(h, beyond, out=beyond, where=beyond > 0)
    beyond *= h
    close = (0.5 * a + 0.5 * c) - b - beyond
    if np.max(a) > 4 * np.min(c) or np.max(c) > 4 * np.min(a):  # else no two are that far apart
        apart = np.maximum(a, c) > 4 * np.minimum(a, c)
        root += np.abs(h)
        np.divide(b, root, out=root, where=root > 0)
        np.subtract(np.minimum(a, c), root * b, out=close, where=apart)
    return close
