"""Speed of exact kernels of convolutional cells, against neural-tangents: `python -m benchmarks.conv`.

NNGP and NTK of images of 8x8 and 16x16 pixels, float64, by turns in one process. The cell has sums, a shared skip and
convolutions that both can express, and either two average poolings, so that all pairs of pixels are held, or none and a
flattened read-out, so that each pixel with itself is enough. neural-tangents is jitted and its compilation left out.
The limit of memory is the time to copy, once, what an entry has at all nodes: K and Theta of every pair of pixels.
"""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from benchmarks.timing import Cost, cheapest_by_turns
from nngp_dag.conv import ConvCell, ConvNetwork, Convolution, Pool, Skip
from nngp_dag.conv.functions import conv_kernel_of
from nngp_dag.reading import Reading
from nngp_dag.support.neural_tangents_compat import neural_tangents

__all__ = ["CASES", "main", "network", "stax_kernel"]

CASES = ((8, False, 256), (16, False, 128), (8, True, 16), (16, True, 8))
"""Pixels of a side, whether two edges pool, and images: as many as neural-tangents holds in some gigabytes."""

REQUIRED = {False: 20, True: 5}
"""Ratios that are wanted, without and with pooling."""

_NODES = 4


def network(pools: bool) -> ConvNetwork:
    """The cell: nodes 0 to 3, all of which feed node 3."""
    middle = Pool(3) if pools else Convolution(3)
    edges = {(0, 1): Convolution(3), (0, 2): middle, (1, 2): Convolution(1), (0, 3): Skip(), (1, 3): middle}
    cell = ConvCell(tuple((s, t, op) for (s, t), op in {**edges, (2, 3): Convolution(3)}.items()))
    return ConvNetwork(Convolution(3), (cell,), "average" if pools else "flatten")


def stax_kernel(pools: bool) -> Callable[..., Any]:
    """The same network from the layers of neural-tangents."""
    stax = neural_tangents.stax
    conv = {k: stax.serial(stax.Relu(), stax.Conv(1, (k, k), padding="SAME", W_std=2**0.5)) for k in (1, 3)}
    middle = stax.AvgPool((3, 3), (1, 1), "SAME", normalize_edges=True) if pools else conv[3]
    two = stax.serial(stax.FanOut(2), stax.parallel(middle, stax.serial(conv[3], conv[1])), stax.FanInSum())
    branches = stax.Identity(), stax.serial(conv[3], middle), stax.serial(two, conv[3])
    three = stax.serial(stax.FanOut(3), stax.parallel(*branches), stax.FanInSum())
    last = stax.GlobalAvgPool() if pools else stax.Flatten()
    stem = stax.Conv(1, (3, 3), padding="SAME")
    kernel: Callable[..., Any] = stax.serial(stem, three, stax.Relu(), last, stax.Dense(1, W_std=2**0.5))[2]
    return kernel


def case(size: int, pools: bool, images: int) -> tuple[Cost, Cost, float]:
    """Milliseconds an entry of an N x N kernel, here and of neural-tangents, and of the copy.

    Raises:
        AssertionError: the two kernels differ.
    """
    x = np.random.default_rng(0).normal(size=(images, size, size, 3))
    ours = conv_kernel_of(network(pools), Reading.make("activation-first"))
    held, copied = np.ones((2, 2**22))
    numbers = 2 * _NODES * size ** (4 if pools else 2) / 2  # of a symmetric kernel, half is computed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on sums of branches, which are independent here
        layers = stax_kernel(pools)
        theirs = jax.jit(lambda x: layers(x, None, ("nngp", "ntk")))
        np.testing.assert_allclose(ours(x).ntk, theirs(x).ntk, rtol=1e-6)
        found = cheapest_by_turns(
            {
                "ours": lambda: jax.block_until_ready(ours(x)),
                "theirs": lambda: jax.block_until_ready(theirs(x)),
                "copy": lambda: np.copyto(copied, held),
            },
            repeats=5,
        )
    here, there = (Cost(*(1e3 * each / images**2 for each in found[name])) for name in ("ours", "theirs"))
    return here, there, 1e3 * found["copy"].wall / held.size * numbers


def main() -> int:
    """Print the ratios; 1 where one falls short. Each case runs in a process of its own."""
    jax.config.update("jax_enable_x64", True)
    if len(sys.argv) > 1:
        size, pools, images = CASES[int(sys.argv[1])]
        ours, theirs, limit = case(size, pools, images)
        ratio = theirs.wall / ours.wall
        print(
            f"{size}x{size} pixels, {images} images, {'pooling' if pools else 'no pooling'}: {ours.wall:.4f} ms an"
            f" entry, neural-tangents {theirs.wall:.4f}: ratio {ratio:.1f} (at least {REQUIRED[pools]} wanted), of"
            f" processor time {theirs.processor / ours.processor:.1f}; {ours.wall / limit:.0f} times a memory copy"
            f" ({limit:.5f} ms)"
        )
        return int(ratio < REQUIRED[pools])
    return max(_in_a_process_of_its_own(i) for i in range(len(CASES)))


def _in_a_process_of_its_own(number: int) -> int:
    environment = dict(os.environ)
    if CASES[number][1]:
        # The average pooling of neural-tangents divides by an array over all pairs of pixels, which XLA would compute
        # while it compiles: minutes at 8x8, and no end at 16x16.
        environment["XLA_FLAGS"] = "--xla_disable_hlo_passes=constant_folding"
    command = [sys.executable, "-m", "benchmarks.conv", str(number)]
    return abs(subprocess.run(command, env=environment, check=False).returncode)


if __name__ == "__main__":
    sys.exit(main())
