"""Linear maps of images, and what they do to kernels: the weights of a convolutional cell.

A deterministic map P (skips, average pooling and sums of their products along skip paths) turns a kernel K into
P K P^T. A random convolution turns it into C_k[K](p, p') = k^-2 sum_o K(p + o, p' + o), zero outside the image. Windows
are boxes, so that both act on heights and widths one after the other.
"""

from __future__ import annotations

import itertools
import math
import operator
from dataclasses import dataclass
from functools import partial, reduce
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from nngp_dag.activations.safe import reciprocal, root
from nngp_dag.conv.layout import DIAGONAL, PAIRS, PixelLayout
from nngp_dag.conv.operations import Convolution, Pool, output_length

__all__ = ["Filter", "Mean", "Normed", "Paths", "Scaled", "averages", "norm", "normed"]


@dataclass(frozen=True)
class Paths:
    """P, a sum over skip paths: for every sequence of poolings the sum of the gains of its paths.

    Attributes:
        terms: (poolings in the order in which they act, factor), each sequence once.
    """

    terms: tuple[tuple[tuple[Pool, ...], float], ...]

    @classmethod
    def identity(cls) -> Paths:
        """The path of no edges."""
        return cls((((), 1.0),))

    @classmethod
    def sum(cls, parts: list[Paths]) -> Paths:
        """The sum, equal sequences merged and those of factor 0 dropped, unless nothing else is left."""
        total: dict[tuple[Pool, ...], float] = {}
        for poolings, factor in (term for part in parts for term in part.terms):
            total[poolings] = total.get(poolings, 0.0) + factor
        terms = sorted(total.items(), key=repr)
        return cls(tuple(term for term in terms if term[1]) or tuple(terms[:1]))

    def then(self, pool: Pool | None, gain: float) -> Paths:
        """These paths, each with one more edge: a pooling (without its gain), or None for a skip."""
        more = () if pool is None else (Pool(pool.size, pool.stride),)
        return Paths(tuple((poolings + more, gain * factor) for poolings, factor in self.terms))

    @property
    def pools(self) -> bool:
        """True where a path pools."""
        return any(poolings for poolings, _ in self.terms)

    def image(self, values: Array) -> Array:
        """P m of values [h, w, B]."""
        return _paths(self, DIAGONAL.sides, values)

    def kernel(self, layout: PixelLayout, values: Array) -> Array:
        """P D P^T of a kernel; each pixel with itself is enough only where no path pools."""
        if layout != PAIRS and not self.pools:  # both sides at once
            return _paths(Paths(tuple((poolings, factor**2) for poolings, factor in self.terms)), layout.sides, values)
        return _paths(self, layout.sides, values)


@dataclass(frozen=True)
class Filter:
    """A convolution of scales g, w and v: D = g^2 (w^2 C_k[V] + v^2)."""

    conv: Convolution

    def kernel(self, layout: PixelLayout, values: Array) -> Array:
        """D from V, and E from W."""
        filtered: Array = layout.apart(partial(_filtered, self.conv, layout.axes), values)
        return filtered


class Normed(NamedTuple):
    """A convolution with layer norm, for images whose factors are known.

    Attributes:
        filter: the convolution.
        x, y: the factors of the images, [h, w, B].
    """

    filter: Filter
    x: Array
    y: Array

    def kernel(self, layout: PixelLayout, values: Array) -> Array:
        """D from V, and E from W."""
        return normed(layout, self.filter.kernel(layout, values), self.x, self.y)


@dataclass(frozen=True)
class Scaled:
    """A gain of images, and its square of kernels."""

    gain: float = 1.0

    def image(self, values: Array) -> Array:
        """The image times the gain."""
        return values * self.gain

    def kernel(self, layout: PixelLayout, values: Array) -> Array:
        """The kernel times the square of the gain."""
        del layout
        return values * self.gain**2


