"""Kernels of many DAGs of equal node count at once: the tree of recursion steps.

DAGs whose codes begin alike have their first nodes in common: K_1 depends on one edge, K_2 on three, and so on. The
codes of a chunk, sorted, form a tree; each level appends one node to every distinct prefix, so that dual maps are
evaluated once per prefix (31 times for all 729 DAGs of four nodes), and the last level is one weighted sum per DAG.

Of a pair of inputs a prefix keeps what its last node sends alone, V_t and W_t: what nodes receive is a sum of these
(`mixing.received`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from nngp_dag.dag import num_edges, num_nodes_of
from nngp_dag.kernel.flow import Flow
from nngp_dag.kernel.into import Into
from nngp_dag.kernel.maps import over_pairs, over_rows
from nngp_dag.kernel.method import cast_program
from nngp_dag.kernel.mixing import Mixing, mixing, received
from nngp_dag.kernel.pair_recursion import Node, PairState
from nngp_dag.kernel.products import squared_norms, symmetric_products
from nngp_dag.kernel.recursion import Recursion, RowState
from nngp_dag.support.distinct import distinct_sorted_rows

__all__ = ["prefix_tree_kernels", "prefix_tree_variances"]


class _Level(NamedTuple):
    """One level of the tree, t = 1..H: the last nodes of P distinct prefixes.

    Attributes:
        above: for u = 1..t-1 the place of each prefix's first u + 1 nodes among the prefixes of level u, [P].
        into: weights of the node, as `mixing` has them, [P, t]; of the last level [P, C, H], of all children of each
            prefix of the level above (to which `above` belongs).
        received: the same as `mixing.received` has them.
    """

    above: tuple[np.ndarray, ...]
    into: Mixing
    received: Mixing


class _Tree(NamedTuple):
    """The inner levels t = 1..H-1, and the last."""

    inner: tuple[_Level, ...]
    last: _Level


def prefix_tree_kernels(recursion: Recursion, codes: np.ndarray, x: Array, names: tuple[str, ...]) -> tuple[Array, ...]:
    """The kernels `names` ("nngp", "ntk") of DAGs in the order of codes [A, E] on rows x [N, d], each [A, N, N]."""
    tree, flat = _plan(recursion, codes)
    tree = cast_program(tree, x.dtype)
    return _finish(recursion, _grow(recursion, tree, x, names), tree.last, flat, names)


def prefix_tree_variances(recursion: Recursion, codes: np.ndarray, k: np.ndarray) -> list[Array]:
    """K_tt(x, x) at the nodes t < H of the DAGs of these codes [A, E], for K_in(x, x) = k [N]: arrays [..., N]."""
    codes = codes[np.lexsort(codes.T[::-1])]
    # Edges into node H change none of them.
    first, _ = distinct_sorted_rows(codes[:, : num_edges(num_nodes_of(codes.shape[1]) - 1)])
    tree, _ = _plan(recursion, codes[first])
    return _variances(recursion, cast_program(tree, k.dtype).inner, k)


@partial(jax.jit, static_argnames="recursion")
def _variances(recursion: Recursion, levels: tuple[_Level, ...], k: Array) -> list[Array]:
    r = recursion
    embedded, row, node = over_rows(lambda k, _: r.start_row(k))(k, None)
    found = [node.variance] if r.setting.embedding != "stem" else [embedded.prepared, node.variance]
    row = jax.tree.map(lambda a: a[None], row)
    for t, level in enumerate(levels, start=1):
        row = _of_parents(row, level)
        row, node = jax.vmap(over_rows(lambda row, into, t=t: r.step_row(row, t, r.plain(into))))(row, level.into)
        found.append(node.variance)
    return found


class _Grown(NamedTuple):
    """All that the last node needs.

    Attributes:
        planes: by name, the pair state whose end is that kernel: D_0 and V_0 [N, N], V_t of the prefixes of level t
            [P, N, N]; with E and W added, of the NTK.
        mean, diagonal: S_H, and by name each kernel of a row with itself; [P, C, N].
    """

    planes: dict[str, PairState]
    mean: Array
    diagonal: dict[str, Array]


@partial(jax.jit, static_argnames=("recursion", "names"))
def _grow(recursion: Recursion, tree: _Tree, x: Array, names: tuple[str, ...]) -> _Grown:
    r = recursion
    embedded, row, node = over_rows(lambda k, _: r.start_row(k))(squared_norms(x), None)
    start = over_pairs(lambda k, x, y, _: r.start_pair(x[0], y[0], x[1], y[1], k)[0])
    pair: PairState = start(symmetric_products(x), (embedded, node), (embedded, node), None)
    row = jax.tree.map(lambda a: a[None], row)

    for t, level in enumerate(tree.inner, start=1):
        row = _of_parents(row, level)
        step_row = over_rows(lambda row, into, t=t: r.step_row(row, t, r.plain(into)))
        row, node = jax.vmap(step_row)(row, level.into)
        # What is in memory before the next level reads it is computed once, and not once for each prefix that it has.
        pair, node = lax.optimization_barrier((pair, node))
        step_pair = over_pairs(lambda pair, x, y, into, t=t: _sent(r.step_pair(pair, t, Into(into, into), x, y)[0]))
        step = jax.vmap(step_pair, in_axes=(_prefixes(pair), 0, 0, 0))
        pair = _appended(pair, step(_of_prefixes(pair, level), node, node, level.received))

    planes = {name: pair if name == "nngp" else pair.ntk() for name in names}
    end_row = over_rows(lambda row, into: r.end_row(row, r.plain(into)))
    end = jax.vmap(jax.vmap(end_row, in_axes=(None, 0)))(row, tree.last.into)
    return _Grown(planes, end.mean, {"nngp": end.variance, "ntk": end.variance + end.tangent})


@partial(jax.jit, static_argnames=("recursion", "names"))
def _finish(
    recursion: Recursion, grown: _Grown, last: _Level, flat: np.ndarray | None, names: tuple[str, ...]
) -> tuple[Array, ...]:
    """The kernels of all children, one pass each. A program of its own: XLA would fuse a prefix's last dual maps into
    that pass, and so evaluate them once per child.
    """
    diagonal = jnp.eye(grown.mean.shape[-1], dtype=bool)
    end = over_pairs(lambda pair, x, y, into: recursion.end_pair(pair, Into(into, into), _with(x), _with(y))[0])

    def kernel(planes: PairState, mean: Array, on_diagonal: Array, into: Mixing) -> Array:
        return jnp.where(diagonal, on_diagonal, end(planes, mean, mean, into))

    outputs = []
    for name in names:
        planes = grown.planes[name]
        kernels = jax.vmap(jax.vmap(kernel, in_axes=(None, 0, 0, 0)), in_axes=(_prefixes(planes), 0, 0, 0))
        outputs.append(kernels(_of_prefixes(planes, last), grown.mean, grown.diagonal[name], last.received))
    joined = tuple(o.reshape(-1, *o.shape[2:]) for o in outputs)
    return joined if flat is None else tuple(o[flat] for o in joined)


def _of_parents(row: RowState, level: _Level) -> RowState:
    """The rows of each prefix's parent."""
    parent = level.above[-1] if level.above else np.zeros(len(level.into.linear), np.int32)
    return jax.tree.map(lambda a: a[parent], row)


