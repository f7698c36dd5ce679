"""Speed of a sweep over all 729 four-node DAGs, against neural-tangents called once per DAG: `python -m
benchmarks.sweep`.

The same kernels (activation-first, ReLU, float64) of the same 128 rows, in one process. neural-tangents is timed on
DAGs that it can express, eagerly and jitted with the compilation that every new DAG needs, and the faster way counts;
what it would reach if its compilations cost nothing is printed beside it. So is the rate of the sweep piece by piece,
as statistics take it, over that at which the memory of this machine copies the same kernels: in the same run, by turns.

Statistics that need no eigenvalues (`sweep_statistics`) are timed beside the same statistics of the kernels of that
sweep, and beside the sweep and the copy alone: their rate is to reach 30,000 DAGs per second.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import jax
import numpy as np

from benchmarks.neural_tangents_rate import neural_tangents_rate
from benchmarks.timing import Cost, cheapest_by_turns, seconds
from nngp_dag import enumerate_codes
from nngp_dag.kernel.chunks import sweep_chunks, sweep_kernels
from nngp_dag.reading import Setting
from nngp_dag.spectrum import kernel_statistics, sweep_statistics

__all__ = ["beside_a_copy", "main", "sweep_rate"]

ROWS = 128
REQUIRED = {("nngp",): 300, ("nngp", "ntk"): 150}
"""Ratios that the sweep is to reach."""

REQUIRED_STATISTICS = 30_000
"""DAGs per second of statistics without eigenvalues."""

PIECE_BYTES = 32 * 2**20


def sweep_rate(x: np.ndarray, codes: np.ndarray, names: tuple[str, ...], repeats: int = 7) -> tuple[float, float]:
    """DAGs per second after compilation (median of `repeats`), and seconds of the first call, which compiles."""

    def sweep() -> None:
        jax.block_until_ready(sweep_kernels(codes, x, names, Setting.make(order="activation-first")))

    first = seconds(sweep)
    return len(codes) / float(np.median([seconds(sweep) for _ in range(repeats)])), first


def copy_and_sweep(
    x: np.ndarray, codes: np.ndarray, names: tuple[str, ...], setting: Setting
) -> tuple[Callable[[], None], Callable[[], None]]:
    """A copy of the kernels in memory, and the sweep that makes them piece by piece."""
    kernels = np.ones((len(codes), len(x), len(x)))
    target = np.empty_like(kernels)

    def copy() -> None:
        for _ in names:
            np.copyto(target, kernels)

    def sweep() -> None:
        for _, found in sweep_chunks(codes, x, names, setting, chunk_bytes=PIECE_BYTES):
            jax.block_until_ready(found)

    return copy, sweep


def beside_a_copy(x: np.ndarray, codes: np.ndarray, names: tuple[str, ...]) -> Cost:
    """The rate of the sweep piece by piece over that of a copy of its kernels, by wall-clock and processor time."""
    copy, sweep = copy_and_sweep(x, codes, names, Setting.make(order="activation-first"))
    costs = cheapest_by_turns({"copy": copy, "sweep": sweep}, repeats=7)
    return Cost(*(a / b for a, b in zip(costs["copy"], costs["sweep"], strict=True)))


def statistics_costs(x: np.ndarray, codes: np.ndarray, order: str) -> dict[str, Cost]:
    """Seconds of statistics of both kernels of all DAGs: fused, without pair bounds, from the kernels of the sweep
    piece by piece; and of that sweep alone, and of a copy of its kernels. By turns.
    """
    setting = Setting.make(order=order)
    copy, sweep = copy_and_sweep(x, codes, ("nngp", "ntk"), setting)

    def dense() -> None:
        for _, found in sweep_chunks(codes, x, setting=setting, chunk_bytes=PIECE_BYTES):
            for kernel in found:
                kernel_statistics(kernel)

    ways = {
        "fused": lambda: sweep_statistics(codes, x, setting=setting),
        "fused without pair bounds": lambda: sweep_statistics(codes, x, setting=setting, pairs=False),
        "from kernels": dense,
        "the sweep alone": sweep,
        "a copy of its kernels": copy,
    }
    return cheapest_by_turns(ways, repeats=9)


def print_statistics(x: np.ndarray, codes: np.ndarray, order: str, compiled: float | None) -> bool:
    """Print the rates of statistics beside the rate of neural-tangents' compiled programs, which make the kernels
    alone (None: it has none in this order); True where they reach what is required.
    """
    costs = statistics_costs(x, codes, order)
    fused = costs["fused"]
    print(f"statistics of both kernels without eigenvalues, {order}, DAGs/s (by processor time):")
    for name, cost in costs.items():
        rate, busy = len(codes) / cost.wall, len(codes) / cost.processor
        print(f"  {name}: {rate:,.0f} ({busy:,.0f}); fused is {cost.wall / fused.wall:.1f} times as fast")
    if compiled is not None:
        print(f"  neural-tangents' compiled programs: {compiled:,.0f}; {len(codes) / fused.wall / compiled:,.0f} times")
    return len(codes) / fused.wall >= REQUIRED_STATISTICS


def main() -> int:
    """Print the ratios; 1 where one falls short."""
    jax.config.update("jax_enable_x64", True)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, 64))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    codes = enumerate_codes(4)
    sample = codes[rng.choice(len(codes), size=24, replace=False)]
    status, compiled = 0, None
    print(f"{len(codes)} DAGs of four nodes, {ROWS} rows, float64, activation-first, {jax.devices()[0].device_kind}")
    for names, required in REQUIRED.items():
        rate, first = sweep_rate(x, codes, names)
        other = neural_tangents_rate(x, sample, names)
        ratio = rate / other.once_per_dag
        status |= ratio < required
        copied = beside_a_copy(x, codes, names)
        print(
            f"{' and '.join(names)}: sweep {rate:,.0f} DAGs/s (first call {first:.1f} s),"
            f" neural-tangents {other.eager:.1f} eager, {other.jitted:.1f} jitted, on {other.num_dags} DAGs:"
            f" ratio {ratio:,.0f} (at least {required} wanted); its compiled programs alone: {other.compiled:,.0f}"
            f" DAGs/s; of a copy of the kernels in memory: {copied.wall:.2f} ({copied.processor:.2f} by processor time)"
        )
        compiled = other.compiled
    status |= not print_statistics(x, codes, "activation-first", compiled)
    print_statistics(x, codes, "activation-last", None)
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
