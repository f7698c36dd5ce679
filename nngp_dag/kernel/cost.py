"""Cost of a kernel, as far as it is known before it is computed; what cannot be done is refused with its estimate."""

from __future__ import annotations

import jax

from nngp_dag.errors import InputError
from nngp_dag.kernel.method import pair_method
from nngp_dag.kernel.network import Network, dag_of
from nngp_dag.reading import METHODS, Setting
from nngp_dag.support.memory import require_memory

__all__ = ["estimated_seconds", "require_cost", "require_time"]

_SECONDS_PER_LAYER = 0.02
"""Of one core, for tracing and compiling one branch of a network of neural-tangents (1,770 branches: 33 s)."""

_MOST_SECONDS = 6 * 3600
_MOST_LAYERS = 1000


def require_cost(network: Network, setting: Setting, shape: tuple[int, int], itemsize: int, num_kernels: int) -> None:
    """Refuse what would not fit into memory or would not end in a day's work.

    Args:
        network: pruned.
        setting: method and reading.
        shape: numbers of rows [N, M] of the kernel.
        itemsize: bytes of an entry.
        num_kernels: how many kernels are asked for.

    Raises:
        InputError: with the estimate.
    """
    n, m = shape
    require_memory(itemsize * n * m * num_kernels, f"the kernel of {n:,} by {m:,} rows")
    dag = dag_of(network)
    edges = len(dag.ops) - dag.ops.count(0)
    if setting.method == "neural-tangents" and edges > _MOST_LAYERS:
        raise InputError(
            f"neural-tangents would build {edges:,} branches one by one, in about {_SECONDS_PER_LAYER * edges:,.0f} s:"
            f" at most {_MOST_LAYERS:,} edges; use method exact"
        )
    require_time(network, setting, shape)


def require_time(network: Network, setting: Setting, shape: tuple[int, int]) -> None:
    """Refuse (InputError, with the estimate) a kernel of a pruned network that would not end in a day's work."""
    n, m = shape
    dag = dag_of(network)
    seconds = estimated_seconds(network, setting, n * m)
    if jax.default_backend() == "cpu" and seconds > _MOST_SECONDS:
        raise InputError(
            f"the kernel of {dag.num_nodes:,} nodes on {n:,} by {m:,} rows would take about {seconds / 3600:,.0f} hours"
            f" of one core: use fewer rows, or method path-sum"
        )


def estimated_seconds(network: Network, setting: Setting, num_pairs: int) -> float:
    """Seconds of one core for so many pairs of rows, as far as the method knows; 0 where they are no matter."""
    return pair_method(setting).estimated_seconds(network, num_pairs) if METHODS[setting.method].is_pairwise else 0.0
