"""From pairs to Gram matrices, in tiles: the one place where any method meets data.

Rows are computed once. A symmetric Gram matrix is filled tile by tile over the upper triangle, each tile written
together with its mirror image, so that it is symmetric to the last bit and memory beyond the result stays bounded.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from nngp_dag.dag import Dag
from nngp_dag.kernel.method import AnyMethod, PairMethod, Program, Rows, cast_program
from nngp_dag.kernel.network import Network
from nngp_dag.kernel.nodes import AtNodes
from nngp_dag.kernel.products import inner_products, squared_norms
from nngp_dag.kernel.reach import prepared_for

__all__ = ["gram", "gram_kernels", "tile_size", "tile_starts"]

_TILE_BYTES = 64 * 2**20
"""Bytes that the recursion holds of the pairs of a tile, on devices that want many pairs at once."""

_CACHED_BYTES = 4 * 2**20
"""The same on a processor, which is several times faster where that stays in its cache."""

_Tree = TypeVar("_Tree")

_Held = tuple[tuple[Array, ...], tuple[Array, ...], Array]
"""The matrices so far, and the tiles last computed with their place."""


def tile_size(bytes_per_pair: int) -> int:
    """Rows of a tile (a power of two), such that what the recursion holds of all its pairs stays within a budget."""
    budget = _CACHED_BYTES if jax.default_backend() == "cpu" else _TILE_BYTES
    return int(min(512, max(8, 2 ** int(np.log2((budget / bytes_per_pair) ** 0.5)))))


def gram_kernels(
    method: AnyMethod,
    network: Network,
    x1: Array,
    x2: Array | None,
    names: tuple[str, ...],
    at_nodes: bool = False,
    compute: Callable[..., tuple[Array, ...]] | None = None,
) -> dict[str, Array]:
    """The kernels asked for ("nngp", "ntk") of a pruned network, [N, M]: rows x1 [N, d] against x2 [M, d] or x1.

    With `at_nodes` those of all T nodes, [T, N, M]; of a DAG without a path there are none. `compute` is `gram` or
    what takes its place.
    """
    if isinstance(network, Dag) and not any(network.ops):
        shape = (x1.shape[0], (x1 if x2 is None else x2).shape[0])
        return dict.fromkeys(names, jnp.zeros((0, *shape) if at_nodes else shape, x1.dtype))
    method = method.adapted(network)
    method, network = prepared_for(method, network, lambda: [squared_norms(x) for x in (x1, x2) if x is not None])
    method = AtNodes.of(method, network) if at_nodes else method
    program = cast_program(method.program(network), x1.dtype)
    tile = tile_size(x1.dtype.itemsize * method.numbers_per_pair(network, program))
    nngp, *tangent = (compute or gram)(method, program, x1, x2, tile=tile)
    return {"nngp": nngp, **({"ntk": nngp + tangent[0]} if tangent else {})}


@partial(jax.jit, static_argnames=("method", "tile"))
def gram(
    method: PairMethod[Program, Rows], program: Program, x1: Array, x2: Array | None, tile: int
) -> tuple[Array, ...]:
    """K_HH, and Theta_HH if the method carries it, as [N, M]: rows x1 [N, d] against x2 [M, d] (None: themselves)."""
    rows1 = method.rows(program, squared_norms(x1))
    if x2 is None:
        return _symmetric(method, program, x1, rows1, tile)
    rows2 = method.rows(program, squared_norms(x2))
    return _rectangular(method, program, x1, rows1, x2, rows2, tile)


def tile_starts(n: int, tile: int) -> np.ndarray:
    """First rows of tiles that cover n rows; the last one overlaps its neighbour instead of running over the end."""
    return np.minimum(np.arange(0, max(n, 1), tile), max(n - tile, 0))


def _wanted(method: PairMethod[Program, Rows], kernels: tuple[Array, Array]) -> tuple[Array, ...]:
    return kernels if method.with_tangent else kernels[:1]


def _slice(rows: _Tree, start: Array, size: int) -> _Tree:
    return jax.tree.map(lambda a: lax.dynamic_slice_in_dim(a, start, size, axis=-1), rows)


def _at(method: PairMethod[Program, Rows], row: Array, column: Array) -> list[Array | int]:
    """The place of a tile."""
    return [*(0 for _ in method.leading), row, column]


def _rectangular(
    method: PairMethod[Program, Rows], program: Program, x1: Array, rows1: Rows, x2: Array, rows2: Rows, tile: int
) -> tuple[Array, ...]:
    size1, size2 = min(tile, x1.shape[0]), min(tile, x2.shape[0])
    starts = np.stack(np.meshgrid(tile_starts(x1.shape[0], size1), tile_starts(x2.shape[0], size2), indexing="ij"), -1)

    @jax.checkpoint
    def compute(start: Array) -> tuple[Array, ...]:
        a = lax.dynamic_slice_in_dim(x1, start[0], size1)
        b = lax.dynamic_slice_in_dim(x2, start[1], size2)
        x, y = _slice(rows1, start[0], size1), _slice(rows2, start[1], size2)
        return _wanted(method, method.pairs(program, x, y, inner_products(a, b)))

    def fill(out: tuple[Array, ...], start: Array) -> tuple[tuple[Array, ...], None]:
        at = _at(method, start[0], start[1])
        return tuple(lax.dynamic_update_slice(o, t, at) for o, t in zip(out, compute(start), strict=True)), None

    empty = jnp.zeros((*method.leading, x1.shape[0], x2.shape[0]), x1.dtype)
    return lax.scan(fill, _wanted(method, (empty, empty)), jnp.asarray(starts.reshape(-1, 2)))[0]


def _symmetric(
    method: PairMethod[Program, Rows], program: Program, x: Array, rows: Rows, tile: int
) -> tuple[Array, ...]:
    n = x.shape[0]
    size = min(tile, n)
    starts = tile_starts(n, size)
    i, j = np.triu_indices(len(starts))
    # The last tile overlaps others; in this order the tile on the diagonal comes last and settles what they share.
    order = np.lexsort((i, j))
    blocks = np.stack([starts[i[order]], starts[j[order]]], -1)

    @jax.checkpoint
    def compute(start: Array) -> tuple[Array, ...]:
        a, b = (lax.dynamic_slice_in_dim(x, s, size) for s in (start[0], start[1]))
        k = inner_products(a, b)
        return _wanted(method, method.pairs(program, _slice(rows, start[0], size), _slice(rows, start[1], size), k))

    upper = jnp.triu(jnp.ones((size, size), bool))

    def write(out: Array, block: Array, start: Array) -> Array:
        block = jnp.where((start[0] == start[1]) & ~upper, block.mT, block)
        out = lax.dynamic_update_slice(out, block, _at(method, start[0], start[1]))
        return lax.dynamic_update_slice(out, block.mT, _at(method, start[1], start[0]))

    def fill(held: _Held, start: Array) -> tuple[_Held, None]:
        out, tiles, at = held
        return (tuple(write(o, t, at) for o, t in zip(out, tiles, strict=True)), compute(start), start), None

    # A tile is written one step after it was computed: held in memory in between, its dual maps are evaluated once,
    # and not again, in the order of the transpose, for each place where it goes.
    empty, none = (jnp.zeros((*method.leading, m, m), x.dtype) for m in (n, size))
    first = _wanted(method, (empty, empty)), _wanted(method, (none, none)), jnp.asarray(blocks[0])
    (out, tiles, at), _ = lax.scan(fill, first, jnp.asarray(blocks))
    filled = tuple(write(o, t, at) for o, t in zip(out, tiles, strict=True))
    index = jnp.arange(n)
    diagonal = _wanted(method, method.diagonal(program, rows))
    return tuple(m.at[..., index, index].set(d) for m, d in zip(filled, diagonal, strict=True))