@dataclass(frozen=True)
class Mean:
    """A read-out: the mean over all pairs of pixels, or over each pixel with itself.

    Attributes:
        flatten: every pixel has weights of its own.
    """

    flatten: bool = False

    def kernel(self, layout: PixelLayout, values: Array) -> Array:
        """[B] of a kernel."""
        return _mean(layout, self.flatten, values)


_ROUNDINGS = 32
"""Of a difference K - S S' of features that are constant, in units of S S' eps."""


@partial(jax.jit, static_argnums=0)
def norm(layout: PixelLayout, values: Array, gain: float = 1.0, mean: Array | None = None) -> tuple[Array, Array]:
    """The factors [h, w, B] of layer norm that leave the variances of a kernel gain^2, and the variances themselves.

    The factor is 0 where there is no variance: also where K - S S' is nothing but the rounding of K and of the mean S.
    """
    variance = layout.variances(values)
    if mean is not None:
        rounding = _ROUNDINGS * float(jnp.finfo(values.dtype).eps) * mean**2
        variance = jnp.where(variance > rounding, variance, 0)
    return abs(gain) * reciprocal(root(variance)), variance


@partial(jax.jit, static_argnums=0)
def normed(layout: PixelLayout, values: Array, x: Array, y: Array) -> Array:
    """A kernel times the factors of both images."""
    return values * layout.outer(x, y)


