"""Eigenvalues of symmetric matrices by LAPACK: in place, and with as many threads as help."""

from __future__ import annotations

import contextlib

import numpy as np

from nngp_dag.support.blas import one_blas_thread
from nngp_dag.support.cores import on_all_cores

__all__ = ["eigenvalues_in_place", "eigenvalues_of_many"]

_SMALL = 2000
"""Up to this number of rows a matrix is too small for BLAS threads."""
_PART = 1 << 20
"""Entries of the matrices that one thread takes at a time."""


def eigenvalues_in_place(work: np.ndarray) -> np.ndarray:
    """Eigenvalues of a symmetric float64 matrix, ascending, in its own memory."""
    from scipy.linalg import eigvalsh

    threads = one_blas_thread() if work.shape[0] <= _SMALL else contextlib.nullcontext()
    # LAPACK works in place on column-major storage only, and the transpose of a symmetric matrix is itself. `ev` has
    # the smallest workspace, and all drivers share the reduction that takes the time.
    fortran = work if work.flags.f_contiguous else work.T
    with threads:
        return np.asarray(eigvalsh(fortran, overwrite_a=True, check_finite=False, driver="ev"))


def eigenvalues_of_many(k: np.ndarray) -> np.ndarray:
    """Eigenvalues float64 [A, N], ascending, of a stack [A, N, N]: matrices side by side, one on each core."""
    parts = max(1, min(k.shape[0], k.size // _PART))

    def work(part: np.ndarray) -> np.ndarray:
        return np.linalg.eigvalsh(part.astype(np.float64, copy=False))

    with one_blas_thread():
        return np.concatenate(on_all_cores(work, np.array_split(k, parts)))
