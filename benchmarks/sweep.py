"""Speed of a sweep over all 729 four-node DAGs, against neural-tangents called once per DAG: `python -m
benchmarks.sweep`.

The same kernels (activation-first, ReLU, float64) of the same 128 rows, in one process. neural-tangents is timed on
DAGs that it can express, eagerly and jitted with the compilation that every new DAG needs, and the faster way counts;
what it would reach if its compilations cost nothing is printed beside it. So is the rate of the sweep piece by piece,
as statistics take it, over that at which the memory of this machine copies the same kernels: in the same run, by turns.
"""

from __future__ import annotations

import sys

import jax
import numpy as np

from benchmarks.neural_tangents_rate import neural_tangents_rate
from benchmarks.timing import Cost, cheapest_by_turns, seconds
from nngp_dag import enumerate_codes
from nngp_dag.kernel.chunks import sweep_chunks, sweep_kernels
from nngp_dag.reading import Setting

__all__ = ["beside_a_copy", "main", "sweep_rate"]

ROWS = 128
REQUIRED = {("nngp",): 300, ("nngp", "ntk"): 150}
"""Ratios that the sweep is to reach."""

PIECE_BYTES = 32 * 2**20


def sweep_rate(x: np.ndarray, codes: np.ndarray, names: tuple[str, ...], repeats: int = 7) -> tuple[float, float]:
    """DAGs per second after compilation (median of `repeats`), and seconds of the first call, which compiles."""

    def sweep() -> None:
        jax.block_until_ready(sweep_kernels(codes, x, names, Setting.make(order="activation-first")))

    first = seconds(sweep)
    return len(codes) / float(np.median([seconds(sweep) for _ in range(repeats)])), first


def beside_a_copy(x: np.ndarray, codes: np.ndarray, names: tuple[str, ...]) -> Cost:
    """The rate of the sweep piece by piece over that of a copy of its kernels, by wall-clock and processor time."""
    kernels = np.ones((len(codes), len(x), len(x)))
    target = np.empty_like(kernels)

    def copy() -> None:
        for _ in names:
            np.copyto(target, kernels)

    def sweep() -> None:
        setting = Setting.make(order="activation-first")
        for _, found in sweep_chunks(codes, x, names, setting, chunk_bytes=PIECE_BYTES):
            jax.block_until_ready(found)

    costs = cheapest_by_turns({"copy": copy, "sweep": sweep}, repeats=7)
    return Cost(*(a / b for a, b in zip(costs["copy"], costs["sweep"], strict=True)))


def main() -> int:
    """Print the ratios; 1 where one falls short."""
    jax.config.update("jax_enable_x64", True)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, 64))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    codes = enumerate_codes(4)
    sample = codes[rng.choice(len(codes), size=24, replace=False)]
    status = 0
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
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