def averages(length: int, size: int, stride: int) -> np.ndarray:
    """Average pooling along one axis, a matrix [outputs, length]; rows are means over the pixels inside."""
    outputs = output_length(Pool(size, stride), length)
    first = np.arange(outputs)[:, None] * stride - (size // 2 if size % 2 else 0)
    place = np.arange(length)
    inside = (place >= first) & (place < first + size)
    return np.asarray(inside / inside.sum(1, keepdims=True))


@partial(jax.jit, static_argnums=(0, 1))
def _mean(layout: PixelLayout, flatten: bool, values: Array) -> Array:
    axes = layout.axes
    if flatten and layout == PAIRS:
        values, axes = layout.variances(values), DIAGONAL.axes
    return values.mean([axis for joint in axes for axis in joint])


@partial(jax.jit, static_argnums=(0, 1))
def _paths(paths: Paths, sides: tuple[tuple[int, int], ...], values: Array) -> Array:
    for side in sides:
        values = _along(paths.terms, side, values)
    return values


def _along(terms: tuple[tuple[tuple[Pool, ...], float], ...], side: tuple[int, int], values: Array) -> Array:
    """P applied to one side, a product of two matrices for every sequence of poolings."""
    total = None
    for poolings, factor in terms:
        part = values
        for axis in side if poolings else ():
            matrix = np.eye(values.shape[axis])
            for pool in poolings:
                matrix = averages(len(matrix), pool.size, pool.stride) @ matrix
            part = _matrix_along(matrix, axis, part)
        part = part if factor == 1 else factor * part
        total = part if total is None else total + part
    assert total is not None
    return total


_WIDEST = 5
"""Window that is summed pixel by pixel; a product of matrices is faster beyond."""


def _matrix_along(matrix: np.ndarray, axis: int, values: Array) -> Array:
    """A matrix applied along one axis: of narrow windows by sums of shifted arrays, two to four times as fast."""
    windows = _windows(matrix)
    if max(len(weights) for *_, weights in windows) > _WIDEST:
        return _product_along(jnp.asarray(matrix, values.dtype), axis, values)
    parts = []
    for first, step, count, weights in windows:
        shifted = [_places(values, first + o, count, step, axis) for o in range(len(weights))]
        if len(set(weights)) == 1:
            parts.append(weights[0] * reduce(operator.add, shifted))
        else:
            parts.append(reduce(operator.add, (w * part for w, part in zip(weights, shifted, strict=True))))
    return lax.concatenate(parts, axis) if len(parts) > 1 else parts[0]


def _places(values: Array, first: int, count: int, step: int, axis: int) -> Array:
    """So many places along an axis, from one on and each a step further."""
    return lax.slice_in_dim(values, first, first + (count - 1) * step + 1, step, axis)


def _windows(matrix: np.ndarray) -> list[tuple[int, int, int, tuple[float, ...]]]:
    """The rows of a matrix, as runs (first column, columns from row to row, rows, weights) of equal weights."""
    runs: list[tuple[int, int, int, tuple[float, ...]]] = []
    for row in matrix:
        inside = np.flatnonzero(row)
        start, weights = int(inside[0]), tuple(row[inside[0] : inside[-1] + 1].tolist())
        if runs:
            first, step, count, same = runs[-1]
            ahead = start - first if count == 1 else step
            if same == weights and ahead > 0 and start == first + count * ahead:
                runs[-1] = first, ahead, count + 1, weights
                continue
        runs.append((start, 1, 1, weights))
    return runs


def _product_along(matrix: Array, axis: int, values: Array) -> Array:
    """A matrix applied along one axis; a batch of products, so that nothing is transposed."""
    shape = values.shape
    flat = values.reshape(-1, shape[axis], math.prod(shape[axis + 1 :]))
    product = jnp.matmul(jnp.broadcast_to(matrix, (len(flat), *matrix.shape)), flat, precision=lax.Precision.HIGHEST)
    return product.reshape(*shape[:axis], -1, *shape[axis + 1 :])


@partial(jax.jit, static_argnums=(0, 1))
def _filtered(conv: Convolution, axes: tuple[tuple[int, ...], ...], values: Array) -> Array:
    if conv.size > 1 or conv.stride > 1:
        for joint in axes:
            values = _window_sum(conv, joint, values)
    factor = conv.gain**2 * conv.weight_scale**2 / conv.size**2
    values = values if factor == 1 else factor * values
    return values + (conv.gain * conv.bias_scale) ** 2 if conv.bias_scale else values


def _window_sum(conv: Convolution, joint: tuple[int, ...], values: Array) -> Array:
    """The sum over offsets along one axis of the image, which is two axes of a kernel of all pairs of pixels.

    Positions whose windows have the same pixels inside the image are summed together: nothing is padded.
    """
    return _joined(values, conv, joint, (), frozenset(_steps(conv)))


def _steps(conv: Convolution) -> range:
    return range(-(conv.size // 2), conv.size // 2 + 1)


def _runs(conv: Convolution, length: int) -> list[tuple[int, int, frozenset[int]]]:
    """Output positions, as runs (first, number, steps of the filter that stay inside the image there)."""
    inside = [
        frozenset(step for step in _steps(conv) if 0 <= centre + step * conv.dilation < length)
        for centre in conv.offset + conv.stride * np.arange(output_length(conv, length))
    ]
    runs = []
    for steps, places in itertools.groupby(range(len(inside)), key=inside.__getitem__):
        first, *more = places
        runs.append((first, 1 + len(more), steps))
    return runs


def _joined(
    values: Array, conv: Convolution, joint: tuple[int, ...], at: tuple[tuple[int, int], ...], steps: frozenset[int]
) -> Array:
    """The sums at runs of positions along the first axes, of these steps, and at all positions along the others."""
    if len(at) < len(joint):
        axis = joint[len(at)]
        parts = [
            _joined(values, conv, joint, (*at, (first, count)), steps & inside)
            for first, count, inside in _runs(conv, values.shape[axis])
        ]
        return lax.concatenate(parts, axis) if len(parts) > 1 else parts[0]
    total = None
    for step in sorted(steps):
        part = values
        for axis, (first, count) in zip(joint, at, strict=True):
            start = conv.offset + first * conv.stride + step * conv.dilation
            part = _places(part, start, count, conv.stride, axis)
        total = part if total is None else total + part
    if total is not None:
        return total
    shape = list(values.shape)
    for axis, (_, count) in zip(joint, at, strict=True):
        shape[axis] = count
    return jnp.zeros(shape, values.dtype)
