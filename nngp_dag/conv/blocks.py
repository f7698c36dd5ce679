"""Kernels of images of which each pixel with itself is enough: blocks of images against blocks, by all cores.

The whole network is one program, and a loop in it goes over blocks of columns whose arrays stay in the cache of a core:
a kernel of a few images has no more than some numbers a pixel, so that calls one by one would cost more than they do.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from nngp_dag.conv.layout import BLOCKS
from nngp_dag.conv.program import ConvProgram, Nodes, kernels_of_pairs
from nngp_dag.kernel.inputs import input_precision
from nngp_dag.support.cores import on_all_cores

__all__ = ["fill_by_blocks"]

_BLOCK_BYTES = 2**18
"""Of one array of a block: the few that a node needs fit into the cache of a core."""

_PANEL = 256
"""Columns of one call at most: a call lasts some milliseconds, and its program does not depend on their number."""


_IMAGES = 2
"""The axis of images in arrays of nodes, [h, w, images] and whatever an activation prepares behind them."""


class _Part(NamedTuple):
    """Some images, with their nodes."""

    images: Array
    nodes: Nodes


def fill_by_blocks(
    program: ConvProgram, x: tuple[Array, Nodes], y: tuple[Array, Nodes] | None, kernels: list[np.ndarray]
) -> None:
    """Fill NNGP, and NTK if asked for, [N, M]; of a symmetric matrix (y is None) all but the diagonal.

    Args:
        program: the network, for each pixel with itself.
        x: images [N, h, w, C] and their nodes.
        y: images [M, h, w, C] and their nodes; None: x.
        kernels: [N, M] each.
    """
    rows, columns = kernels[0].shape
    panel = min(_PANEL, max(16, 1 << (columns - 1).bit_length()))
    height, width = _block(x[0].shape[1] * x[0].shape[2] * x[0].dtype.itemsize, panel)
    padded = _padded(_Part(*x), height)
    others = _padded(_Part(*(x if y is None else y)), panel)
    panels = [_part(panel, others, start) for start in range(0, columns, panel)]

    def strip(first: int) -> None:
        last, least = min(first + height, rows), first if y is None else 0  # columns that are wanted
        with input_precision(x[0]):  # a setting of each thread
            part = _part(height, padded, first)
            for number in range(least // panel, len(panels)):
                begin = number * panel
                skipped = max(0, least - begin)
                found = _strip(program, width, part, panels[number], skipped // width)
                place = slice(begin + skipped, min(begin + panel, columns))
                for kernel, values in zip(kernels, found, strict=True):
                    block = np.asarray(values)[: last - first, skipped : place.stop - begin]
                    _put(kernel, block, first, place, symmetric=y is None)

    on_all_cores(strip, range(0, rows, height))


def _put(kernel: np.ndarray, block: np.ndarray, first: int, columns: slice, symmetric: bool) -> None:
    """A block in its place, and of a symmetric kernel its mirror image beside; the diagonal stays."""
    rows = slice(first, first + len(block))
    if symmetric:
        cut = min(max(rows.stop - columns.start, 0), block.shape[1])  # columns that cross the diagonal
        for i, j in zip(*np.triu_indices(len(block), 1, cut), strict=True):
            kernel[first + i, columns.start + j] = kernel[columns.start + j, first + i] = block[i, j]
        block, columns = block[:, cut:], slice(columns.start + cut, columns.stop)
        kernel[columns, rows] = block.T
    kernel[rows, columns] = block


def _block(bytes_per_pair: int, panel: int) -> tuple[int, int]:
    """Rows and columns of a block; on a device all columns of a call."""
    if jax.default_backend() != "cpu":
        return 64, panel
    pairs = max(16, _BLOCK_BYTES // bytes_per_pair)
    return min(8, max(1, pairs // 16)), 16


@partial(jax.jit, static_argnums=1)
def _padded(part: _Part, step: int) -> _Part:
    """The images and their nodes, the last one repeated up to a multiple of a number."""
    more = -len(part.images) % step

    def filled(values: Array, axis: int) -> Array:
        return jnp.pad(values, [(0, more if i == axis else 0) for i in range(values.ndim)], mode="edge")

    return _Part(filled(part.images, 0), jax.tree.map(lambda values: filled(values, _IMAGES), part.nodes))


@partial(jax.jit, static_argnums=0)
def _part(count: int, part: _Part, start: Array) -> _Part:
    """So many images from one on."""
    nodes = jax.tree.map(lambda values: lax.dynamic_slice_in_dim(values, start, count, _IMAGES), part.nodes)
    return _Part(lax.dynamic_slice_in_dim(part.images, start, count), nodes)


@partial(jax.jit, static_argnums=(0, 1))
def _strip(program: ConvProgram, width: int, x: _Part, y: _Part, first: Array) -> tuple[Array, ...]:
    """Kernels [X, Y] of some images against others, from block number `first` of columns on."""
    program = program._replace(layout=BLOCKS)
    shape = len(x.images), len(y.images)

    def block(number: Array, out: tuple[Array, ...]) -> tuple[Array, ...]:
        begin = number * width
        images = lax.dynamic_slice_in_dim(y.images, begin, width)
        nodes = jax.tree.map(lambda values: lax.dynamic_slice_in_dim(values, begin, width, _IMAGES), y.nodes)
        found = kernels_of_pairs(program, x.nodes, nodes, x.images, images)
        return tuple(lax.dynamic_update_slice(o, part, (0, begin)) for o, part in zip(out, found, strict=True))

    empty = (jnp.zeros(shape, x.images.dtype),) * (1 + program.with_tangent)
    return lax.fori_loop(first, shape[1] // width, block, empty)
