"""Training: nine networks (DAG#1-3, three seeds, width 1024, batches of 128) as one vmapped program, against the same
nine runs one after another, against a plain loop in PyTorch, and against the device's own matrix products.

All are timed by turns in one process; a step is a step of all nine networks.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.timing import fastest_by_turns, seconds
from nngp_dag.dag import Dag
from nngp_dag.finite.network import Ensemble, NetworkSpec
from nngp_dag.finite.training import TrainConfig, make_data
from nngp_dag.finite.training.loop import Run
from nngp_dag.finite.training.program import Data
from nngp_dag.reading import Reading
from nngp_dag.reproduce.figure4 import CODES

__all__ = ["Runner", "main"]

INPUTS, CLASSES, BATCH, SEEDS, RATE = 784, 10, 128, 3, 1e-2


class Runner:
    """Trains an ensemble for some steps a call, from the first of an epoch; the state stays on the device."""

    def __init__(self, spec: NetworkSpec, dags: list[Dag], seeds: list[int], data: Data, steps: int) -> None:
        config = TrainConfig.make(len(data.x), learning_rate=RATE, batch=BATCH, steps=steps, eval_every=steps)
        self.run = Run(Ensemble(spec, dags, seeds, jax.devices()[:1]), data, config, [1.0] * len(dags))

    def __call__(self) -> None:
        self.run.step = 0
        while self.run.step < self.run.config.steps:
            self.run.advance()
        jax.block_until_ready(self.run.state)


def multiplications(spec: NetworkSpec, dags: list[Dag]) -> float:
    """Floating-point operations in the matrix products of one step of all networks; the inputs need no gradient."""
    edges = sum(dag.pruned().num_linear for dag in dags)
    matrices = 6 * edges * spec.width**2 + len(dags) * (4 * spec.inputs + 6 * spec.outputs) * spec.width
    return float(SEEDS * BATCH * matrices)


def product_rate(width: int) -> float:
    """Operations per second of a product of square float32 matrices, 4 times as wide: the device's attainable peak."""
    a = jnp.ones((4 * width, 4 * width), jnp.float32)
    product = jax.jit(lambda a: a @ a)
    return 2 * (4 * width) ** 3 / min(seconds(lambda: jax.block_until_ready(product(a))) for _ in range(4))


def plain_torch(dags: list[Dag], width: int, data: Data, steps: int) -> Callable[[], None] | None:
    """So many steps of the nine runs in PyTorch, one after another; None without PyTorch."""
    if importlib.util.find_spec("torch") is None:
        return None
    from benchmarks.training_torch import Run

    x, y = np.array(data.x), np.array(data.labels)
    runs = [Run(dag, width, x, y, BATCH, RATE, seed) for dag in dags for seed in range(SEEDS)]

    def one_after_another() -> None:
        for run in runs:
            run(steps)

    return one_after_another


def main(width: int = 1024, steps: int | None = None, repeats: int = 3) -> None:
    """Print steps per second and ratios."""
    accelerator = jax.devices()[0].platform != "cpu"
    steps = steps or (64 if accelerator else 4)
    dags = [Dag.from_code(code) for code in CODES]
    rng = np.random.default_rng(0)
    rows = BATCH * max(steps, 8)  # the timed steps are of one epoch
    data = make_data(rng.normal(size=(rows, INPUTS)), rng.integers(0, CLASSES, rows), CLASSES)
    spec = NetworkSpec.make(
        dags, INPUTS, width, CLASSES, reading=Reading(embedding="stem"), parameterization="standard"
    )
    together = Runner(spec, dags, list(range(SEEDS)), data, steps)
    alone = [Runner(spec, [dag], [seed], data, steps) for dag in dags for seed in range(SEEDS)]

    def one_after_another() -> None:
        for runner in alone:
            runner()

    ways = {"one vmapped program": together, "one after another": one_after_another}
    torch = plain_torch(dags, width, data, steps)
    if torch is not None:
        ways["PyTorch, one after another"] = torch
    best = {name: taken / steps for name, taken in fastest_by_turns(ways, repeats).items()}
    peak, work = product_rate(width), multiplications(spec, dags)
    print(f"DAG#1-3 with {SEEDS} seeds, width {width}, batch {BATCH}, float32, {jax.devices()[0].device_kind}")
    for name, taken in best.items():
        print(f"  {name}: {1 / taken:.2f} steps/s, {work / taken / peak:.0%} of a large matrix product's rate")
    vmapped = best["one vmapped program"]
    print(f"  one after another / vmapped: {best['one after another'] / vmapped:.2f}")
    if torch is None:
        print("  PyTorch is not installed: no comparison with it (pip install torch, then run this again)")
    else:
        print(f"  PyTorch / vmapped: {best['PyTorch, one after another'] / vmapped:.2f}")
    print(f"  a large matrix product: {peak / 1e9:,.0f} GFLOP/s in float32 (at JAX's default precision)")


if __name__ == "__main__":
    main()
