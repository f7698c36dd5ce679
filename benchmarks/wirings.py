"""Speed of a batch of wirings of one four-node DAG, against the sweep over all 729 four-node DAGs: `python -m
benchmarks.wirings`.

Networks per second of processor time, and of wall-clock time beside it, on the same 128 rows in float64, by turns in
one process. The sweep evaluates 31 dual maps for 729 DAGs, and is bound by memory. Where the gains of all edges differ
between the 1,000 wirings each has one dual map of its own; where scales and biases differ too it has three, which is
printed beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

import jax
import numpy as np

from benchmarks.timing import Cost, cheapest_by_turns
from nngp_dag import Wiring, enumerate_codes
from nngp_dag.kernel import Kernel, sweep_kernels, sweep_wirings

__all__ = ["main"]

ROWS, WIRINGS, REQUIRED = 128, 1000, 1 / 3


def main() -> int:
    """Print the ratios; 1 where that of gains falls short."""
    jax.config.update("jax_enable_x64", True)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, 64))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    codes = enumerate_codes(4)
    draw = partial(rng.uniform, 0.5, 1.5, (WIRINGS, 3))
    gains = Wiring.make("2_21_112", gain=draw(), skip_gain=draw())
    scales = Wiring.make("2_21_112", gain=draw(), skip_gain=draw(), weight_scale=draw(), bias_scale=draw())
    status = 0
    for names in (("nngp",), ("nngp", "ntk")):
        costs = cheapest_by_turns(
            {
                "sweep": partial(_computed, sweep_kernels, codes, x, names),
                "gains": partial(_computed, sweep_wirings, gains, x, names),
                "scales": partial(_computed, sweep_wirings, scales, x, names),
            },
            repeats=7,
        )
        ratios = {
            name: Cost(*(s / len(codes) / (t / WIRINGS) for s, t in zip(costs["sweep"], costs[name], strict=True)))
            for name in ("gains", "scales")
        }
        status |= ratios["gains"].processor < REQUIRED
        shown = {name: f"{r.processor:.2f} ({r.wall:.2f} by wall-clock time)" for name, r in ratios.items()}
        print(
            f"{' and '.join(names)}: sweep {len(codes) / costs['sweep'].processor:,.0f} DAGs per second of processor"
            f" time; wirings of 2_21_112 that differ in gains {shown['gains']} times as many (at least {REQUIRED:.2f}"
            f" wanted), in scales and biases too {shown['scales']}"
        )
    return int(status)


def _computed(sweep: Callable[..., Kernel], *arguments: object) -> None:
    jax.block_until_ready(sweep(*arguments))


if __name__ == "__main__":
    sys.exit(main())
