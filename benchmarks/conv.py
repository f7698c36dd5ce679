"""Speed of exact kernels of convolutional cells, against neural-tangents: `python -m benchmarks.conv`.

NNGP and NTK of images of 8x8 and 16x16 pixels, float64, by turns in one process. The cell has sums, a shared skip and
convolutions that both can express, and either two average poolings, so that all pairs of pixels are held, or none and a
flattened read-out, so that each pixel with itself is enough. neural-tangents is jitted and its compilation left out.
Two limits are measured beside: of memory, the time to copy, once, what an entry has at all nodes (K and Theta of every
pair of pixels); and of arithmetic, the time of the dual maps alone, in a loop over numbers that never leave the cache.
"""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.timing import Cost, cheapest_by_turns
from nngp_dag.activations.arc_cosine_values import one_from_zero, rooted_variance, zero_of_pair
from nngp_dag.conv import ConvCell, ConvNetwork, Convolution, Pool, Skip
from nngp_dag.conv.functions import conv_kernel_of
from nngp_dag.reading import Reading
from nngp_dag.support.neural_tangents_compat import neural_tangents

__all__ = ["CASES", "main", "network", "stax_kernel"]

CASES = ((8, False, 256), (16, False, 128), (8, True, 16), (16, True, 8))
"""Pixels of a side, whether two edges pool, and images: as many as neural-tangents holds in some gigabytes."""

REQUIRED = {False: 20, True: 5}
"""Ratios that are wanted, without and with pooling. Without, the dual maps alone take as long as 20 would leave."""

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


class Ratios(NamedTuple):
    """A case: milliseconds an entry of an N x N kernel, here and of neural-tangents, and of the two limits: wall-clock
    time of the copy, processor time of the dual maps.
    """

    ours: Cost
    theirs: Cost
    copy: float
    duals: float


def case(size: int, pools: bool, images: int) -> Ratios:
    """The kernels of so many images, by turns.

    Raises:
        AssertionError: the two kernels differ.
    """
    x = np.random.default_rng(0).normal(size=(images, size, size, 3))
    ours = conv_kernel_of(network(pools), Reading.make("activation-first"))
    held, copied = np.ones((2, 2**22))
    duals, numbers = dual_maps()
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
                "duals": lambda: jax.block_until_ready(duals()),
            },
            repeats=5,
        )
    here, there = (Cost(*(1e3 * each / images**2 for each in found[name])) for name in ("ours", "theirs"))
    each = 1e3 * _NODES * size ** (4 if pools else 2) / 2  # of a symmetric kernel, half is computed
    return Ratios(here, there, 2 * each * found["copy"].wall / held.size, each * found["duals"].processor / numbers)


def dual_maps(repeats: int = 200) -> tuple[Callable[[], Any], int]:
    """Both dual maps and the tangent kernel of one node, of numbers that stay in the cache; how many one call takes."""
    rng = np.random.default_rng(0)
    k, theta = rng.uniform(-0.3, 0.3, (2, 2**12))
    x, y = (rooted_variance(jnp.asarray(v)) for v in rng.uniform(0.5, 2, (2, k.size)))

    def step(_: Any, pair: tuple[Any, Any]) -> tuple[Any, Any]:
        slope = zero_of_pair(x, y, pair[0])
        value = one_from_zero(x, y, pair[0], slope)
        return 0.3 * value, 0.3 * (slope * pair[1] + 2 * value)

    compute = jax.jit(lambda k, theta: lax.fori_loop(0, repeats, step, (k, theta)))
    return partial(compute, k, theta), repeats * k.size


def main() -> int:
    """Print the ratios; 1 where one falls short. Each case runs in a process of its own."""
    jax.config.update("jax_enable_x64", True)
    if len(sys.argv) > 1:
        size, pools, images = CASES[int(sys.argv[1])]
        found = case(size, pools, images)
        ratio = found.theirs.wall / found.ours.wall
        print(
            f"{size}x{size} pixels, {images} images, {'pooling' if pools else 'no pooling'}: {found.ours.wall:.4f} ms"
            f" an entry, neural-tangents {found.theirs.wall:.4f}: ratio {ratio:.1f} (at least {REQUIRED[pools]}"
            f" wanted), of processor time {found.theirs.processor / found.ours.processor:.1f};"
            f" {found.ours.wall / found.copy:.0f} times a memory copy ({found.copy:.5f} ms);"
            f" processor time {found.ours.processor / found.duals:.1f} times that of the dual maps alone, which is"
            f" neural-tangents' divided by {found.theirs.processor / found.duals:.0f}"
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
