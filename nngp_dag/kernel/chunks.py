"""Kernels of many DAGs of equal node count on the same rows, chunk by chunk.

Methods share work between the DAGs of a chunk (`PairMethod.many`); chunks come in the order of codes, in which DAGs
that begin alike are neighbours.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import cycle

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike

from nngp_dag.dag import num_edges, num_nodes_of
from nngp_dag.errors import InputError
from nngp_dag.kernel.inputs import checked_names, checked_rows, input_precision
from nngp_dag.kernel.method import pair_method
from nngp_dag.kernel.products import squared_norms
from nngp_dag.kernel.reach import prepared_for_many
from nngp_dag.kernel.result import Kernel
from nngp_dag.reading import Setting
from nngp_dag.support.sharding import some_devices

__all__ = ["checked_codes", "sweep_chunks", "sweep_kernels"]

_CHUNK_BYTES = 768 * 2**20


def sweep_kernels(
    codes: np.ndarray, x: ArrayLike, get: tuple[str, ...] = ("nngp", "ntk"), setting: Setting | None = None
) -> Kernel:
    """NNGP and NTK of many DAGs on the same rows.

    The system hands out the memory of a large result page by page, which costs more than computing what it holds: where
    each kernel is used once, `sweep_chunks` with pieces of 32 MiB, whose memory is taken again, is twice as fast.

    Args:
        codes: flat codes of DAGs of equal node count, integers [A, E].
        x: rows [N, d]; the dtype of the result follows.
        get: which kernels to compute.
        setting: any method but neural-tangents, and a reading; by default exact, and the default reading.

    Returns:
        `Kernel` of arrays [A, N, N] in the order of `codes`; a kernel that was not asked for is an empty array [0, N,
        N].

    Raises:
        InputError: as `kernel_fn`; for more codes than fit in memory use `sweep_chunks`.
    """
    parts: dict[str, list[Array]] = {"nngp": [], "ntk": []}
    order = []
    for index, kernels in sweep_chunks(codes, x, get, setting):
        order.append(index)
        for name in parts:
            parts[name].append(getattr(kernels, name))
    inverse = np.argsort(np.concatenate(order))
    ordered = bool((inverse == np.arange(inverse.size)).all())
    joined = {name: part[0] if len(part) == 1 else jnp.concatenate(part) for name, part in parts.items()}
    return Kernel(*(a if ordered or not a.shape[0] else a[inverse] for a in (joined["nngp"], joined["ntk"])))


def sweep_chunks(
    codes: np.ndarray,
    x: ArrayLike,
    get: tuple[str, ...] = ("nngp", "ntk"),
    setting: Setting | None = None,
    chunk_bytes: int = _CHUNK_BYTES,
    wanted: np.ndarray | None = None,
    devices: Sequence[jax.Device] | None = None,
) -> Iterator[tuple[np.ndarray, Kernel]]:
    """`sweep_kernels` piece by piece, so that memory stays bounded: yields (positions in `codes` [a], `Kernel` [a, N,
    N]).

    The pieces come in the lexicographic order of codes, each as large as `chunk_bytes` allows. Those without a
    code of `wanted` (bool [A]) are left out; the others stay as they are, so that their values do to the last bit.

    With `devices` the pieces are dealt out to them, one ahead on each, and are the same whatever their number. Of the
    devices of several processes each process computes, and gets, the pieces of its own.
    """
    places = [None] if devices is None else some_devices(devices)
    names = checked_names(get)
    method = pair_method(setting or Setting(), "ntk" in names)
    codes = checked_codes(codes)
    order = np.lexsort(codes.T[::-1])
    with input_precision(x):
        rows = checked_rows("x", x)
        method = prepared_for_many(method, codes[order], lambda: [squared_norms(rows)])
    empty = (0, rows.shape[0], rows.shape[0])

    def computed(index: np.ndarray, device: jax.Device | None) -> Kernel:
        with input_precision(x):  # entered a piece: a generator must not leave its setting with its caller
            placed = rows if device is None else jax.device_put(rows, device)
            found = dict(zip(names, method.many(codes[index], placed, names), strict=True))
            return Kernel(*(found[n] if n in found else jnp.zeros(empty, rows.dtype) for n in Kernel._fields))

    own = [place for place in places if place is not None and place.process_index == jax.process_index()]
    on_their_way: deque[tuple[np.ndarray, Kernel]] = deque()
    plane = rows.shape[0] ** 2 * rows.dtype.itemsize
    for index, device in zip(_pieces(codes, order, plane, len(names), chunk_bytes), cycle(places), strict=False):
        is_elsewhere = device is not None and device not in own
        if is_elsewhere or (wanted is not None and not wanted[index].any()):
            continue
        on_their_way.append((index, computed(index, device)))
        if len(on_their_way) > len(own):
            yield on_their_way.popleft()
    yield from on_their_way


def _pieces(
    codes: np.ndarray, order: np.ndarray, plane: int, num_kernels: int, chunk_bytes: int
) -> Iterator[np.ndarray]:
    """Positions in `codes` [a] of each piece."""
    start = 0
    while start < len(order):
        ahead = codes[order[start : start + max(1, chunk_bytes // (plane * num_kernels))]]
        index = order[start : start + _chunk_length(ahead, len(order) - start, plane, num_kernels, chunk_bytes)]
        start += len(index)
        yield index


def _chunk_length(codes: np.ndarray, remaining: int, plane: int, num_kernels: int, budget: int) -> int:
    """Number of the next codes (of `remaining`) to take, so that results and inner levels fit in the budget."""
    num_nodes = num_nodes_of(codes.shape[1])
    length = len(codes)
    if length < remaining and length >= 9:
        length = 3 ** int(np.log(length) / np.log(3) + 1e-9)  # complete spaces then split into equal subtrees
    while length > 1:
        held = sum(len(np.unique(codes[:length, : num_edges(t + 1)], axis=0)) * 4 for t in range(1, num_nodes - 1))
        if (held + length * num_kernels) * plane <= 2 * budget:
            break
        length = max(1, length // 3)
    return length


def checked_codes(codes: np.ndarray) -> np.ndarray:
    """Flat codes of equal node count, integers [A, E] with operations 0, 1, 2; else InputError."""
    codes = np.asarray(codes)
    if (
        codes.ndim != 2
        or codes.dtype.kind not in "iu"
        or not len(codes)
        or num_edges(num_nodes_of(codes.shape[1])) != codes.shape[1]
    ):
        raise InputError(
            f"codes must be integers [architectures, n (n - 1) / 2], got shape {codes.shape} of {codes.dtype}"
        )
    if codes.min() < 0 or codes.max() > 2:
        raise InputError("operations are 0 (zero), 1 (skip) or 2 (linear)")
    return codes
