"""Kernels of a batch of wirings over one DAG, on the same rows: one program, mapped over the numbers of the batch.

What does not depend on a number that differs between wirings is computed once for all of them. Tiles below the diagonal
are mirror images.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from operator import itemgetter
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike

from nngp_dag.errors import InputError
from nngp_dag.kernel.gram import gram_kernels, tile_starts
from nngp_dag.kernel.inputs import checked_names, checked_rows, input_precision
from nngp_dag.kernel.method import AnyMethod, cast_program, pair_method
from nngp_dag.kernel.network import network_of
from nngp_dag.kernel.products import inner_products, squared_norms
from nngp_dag.kernel.reach import prepared_for
from nngp_dag.kernel.recursion import MAX_UNROLLED
from nngp_dag.kernel.result import Kernel
from nngp_dag.reading import Setting
from nngp_dag.support.known import all_known
from nngp_dag.support.memory import require_memory
from nngp_dag.wiring import Wiring

__all__ = ["sweep_wirings"]

_CHUNK_BYTES = 64 * 2**20

_TILE = 32
"""Rows of a tile: long enough for vector instructions, and short enough that little is computed twice."""


def sweep_wirings(
    batch: Wiring, x: ArrayLike, get: tuple[str, ...] = ("nngp", "ntk"), setting: Setting | None = None
) -> Kernel:
    """NNGP and NTK of many wirings of one DAG on the same rows.

    Args:
        batch: a wiring with a leading axis [A] on some of its arrays (`Wiring.stack`, or arrays given to `make`).
        x: rows [N, d]; the dtype of the result follows.
        get: which kernels to compute.
        setting: any method but neural-tangents, and a reading; by default exact, and the default reading.

    Returns:
        `Kernel` of arrays [A, N, N], symmetric to the last bit; a kernel that was not asked for is an empty array [0,
        N, N]. Both are differentiable in the numbers of the batch.

    Raises:
        InputError: as `kernel_fn`, or a batch without its axis.
    """
    names = checked_names(get)
    setting = setting or Setting()
    network = network_of(batch, setting.reading)
    if len(batch.batch_shape) != 1:
        raise InputError(f"a batch of wirings has one leading axis on its arrays, got shape {batch.batch_shape}")
    size = batch.batch_shape[0]
    with input_precision(x):
        rows = checked_rows("x", x)
        require_memory(len(names) * size * len(rows) ** 2 * rows.dtype.itemsize, f"the kernels of {size:,} wirings")
        if not isinstance(network, Wiring):  # all of them plain
            network = Wiring.make(network, activation=setting.activation)
        method = pair_method(setting, "ntk" in names).adapted(network)
        method, network = _prepared(method, network, rows)
        if network.dag.num_nodes > MAX_UNROLLED:
            parts = [gram_kernels(method, network.reduced(itemgetter(i)), rows, None, names) for i in range(size)]
            found = {name: jnp.stack([part[name] for part in parts]) for name in names}
        else:
            found = dict(zip(names, _chunks(method, network, rows, names, size), strict=True))
        empty = jnp.zeros((0, len(rows), len(rows)), rows.dtype)
    return Kernel(*(found.get(name, empty) for name in Kernel._fields))


def _prepared(method: AnyMethod, network: Wiring, rows: Array) -> tuple[AnyMethod, Wiring]:
    """The rules of activations for a wiring that has of each number the largest of the batch."""
    if not all_known(network):
        return method, network
    largest = network.reduced(lambda values: np.abs(np.asarray(values)).max(axis=0))
    served, single = prepared_for(method, largest, lambda: [squared_norms(rows)])
    return served, replace(network, activations=single.activations)


def _chunks(method: AnyMethod, network: Wiring, rows: Array, names: tuple[str, ...], size: int) -> tuple[Array, ...]:
    """The kernels `names`, [A, N, N] each, chunk by chunk; all chunks have one size."""
    program = cast_program(method.program(network), rows.dtype)
    found, structure = jax.tree_util.tree_flatten_with_path(program)
    leaves = [leaf for _, leaf in found]
    batched = tuple(np.ndim(leaf) > _base(path) for path, leaf in found)
    per_wiring = len(rows) ** 2 // 2 * rows.dtype.itemsize * method.numbers_per_pair(network, program)
    num = -(-size // max(1, _CHUNK_BYTES // per_wiring))
    length = -(-size // num)
    parts = []
    for start in range(0, size, length):
        index = np.minimum(np.arange(start, start + length), size - 1)
        chunk = [leaf[index] if has else leaf for leaf, has in zip(leaves, batched, strict=True)]
        parts.append(_squares(_tiles(method, structure, batched, chunk, rows, length), names))
    return tuple(jnp.concatenate(kernels)[:size] for kernels in zip(*parts, strict=True))


@partial(jax.jit, static_argnames=("method", "structure", "batched", "size"))
def _tiles(
    method: AnyMethod, structure: Any, batched: tuple[bool, ...], leaves: list[Array], x: Array, size: int
) -> tuple[Array, ...]:
    """K_HH and Theta_HH of the tiles on and above the diagonal, [A, T, S, S], and of each row with itself, [A, N]."""
    first, second = _rows_of_tiles(len(x))
    products = inner_products(x, x)[first[:, :, None], second[:, None, :]]

    def one(leaves: list[Array]) -> tuple[Array, ...]:
        program = jax.tree.unflatten(structure, leaves)
        rows = method.rows(program, squared_norms(x))
        of_x, of_y = (jax.tree.map(lambda a, at=at: jnp.take(a, at, axis=-1), rows) for at in (first, second))
        tiles = jax.vmap(lambda x, y, k: method.pairs(program, x, y, k), in_axes=(-2, -2, 0))
        return (*tiles(of_x, of_y, products), *method.diagonal(program, rows))

    axes = [0 if has else None for has in batched]
    found: tuple[Array, ...] = jax.vmap(one, in_axes=(axes,), axis_size=size)(leaves)
    return found


@partial(jax.jit, static_argnames="names")
def _squares(found: tuple[Array, ...], names: tuple[str, ...]) -> tuple[Array, ...]:
    """Kernels [A, N, N] out of their tiles; a program of its own, lest a pair is computed again where it is read."""
    nngp, tangent, variance, slope = found
    n = variance.shape[1]
    first, second = (np.broadcast_to(rows, nngp.shape[1:]) for rows in _grids(*_rows_of_tiles(n)))
    where = np.zeros((n, n), np.int32)
    where[np.minimum(first, second), np.maximum(first, second)] = np.arange(first.size).reshape(first.shape)
    where = np.triu(where) + np.triu(where, 1).T
    on_diagonal = jnp.eye(n, dtype=bool)
    of = {"nngp": (nngp, variance), "ntk": (nngp + tangent, variance + slope)}

    def square(tiles: Array, diagonal: Array) -> Array:
        return jnp.where(on_diagonal, diagonal[:, :, None], tiles.reshape(len(tiles), -1)[:, where])

    return tuple(square(*of[name]) for name in names)


def _rows_of_tiles(n: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows and the columns of each tile, [T, S] each."""
    size = min(_TILE, n)
    starts = tile_starts(n, size)
    i, j = np.triu_indices(len(starts))
    return starts[i][:, None] + np.arange(size), starts[j][:, None] + np.arange(size)


def _grids(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return first[:, :, None], second[:, None, :]


def _base(path: tuple[Any, ...]) -> int:
    """Axes of a number of one wiring's program: weights have one, single numbers none."""
    return int(any(getattr(key, "name", "") in ("skip_paths", "linear", "weights") for key in path))
