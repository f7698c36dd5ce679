"""One GPU in under eight minutes, as fractions of its own peak: `python -m benchmarks.gpu [--small]`.

Every line has its seconds and a rate; after `of peak` stands the share of what the device reaches at best in the same
run: copying memory for what writes much, a large matrix product (in float64 or float32) for what multiplies. Without a
GPU it says so and measures nothing; `--small` tries every line at small sizes on whatever there is.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.timing import seconds
from nngp_dag import Dag, enumerate_codes, kernel_fn
from nngp_dag.conv import conv_kernel_fn
from nngp_dag.finite.montecarlo import monte_carlo
from nngp_dag.kernel import sweep_kernels
from nngp_dag.matrix_free import KernelOperator, lanczos_spectrum
from nngp_dag.nas import Images, make_score, space_networks
from nngp_dag.nas.scores.scorer import architecture_key

__all__ = ["main"]

DAG = "2_21_112"
CELL = "|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"


@dataclass(frozen=True)
class Sizes:
    """Sizes of everything that is measured.

    Attributes:
        sweep_rows: rows of the sweep over all DAGs of four nodes.
        stored: rows of a stored kernel.
        product: rows of a kernel that is not stored.
        steps: of Lanczos on both.
        width, networks: of the ensemble whose kernels are averaged.
        scores: cells scored by NAS-WOT, on batches of `batch` images.
        batch: images.
        images, side: of the convolutional kernels, and their height and width.
        matrix: side of the matrix product that is the peak.
    """

    sweep_rows: int = 128
    stored: int = 20_000
    product: int = 60_000
    steps: int = 20
    width: int = 4096
    networks: int = 64
    scores: int = 20
    batch: int = 128
    images: int = 64
    side: int = 16
    matrix: int = 8192


SMALL = Sizes(32, 500, 1000, 5, 128, 4, 2, 8, 4, 8, 512)


@dataclass(frozen=True)
class Peak:
    """Bytes a second of a copy (read and written), and operations a second of matrix products by dtype."""

    copy: float
    product: dict[str, float]

    @classmethod
    def measured(cls, n: int) -> Peak:
        """By the best of five."""
        rates = {}
        for dtype in ("float64", "float32"):
            a = jnp.ones((n, n), dtype)
            rates[dtype] = 2 * n**3 / _best(partial(_square, a))
        copied = jnp.zeros((n, n), jnp.float64)
        copy = jax.jit(lambda a: a + 1.0)
        return cls(2 * copied.nbytes / _best(lambda: copy(copied)), rates)


@jax.jit
def _square(a: jax.Array) -> jax.Array:
    return jnp.matmul(a, a, precision=jax.lax.Precision.HIGHEST)


def _best(call: Callable[[], object], repeats: int = 5) -> float:
    """Seconds of the fastest call after one that compiles."""
    jax.block_until_ready(call())
    return min(seconds(lambda: jax.block_until_ready(call())) for _ in range(repeats))


def _unit_rows(n: int, d: int) -> np.ndarray:
    x = np.random.default_rng(0).normal(size=(n, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def _sweep(sizes: Sizes, peak: Peak) -> str:
    codes, x = enumerate_codes(4), _unit_rows(sizes.sweep_rows, 64)
    taken = _best(lambda: sweep_kernels(codes, x))
    share = 2 * len(codes) * sizes.sweep_rows**2 * 8 / taken / (peak.copy / 2)
    return f"{len(codes) / taken:,.0f} DAGs/s on {sizes.sweep_rows} rows, both kernels: {share:.0%} of peak (writing)"


def _stored(sizes: Sizes, peak: Peak) -> str:
    x, compute = _unit_rows(sizes.stored, 784), kernel_fn(Dag.from_code(DAG))
    taken = _best(lambda: compute(x), 2)
    entries = sizes.stored**2
    share = 2 * 2 * entries * 8 / taken / peak.copy
    rate = 2 * entries / taken / 1e9
    return f"{sizes.stored:,} rows in {taken:.2f} s, {rate:.2f} G entries/s: {share:.0%} of peak (copy)"


def _spectrum(sizes: Sizes, peak: Peak) -> str:
    operator = KernelOperator(Dag.from_code(DAG), _unit_rows(sizes.stored, 784), "ntk")
    taken = seconds(lambda: lanczos_spectrum(operator, steps=sizes.steps))
    return f"{sizes.stored:,} rows without a matrix, {sizes.steps} steps: {taken:.1f} s"


def _product(sizes: Sizes, peak: Peak) -> str:
    n = sizes.product
    operator, v = KernelOperator(Dag.from_code(DAG), _unit_rows(n, 784), "ntk"), np.ones((n, 8))
    taken = _best(lambda: operator @ v, 1)
    share = n**2 * (784 + 2 * 8) / taken / peak.product["float64"]
    million = taken * (1e6 / n) ** 2
    return (
        f"{n:,} rows times 8 vectors: {taken:.2f} s, {share:.0%} of peak (float64 product); at 10^6 rows"
        f" {million / 60:,.0f} minutes"
    )


def _ensemble(sizes: Sizes, peak: Peak) -> str:
    x = _unit_rows(16, 64).astype(np.float32)
    taken = _best(lambda: monte_carlo(Dag.from_code(DAG), x, sizes.width, sizes.networks).nngp.mean, 2)
    return f"{sizes.networks / taken:.1f} networks/s of width {sizes.width:,} (drawn, NNGP and NTK)"


def _scores(sizes: Sizes, peak: Peak) -> str:
    rng = np.random.default_rng(0)
    images = Images(rng.normal(size=(sizes.batch, 32, 32, 3)).astype(np.float32), None, "random numbers")
    networks = space_networks("nasbench201")
    score, batch = make_score("wot", networks), images.batch(sizes.batch, rng)
    cells = [networks.space.parse(CELL), *networks.space.sample(sizes.scores, rng)]

    def of(cell: np.ndarray) -> float:
        return score(cell, batch, architecture_key(0, networks.space.write(cell)))

    of(cells[0])
    start = time.perf_counter()
    for cell in cells[1:]:
        of(cell)
    return f"NAS-WOT of {sizes.batch} images: {(time.perf_counter() - start) / (len(cells) - 1):.3f} s a cell"


def _convolutional(sizes: Sizes, peak: Peak) -> str:
    x = np.random.default_rng(0).normal(size=(sizes.images, sizes.side, sizes.side, 3))
    compute = conv_kernel_fn(CELL, cells=1, stages=1)
    taken = _best(lambda: compute(x), 1)
    entries = sizes.images * (sizes.images + 1) / 2
    return (
        f"{sizes.images} images of {sizes.side} x {sizes.side}, both kernels: {1e3 * taken / entries:.2f} ms an entry"
    )


_LINES: dict[str, Callable[[Sizes, Peak], str]] = {
    "sweep": _sweep,
    "stored kernels": _stored,
    "spectrum": _spectrum,
    "one product": _product,
    "ensemble": _ensemble,
    "scores": _scores,
    "convolutional": _convolutional,
}


def lines(sizes: Sizes) -> Iterator[str]:
    """The table, line by line as it is measured."""
    peak = Peak.measured(sizes.matrix)
    rates = ", ".join(f"{rate / 1e9:,.0f} GFLOP/s in {dtype}" for dtype, rate in peak.product.items())
    yield f"{jax.devices()[0].device_kind}: matrix products {rates}; a copy {peak.copy / 1e9:,.0f} GB/s"
    for name, line in _LINES.items():
        yield f"  {name}: {line(sizes, peak)}"


def main(arguments: list[str] | None = None) -> int:
    """Print the table; 2 for an unknown argument."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments not in ([], ["--small"]):
        print(f"unknown argument {arguments[0]!r}: there is --small", file=sys.stderr)
        return 2
    if not arguments and jax.devices()[0].platform == "cpu":
        print("no GPU: JAX has processors only, and this benchmark is of one GPU (--small tries it at small sizes)")
        return 0
    jax.config.update("jax_enable_x64", True)
    start = time.perf_counter()
    for line in lines(SMALL if arguments else Sizes()):
        print(line, flush=True)
    print(f"  altogether {time.perf_counter() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
