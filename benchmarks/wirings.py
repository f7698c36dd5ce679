"""Speed of a batch of wirings of one four-node DAG, against the sweep over all 729 four-node DAGs: `python -m
benchmarks.wirings`.

Networks per second on the same 128 rows in float64, by turns in one process. The gains of all edges differ between the
1,000 wirings; with scales and biases that differ too every edge has a dual map of its own, which is printed beside it.
"""

from __future__ import annotations

import sys
from functools import partial

import jax
import numpy as np

from benchmarks.timing import fastest_by_turns
from nngp_dag import Wiring, enumerate_codes
from nngp_dag.kernel import sweep_kernels, sweep_wirings

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
        times = fastest_by_turns(
            {
                "sweep": lambda names=names: jax.block_until_ready(sweep_kernels(codes, x, names)),
                "gains": lambda names=names: jax.block_until_ready(sweep_wirings(gains, x, names)),
                "scales": lambda names=names: jax.block_until_ready(sweep_wirings(scales, x, names)),
            },
            repeats=5,
        )
        sweep = len(codes) / times["sweep"]
        ratios = {name: WIRINGS / times[name] / sweep for name in ("gains", "scales")}
        status |= ratios["gains"] < REQUIRED
        print(
            f"{' and '.join(names)}: sweep {sweep:,.0f} DAGs/s, wirings of 2_21_112 that differ in gains"
            f" {ratios['gains']:.2f} times as many (at least {REQUIRED:.2f} wanted), in scales and biases too"
            f" {ratios['scales']:.2f}"
        )
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
