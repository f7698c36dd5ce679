"""Batches that scores are computed on, and recipes that draw them from a set of images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from nngp_dag.errors import InputError
from nngp_dag.nas.images import Images, random_patches

__all__ = ["Batch", "BatchRecipe", "LabelledImages", "image_batches", "labelled_batches", "patch_batches"]


class LabelledImages(NamedTuple):
    """Images with their labels.

    Attributes:
        x: [N, h, w, channels].
        y: int64 [N].
    """

    x: np.ndarray
    y: np.ndarray


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


def labelled_batches(size: int) -> BatchRecipe:
    """Different random images and their labels; InputError where the images have none."""

    def draw(images: Images, rng: np.random.Generator, count: int | None = None) -> LabelledImages:
        if images.y is None:
            raise InputError(f"this score needs labels, and {images.source} has none")
        index = images.choose(size if count is None else count, rng)
        return LabelledImages(images.x[index], images.y[index])

    return BatchRecipe(draw, size)


def patch_batches() -> BatchRecipe:
    """Random single-channel patches, float32 [3, 1000, 3, 3, 1], as TE-NAS draws them."""

    def draw(images: Images, rng: np.random.Generator, count: int | None = None) -> np.ndarray:
        del count
        return random_patches(images, rng)

    return BatchRecipe(draw)
