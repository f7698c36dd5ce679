"""Products of a kernel with vectors, tile by tile: of a symmetric kernel each tile of the upper triangle once.

With tiles K_ij, the product is sum_{i <= j} of K_ij v_j into rows i and, for i < j, of K_ij' v_i into rows j; of a tile
on the diagonal the strictly upper part serves both ways, and the diagonal comes from the rows alone. So no tile is ever
transposed or selected from, which would have XLA evaluate the dual maps once for each use, seven times as slowly.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.sharding import Mesh, PartitionSpec

from nngp_dag.kernel.method import AnyMethod
from nngp_dag.kernel.products import inner_products, squared_norms
from nngp_dag.support.sharding import AXIS, on_all_devices, shard_map

__all__ = ["cross_product", "symmetric_product", "tiles_of_triangle"]

_Tree = TypeVar("_Tree")
_Program = object


def tiles_of_triangle(num_rows: int, tile: int, multiple: int = 1) -> np.ndarray:
    """First rows and columns of the tiles of the upper triangle, integers [T, 3]; the third is 1, and 0 for the tiles
    that fill T up to a multiple (of the number of devices).
    """
    starts = np.arange(0, num_rows, tile)
    i, j = np.triu_indices(len(starts))
    tiles = np.stack([starts[i], starts[j], np.ones_like(i)], axis=-1)
    missing = -len(tiles) % multiple
    # Dealt out like cards, so that every device gets its share of the full tiles.
    filled = np.concatenate([tiles, np.zeros((missing, 3), tiles.dtype)])
    return filled.reshape(-1, multiple, 3).swapaxes(0, 1).reshape(-1, 3).astype(np.int32)


def symmetric_product(
    method: AnyMethod, program: _Program, x: Array, v: Array, tile: int, mesh: Mesh | None = None
) -> Array:
    """K v [N, s] of the kernel of rows x [N, d] (the NTK where the method carries tangents, else the NNGP).

    Args:
        method: of one pair of inputs.
        program: of a DAG, in the dtype of x.
        x: rows [N, d], N a multiple of `tile`.
        v: vectors [N, s].
        tile: rows of a tile.
        mesh: devices, along one axis, that share the tiles; by default one.
    """
    if mesh is None:
        return _of_tiles(method, program, x, v, jnp.asarray(tiles_of_triangle(len(x), tile)), tile)
    tiles = tiles_of_triangle(len(x), tile, mesh.size)
    return _shared(method, tile, mesh)(*on_all_devices((program, x, v), mesh), tiles)


@lru_cache(maxsize=32)
def _shared(method: AnyMethod, tile: int, mesh: Mesh):  # type: ignore[no-untyped-def]
    """The product of tiles that are dealt out to the devices of a mesh; rows and vectors lie on each of them."""

    def share(program: _Program, x: Array, v: Array, tiles: Array) -> Array:
        return lax.psum(_of_tiles(method, program, x, v, tiles, tile, mesh.size), AXIS)

    everywhere = PartitionSpec()
    return jax.jit(
        shard_map(share, mesh, (everywhere, everywhere, everywhere, PartitionSpec(AXIS)), everywhere),
    )


@partial(jax.jit, static_argnames=("method", "tile", "num_shares"))
def _of_tiles(
    method: AnyMethod, program: _Program, x: Array, v: Array, tiles: Array, tile: int, num_shares: int = 1
) -> Array:
    rows = method.rows(program, squared_norms(x))
    above = jnp.triu(jnp.ones((tile, tile), bool), 1)

    def add(out: Array, where: Array) -> tuple[Array, None]:
        i, j, full = where
        k = inner_products(_part(x, i, tile), _part(x, j, tile))
        block = _kernel(method, method.pairs(program, _last(rows, i, tile), _last(rows, j, tile), k))
        block = jnp.where((full > 0) & ((i != j) | above), block, 0)
        out = _added(out, i, block @ _part(v, j, tile))
        return _added(out, j, (_part(v, i, tile).T @ block).T), None

    diagonal = _kernel(method, method.diagonal(program, rows))
    return lax.scan(add, diagonal[:, None] * v / num_shares, tiles)[0]


@partial(jax.jit, static_argnames=("method", "tile"))
def cross_product(method: AnyMethod, program: _Program, x1: Array, x2: Array, v: Array, tile: int) -> Array:
    """K v [N, s] of the kernel of rows x1 [N, d] against x2 [M, d], both multiples of `tile`, with vectors v [M, s]."""
    rows1, rows2 = (method.rows(program, squared_norms(x)) for x in (x1, x2))

    def row(i: Array) -> Array:
        def add(out: Array, j: Array) -> tuple[Array, None]:
            k = inner_products(_part(x1, i, tile), _part(x2, j, tile))
            block = _kernel(method, method.pairs(program, _last(rows1, i, tile), _last(rows2, j, tile), k))
            return out + block @ _part(v, j, tile), None

        return lax.scan(add, jnp.zeros((tile, v.shape[1]), v.dtype), jnp.arange(0, len(x2), tile))[0]

    return lax.map(row, jnp.arange(0, len(x1), tile)).reshape(len(x1), -1)


def _kernel(method: AnyMethod, both: tuple[Array, Array]) -> Array:
    return both[0] + both[1] if method.with_tangent else both[0]


def _part(a: Array, start: Array, size: int) -> Array:
    return lax.dynamic_slice_in_dim(a, start, size)


def _last(rows: _Tree, start: Array, size: int) -> _Tree:
    return jax.tree.map(lambda a: lax.dynamic_slice_in_dim(a, start, size, axis=-1), rows)


def _added(out: Array, start: Array, part: Array) -> Array:
    return lax.dynamic_update_slice_in_dim(out, _part(out, start, len(part)) + part, start, 0)
