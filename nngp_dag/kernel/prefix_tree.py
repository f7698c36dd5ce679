"""Kernels of many DAGs of equal node count at once: the tree of recursion steps.

DAGs whose codes begin alike have their first nodes in common: K_1 depends on one edge, K_2 on three, and so on. The
codes of a chunk, sorted, form a tree; each level appends one node to every distinct prefix, so that dual maps are
evaluated once a prefix (31 times for all 729 DAGs of four nodes), and the last level is one weighted sum a DAG.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nngp_dag.dag import num_edges
from nngp_dag.errors import InputError
from nngp_dag.kernel.functions import pair_method
from nngp_dag.kernel.gram import inner_products
from nngp_dag.kernel.inputs import checked_names, checked_rows, precision
from nngp_dag.kernel.method import PairMethod, cast_program
from nngp_dag.kernel.mixing import Mixing, mixing
from nngp_dag.kernel.path_sum import PathSum
from nngp_dag.kernel.propagate import over_pairs, over_rows
from nngp_dag.kernel.result import Kernel
from nngp_dag.paths import path_counts_array
from nngp_dag.reading import Setting

__all__ = ["sweep_chunks", "sweep_kernels"]

_CHUNK_BYTES = 768 * 2**20


class _Level(NamedTuple):
    """One level of the tree: each distinct prefix's parent in the level above, and the weights of its last node."""

    parent: np.ndarray
    into: Mixing


class _Tree(NamedTuple):
    """The inner levels t = 1..H-1, and for the last node the weights of all children of each prefix, [P, C, H]."""

    levels: tuple[_Level, ...]
    last: Mixing


def sweep_kernels(codes: np.ndarray, x: Any, get: tuple[str, ...] = ("nngp", "ntk"), **setting: Any) -> Kernel:
    """NNGP and NTK of many DAGs on the same rows.

    Args:
        codes: flat codes of DAGs of equal node count, integers [A, E].
        x: rows [N, d]; the dtype of the result follows.
        get: which kernels to compute.
        setting: method (exact, independent or path-sum), order, embedding, activation as in `kernel_fn`.

    Returns:
        `Kernel` of arrays [A, N, N] in the order of `codes`; a kernel that was not asked for is an empty array [0, N,
        N].

    Raises:
        InputError: as `kernel_fn`; for more codes than fit in memory use `sweep_chunks`.
    """
    parts: dict[str, list[Array]] = {"nngp": [], "ntk": []}
    order = []
    for index, kernels in sweep_chunks(codes, x, get, **setting):
        order.append(index)
        for name in parts:
            parts[name].append(getattr(kernels, name))
    inverse = np.argsort(np.concatenate(order))
    ordered = bool((inverse == np.arange(inverse.size)).all())
    joined = {name: part[0] if len(part) == 1 else jnp.concatenate(part) for name, part in parts.items()}
    return Kernel(*(a if ordered or not a.shape[0] else a[inverse] for a in (joined["nngp"], joined["ntk"])))