def _of_prefixes(pair: PairState, level: _Level) -> PairState:
    """The planes that belong to the prefixes of a level."""
    return _of_flows(
        pair,
        lambda flow: Flow(
            flow.fresh,
            (flow.through[0], *(planes[at] for planes, at in zip(flow.through[1:], level.above, strict=True))),
        ),
    )


def _prefixes(pair: PairState) -> PairState:
    """The axes of planes that count prefixes: none of node 0."""
    return _of_flows(pair, lambda flow: flow._replace(fresh=(None,), through=(None, *(0 for _ in flow.through[1:]))))


def _sent(pair: PairState) -> PairState:
    """The share that the last node sends, alone."""
    return _of_flows(pair, lambda flow: Flow((), flow.through[-1:]))


def _appended(pair: PairState, sent: PairState) -> PairState:
    return _of_flows(pair, lambda flow, last: Flow(flow.fresh, (*flow.through, *last.through)), sent)


def _of_flows(pair: PairState, of: Callable[..., Flow], *others: PairState) -> PairState:
    return jax.tree.map(of, pair, *others, is_leaf=lambda part: isinstance(part, Flow))


def _with(mean: Array) -> Node:
    """Node H of an input of which only the mean matters."""
    return Node((), mean, (), mean, mean)


def _plan(recursion: Recursion, codes: np.ndarray) -> tuple[_Tree, np.ndarray | None]:
    """The tree of sorted codes, and where each code's result lies among prefixes x children (None: in order)."""
    num_nodes = num_nodes_of(codes.shape[1])
    into = mixing(codes)
    sums = received(into, recursion.correlated)
    levels: list[_Level] = []
    position: list[np.ndarray] = []  # of each code the place of its first nodes among the prefixes of levels 1, 2, ...
    for t in range(1, num_nodes - 1):
        prefixes, first, place = np.unique(codes[:, : num_edges(t + 1)], axis=0, return_index=True, return_inverse=True)
        first = np.resize(first, _rounded(len(prefixes)))
        levels.append(_level(first, position, _taken(into[t - 1], first), _taken(sums[t - 1], first)))
        position.append(place.reshape(-1))
    above = position[-1] if position else np.zeros(len(codes), np.int64)
    size = len(levels[-1].into.linear) if levels else 1
    counts = np.bincount(above, minlength=size)
    child = np.arange(len(codes)) - (np.cumsum(counts) - counts)[above]
    width = _rounded(int(counts.max()))
    flat = above * width + child
    in_order = len(flat) == size * width and bool((flat == np.arange(len(flat))).all())
    some = np.resize(np.unique(above, return_index=True)[1], size)
    last = _level(
        some, position, *(_spread(weights, (above, child), (size, width)) for weights in (into[-1], sums[-1]))
    )
    return _Tree(tuple(levels), last), None if in_order else flat


def _level(some: np.ndarray, position: list[np.ndarray], into: Mixing, sums: Mixing) -> _Level:
    """A level, from one of the codes of each prefix."""
    return _Level(tuple(place[some].astype(np.int32) for place in position), into, sums)


def _taken(weights: Mixing, index: np.ndarray) -> Mixing:
    return Mixing(*(values[index] for values in weights))


def _spread(weights: Mixing, at: tuple[np.ndarray, np.ndarray], shape: tuple[int, int]) -> Mixing:
    """The weights of codes by prefix and child, zero where a prefix has fewer children."""
    spread = Mixing(*(np.zeros((*shape, values.shape[1])) for values in weights))
    for target, values in zip(spread, weights, strict=True):
        target[at] = values
    return spread


def _rounded(size: int) -> int:
    """Sizes come as powers of two or three, so that chunks of all kinds share a few compilations."""
    twos, threes = (base ** int(np.ceil(np.log(size) / np.log(base) - 1e-9)) for base in (2, 3))
    return min(twos, threes)
