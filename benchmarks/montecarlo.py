"""Monte Carlo: networks per second, against neural_tangents.monte_carlo_kernel_fn on the same rows.

The same DAG (activation-first), width and number of networks, by turns in one process, compiled outside the clock.
neural-tangents estimates the NNGP alone; here the NTK comes with it, and standard errors of both.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.timing import fastest_by_turns
from nngp_dag.dag import Dag
from nngp_dag.finite.montecarlo import monte_carlo
from nngp_dag.kernel.neural_tangents import build
from nngp_dag.reading import Reading, Setting
from nngp_dag.support.neural_tangents_compat import neural_tangents

__all__ = ["main"]

CODE, ROWS, INPUTS = "2_02_112", 16, 64


def theirs(dag: Dag, x: jax.Array, width: int, networks: int) -> Callable[[], jax.Array]:
    """A call that gives neural-tangents' Monte-Carlo NNGP [N, N]: eager, as its documentation has it."""
    network = build(dag, Setting.make("neural-tangents"), x.shape[1], width)
    sample = neural_tangents.monte_carlo_kernel_fn(
        network.init_fn, network.apply_fn, jax.random.key(0), networks, vmap_axes=0
    )
    return lambda: jax.block_until_ready(sample(x, None, "nngp"))


def main(width: int = 1024, networks: int = 16, repeats: int = 10) -> None:
    """Print networks per second and the ratio."""
    dag = Dag.from_code(CODE)
    rows = np.random.default_rng(0).normal(size=(ROWS, INPUTS))
    x = jnp.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), jnp.float32)
    ways = {
        "this package, NNGP and NTK": lambda: monte_carlo(
            dag, x, width, networks, reading=Reading(order="activation-first")
        ),
        "neural-tangents, NNGP": theirs(dag, x, width, networks),
    }
    best = fastest_by_turns(ways, repeats)
    print(f"{CODE}, {networks} networks of width {width}, {ROWS} rows, float32, {jax.devices()[0].device_kind}")
    for name, taken in best.items():
        print(f"  {name}: {networks / taken:.1f} networks/s")
    ours, other = best.values()
    print(f"  this package / neural-tangents: {other / ours:.2f}")


if __name__ == "__main__":
    main()
