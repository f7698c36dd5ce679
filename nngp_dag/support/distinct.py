"""The distinct rows of a table of numbers, found by a hash whose agreement is checked entry by entry."""

from __future__ import annotations

import numpy as np

__all__ = ["distinct_rows", "distinct_sorted_rows", "row_hashes"]


def distinct_rows(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each distinct row stands first, and which of them every row is.

    Args:
        rows: int64 or float64 [A, m]; numbers are equal where their bits are.

    Returns:
        (first int64 [D], ascending; which int64 [A], places in `first`).
    """
    bits = np.ascontiguousarray(rows).view(np.int64)
    _, first, which = np.unique(row_hashes(bits), return_index=True, return_inverse=True)
    which = which.reshape(-1)
    if (bits[first][which] != bits).any():  # two rows share a hash
        _, first, which = np.unique(bits, axis=0, return_index=True, return_inverse=True)
        which = which.reshape(-1)
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return first[order], place[which]


def distinct_sorted_rows(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`distinct_rows` of rows [A, m], A > 0, of which equal ones are neighbours."""
    starts = np.concatenate([[True], (rows[1:] != rows[:-1]).any(axis=1)])
    return np.flatnonzero(starts), np.cumsum(starts) - 1


def row_hashes(keys: np.ndarray) -> np.ndarray:
    """A hash of each row of int64 [A, m], uint64 [A] (the finalizer of splitmix64, column by column)."""
    found = np.zeros(len(keys), np.uint64)
    for column in keys.T.astype(np.uint64):
        found = found * np.uint64(0x9E3779B97F4A7C15) + column
        found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        found = found ^ (found >> np.uint64(31))
    return found
