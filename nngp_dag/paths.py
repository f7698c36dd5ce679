"""End-to-end paths by depth, and effective depth and width (Definition 4.1, Eq. 13).

n_d is the number of paths from input to output with d linear edges. All n_d at once are one pass over the nodes: node t
has the polynomial p_t(z) = sum_{skip s} p_s(z) + z sum_{linear s} p_s(z), p_0 = 1, and n_d are the coefficients of p_H.
Nothing enumerates paths.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from nngp_dag.dag import Dag, num_edges, num_nodes_of
from nngp_dag.errors import InputError

__all__ = ["PathStatistics", "effective_depth_width", "path_counts", "path_counts_array", "path_statistics"]


@dataclass(frozen=True)
class PathStatistics:
    """Exact path statistics of one DAG.

    Attributes:
        counts: (n_0, n_1, ..., n_D) as exact integers, up to the largest depth D with a path; empty where there is no
            path.
        num_paths: P = sum_d n_d.
        effective_depth: sum_d d n_d / P (Eq. 13); 0 where P = 0.
        effective_width: #{paths with d > 0} / effective depth (Eq. 13); 0 where the depth is 0.
    """

    counts: tuple[int, ...]
    num_paths: int
    effective_depth: Fraction
    effective_width: Fraction


def path_counts(dag: Dag) -> tuple[int, ...]:
    """Number of end-to-end paths with d linear edges, for d = 0, 1, ..., as exact integers; empty where there is none.

    The polynomial of a node is one Python integer with a fixed number of bits a coefficient, so that adding polynomials
    is one addition and multiplying by z one shift: a complete DAG of 300 nodes takes a fraction of a second.
    """
    matrix = dag.matrix
    # A node t > 0 has at most 2^(t-1) paths from the input, so num_nodes bits hold any coefficient.
    bits = dag.num_nodes
    packed = [1]
    for t in range(1, dag.num_nodes):
        column = matrix[:t, t]
        skip = sum(packed[s] for s in np.flatnonzero(column == 1))
        linear = sum(packed[s] for s in np.flatnonzero(column == 2))
        packed.append(skip + (linear << bits))
    total, mask, counts = packed[-1], (1 << bits) - 1, []
    while total:
        counts.append(total & mask)
        total >>= bits
    return tuple(counts)


def path_statistics(dag: Dag) -> PathStatistics:
    """Path counts, number of paths, and effective depth and width (Eq. 13) of a DAG, exactly."""
    counts = path_counts(dag)
    total = sum(counts)
    weighted = sum(d * count for d, count in enumerate(counts))
    depth = Fraction(weighted, total) if total else Fraction(0)
    width = Fraction(total - counts[0]) / depth if weighted else Fraction(0)
    return PathStatistics(counts, total, depth, width)


def path_counts_array(codes: Any) -> np.ndarray:
    """`path_counts` of many DAGs of equal node count at once.

    Args:
        codes: flat codes, integers [A, E] with E = n (n - 1) / 2.

    Returns:
        n_d as [A, n], d = 0..n-1: int64 up to 64 nodes, where every count fits (P <= 2^(n-2)), else Python integers
        (dtype object).

    Raises:
        InputError: an array that is not two-dimensional, or whose second dimension is no triangular number.
    """
    codes = np.asarray(codes)
    n = num_nodes_of(codes.shape[-1]) if codes.ndim == 2 else 0
    if codes.ndim != 2 or n < 2 or num_edges(n) != codes.shape[1]:
        raise InputError(f"codes must be integers [architectures, n (n - 1) / 2], got shape {codes.shape}")
    dtype = np.int64 if n <= 64 else object
    polynomials = np.zeros((n, n, codes.shape[0]), dtype=dtype)  # [node, depth, architecture]
    polynomials[0, 0] = 1
    for t in range(1, n):
        for s in range(t):
            op = codes[:, num_edges(t) + s]
            polynomials[t, : s + 1] += polynomials[s, : s + 1] * (op == 1)
            polynomials[t, 1 : s + 2] += polynomials[s, : s + 1] * (op == 2)
    return np.ascontiguousarray(polynomials[-1].T)


def effective_depth_width(counts: Any) -> tuple[np.ndarray, np.ndarray]:
    """Effective depth and width (Eq. 13) from path counts [A, D], as float64 [A] each; 0 where undefined."""
    counts = np.asarray(counts)
    total = counts.sum(axis=1)
    weighted = (counts * np.arange(counts.shape[1])).sum(axis=1)
    nonzero = total - counts[:, 0]
    # The product comes first: it is exact for small counts, so that the quotient is rounded once.
    exact = counts.dtype == object
    product = nonzero * total if exact else nonzero.astype(np.float64) * total
    zero = np.zeros(len(counts), object if exact else np.float64)
    depth = np.divide(weighted, total, out=zero.copy(), where=total > 0)
    width = np.divide(product, weighted, out=zero.copy(), where=weighted > 0)
    return depth.astype(np.float64), width.astype(np.float64)
