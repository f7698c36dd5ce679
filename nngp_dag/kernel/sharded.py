"""Gram matrices that no device holds whole: each of P devices computes and keeps a block of rows.

Of a symmetric matrix device k computes the blocks (k, k), (k, k + 1), ..., (k, k + P/2), columns counted modulo P, and
sends their transposes to the devices whose rows these are: every block off the diagonal is computed once, but those at
distance P/2 of an even P, which both sides compute and one of them keeps. So the matrix is symmetric to the last bit.
"""

from __future__ import annotations

from functools import lru_cache, partial

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.sharding import Mesh, PartitionSpec

from nngp_dag.errors import InputError
from nngp_dag.kernel.gram import gram
from nngp_dag.kernel.method import AnyMethod
from nngp_dag.support.sharding import AXIS, on_all_devices, shard_map

__all__ = ["sharded_gram"]

_Program = object


def sharded_gram(
    method: AnyMethod, program: _Program, x1: Array, x2: Array | None, tile: int, mesh: Mesh
) -> tuple[Array, ...]:
    """`gram` with rows dealt out over the devices of a mesh: arrays [N, M], device k holds rows k N/P to (k + 1) N/P.

    Args:
        method: of one pair of inputs.
        program: of a network, in the dtype of the rows.
        x1: rows [N, d]. They, and x2, lie on every device.
        x2: rows [M, d], or None: x1.
        tile: as in `gram`.
        mesh: P devices along one axis, of one process or of several.

    Raises:
        InputError: N is no multiple of P.
    """
    if len(x1) % mesh.size:
        fewer, more = len(x1) // mesh.size * mesh.size, -(-len(x1) // mesh.size) * mesh.size
        raise InputError(
            f"{len(x1):,} rows do not make {mesh.size} equal blocks: give {fewer:,} or {more:,} rows, or a number of"
            " devices that divides them"
        )
    given = on_all_devices((program, x1, x2), mesh)
    found: tuple[Array, ...] = _program_of(method, tile, mesh, x2 is None)(*given)
    return found


@lru_cache(maxsize=32)
def _program_of(method: AnyMethod, tile: int, mesh: Mesh, is_symmetric: bool):  # type: ignore[no-untyped-def]
    share = partial(_symmetric_rows if is_symmetric else _rows, method, tile, mesh.size)
    everywhere, by_rows = PartitionSpec(), PartitionSpec(AXIS, None)
    return jax.jit(shard_map(share, mesh, (everywhere,) * 3, by_rows))


def _rows(method: AnyMethod, tile: int, num: int, program: _Program, x1: Array, x2: Array) -> tuple[Array, ...]:
    return gram(method, program, _block(x1, lax.axis_index(AXIS), num), x2, tile=tile)


def _symmetric_rows(method: AnyMethod, tile: int, num: int, program: _Program, x: Array, _: None) -> tuple[Array, ...]:
    me, size = lax.axis_index(AXIS), len(x) // num
    mine = _block(x, me, num)
    diagonal = gram(method, program, mine, None, tile=tile)
    own = tuple(_put(jnp.zeros((size, len(x)), x.dtype), block, me) for block in diagonal)
    sent = tuple(jnp.zeros((num, size, size), x.dtype) for _ in diagonal)

    def step(j: Array, held: tuple[tuple[Array, ...], tuple[Array, ...]]) -> tuple[tuple[Array, ...], ...]:
        own, sent = held
        other = (me + j) % num
        blocks = gram(method, program, mine, _block(x, other, num), tile=tile)
        kept = (2 * j < num) | (me < other)
        return (
            tuple(_put(o, jnp.where(kept, block, 0), other) for o, block in zip(own, blocks, strict=True)),
            tuple(s.at[other].set(jnp.where(kept, block.T, 0)) for s, block in zip(sent, blocks, strict=True)),
        )

    own, sent = lax.fori_loop(1, num // 2 + 1, step, (own, sent))
    # What another device has computed is zero here: adding puts it in its place.
    return tuple(o + _side_by_side(lax.all_to_all(s, AXIS, 0, 0)) for o, s in zip(own, sent, strict=True))


def _block(x: Array, index: Array, num: int) -> Array:
    size = len(x) // num
    return lax.dynamic_slice_in_dim(x, index * size, size)


def _put(out: Array, block: Array, index: Array) -> Array:
    return lax.dynamic_update_slice_in_dim(out, block, index * block.shape[1], 1)


def _side_by_side(blocks: Array) -> Array:
    """Blocks [P, n, m] as [n, P m]."""
    return blocks.swapaxes(0, 1).reshape(blocks.shape[1], -1)
