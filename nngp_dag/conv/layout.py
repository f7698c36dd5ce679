"""The pairs of pixels that a kernel of images holds, and their places: all of them, or each pixel with itself.

Arrays have the pairs of images (or the images) on their last axis, so that what is done to pixels runs over contiguous
memory. Displacements d = p' - p never mix without pooling (a convolution reads p + o and p' + o), so that the pairs
(p, p) alone are enough where nothing asks for others.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

__all__ = ["BLOCKS", "DIAGONAL", "PAIRS", "Diagonal", "DiagonalBlocks", "Pairs", "PixelLayout"]


class PixelLayout(ABC):
    """A set of pairs of pixels. Instances are immutable and hashable.

    Attributes:
        axes: the axes of height and of width; a pair of two axes belongs to the first and the second image.
        sides: the axes of height and width of the first image, and of the second one where it has its own.
    """

    axes: tuple[tuple[int, ...], tuple[int, ...]]
    sides: tuple[tuple[int, int], ...]

    @abstractmethod
    def products(self, x: Array, y: Array) -> Array:
        """K_in(x, x', p, p'), the mean over channels of x(p) x'(p'), of images [B, h, w, C] and [B, h, w, C]."""

    @abstractmethod
    def variances(self, k: Array) -> Array:
        """The values [h, w, B] of each pixel with itself."""

    @abstractmethod
    def outer(self, x: Array, y: Array) -> Array:
        """The product x(p) y(p') of values [h, w, B]."""

    @abstractmethod
    def over(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Map f(x, y, k, ...) of scalars over pairs: of values [h, w, B] of both images, and arrays of pairs."""

    @staticmethod
    def apart(function: Callable[..., Any], *arrays: Any) -> Any:
        """A function applied to arrays, each value of which it uses several times: as it is, in programs of its own."""
        return function(*arrays)

    @staticmethod
    def each(function: Callable[..., Any]) -> Callable[..., Any]:
        """Map f of a scalar over values [h, w, B]."""
        return jax.vmap(jax.vmap(jax.vmap(function)))

    @abstractmethod
    def size(self, pixels: int) -> int:
        """Number of pairs of an image of so many pixels."""


class Diagonal(PixelLayout):
    """Each pixel with itself: arrays [h, w, B]."""

    axes = ((0,), (1,))
    sides = ((0, 1),)

    def products(self, x: Array, y: Array) -> Array:
        return jnp.moveaxis((x * y).mean(-1), 0, -1)

    def variances(self, k: Array) -> Array:
        return k

    def outer(self, x: Array, y: Array) -> Array:
        return x * y

    def over(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return _mapped(function, [(0, 0)] * 3)

    def size(self, pixels: int) -> int:
        return pixels


class DiagonalBlocks(Diagonal):
    """Each pixel with itself for all pairs of two blocks of images, in one program: arrays [h, w, X, Y].

    What depends on one image is [h, w, X] or [h, w, Y].
    """

    def products(self, x: Array, y: Array) -> Array:
        x, y = (jnp.transpose(images, (3, 1, 2, 0)) for images in (x, y))
        if len(x) > _FEW_CHANNELS:
            return jnp.einsum("chwx,chwy->hwxy", x, y, precision="highest") / len(x)
        total = self.outer(x[0], y[0])
        for a, b in zip(x[1:], y[1:], strict=True):
            total += self.outer(a, b)
        return total / len(x)

    def outer(self, x: Array, y: Array) -> Array:
        return x[..., None] * y[..., None, :]

    def over(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return _mapped(function, [(0, 0), (0, 0), (0, None), (None, 0)])

    @staticmethod
    def apart(function: Callable[..., Any], *arrays: Any) -> Any:
        """As a branch that is always taken: the compiler does not know that.

        Else what makes the arrays would be evaluated anew for each of their uses, and every fused loop would be shared
        out to all cores, each of which has a block of its own already. The other branch is for overflown values.
        """
        like = jax.eval_shape(function, *arrays)

        def nothing(*_: Any) -> Any:
            return jax.tree.map(lambda a: jnp.full(a.shape, jnp.nan, a.dtype), like)

        return lax.cond(jax.tree.leaves(arrays)[0].ravel()[0] > -jnp.inf, function, nothing, *arrays)


class Pairs(PixelLayout):
    """All pairs of pixels: arrays [h, w, h', w', B]."""

    axes = ((0, 2), (1, 3))
    sides = ((0, 1), (2, 3))

    def products(self, x: Array, y: Array) -> Array:
        return jnp.einsum("bhwc,bijc->hwijb", x, y, precision="highest") / x.shape[-1]

    def variances(self, k: Array) -> Array:
        return jnp.einsum("hwhwb->hwb", k)

    def outer(self, x: Array, y: Array) -> Array:
        return x[:, :, None, None] * y

    def over(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return partial(_mapped_by_rows, function)

    def size(self, pixels: int) -> int:
        return pixels**2


def _mapped_by_rows(function: Callable[..., Any], x: Any, y: Any, *pairs: Array) -> Any:
    """A function mapped over pairs of pixels [h, w, h', w', B] of images [h, w, B] and [h', w', B].

    The last two axes are one, so that the innermost loop is long: the compiler unrolls a loop over a few pairs of
    images wholly, and makes vectors of numbers that lie far apart.
    """
    shape = pairs[0].shape
    rows = shape[0] * shape[1], shape[2], shape[3] * shape[4]

    def repeated(a: Array) -> Array:
        each = jnp.broadcast_to(a.reshape(rows[0], 1, *a.shape[2:]), (rows[0], shape[3], *a.shape[2:]))
        return each.reshape(rows[0], rows[2], *a.shape[3:])

    x = jax.tree.map(repeated, x)
    y = jax.tree.map(lambda a: a.reshape(rows[1], rows[2], *a.shape[3:]), y)
    mapped = _mapped(function, [(0, None), (None, 0), (0, 0)])
    found = mapped(x, y, *(a.reshape(rows) for a in pairs))
    return jax.tree.map(lambda a: a.reshape(shape), found)


def _mapped(function: Callable[..., Any], axes: Sequence[tuple[int | None, int | None]]) -> Callable[..., Any]:
    """A function mapped over leading axes, the first outermost: of which of its first two arguments, and of others."""

    def mapped(x: Any, y: Any, *pairs: Array) -> Any:
        over = function
        for axis in reversed(axes):
            over = jax.vmap(over, (*axis, *[0] * len(pairs)))
        return over(x, y, *pairs)

    return mapped


_FEW_CHANNELS = 8

PAIRS, DIAGONAL, BLOCKS = Pairs(), Diagonal(), DiagonalBlocks()
