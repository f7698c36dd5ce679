"""Kernels of images in chunks of pairs: memory beyond the result is bounded, whatever the number of images.

Images are computed with themselves first; their variances at all nodes are what pairs need. Of a symmetric matrix only
pairs i < j are computed.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nngp_dag.activations import Activation
from nngp_dag.conv.layout import PixelLayout
from nngp_dag.conv.maps import Filter
from nngp_dag.conv.operations import Convolution
from nngp_dag.conv.plan import Plan
from nngp_dag.conv.propagate import Arrived, PixelNode, propagate_images, propagate_pairs
from nngp_dag.errors import InputError
from nngp_dag.kernel.reach import serving_for

__all__ = ["ConvProgram", "chunk_size", "conv_gram"]

_ARRAY_BYTES = 2**20
"""Of one array of a chunk: a few of them fit into the cache of a core."""


class ConvProgram(NamedTuple):
    """A network, ready for images of one size.

    Attributes:
        stem: the first convolution, without activation.
        plans: of every cell and the read-out.
        layout: pairs of pixels that are held.
        activation: sigma.
        with_tangent: compute the NTK too.
    """

    stem: Convolution
    plans: tuple[Plan, ...]
    layout: PixelLayout
    activation: Activation
    with_tangent: bool


_Nodes = list[list[PixelNode]]
"""Of images, the nodes with ports of every plan; arrays [h, w, images, ...]."""

_Images = tuple[_Nodes, Arrived]


def conv_gram(program: ConvProgram, x: Array, y: Array | None) -> tuple[np.ndarray, ...]:
    """NNGP, and NTK if asked for, as [N, M]: images x [N, h, w, C] against y [M, h, w, C] (None: themselves)."""
    size = chunk_size(program.layout, x.shape[1] * x.shape[2], x.dtype.itemsize)
    program, (rows, *others) = _served(program, [x] if y is None else [x, y], size)
    columns = others[0][0] if others else rows[0]
    if y is None:
        i, j = np.triu_indices(len(x), 1)
        kernels = [np.diag(np.asarray(diagonal)) for diagonal in rows[1][:2] if diagonal is not None]
    else:
        i, j = (index.ravel() for index in np.indices((len(x), len(y))))
        kernels = [np.zeros((len(x), len(y)), x.dtype) for _ in range(1 + program.with_tangent)]
    for start in range(0, len(i), size):
        a, b = _filled(i[start : start + size], size), _filled(j[start : start + size], size)
        values = _pairs(program, _taken(rows[0], a), _taken(columns, b), x[a], (x if y is None else y)[b])
        for kernel, value in zip(kernels, values, strict=True):
            kernel[a, b] = np.asarray(value)
            if y is None:
                kernel[b, a] = kernel[a, b]
    return tuple(kernels)


def _served(program: ConvProgram, images: list[Array], size: int) -> tuple[ConvProgram, list[_Images]]:
    """The program with the rule of its activation for the variances that images reach, and the images through it."""
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


def _refuse_small(variances: list[Array]) -> None:
    """Refuse (InputError) variances whose products underflow, which dual maps form."""
    for variance in variances:
        values = np.asarray(variance)
        positive = values[values > 0]
        if positive.size and float(positive.min()) < float(np.finfo(values.dtype).tiny) ** 0.5:
            raise InputError(
                f"variances of pixels go down to {float(positive.min()):.1g}, whose products underflow {values.dtype}:"
                " scale the images up"
            )


def chunk_size(layout: PixelLayout, pixels: int, itemsize: int) -> int:
    """Pairs of images of so many pixels that are computed together, a multiple of 8."""
    held = itemsize * layout.size(pixels)
    return 8 * max(1, _ARRAY_BYTES // held // 8)


def _filled(index: np.ndarray, size: int) -> np.ndarray:
    """An index of the full size, its first entry repeated at the end."""
    return np.concatenate([index, np.full(size - len(index), index[0])])


@jax.jit
def _taken(nodes: _Nodes, index: np.ndarray) -> _Nodes:
    taken: _Nodes = jax.tree.map(lambda a: a[:, :, index], nodes)
    return taken


def _images(program: ConvProgram, x: Array, size: int) -> _Images:
    """Images with themselves: their nodes, and what arrives at the output, [N]."""
    parts: list[_Images] = []
    for start in range(0, len(x), size):
        index = _filled(np.arange(start, min(start + size, len(x))), size)
        total = _start(program, x[index], x[index])
        ported: _Nodes = []
        for plan in program.plans:
            total, found = propagate_images(plan, program.layout, program.activation, total)
            ported.append(found)
        parts.append((ported, total))
    nodes, ends = zip(*parts, strict=True)
    return (
        jax.tree.map(lambda *arrays: jnp.concatenate(arrays, 2)[:, :, : len(x)], *nodes),
        jax.tree.map(lambda *arrays: jnp.concatenate(arrays)[: len(x)], *ends),
    )


def _pairs(program: ConvProgram, x: _Nodes, y: _Nodes, images: Array, others: Array) -> tuple[Array, ...]:
    total = _start(program, images, others)
    for plan, nodes_x, nodes_y in zip(program.plans, x, y, strict=True):
        total = propagate_pairs(plan, program.layout, program.activation, total, nodes_x, nodes_y)
    return (total.covariance,) if total.tangent is None else (total.covariance, total.tangent)


def _start(program: ConvProgram, x: Array, y: Array) -> Arrived:
    """The features that the stem makes: K = Theta, for they are linear in its weights."""
    k = Filter(program.stem).kernel(program.layout, _products(program.layout, x, y))
    return Arrived(k, k if program.with_tangent else None, None)


@partial(jax.jit, static_argnums=0)
def _products(layout: PixelLayout, x: Array, y: Array) -> Array:
    return layout.products(x, y)
