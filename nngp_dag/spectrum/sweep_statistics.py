"""Statistics of the kernels of many DAGs that need no eigenvalues, from the planes that the kernels are sums of.

Kernels are never written out (`plane_moments`, `plane_pairs`), and DAGs of equal kernels are looked at once
(`PairMethod.plane_sums`). A method that shares nothing among DAGs goes through its kernels, piece by piece.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike

from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.kernel.chunks import checked_codes, sweep_chunks
from nngp_dag.kernel.inputs import checked_names, checked_rows, input_precision
from nngp_dag.kernel.method import AnyMethod, pair_method
from nngp_dag.kernel.plane_sums import PlaneSums
from nngp_dag.kernel.products import squared_norms
from nngp_dag.kernel.reach import prepared_for_many
from nngp_dag.reading import Setting
from nngp_dag.spectrum.kernel_statistics import KernelStatistics, kernel_statistics, statistics_from, target_factor
from nngp_dag.spectrum.plane_tiles import kernels_of_planes

__all__ = ["SweepStatistics", "sweep_statistics", "sweep_statistics_chunks"]

_CODES = 3**11
"""DAGs of a piece: their weights take some 100 MB where they have six nodes."""

_PLANES = 2048
"""Planes of a piece that may be cut: their inner products take 32 MB for each kernel and thread."""

_CHUNK_BYTES = 32 * 2**20
"""Kernels of a piece where a method shares nothing."""


class SweepStatistics(NamedTuple):
    """Statistics of A DAGs; None for a kernel that was not asked for."""

    nngp: KernelStatistics | None
    ntk: KernelStatistics | None


def sweep_statistics(
    codes: np.ndarray,
    x: ArrayLike,
    y: ArrayLike | None = None,
    setting: Setting | None = None,
    *,
    get: tuple[str, ...] = ("nngp", "ntk"),
    pairs: bool = True,
) -> SweepStatistics:
    """Mean diagonal and off-diagonal, Frobenius norm, participation ratio, pair bound and alignment with labels of the
    kernels of many DAGs on the same rows, without eigenvalues and without kernels in memory.

    Every kernel is a sum of a few planes (`kernel.plane_sums`), so that what is linear or quadratic in its entries is a
    form in its weights; only the pair bound looks at all entries, of each distinct kernel once, and `pairs=False` saves
    that. Errors are a few roundings of what the same statistics of `sweep_kernels` are made of (`plane_moments` has the
    bound).

    Args:
        codes: flat codes of DAGs of equal node count, integers [A, E].
        x: rows [N, d], float64 or float32; sums are in float64.
        y: classes [N] or targets [N] or [N, C], for alignments (`target_factor`).
        setting: any method but neural-tangents, and a reading; by default exact, and the default reading.
        get: which kernels to look at.
        pairs: look for the pair bound too.

    Raises:
        InputError: as `sweep_kernels` or `target_factor`, and where a kernel overflows.
    """
    found = list(sweep_statistics_chunks(codes, x, y, setting, get=get, pairs=pairs))
    inverse = np.argsort(np.concatenate([index for index, _ in found]))
    parts = zip(*(statistics for _, statistics in found), strict=True)
    return SweepStatistics(*(None if p[0] is None else KernelStatistics.joined(list(p)).at(inverse) for p in parts))


def sweep_statistics_chunks(
    codes: np.ndarray,
    x: ArrayLike,
    y: ArrayLike | None = None,
    setting: Setting | None = None,
    *,
    get: tuple[str, ...] = ("nngp", "ntk"),
    pairs: bool = True,
    chunk: int = _CODES,
    wanted: np.ndarray | None = None,
) -> Iterator[tuple[np.ndarray, SweepStatistics]]:
    """`sweep_statistics` piece by piece: yields (positions in `codes` [a], statistics of these DAGs).

    Pieces are of `chunk` DAGs in the lexicographic order of codes, in which those that begin alike share most planes;
    they are halved where DAGs have little in common, so that memory stays bounded.
    Those without a code of `wanted` (bool [A]) are left out.
    """
    setting = setting or Setting()
    names = checked_names(get)
    method = pair_method(setting, "ntk" in names)
    codes = checked_codes(codes)
    order = np.lexsort(codes.T[::-1])
    with input_precision(x):
        rows = checked_rows("x", x)
    targets = target_factor(y, len(rows))
    with input_precision(x):
        method = prepared_for_many(method, codes[order], lambda: [squared_norms(rows)])
    for start in range(0, len(order), chunk):
        index = order[start : start + chunk]
        if wanted is None or wanted[index].any():
            for part, sums in _cut(method, codes, index):
                if sums is None:
                    yield from _of_kernels(codes, x, y, setting, names, pairs, wanted)
                    return
                yield part, _of_planes(method, sums, codes[part], rows, targets, names, pairs)


def _cut(method: AnyMethod, codes: np.ndarray, index: np.ndarray) -> Iterator[tuple[np.ndarray, PlaneSums | None]]:
    """A piece, halved until it has few enough planes; None for a method that shares nothing."""
    sums = method.plane_sums(codes[index])
    if sums is None or len(index) == 1 or int(sums.planes.max()) < _PLANES:
        yield index, sums
        return
    for half in np.array_split(index, 2):
        yield from _cut(method, codes, half)


def _of_planes(
    method: AnyMethod,
    sums: PlaneSums,
    codes: np.ndarray,
    x: Array,
    targets: np.ndarray,
    names: tuple[str, ...],
    pairs: bool,
) -> SweepStatistics:
    found = kernels_of_planes(method, sums, x, targets, names, pairs)
    statistics = {}
    for name, (moments, bound, pair) in found.items():
        _check_finite(moments["trace"], moments["square"], sums.which, codes, x.dtype)
        of_distinct = statistics_from(moments, targets, len(x), float(jnp.finfo(x.dtype).eps), bound, pair)
        statistics[name] = of_distinct.at(sums.which)
    return SweepStatistics(statistics.get("nngp"), statistics.get("ntk"))


def _of_kernels(
    codes: np.ndarray,
    x: ArrayLike,
    y: ArrayLike | None,
    setting: Setting,
    names: tuple[str, ...],
    pairs: bool,
    wanted: np.ndarray | None,
) -> Iterator[tuple[np.ndarray, SweepStatistics]]:
    """Through kernels in memory, piece by piece."""
    for index, kernels in sweep_chunks(codes, x, names, setting, chunk_bytes=_CHUNK_BYTES, wanted=wanted):
        statistics = {}
        for name in names:
            matrices = np.asarray(getattr(kernels, name))
            trace = np.einsum("aii->a", matrices)
            _check_finite(trace, trace, np.arange(len(index)), codes[index], matrices.dtype)
            statistics[name] = kernel_statistics(matrices, y, pairs=pairs)
        yield index, SweepStatistics(statistics.get("nngp"), statistics.get("ntk"))


def _check_finite(trace: np.ndarray, square: np.ndarray, which: np.ndarray, codes: np.ndarray, dtype: np.dtype) -> None:
    """InputError where a kernel or its square overflows, of distinct kernels [C], `which` of them each code has."""
    for finite, words in (
        (np.isfinite(trace), "the kernel of {} overflows {}: use a DAG with fewer skip paths"),
        (np.isfinite(square), "the squares of the entries of the kernel of {} overflow {}: scale the rows down"),
    ):
        if not finite.all():
            largest = np.where(finite | np.isnan(trace), -np.inf, trace)  # others may be 0 times what overflows
            code = Dag.from_array(codes[int(largest[which].argmax())]).to_code()
            raise InputError(words.format(code, dtype))
