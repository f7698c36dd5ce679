"""The cost of kernels of images: known before anything is computed, and refused where it cannot be done.

Memory beyond the result is what is held of every image at every node (a few numbers a pixel) and one chunk of pairs of
images: some arrays a node, each of at most 1 MiB or eight pairs.
"""

from __future__ import annotations

import jax

from nngp_dag.conv.gram import chunk_size
from nngp_dag.conv.program import ConvProgram
from nngp_dag.errors import InputError
from nngp_dag.support.memory import require_memory

__all__ = ["estimated_bytes", "estimated_seconds", "require_cost"]

_SECONDS_PER_NODE = 1.2e-8
"""Of one core, for one node, one pair of images and one pair of pixels."""

_MOST_SECONDS = 6 * 3600


def require_cost(program: ConvProgram, shape: tuple[int, ...], others: int, itemsize: int) -> None:
    """Refuse what would not fit into memory or would not end in a day's work.

    Args:
        program: the network.
        shape: of the images, [N, h, w, C].
        others: M, the number of columns.
        itemsize: bytes of a number.

    Raises:
        InputError: with the estimate.
    """
    n, height, width, _ = shape
    what = f"the kernel of {n:,} by {others:,} images of {height}x{width}"
    require_memory(estimated_bytes(program, shape, others, itemsize), what)
    seconds = estimated_seconds(program, shape, others)
    if jax.default_backend() == "cpu" and seconds > _MOST_SECONDS:
        raise InputError(
            f"{what} would take about {seconds / 3600:,.0f} hours of one core: use fewer or smaller images"
        )


def estimated_bytes(program: ConvProgram, shape: tuple[int, ...], others: int, itemsize: int) -> int:
    """Memory of a computation: the result, all images at all nodes, and a chunk."""
    n, height, width, _ = shape
    pixels = height * width
    nodes = sum(len(plan) for plan in program.plans)
    held = 5 * nodes * pixels * (n + others)
    arrays = 4 * max(len(plan) for plan in program.plans) + 8
    chunk = arrays * program.layout.size(pixels) * chunk_size(program.layout, pixels, itemsize)
    return itemsize * (2 * n * others + held + chunk)


def estimated_seconds(program: ConvProgram, shape: tuple[int, ...], others: int) -> float:
    """Seconds of one core, as if no cell halved the image; an upper bound for networks that do."""
    n, height, width, _ = shape
    nodes = sum(len(plan) for plan in program.plans)
    return _SECONDS_PER_NODE * nodes * n * others * program.layout.size(height * width)
