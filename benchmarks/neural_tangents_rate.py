"""DAGs per second of neural-tangents when it is called once per DAG: the sweep is compared with it.

Three ways to call it, all on the same data and for the same kernels: eagerly; jitted, its compilation included, as
every DAG is another program; and jitted with the compilation already paid for, which only repeated calls get.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.timing import seconds
from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.kernel.neural_tangents import check, make_kernel_fn
from nngp_dag.reading import Setting

__all__ = ["Rate", "neural_tangents_rate"]


class Rate(NamedTuple):
    """DAGs per second.

    Attributes:
        eager: called eagerly, once per DAG.
        jitted: called jitted, once per DAG, compilation included.
        compiled: called jitted, compilation left out (a lower bound on cost that one call per DAG cannot reach).
        num_dags: DAGs that were timed: those of the sample that neural-tangents can express.
    """

    eager: float
    jitted: float
    compiled: float
    num_dags: int

    @property
    def once_per_dag(self) -> float:
        """The faster way of calling it once per DAG."""
        return max(self.eager, self.jitted)


def neural_tangents_rate(
    x: Any, codes_sample: np.ndarray, names: tuple[str, ...] = ("nngp",), repeats: int = 3
) -> Rate:
    """The rate of neural-tangents (activation-first, gaussian embedding, ReLU) over a sample of DAGs.

    Args:
        x: rows [N, d]; switch float64 on before, for float64 kernels.
        codes_sample: flat codes int8 [A, E] of equal node count; DAGs that neural-tangents cannot express are left out.
        names: the kernels, ("nngp",) or ("nngp", "ntk").
        repeats: eager and compiled calls are timed this often per DAG, and the fastest counts.

    Raises:
        InputError: neural-tangents can express no DAG of the sample.
    """
    setting = Setting.make("neural-tangents")
    x = jnp.asarray(x)
    dags = [dag for dag in map(Dag.from_array, codes_sample) if _served(dag, setting)]
    if not dags:
        raise InputError("neural-tangents can express none of these DAGs")

    def call(dag: Dag) -> Callable[[Any], Any]:
        return lambda x: make_kernel_fn(dag, setting)(x, None, names)

    for dag in dags:  # the operations that eager calls share are compiled once, outside the clock
        jax.block_until_ready(call(dag)(x))
    eager = sum(_fastest(repeats, call(dag), x) for dag in dags)
    jitted = [jax.jit(call(dag)) for dag in dags]
    first = sum(_fastest(1, function, x) for function in jitted)
    compiled = sum(_fastest(repeats, function, x) for function in jitted)
    return Rate(len(dags) / eager, len(dags) / first, len(dags) / compiled, len(dags))


def _served(dag: Dag, setting: Setting) -> bool:
    try:
        check(dag, setting)
    except InputError:
        return False
    return True


def _fastest(repeats: int, function: Callable[[Any], Any], x: Any) -> float:
    return min(seconds(lambda: jax.block_until_ready(function(x))) for _ in range(max(1, repeats)))
