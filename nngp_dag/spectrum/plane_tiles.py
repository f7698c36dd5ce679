"""Kernels that are sums of shared planes, looked at tile by tile of their upper triangle: no kernel is ever in memory.

A tile holds the pairs of one block of rows with another; rows beyond the last fill up the last block, and weigh
nothing. Groups of tiles are dealt out to all cores. Planes have the dtype of the data, all sums are in float64.
"""

from __future__ import annotations

from functools import partial, reduce
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nngp_dag.kernel.inputs import input_precision
from nngp_dag.kernel.method import AnyMethod, cast_program
from nngp_dag.kernel.plane_sums import PlaneRows, PlaneSums, Shared
from nngp_dag.kernel.products import inner_products, squared_norms
from nngp_dag.spectrum.plane_moments import Vectors, mean_basis
from nngp_dag.spectrum.plane_pairs import LeastPairs, Weights, least_pairs_of_tile
from nngp_dag.spectrum.plane_products import Products, mean_of_tile, moments_of, products_of_tile
from nngp_dag.support.blas import one_blas_thread
from nngp_dag.support.cores import on_all_cores
from nngp_dag.support.x64 import enable_x64

__all__ = ["KernelsOfPlanes", "kernels_of_planes"]

_TILE_NUMBERS = 1 << 16
"""Of all planes of a tile: few enough for a core's cache, where tiles can be so small."""

_SMALLEST, _LARGEST = 32, 128
"""Rows of a block."""

_GROUPS = 8
"""Of tiles: sums do not depend on the number of cores."""

_Corner = tuple[int, int]


class KernelsOfPlanes(NamedTuple):
    """Moments and least pairs of the C distinct kernels of a `PlaneSums`.

    Attributes:
        moments: as `PlaneMoments.of_kernels` gives them, [C] each.
        pair_bound, pair: as `pair_bounds`, float64 [C] and int64 [C, 2]; None where they were not asked for.
    """

    moments: dict[str, np.ndarray]
    pair_bound: np.ndarray | None
    pair: np.ndarray | None


def kernels_of_planes(
    method: AnyMethod, sums: PlaneSums, x: Array, targets: np.ndarray, names: tuple[str, ...], pairs: bool
) -> dict[str, KernelsOfPlanes]:
    """PlaneMoments, and least pairs if wanted, of the kernels `names` ("nngp", "ntk") on rows x [N, d].

    Args:
        method: with `plane_sums`, and its activation as it serves these rows.
        sums: the kernels.
        x: rows, float64 or float32.
        targets: T [C, N], whose outer product is the target kernel; C = 0 without labels.
        names: which kernels.
        pairs: look for the pair bound too.
    """
    with one_blas_thread(), _quiet():
        return _looked_at(method, sums, x, targets, names, pairs)


def _quiet() -> np.errstate:
    """No warnings: what overflows is not finite, and shows."""
    return np.errstate(over="ignore", invalid="ignore")


def _looked_at(
    method: AnyMethod, sums: PlaneSums, x: Array, targets: np.ndarray, names: tuple[str, ...], pairs: bool
) -> dict[str, KernelsOfPlanes]:
    with input_precision(x):
        program = cast_program(sums.program, x.dtype)
        rows = _rows(method, program, x)
    variance, tangent, mean = (np.asarray(a, np.float64) for a in rows[1:])
    basis, coordinates = mean_basis(mean)
    vectors = Vectors.of(basis, targets)
    diagonals = {"nngp": variance, "ntk": variance + tangent}
    size, corners = _corners(len(x), len(variance))

    def planes(corner: _Corner) -> dict[str, Array]:
        with input_precision(x):
            return _tile(method, names, size, program, rows.state, x, np.array(corner, np.int32))

    shifts = dict.fromkeys(names, np.zeros(len(variance)))
    if vectors.has_targets:
        first = planes((0, corners[-1][1]))
        with enable_x64(True):
            shifts = {name: mean_of_tile(first[name], (0, corners[-1][1]), len(x)) for name in names}
    with enable_x64(True):
        weights = jax.tree.map(jnp.asarray, Weights.of(sums)) if pairs else None
        held, vectors_held, mean_held, shifts_held = jax.tree.map(jnp.asarray, (diagonals, vectors, mean, shifts))

    def group(some: list[_Corner]) -> dict[str, _Found]:
        with _quiet():  # a setting of each thread
            return reduce(_joined, map(looked_at, some))

    def looked_at(corner: _Corner) -> dict[str, _Found]:
        tile = planes(corner)
        with enable_x64(True):
            return {
                name: _Found(
                    products_of_tile(tile[name], corner, vectors_held, shifts_held[name]),
                    None
                    if weights is None
                    else least_pairs_of_tile(tile[name], corner, weights, held[name], mean_held),
                )
                for name in names
            }

    groups = [corners[g::_GROUPS] for g in range(min(_GROUPS, len(corners)))]
    found = reduce(_joined, on_all_cores(group, groups))
    result = {}
    for name in names:
        moments = moments_of(found[name].products, diagonals[name], vectors, shifts[name])
        least = found[name].least
        bound, pair = (None, None) if least is None else least.bounds(len(sums.planes))
        result[name] = KernelsOfPlanes(moments.of_kernels(sums, coordinates, vectors), bound, pair)
    return result


class _Found(NamedTuple):
    """Of some tiles: products of the planes, and least pairs of the kernels."""

    products: Products
    least: LeastPairs | None


def _joined(first: dict[str, _Found], second: dict[str, _Found]) -> dict[str, _Found]:
    joined = {}
    for name, (products, least) in first.items():
        more = second[name]
        lower = least if least is None or more.least is None else least.or_lower(more.least)
        joined[name] = _Found(products.plus(more.products), lower)
    return joined


def _corners(num_rows: int, num_planes: int) -> tuple[int, list[_Corner]]:
    """Rows of a block, and the first rows (i, j) of each tile of the upper triangle."""
    wanted = int(np.clip(np.sqrt(_TILE_NUMBERS / num_planes), _SMALLEST, _LARGEST))
    size = -(-num_rows // -(-num_rows // wanted))
    starts = range(0, num_rows, size)
    return size, [(i, j) for i in starts for j in starts if i <= j]


@partial(jax.jit, static_argnames="method")
def _rows(method: AnyMethod, program: Shared, x: Array) -> PlaneRows:
    return method.plane_rows(program, squared_norms(x))


@partial(jax.jit, static_argnames=("method", "names", "size"))
def _tile(
    method: AnyMethod, names: tuple[str, ...], size: int, program: Shared, state: Shared, x: Array, corner: Array
) -> dict[str, Array]:
    """The planes of the kernels `names` at the pairs of a tile, [S, J, I] each."""
    i, j = (start + jnp.arange(size) for start in corner)
    x_i, x_j = (jnp.take(x, at, axis=0, mode="clip") for at in (i, j))
    state_i, state_j = (jax.tree.map(partial(jnp.take, indices=at, axis=-1, mode="clip"), state) for at in (i, j))
    covariance, tangent = method.planes(program, state_j, state_i, inner_products(x_j, x_i))
    planes = {"nngp": covariance, "ntk": covariance + tangent}
    return {name: planes[name] for name in names}
