"""Cost of exact kernels of a DARTS network: `python -m benchmarks.conv_darts`.

NNGP and NTK, float64, of the network of DARTS_V2 with eight cells, average pooling in place of max pooling. Beside it,
by turns, stands the time to copy once what an entry has at all nodes, K and Theta of every pair of pixels, as in
`benchmarks.conv`; halved images count at their size.
"""

from __future__ import annotations

import sys

import jax
import numpy as np

from benchmarks.timing import Cost, cheapest_by_turns
from nngp_dag.conv import ConvCell, ConvNetwork, darts_network
from nngp_dag.conv.functions import conv_kernel_of
from nngp_dag.reading import Reading

__all__ = ["CASES", "DARTS_V2", "main"]

CASES = ((8, 24), (16, 8))
"""Pixels of a side, and images."""

DARTS_V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1),"
    " ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=range(2, 6),"
    " reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0),"
    " ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=range(2, 6))"
)


def numbers_held(network: ConvNetwork, size: int) -> int:
    """Numbers of one pair of images at all nodes: K and Theta of every pair of pixels."""
    (cell,) = network.cells
    total = 0
    for node in range(cell.output + 1):
        before = ConvCell(tuple(edge for edge in cell.edges if edge[1] <= node)).pruned(node)
        if before.edges or node == 0:
            height, width = before.output_shape((size, size)) if before.edges else (size, size)
            total += 2 * (height * width) ** 2
    return total


def case(size: int, images: int) -> tuple[Cost, float]:
    """Milliseconds an entry of an N x N kernel, and of the copy."""
    network = darts_network(DARTS_V2, max_pool="average")
    x = np.random.default_rng(0).normal(size=(images, size, size, 3))
    compute = conv_kernel_of(network, Reading.make("activation-first"))
    held, copied = np.ones((2, 2**22))
    found = cheapest_by_turns(
        {"kernels": lambda: jax.block_until_ready(compute(x)), "copy": lambda: np.copyto(copied, held)}, repeats=3
    )
    numbers = numbers_held(network, size) / 2  # of a symmetric kernel, half is computed
    cost = Cost(*(1e3 * each / images**2 for each in found["kernels"]))
    return cost, 1e3 * found["copy"].wall / held.size * numbers


def main() -> int:
    """Print the milliseconds an entry, and how many memory copies that is."""
    jax.config.update("jax_enable_x64", True)
    for size, images in CASES:
        cost, copy = case(size, images)
        print(
            f"DARTS_V2, 8 cells, {size}x{size} pixels, {images} images: {cost.wall:.2f} ms an entry, of processor time"
            f" {cost.processor:.2f}; {cost.wall / copy:.0f} times a memory copy ({copy:.4f} ms)"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
