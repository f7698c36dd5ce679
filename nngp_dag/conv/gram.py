"""Kernels of images in chunks of pairs: memory beyond the result is bounded, whatever the number of images.

Images are computed with themselves first; their variances at all nodes are what pairs need. Of a symmetric matrix only
pairs i < j are computed.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nngp_dag.conv.blocks import fill_by_blocks
from nngp_dag.conv.layout import DIAGONAL, PixelLayout
from nngp_dag.conv.program import ConvProgram, Nodes, kernels_of_pairs, start
from nngp_dag.conv.propagate import Arrived, propagate_images
from nngp_dag.errors import InputError
from nngp_dag.kernel.reach import serving_for

__all__ = ["chunk_size", "conv_gram"]

_ARRAY_BYTES = 2**21
"""Of one array of a chunk: larger ones are slower by what the caches do not hold, smaller ones by calls."""

_Images = tuple[Nodes, Arrived]


def conv_gram(program: ConvProgram, x: Array, y: Array | None) -> tuple[np.ndarray, ...]:
    """NNGP, and NTK if asked for, as [N, M]: images x [N, h, w, C] against y [M, h, w, C] (None: themselves)."""
    size = chunk_size(program.layout, x.shape[1] * x.shape[2], x.dtype.itemsize)
    program, (rows, *others) = _served(program, [x] if y is None else [x, y], size)
    if y is None:
        kernels = [np.diag(np.asarray(diagonal)) for diagonal in rows[1][:2] if diagonal is not None]
    else:
        kernels = [np.zeros((len(x), len(y)), x.dtype) for _ in range(1 + program.with_tangent)]
    fill = fill_by_blocks if program.layout == DIAGONAL else partial(_fill_by_chunks, size=size)
    fill(program, (x, rows[0]), None if y is None else (y, others[0][0]), kernels)
    return tuple(kernels)


def _fill_by_chunks(
    program: ConvProgram, x: tuple[Array, Nodes], y: tuple[Array, Nodes] | None, kernels: list[np.ndarray], size: int
) -> None:
    """As `fill_by_blocks`, pair by pair, in steps that are compiled one by one."""
    (images, nodes), (others, columns) = x, x if y is None else y
    i, j = np.triu_indices(len(images), 1) if y is None else map(np.ravel, np.indices((len(images), len(others))))
    for first in range(0, len(i), size):
        a, b = _filled(i[first : first + size], size), _filled(j[first : first + size], size)
        values = kernels_of_pairs(program, _taken(nodes, a), _taken(columns, b), images[a], others[b])
        for kernel, value in zip(kernels, values, strict=True):
            kernel[a, b] = np.asarray(value)
            if y is None:
                kernel[b, a] = kernel[a, b]


def _served(program: ConvProgram, images: list[Array], size: int) -> tuple[ConvProgram, list[_Images]]:
    """The program with the rule of its activation for the variances that images reach, and the images through it."""
    for x in images:
        _refuse_tiny(x)
    while True:
        found = [_images(program, x, size) for x in images]
        variances = [
            node.variance for nodes, _ in found for plan in nodes for node in plan if node.variance is not None
        ]
        _refuse_small(variances)
        activation = serving_for(program.activation, variances)
        if activation == program.activation:
            return program, [
                ([[n._replace(variance=None) for n in plan] for plan in nodes], end) for nodes, end in found
            ]
        program = program._replace(activation=activation)


def _refuse_tiny(x: Array) -> None:
    """Refuse (InputError) images whose variances would be such that products underflow, or would be zero."""
    peaks = np.asarray(jnp.abs(x).max((1, 2, 3)))
    if ((peaks > 0) & (peaks < np.finfo(x.dtype).tiny ** 0.25)).any():
        raise InputError(f"the squares of all pixels of an image underflow {x.dtype}: scale the images up")


def _refuse_small(variances: list[Array]) -> None:
    """Refuse (InputError) variances whose products underflow, which dual maps form, or that layer norm divides by."""
    for variance in variances:
        values = np.asarray(variance)
        positive = values[values > 0]
        if positive.size and float(positive.min()) < float(np.finfo(values.dtype).tiny) ** 0.5:
            raise InputError(
                f"variances of pixels go down to {float(positive.min()):.1g}, whose products underflow {values.dtype}:"
                " scale the images up"
            )


def chunk_size(layout: PixelLayout, pixels: int, itemsize: int) -> int:
    """Pairs of images of so many pixels that are computed together, a multiple of 4."""
    held = itemsize * layout.size(pixels)
    return 4 * max(1, _ARRAY_BYTES // held // 4)


def _filled(index: np.ndarray, size: int) -> np.ndarray:
    """An index of the full size, its first entry repeated at the end."""
    return np.concatenate([index, np.full(size - len(index), index[0])])


@jax.jit
def _taken(nodes: Nodes, index: np.ndarray) -> Nodes:
    taken: Nodes = jax.tree.map(lambda a: a[:, :, index], nodes)
    return taken


def _images(program: ConvProgram, x: Array, size: int) -> _Images:
    """Images with themselves: their nodes, and what arrives at the output, [N]."""
    parts: list[_Images] = []
    size = min(size, 8 << max(0, (len(x) - 1) // 8).bit_length())  # of few sizes, so that little is compiled
    for first in range(0, len(x), size):
        index = _filled(np.arange(first, min(first + size, len(x))), size)
        total = start(program, x[index], x[index])
        ported: Nodes = []
        for plan in program.plans:
            total, found, divided = propagate_images(plan, program.layout, program.activation, total)
            _refuse_small(divided)
            ported.append(found)
        parts.append((ported, total))
    nodes, ends = zip(*parts, strict=True)
    return (
        jax.tree.map(lambda *arrays: jnp.concatenate(arrays, 2)[:, :, : len(x)], *nodes),
        jax.tree.map(lambda *arrays: jnp.concatenate(arrays)[: len(x)], *ends),
    )
