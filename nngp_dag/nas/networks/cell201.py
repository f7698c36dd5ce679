"""The NAS-Bench-201 cell: four nodes, an operation on each of six edges (Dong & Yang, arXiv:2001.00326).

The operations are data, not code. A *single-path* cell reads a traced index per edge, and `lax.switch` runs that
operation alone; a *supernet* cell reads a traced weight for every operation of every edge, and runs those with a
positive weight.
"""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
from flax import nnx
from jax import Array, lax
from jax.typing import DTypeLike

from nngp_dag.dag import num_edges
from nngp_dag.nas.networks.layers import ReluConvBN, Stack, avg_pool_3x3
from nngp_dag.nas.networks.probe import Probe, Report
from nngp_dag.spaces.nasbench201 import OPERATIONS
from nngp_dag.support.flax_compat import ModuleList

__all__ = ["NUM_EDGES", "NUM_NODES", "Cell201", "conv_counts", "live_genes"]

NUM_NODES = 4
NUM_EDGES = num_edges(NUM_NODES)

_IS_CONV = tuple("conv" in name for name in OPERATIONS)
_NONE = OPERATIONS.index("none")


class Nasbench201Edge(nnx.Module):
    """All operations of one edge, each with its own weights."""

    def __init__(self, channels: int, *, dtype: DTypeLike, stack: Stack = ()) -> None:
        self.conv_1x1 = ReluConvBN(channels, channels, 1, dtype=dtype, stack=stack)
        self.conv_3x3 = ReluConvBN(channels, channels, 3, dtype=dtype, stack=stack)

    def operations(self) -> list[Callable[[Array], Array]]:
        """The operations in the order of `OPERATIONS`."""
        table: dict[str, Callable[[Array], Array]] = {
            "none": jnp.zeros_like,
            "skip_connect": lambda x: x,
            "nor_conv_1x1": self.conv_1x1,
            "nor_conv_3x3": self.conv_3x3,
            "avg_pool_3x3": avg_pool_3x3,
        }
        return [table[name] for name in OPERATIONS]

    def __call__(self, x: Array, gene: Array) -> Array:
        """The output on this edge.

        Args:
            x: features of the source node [N, h, w, channels].
            gene: the operation's index, an integer scalar; or the weight of every operation [5].
        """
        operations = self.operations()
        if gene.ndim == 0:
            return lax.switch(gene, operations, x)
        total = jnp.zeros_like(x)
        for weight, operation in zip(gene, operations, strict=True):
            if operation is jnp.zeros_like:
                continue
            total = lax.cond(
                weight > 0,
                lambda total, x, weight=weight, operation=operation: total + weight * operation(x),
                lambda total, x: total,
                total,
                x,
            )
        return total


def conv_counts(genes: Array) -> Array:
    """Number of convolutions that leave each node but the last, [3]: how many ReLUs read its features.

    Args:
        genes: [6] operation indices, or [6, 5] weights of operations, in code order.
    """
    is_conv = jnp.array(_IS_CONV)
    convolutions = is_conv[genes].astype(jnp.int32) if genes.ndim == 1 else ((genes > 0) & is_conv).sum(1)
    sources = jnp.array([s for t in range(1, NUM_NODES) for s in range(t)])
    return jnp.zeros(NUM_NODES - 1, jnp.int32).at[sources].add(convolutions.astype(jnp.int32))


def live_genes(genes: Array) -> Array:
    """The operations that have to be computed: "none" in the place of those into a node that nothing reads.

    A node is read by convolutions (even by one whose result goes nowhere: its ReLU counts among those of the network),
    and by other operations where their results are read.

    Args:
        genes: [6] operation indices.
    """
    is_conv, is_none = jnp.array(_IS_CONV)[genes], genes == _NONE
    is_read = [jnp.array(True)] * NUM_NODES
    for s in reversed(range(1, NUM_NODES - 1)):
        edges = [(num_edges(t) + s, t) for t in range(s + 1, NUM_NODES)]
        is_read[s] = jnp.stack([is_conv[e] | (~is_none[e] & is_read[t]) for e, t in edges]).any()
    targets = [t for t in range(1, NUM_NODES) for _ in range(t)]
    return jnp.where(jnp.stack([is_read[t] for t in targets]), genes, _NONE)


class Cell201(nnx.Module):
    """A cell with C channels in and out, same height and width."""

    def __init__(self, channels: int, *, dtype: DTypeLike, stack: Stack = ()) -> None:
        self.edges = ModuleList([Nasbench201Edge(channels, dtype=dtype, stack=stack) for _ in range(NUM_EDGES)])

    def __call__(self, x: Array, genes: Array, probe: Probe) -> tuple[Array, list[Report]]:
        """The output node's features, and what the probe reports.

        Args:
            x: the input node's features [N, h, w, C].
            genes: [6] or [6, 5], see `Nasbench201Edge`.
            probe: see `nngp_dag.nas.networks.probe`.
        """
        counts = conv_counts(genes)
        operations = live_genes(genes) if genes.ndim == 1 else genes
        nodes, reports = [x], [probe(x, counts[0], block=True)]
        for t in range(1, NUM_NODES):
            start = num_edges(t)
            total = self.edges[start](nodes[0], operations[start])
            for s in range(1, t):
                total = total + self.edges[start + s](nodes[s], operations[start + s])
            nodes.append(total)
            if t < NUM_NODES - 1:
                reports.append(probe(total, counts[t], block=True))
        return nodes[-1], reports