def sweep_chunks(
    codes: np.ndarray,
    x: Any,
    get: tuple[str, ...] = ("nngp", "ntk"),
    chunk_bytes: int = _CHUNK_BYTES,
    **setting: Any,
) -> Iterator[tuple[np.ndarray, Kernel]]:
    """`sweep_kernels` piece by piece, so that memory stays bounded: yields (positions in `codes` [a], `Kernel` [a, N,
    N]).

    The pieces come in the lexicographic order of codes, each as large as `chunk_bytes` allows.
    """
    names = checked_names(get)
    method = pair_method(Setting.make(**setting), "ntk" in names)
    codes = _checked_codes(codes)
    order = np.lexsort(codes.T[::-1])
    with precision(x):
        rows = checked_rows("x", x)
    plane = rows.shape[0] ** 2 * rows.dtype.itemsize
    start = 0
    while start < len(order):
        ahead = codes[order[start : start + max(1, chunk_bytes // (plane * len(names)))]]
        index = order[start : start + _chunk_length(ahead, len(order) - start, plane, len(names), chunk_bytes)]
        start += len(index)
        with precision(x):  # entered a piece: a generator must not leave its setting with its caller
            kernels = _kernels(method, codes[index], rows, names)
        yield index, kernels


def _kernels(method: PairMethod, codes: np.ndarray, rows: Array, names: tuple[str, ...]) -> Kernel:
    if isinstance(method, PathSum):
        counts = cast_program(path_counts_array(codes).astype(np.float64), rows.dtype)
        outputs = _path_sums(method, counts, rows, names)
    else:
        tree, flat = _plan(codes)
        tree = cast_tree(tree, rows.dtype)
        outputs = _finish(method, _grow(method, tree, rows, names), tree.last, flat, names)
    empty = jnp.zeros((0, rows.shape[0], rows.shape[0]), rows.dtype)
    return Kernel(*(outputs[names.index(name)] if name in names else empty for name in ("nngp", "ntk")))


@partial(jax.jit, static_argnames=("method", "names"))
def _path_sums(method: PathSum, counts: Array, x: Array, names: tuple[str, ...]) -> tuple[Array, ...]:
    rows = over_rows(lambda k, _: method.chain_row(k, counts.shape[1]))(_norms(x), None)
    k, tangent = over_pairs(lambda k, x, y, _: method.chain_pair(x, y, k))(_symmetric_products(x), rows, rows, None)
    diagonal = jnp.arange(x.shape[0])
    planes = {"nngp": k.at[:, diagonal, diagonal].set(rows.variances)}
    planes["ntk"] = planes["nngp"] + tangent.at[:, diagonal, diagonal].set(rows.tangents)
    return tuple(_weighted(counts, planes[name]) for name in names)


def _weighted(weights: Array, planes: Array) -> Array:
    """sum_q weights[a, q] planes[q, x, y] in one elementwise pass: symmetric planes give symmetric sums, to the bit."""
    return sum(weights[:, q, None, None] * planes[q] for q in range(planes.shape[0]))  # type: ignore[return-value]


def _norms(x: Array) -> Array:
    return jnp.sum(x * x, axis=-1)


def _symmetric_products(x: Array) -> Array:
    k = inner_products(x, x)
    return jnp.where(jnp.triu(jnp.ones(k.shape, bool)), k, k.T)


class _Grown(NamedTuple):
    """All that the last node needs: of each of P prefixes the planes of each kernel, and its rows with each child.

    Attributes:
        planes: by name, the pair state whose end is that kernel; leaves [P, N, N].
        mean, diagonal: S_H, and by name each kernel of a row with itself; [P, C, N].
    """

    planes: dict[str, Any]
    mean: Array
    diagonal: dict[str, Array]


@partial(jax.jit, static_argnames=("method", "names"))
def _grow(method: Any, tree: _Tree, x: Array, names: tuple[str, ...]) -> _Grown:
    r = method.recursion
    embedded, row, node = over_rows(lambda k, _: r.start_row(k))(_norms(x), None)
    start = over_pairs(lambda k, x, y, _: r.start_pair(x[0], y[0], x[1], y[1], k))
    pair = start(_symmetric_products(x), (embedded, node), (embedded, node), None)
    row, pair = jax.tree.map(lambda a: a[None], (row, pair))

    for t, (parent, into) in enumerate(tree.levels, start=1):
        row, pair = jax.tree.map(lambda a, parent=parent: a[parent], (row, pair))
        step_row = over_rows(lambda row, into, t=t: r.step_row(row, t, into))
        row, node = jax.vmap(step_row)(row, into)
        step_pair = over_pairs(lambda pair, x, y, into, t=t: r.step_pair(pair, t, into, x, y))
        pair = jax.vmap(step_pair)(pair, node, node, into)

    planes = {name: pair if name == "nngp" else pair.ntk() for name in names}
    mean, variance, tangent = jax.vmap(jax.vmap(over_rows(r.end_row), in_axes=(None, 0)))(row, tree.last)
    return _Grown(planes, mean, {"nngp": variance, "ntk": variance + tangent})


@partial(jax.jit, static_argnames=("method", "names"))
def _finish(method: Any, grown: _Grown, last: Mixing, flat: Array | None, names: tuple[str, ...]) -> tuple[Array, ...]:
    """The kernels of all children, one pass each. A program of its own: XLA would fuse a prefix's last dual maps into
    that pass, and so evaluate them once a child.
    """
    diagonal = jnp.eye(grown.mean.shape[-1], dtype=bool)
    end = over_pairs(lambda pair, x, y, into: method.recursion.end_pair(pair, into, x, y)[0])

    def kernel(planes: Any, mean: Array, on_diagonal: Array, into: Mixing) -> Array:
        return jnp.where(diagonal, on_diagonal, end(planes, mean, mean, into))

    kernels = jax.vmap(jax.vmap(kernel, in_axes=(None, 0, 0, 0)))
    outputs = [kernels(grown.planes[name], grown.mean, grown.diagonal[name], last) for name in names]
    joined = tuple(o.reshape(-1, *o.shape[2:]) for o in outputs)
    return joined if flat is None else tuple(o[flat] for o in joined)


def _plan(codes: np.ndarray) -> tuple[_Tree, np.ndarray | None]:
    """The tree of sorted codes, and where each code's result lies among prefixes x children (None: in order)."""
    num_nodes = _num_nodes(codes)
    levels = []
    above = np.zeros(len(codes), dtype=np.int64)
    for t in range(1, num_nodes - 1):
        prefixes, first, position = np.unique(
            codes[:, : num_edges(t + 1)], axis=0, return_index=True, return_inverse=True
        )
        size = _rounded(len(prefixes))
        parent = np.resize(above[first], size).astype(np.int32)
        levels.append(_Level(parent, mixing(np.resize(prefixes, (size, prefixes.shape[1])))[-1]))
        above = position.reshape(-1)
    size = 1 if not levels else len(levels[-1].parent)
    counts = np.bincount(above, minlength=size)
    child = np.arange(len(codes)) - (np.cumsum(counts) - counts)[above]
    width = _rounded(int(counts.max()))
    last = mixing(codes)[-1]
    padded = Mixing(*(np.zeros((size, width, num_nodes - 1)) for _ in last))
    for target, values in zip(padded, last, strict=True):
        target[above, child] = values
    flat = above * width + child
    in_order = len(flat) == size * width and bool((flat == np.arange(len(flat))).all())
    return _Tree(tuple(levels), padded), None if in_order else flat


def cast_tree(tree: _Tree, dtype: np.dtype) -> _Tree:
    """The weights of a tree in the dtype of the data."""
    levels = tuple(_Level(level.parent, cast_program(level.into, dtype)) for level in tree.levels)
    return _Tree(levels, cast_program(tree.last, dtype))


def _rounded(size: int) -> int:
    """Sizes come as powers of two or three, so that chunks of all kinds share a few compilations."""
    twos, threes = (base ** int(np.ceil(np.log(size) / np.log(base) - 1e-9)) for base in (2, 3))
    return min(twos, threes)


def _chunk_length(codes: np.ndarray, remaining: int, plane: int, num_kernels: int, budget: int) -> int:
    """How many of the next codes (of `remaining`) to take, so that results and inner levels fit in the budget."""
    num_nodes = _num_nodes(codes)
    length = len(codes)
    if length < remaining and length >= 9:
        length = 3 ** int(np.log(length) / np.log(3) + 1e-9)  # complete spaces then split into equal subtrees
    while length > 1:
        held = sum(
            len(np.unique(codes[:length, : num_edges(t + 1)], axis=0)) * 4 * (t + 1) for t in range(1, num_nodes - 1)
        )
        if (held + length * num_kernels) * plane <= 2 * budget:
            break
        length = max(1, length // 3)
    return length


def _num_nodes(codes: np.ndarray) -> int:
    return (1 + round((1 + 8 * codes.shape[1]) ** 0.5)) // 2


def _checked_codes(codes: Any) -> np.ndarray:
    codes = np.asarray(codes)
    if (
        codes.ndim != 2
        or codes.dtype.kind not in "iu"
        or not len(codes)
        or num_edges(_num_nodes(codes)) != codes.shape[1]
    ):
        raise InputError(
            f"codes must be integers [architectures, n (n - 1) / 2], got shape {codes.shape} of {codes.dtype}"
        )
    if codes.min() < 0 or codes.max() > 2:
        raise InputError("operations are 0 (zero), 1 (skip) or 2 (linear)")
    return codes
