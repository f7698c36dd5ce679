"""The DARTS cell: two inputs, four nodes that sum edges from all earlier ones, outputs side by side.

An architecture is the operation of each of the fourteen edges, most of them `none`: every node of a DARTS architecture
keeps two. `lax.scan` runs over edges with stacked weights, so that the compiler sees one edge, not fourteen.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array, lax
from jax.typing import DTypeLike

from nngp_dag.nas.networks.layers import ReluConvBN
from nngp_dag.nas.networks.operations_darts import OPERATIONS, DartsEdge, FactorizedReduce, has_first_relu
from nngp_dag.nas.networks.probe import Probe, Report

__all__ = ["EDGES", "INPUTS", "NODES", "CellDarts"]

INPUTS, NODES = 2, 4

EDGES = tuple((s, t) for t in range(INPUTS, INPUTS + NODES) for s in range(t))
"""(source, target) of each edge, by target: the order of genes."""

_OUTER = np.array([i for i, (s, _) in enumerate(EDGES) if s < INPUTS])
_INNER = np.array([i for i, (s, _) in enumerate(EDGES) if s >= INPUTS])


class CellDarts(nnx.Module):
    """A normal cell, or a reduction cell that halves the image.

    Args:
        before: channels of the output of the cell before the last one.
        last: channels of the output of the last cell.
        channels: C; the output has 4 C.
        reduction: whether edges from the inputs have stride 2.
        halved: whether the cell before was a reduction, so that the older input is twice as large.
        dtype: of the weights.
    """

    def __init__(
        self, before: int, last: int, channels: int, *, reduction: bool, halved: bool, dtype: DTypeLike
    ) -> None:
        self.reduction, self.halved = reduction, halved
        first = FactorizedReduce(before, channels, dtype=dtype) if halved else None
        self.first = ReluConvBN(before, channels, 1, dtype=dtype) if first is None else first
        self.second = ReluConvBN(last, channels, 1, dtype=dtype)
        # The edges of a reduction cell are of two kinds; all are stacked in the order of `EDGES`.
        if reduction:
            self.outer = DartsEdge(channels, stride=2, dtype=dtype, stack=(len(_OUTER),))
            self.inner = DartsEdge(channels, stride=1, dtype=dtype, stack=(len(_INNER),))
        else:
            self.edges = DartsEdge(channels, stride=1, dtype=dtype, stack=(len(EDGES),))

    def __call__(self, before: Array, last: Array, genes: Array, probe: Probe) -> tuple[Array, list[Report]]:
        """The nodes side by side [N, h', w', 4 C], and the probe's reports, each with a first axis.

        Args:
            before: output of the cell before the last one, [N, h, w, channels].
            last: output of the last cell, [N, h, w, channels]; half as large where that was a reduction.
            genes: operation indices [14], or weights of all operations [14, 8]; traced.
            probe: see `nngp_dag.nas.networks.probe`.
        """
        reports = [probe(before, 1, block=not self.halved), probe(last, 1, block=True)]
        inputs = jnp.stack([self.first(before), self.second(last)])
        if self.reduction:
            side = [-(-length // 2) for length in inputs.shape[2:4]]
            empty = jnp.zeros((NODES, inputs.shape[1], *side, inputs.shape[-1]), inputs.dtype)
            nodes, outer = _run(self.outer, _OUTER, genes, empty, probe, inputs)
            nodes, inner = _run(self.inner, _INNER, genes, nodes, probe)
            tensors, within = [*inputs, *nodes], [*outer, *inner]
        else:
            empty = jnp.zeros((NODES, *inputs.shape[1:]), inputs.dtype)
            every = np.arange(len(EDGES))
            stacked, within = _run(self.edges, every, genes, jnp.concatenate([inputs, empty]), probe)
            tensors, nodes = list(stacked), stacked[INPUTS:]
        counts = self._relu_counts(genes)
        reports += [probe(tensors[i], counts[i], block=False) for i in range(INPUTS + NODES - 1)]
        output = jnp.moveaxis(nodes, 0, 3).reshape(*nodes.shape[1:4], -1)
        return output, [*jax.tree.map(lambda leaf: leaf[None], reports), *within]

    def _relu_counts(self, genes: Array) -> Array:
        """Number of operations that read each node through a ReLU of their own, [5]."""
        strides = [2 if self.reduction and s < INPUTS else 1 for s, _ in EDGES]
        starts = jnp.array([[has_first_relu(name, stride) for name in OPERATIONS] for stride in strides])
        chosen = jnp.arange(len(OPERATIONS)) == genes[:, None] if genes.ndim == 1 else genes > 0
        sources = jnp.array([s for s, _ in EDGES])
        each = (chosen & starts).sum(1, dtype=jnp.int32)
        return jnp.zeros(INPUTS + NODES - 1, jnp.int32).at[sources].add(each)


def _run(
    edges: DartsEdge, which: np.ndarray, genes: Array, nodes: Array, probe: Probe, inputs: Array | None = None
) -> tuple[Array, list[Report]]:
    """Add what some edges carry to the nodes' features.

    Args:
        edges: their operations, weights stacked along a first axis.
        which: their places in `EDGES`, sources complete before they are read.
        genes: of all edges.
        nodes: features of all six nodes [6, N, h, w, C], or with `inputs` of the four that are no input.
        probe: see `nngp_dag.nas.networks.probe`.
        inputs: where the edges come from, [2, N, h, w, C]; else from `nodes`.
    """
    graph, weights = nnx.split(edges)
    offset = INPUTS if nodes.shape[0] == NODES else 0
    sources = jnp.array([EDGES[i][0] for i in which]) - (0 if inputs is not None else offset)
    targets = jnp.array([EDGES[i][1] for i in which]) - offset

    def body(nodes: Array, edge: tuple[nnx.State, Array, Array, Array]) -> tuple[Array, list[Report]]:
        weights, gene, source, target = edge
        x = lax.dynamic_index_in_dim(nodes if inputs is None else inputs, source, keepdims=False)
        y, reports = nnx.merge(graph, weights)(x, gene, probe)
        return nodes.at[target].add(y), reports

    return lax.scan(body, nodes, (weights, genes[which], sources, targets))
