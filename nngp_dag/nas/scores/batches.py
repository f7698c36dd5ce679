"""Batches that scores are computed on, and recipes that draw them from a set of images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.nas.images import Images, random_patches
from nngp_dag.nas.networks.image_batch import image_batch
from nngp_dag.nas.networks.sizes import NetworkSizes

__all__ = [
    "NTK_IMAGES",
    "RANDOM_CLASSES",
    "WOT_IMAGES",
    "Batch",
    "BatchRecipe",
    "LabelledImages",
    "checked_labels",
    "image_batches",
    "labelled_batches",
    "patch_batches",
]

WOT_IMAGES = 128
"""Images of a batch of NAS-WOT, as a score and in its search."""

NTK_IMAGES = 32
"""Images of a tangent kernel of TE-NAS, as a score and in its search."""

RANDOM_CLASSES = 10
"""Number of classes of the random labels of images that have none."""


class LabelledImages(NamedTuple):
    """Images with their labels: one batch, or several with an axis of their own.

    Attributes:
        x: [N, h, w, channels] or [B, N, h, w, channels].
        y: int64 [N] or [B, N].
        classes: number of classes, that of the network's outputs.
    """

    x: np.ndarray
    y: np.ndarray
    classes: int


Batch: TypeAlias = np.ndarray | LabelledImages
"""Images [N, h, w, channels], patches [B, N, h, w, 1], or images with labels: every score has its own kind."""


@dataclass(frozen=True)
class BatchRecipe:
    """A way to draw the batch of a score.

    Attributes:
        draw: (images, generator, number of images or None for the default) -> batch.
        size: default number of images; None where the batch is not counted in images.
    """

    draw: Callable[[Images, np.random.Generator, int | None], Batch]
    size: int | None = None


def image_batches(size: int) -> BatchRecipe:
    """Different random images [size, h, w, channels]."""

    def draw(images: Images, rng: np.random.Generator, count: int | None = None) -> np.ndarray:
        return images.batch(size if count is None else count, rng)

    return BatchRecipe(draw, size)


def labelled_batches(size: int, batches: int | None = None) -> BatchRecipe:
    """Different random images and their labels; random ones of `RANDOM_CLASSES` where the images have none.

    Args:
        size: images of a batch unless another number is asked for.
        batches: number of batches, which get an axis of their own; by default a single one without.
    """

    def draw(images: Images, rng: np.random.Generator, count: int | None = None) -> LabelledImages:
        number = size if count is None else count
        index = images.choose(number * (batches or 1), rng)
        if images.y is None:
            y, classes = rng.integers(RANDOM_CLASSES, size=len(index)), RANDOM_CLASSES
        else:
            y, classes = images.y[index], int(images.y.max()) + 1
        axes = (number,) if batches is None else (batches, number)
        return LabelledImages(images.x[index].reshape(*axes, *images.x.shape[1:]), y.reshape(axes), classes)

    return BatchRecipe(draw, size)


def patch_batches() -> BatchRecipe:
    """Random single-channel patches, float32 [3, 1000, 3, 3, 1], as TE-NAS draws them."""

    def draw(images: Images, rng: np.random.Generator, count: int | None = None) -> np.ndarray:
        del count
        return random_patches(images, rng)

    return BatchRecipe(draw)


def checked_labels(batch: Batch | None, spec: NetworkSizes) -> tuple[NetworkSizes, np.ndarray, np.ndarray]:
    """The network's sizes with as many classes, images [B, N, h, w, channels] of its type, and labels int32 [B, N].

    Args:
        batch: images with labels; a single batch becomes B = 1.
        spec: the network's sizes.

    Raises:
        InputError: no images with labels, images that do not serve the network, or labels that are no class numbers.
    """
    if not isinstance(batch, LabelledImages):
        raise InputError("images with labels are needed: LabelledImages(x, y, classes)")
    y = np.asarray(batch.y)
    x = image_batch(batch.x, spec, leading=max(y.ndim - 1, 0))
    axes = x.shape[: x.ndim - 3]
    if y.dtype.kind not in "iu" or y.shape != axes:
        raise InputError(f"labels of images of type {y.dtype} and shape {list(y.shape)}: {list(axes)} is needed")
    if y.min() < 0 or y.max() >= batch.classes:
        raise InputError(f"labels of images from {y.min()} to {y.max()}: {batch.classes} classes start at 0")
    one = y.ndim == 1
    return spec.replace(classes=batch.classes), x[None] if one else x, (y[None] if one else y).astype(np.int32)
