"""Statistics of many kernels that need no eigenvalues: from their traces, sums and products, or from the kernels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.errors import InputError
from nngp_dag.spectrum.matrix_checks import check_kernels, machine_epsilon
from nngp_dag.spectrum.pairs import pair_bounds

__all__ = ["KernelStatistics", "kernel_statistics", "statistics_from", "target_factor"]


@dataclass(frozen=True, eq=False)
class KernelStatistics:
    """Statistics of A kernels K [N, N]; float64 arrays [A], NaN where they are undefined.

    Attributes:
        mean_diagonal: tr K / N.
        mean_off_diagonal: the mean of K_ij over i != j; undefined for N = 1.
        frobenius_norm: |K| = sqrt(sum_ij K_ij^2).
        participation_ratio: (tr K)^2 / |K|^2 = (sum lambda)^2 / sum lambda^2, an effective rank: N where all
            eigenvalues are equal, 1 where one alone is not zero, 0 for the zero matrix.
        pair_bound, pair: as `pair_bound` has them (Lemma 3.3), undefined (-1) for N = 1; pairs are int64 [A, 2]. Of two
            pairs that differ by rounding alone either may be named. None where they were not asked for.
        alignment: <K, Y> / (|K| |Y|), Y the kernel of the labels (`target_factor`; Cristianini et al., 2001);
            undefined for the zero matrix. None without labels.
        centred_alignment: the same of H K H and H Y H, H = I - 1 1'/N (Cortes et al., 2012); undefined where one of
            these is zero up to rounding. None without labels.
    """

    mean_diagonal: np.ndarray
    mean_off_diagonal: np.ndarray
    frobenius_norm: np.ndarray
    participation_ratio: np.ndarray
    pair_bound: np.ndarray | None = None
    pair: np.ndarray | None = None
    alignment: np.ndarray | None = None
    centred_alignment: np.ndarray | None = None

    def at(self, index: np.ndarray) -> KernelStatistics:
        """Of kernels at these positions."""
        return self._of_columns(lambda arrays: arrays[0][index], [self])

    @classmethod
    def joined(cls, parts: list[KernelStatistics]) -> KernelStatistics:
        """Of several sets of kernels, one after the other."""
        return cls._of_columns(np.concatenate, parts)

    @classmethod
    def _of_columns(
        cls, of: Callable[[list[np.ndarray]], np.ndarray], parts: list[KernelStatistics]
    ) -> KernelStatistics:
        columns: dict[str, Any] = {}
        for field in fields(cls):
            arrays = [getattr(part, field.name) for part in parts]
            columns[field.name] = None if arrays[0] is None else of(arrays)
        return cls(**columns)


def kernel_statistics(matrices: ArrayLike, y: ArrayLike | None = None, *, pairs: bool = True) -> KernelStatistics:
    """Statistics of kernels in memory, in float64.

    Args:
        matrices: symmetric [A, N, N], real and finite, N >= 1.
        y: labels, as `target_factor` takes them.
        pairs: look for the pair bound too.

    Raises:
        InputError: as `spectra`, or as `target_factor`.
    """
    k = np.asarray(matrices)
    if k.ndim != 3:
        raise InputError(f"kernel matrices have shape [A, N, N], got {k.shape}")
    check_kernels(k)
    n = k.shape[1]
    targets = target_factor(y, n)
    trace = np.trace(k, axis1=1, axis2=2, dtype=np.float64)
    moments = {
        "trace": trace,
        "off_diagonal": k.sum(axis=(1, 2), dtype=np.float64) - trace,
        "square": np.einsum("aij,aij->a", k, k, dtype=np.float64, casting="same_kind"),
    }
    if len(targets):
        centred_targets = targets - targets.mean(axis=1, keepdims=True)
        centred = k - k.mean(axis=1, keepdims=True, dtype=np.float64)
        centred -= centred.mean(axis=2, keepdims=True)
        moments["target"] = np.einsum("aij,ci,cj->a", k, targets, targets, optimize=True)
        moments["centred_square"] = np.einsum("aij,aij->a", centred, centred)
        moments["centred_target"] = np.einsum("aij,ci,cj->a", centred, centred_targets, centred_targets, optimize=True)
    bound, pair = pair_bounds(k) if pairs else (None, None)
    return statistics_from(moments, targets, n, machine_epsilon(k.dtype), bound, pair)


def statistics_from(
    moments: dict[str, np.ndarray],
    targets: np.ndarray,
    num_rows: int,
    eps: float,
    bound: np.ndarray | None,
    pair: np.ndarray | None,
) -> KernelStatistics:
    """Statistics from moments [A], as `plane_moments.PlaneMoments.of_kernels` names them.

    Args:
        moments: of the kernels.
        targets: T [C, N]; C = 0 without labels.
        num_rows: N.
        eps: relative rounding of the entries.
        bound: their pair bounds, or None.
        pair: the pairs that attain them, or None.
    """
    trace, square = moments["trace"], np.maximum(moments["square"], 0)
    n, is_zero = num_rows, square == 0
    alignment = centred = None
    if len(targets):
        alignment = _ratio(moments["target"], np.sqrt(square) * _norm(targets))
        # No more than rounding of K is left of H K H.
        square_of_centred = moments["centred_square"]
        left = np.where(square_of_centred > (n * eps) ** 2 * square, square_of_centred, 0)
        around = targets - targets.mean(axis=1, keepdims=True)
        norm = _norm(around)
        norm = norm if norm > (n * eps) ** 2 * _norm(targets) else 0.0
        centred = _ratio(moments["centred_target"], np.sqrt(left) * norm)
    return KernelStatistics(
        mean_diagonal=trace / n,
        mean_off_diagonal=moments["off_diagonal"] / (n * (n - 1)) if n > 1 else np.full(trace.shape, np.nan),
        frobenius_norm=np.sqrt(square),
        participation_ratio=np.where(is_zero, 0.0, _ratio(trace, np.sqrt(square)) ** 2),
        pair_bound=bound,
        pair=pair,
        alignment=alignment,
        centred_alignment=centred,
    )


def target_factor(y: ArrayLike | None, num_rows: int) -> np.ndarray:
    """T [C, N], float64, so that the kernel of the labels is Y = T'T; C = 0 for None.

    Args:
        y: classes, as integers, booleans or strings [N], for which Y_ij is 1 where y_i = y_j, else 0; or real targets
            [N] or [N, C], for which Y_ij is their inner product.
        num_rows: N.

    Raises:
        InputError: another shape or kind, or targets that are not finite.
    """
    if y is None:
        return np.zeros((0, num_rows))
    given = np.asarray(y)
    if given.ndim not in (1, 2) or len(given) != num_rows or not given.size:
        raise InputError(f"y must be labels [N] or targets [N, C] of {num_rows} rows, got shape {given.shape}")
    if given.dtype.kind in "iubUS":
        if given.ndim == 2:
            raise InputError(f"classes are [N], one for each row, got shape {given.shape}")
        return np.asarray(np.unique(given)[:, None] == given, np.float64)
    if given.dtype.kind != "f" or not np.isfinite(given).all():
        raise InputError(f"y must hold classes, or real and finite targets, got {given.dtype}")
    return np.ascontiguousarray(given.reshape(num_rows, -1).T, np.float64)


def _norm(targets: np.ndarray) -> float:
    """|T'T|."""
    return float(np.linalg.norm(targets @ targets.T))


def _ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A / b, NaN where b is 0."""
    return np.divide(a, b, out=np.full(np.shape(a), np.nan), where=b > 0)
