"""Speed of a sweep over all 729 four-node DAGs, against neural-tangents called once per DAG: `python -m
benchmarks.sweep`.

The same kernels (activation-first, ReLU, float64) of the same 128 rows, in one process. neural-tangents is timed on
DAGs that it can express, eagerly and jitted with the compilation that every new DAG needs, and the faster way counts;
what it would reach if its compilations cost nothing is printed beside it.
"""

from __future__ import annotations

import sys

import jax
import numpy as np

from benchmarks.neural_tangents_rate import neural_tangents_rate
from benchmarks.timing import seconds
from nngp_dag import enumerate_codes
from nngp_dag.kernel.chunks import sweep_kernels
from nngp_dag.reading import Setting

__all__ = ["main", "sweep_rate"]

ROWS = 128
REQUIRED = {("nngp",): 300, ("nngp", "ntk"): 150}
"""Ratios that the sweep is to reach."""


def sweep_rate(x: np.ndarray, codes: np.ndarray, names: tuple[str, ...], repeats: int = 7) -> tuple[float, float]:
    """DAGs per second after compilation (median of `repeats`), and seconds of the first call, which compiles."""

    def sweep() -> None:
        jax.block_until_ready(sweep_kernels(codes, x, names, Setting.make(order="activation-first")))

    first = seconds(sweep)
    return len(codes) / float(np.median([seconds(sweep) for _ in range(repeats)])), first


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
        print(
            f"{' and '.join(names)}: sweep {rate:,.0f} DAGs/s (first call {first:.1f} s),"
            f" neural-tangents {other.eager:.1f} eager, {other.jitted:.1f} jitted, on {other.num_dags} DAGs:"
            f" ratio {ratio:,.0f} (at least {required} wanted); its compiled programs alone: {other.compiled:,.0f}"
            f" DAGs/s"
        )
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
