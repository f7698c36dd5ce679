"""Kernels of a batch of wirings over one DAG, on the same rows: one program, a group of wirings after the other.

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
from jax import Array, lax
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

_GROUP_BYTES = 2**16
"""Of half a kernel, for the wirings that are computed at once: what the recursion holds of them stays in a cache."""

_TILE = 32
"""Rows of a tile: long enough for vector instructions, and short enough that little is computed twice."""


_Held = tuple[tuple[Array, ...], tuple[Array, ...], Array]
"""The kernels so far, and the tiles last computed with the place of their wirings."""


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
            found = dict(zip(names, _all(method, network, rows, names, size), strict=True))
        empty = jnp.zeros((0, len(rows), len(rows)), rows.dtype)
    return Kernel(*(found.get(name, empty) for name in Kernel._fields))


def _prepared(method: AnyMethod, network: Wiring, rows: Array) -> tuple[AnyMethod, Wiring]:
    """The rules of activations for a wiring that has of each number the largest of the batch."""
    if not all_known(network):
        return method, network
    largest = network.reduced(lambda values: np.abs(np.asarray(values)).max(axis=0))
    served, single = prepared_for(method, largest, lambda: [squared_norms(rows)])
    return served, replace(network, activations=single.activations)


def _all(method: AnyMethod, network: Wiring, rows: Array, names: tuple[str, ...], size: int) -> tuple[Array, ...]:
    """The kernels `names`, [A, N, N] each."""
    program = cast_program(method.program(network), rows.dtype)
    found, structure = jax.tree_util.tree_flatten_with_path(program)
    batched = tuple(np.ndim(leaf) > _base(path) for path, leaf in found)
    per_wiring = max(1, len(rows) ** 2 // 2) * rows.dtype.itemsize
    group = min(size, max(1, _GROUP_BYTES // per_wiring))
    return _kernels(method, structure, batched, [leaf for _, leaf in found], rows, names, size, group)


@partial(jax.jit, static_argnames=("method", "structure", "batched", "names", "size", "group"))
def _kernels(
    method: AnyMethod,
    structure: Any,
    batched: tuple[bool, ...],
    leaves: list[Array],
    x: Array,
    names: tuple[str, ...],
    size: int,
    group: int,
) -> tuple[Array, ...]:
    """A group of wirings after the other; the last one overlaps its neighbour."""
    first, second = _rows_of_tiles(len(x))
    products = inner_products(x, x)[first[:, :, None], second[:, None, :]]

    def one(leaves: list[Array]) -> tuple[Array, ...]:
        """K_HH and Theta_HH of the tiles on and above the diagonal, [T, S, S], and of each row with itself, [N]."""
        program = jax.tree.unflatten(structure, leaves)
        rows = method.rows(program, squared_norms(x))
        of_x, of_y = (jax.tree.map(lambda a, at=at: jnp.take(a, at, axis=-1), rows) for at in (first, second))
        tiles = jax.vmap(lambda x, y, k: method.pairs(program, x, y, k), in_axes=(-2, -2, 0))
        return (*tiles(of_x, of_y, products), *method.diagonal(program, rows))

    axes = [0 if has else None for has in batched]

    @jax.checkpoint
    def compute(start: Array) -> tuple[Array, ...]:
        chosen = [
            lax.dynamic_slice_in_dim(leaf, start, group) if has else leaf
            for leaf, has in zip(map(jnp.asarray, leaves), batched, strict=True)
        ]
        found: tuple[Array, ...] = jax.vmap(one, in_axes=(axes,), axis_size=group)(chosen)
        return found

    def write(out: tuple[Array, ...], tiles: tuple[Array, ...], start: Array) -> tuple[Array, ...]:
        parts = zip(out, _squares(tiles, names), strict=True)
        return tuple(lax.dynamic_update_slice_in_dim(o, part, start, 0) for o, part in parts)

    def fill(held: _Held, start: Array) -> tuple[_Held, None]:
        out, tiles, at = held
        return (write(out, tiles, at), compute(start), start), None

    # Tiles are written one step after they were computed: held in memory in between, their dual maps are evaluated
    # once, and not again wherever a pair goes.
    starts = jnp.asarray(tile_starts(size, group))
    empty = tuple(jnp.zeros((size, len(x), len(x)), x.dtype) for _ in names)
    none = jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), jax.eval_shape(compute, starts[0]))
    (out, tiles, at), _ = lax.scan(fill, (empty, none, starts[0]), starts)
    return write(out, tiles, at)


def _squares(found: tuple[Array, ...], names: tuple[str, ...]) -> tuple[Array, ...]:
    """Kernels [A, N, N] out of their tiles."""
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
