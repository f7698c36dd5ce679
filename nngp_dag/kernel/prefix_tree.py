"""Kernels of many DAGs of equal node count at once: the tree of recursion steps.

DAGs whose codes begin alike have their first nodes in common: K_1 depends on one edge, K_2 on three, and so on. The
codes of a chunk, sorted, form a tree; each level appends one node to every distinct prefix, so that dual maps are
evaluated once per prefix (31 times for all 729 DAGs of four nodes), and the last level is one weighted sum per DAG.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nngp_dag.dag import num_edges, num_nodes_of
from nngp_dag.kernel.maps import over_pairs, over_rows
from nngp_dag.kernel.method import cast_program
from nngp_dag.kernel.mixing import Mixing, mixing
from nngp_dag.kernel.products import squared_norms, symmetric_products
from nngp_dag.kernel.recursion import Node, PairState, Recursion

__all__ = ["prefix_tree_kernels", "prefix_tree_variances"]


class _Level(NamedTuple):
    """One level of the tree: each distinct prefix's parent in the level above, and the weights of its last node."""

    parent: np.ndarray
    into: Mixing


class _Tree(NamedTuple):
    """The inner levels t = 1..H-1, and for the last node the weights of all children of each prefix, [P, C, H]."""

    levels: tuple[_Level, ...]
    last: Mixing


def prefix_tree_kernels(recursion: Recursion, codes: np.ndarray, x: Array, names: tuple[str, ...]) -> tuple[Array, ...]:
    """The kernels `names` ("nngp", "ntk") of DAGs in the order of codes [A, E] on rows x [N, d], each [A, N, N]."""
    tree, flat = _plan(codes)
    tree = _cast(tree, x.dtype)
    return _finish(recursion, _grow(recursion, tree, x, names), tree.last, flat, names)


def prefix_tree_variances(recursion: Recursion, codes: np.ndarray, k: np.ndarray) -> list[Array]:
    """K_tt(x, x) at the nodes t < H of the DAGs of these codes [A, E], for K_in(x, x) = k [N]: arrays [..., N]."""
    tree, _ = _plan(codes[np.lexsort(codes.T[::-1])])
    return _variances(recursion, _cast(tree, k.dtype).levels, k)


@partial(jax.jit, static_argnames="recursion")
def _variances(recursion: Recursion, levels: tuple[_Level, ...], k: Array) -> list[Array]:
    r = recursion
    embedded, row, node = over_rows(lambda k, _: r.start_row(k))(k, None)
    found = [node.variance] if r.setting.embedding != "stem" else [embedded.prepared, node.variance]
    row = jax.tree.map(lambda a: a[None], row)
    for t, (parent, into) in enumerate(levels, start=1):
        row = jax.tree.map(lambda a, parent=parent: a[parent], row)
        row, node = jax.vmap(over_rows(lambda row, into, t=t: r.step_row(row, t, r.plain(into))))(row, into)
        found.append(node.variance)
    return found


class _Grown(NamedTuple):
    """All that the last node needs: of each of P prefixes the planes of each kernel, and its rows with each child.

    Attributes:
        planes: by name, the pair state whose end is that kernel; leaves [P, N, N].
        mean, diagonal: S_H, and by name each kernel of a row with itself; [P, C, N].
    """

    planes: dict[str, PairState]
    mean: Array
    diagonal: dict[str, Array]


@partial(jax.jit, static_argnames=("recursion", "names"))
def _grow(recursion: Recursion, tree: _Tree, x: Array, names: tuple[str, ...]) -> _Grown:
    r = recursion
    embedded, row, node = over_rows(lambda k, _: r.start_row(k))(squared_norms(x), None)
    start = over_pairs(lambda k, x, y, _: r.start_pair(x[0], y[0], x[1], y[1], k))
    pair, _ = start(symmetric_products(x), (embedded, node), (embedded, node), None)
    row, pair = jax.tree.map(lambda a: a[None], (row, pair))

    for t, (parent, into) in enumerate(tree.levels, start=1):
        row, pair = jax.tree.map(lambda a, parent=parent: a[parent], (row, pair))
        step_row = over_rows(lambda row, into, t=t: r.step_row(row, t, r.plain(into)))
        row, node = jax.vmap(step_row)(row, into)
        step_pair = over_pairs(lambda pair, x, y, into, t=t: r.step_pair(pair, t, r.plain(into), x, y)[0])
        pair = jax.vmap(step_pair)(pair, node, node, into)

    planes = {name: pair if name == "nngp" else pair.ntk() for name in names}
    end_row = over_rows(lambda row, into: r.end_row(row, r.plain(into)))
    end = jax.vmap(jax.vmap(end_row, in_axes=(None, 0)))(row, tree.last)
    return _Grown(planes, end.mean, {"nngp": end.variance, "ntk": end.variance + end.tangent})


@partial(jax.jit, static_argnames=("recursion", "names"))
def _finish(
    recursion: Recursion, grown: _Grown, last: Mixing, flat: np.ndarray | None, names: tuple[str, ...]
) -> tuple[Array, ...]:
    """The kernels of all children, one pass each. A program of its own: XLA would fuse a prefix's last dual maps into
    that pass, and so evaluate them once per child.
    """
    diagonal = jnp.eye(grown.mean.shape[-1], dtype=bool)
    end = over_pairs(lambda pair, x, y, into: recursion.end_pair(pair, recursion.plain(into), _with(x), _with(y))[0])

    def kernel(planes: PairState, mean: Array, on_diagonal: Array, into: Mixing) -> Array:
        return jnp.where(diagonal, on_diagonal, end(planes, mean, mean, into))

    kernels = jax.vmap(jax.vmap(kernel, in_axes=(None, 0, 0, 0)))
    outputs = [kernels(grown.planes[name], grown.mean, grown.diagonal[name], last) for name in names]
    joined = tuple(o.reshape(-1, *o.shape[2:]) for o in outputs)
    return joined if flat is None else tuple(o[flat] for o in joined)


def _with(mean: Array) -> Node:
    """Node H of an input of which only the mean matters."""
    return Node((), mean, (), mean, mean)


def _plan(codes: np.ndarray) -> tuple[_Tree, np.ndarray | None]:
    """The tree of sorted codes, and where each code's result lies among prefixes x children (None: in order)."""
    num_nodes = num_nodes_of(codes.shape[1])
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


def _cast(tree: _Tree, dtype: np.dtype) -> _Tree:
    """The weights of a tree in the dtype of the data."""
    levels = tuple(_Level(level.parent, cast_program(level.into, dtype)) for level in tree.levels)
    return _Tree(levels, cast_program(tree.last, dtype))


def _rounded(size: int) -> int:
    """Sizes come as powers of two or three, so that chunks of all kinds share a few compilations."""
    twos, threes = (base ** int(np.ceil(np.log(size) / np.log(base) - 1e-9)) for base in (2, 3))
    return min(twos, threes)
