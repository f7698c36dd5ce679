"""Kernels at every node of a network: how they propagate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from nngp_dag.kernel.method import AnyMethod, PairMethod
from nngp_dag.kernel.network import Network, dag_of

__all__ = ["AtNodes", "NodeKernels"]


class NodeKernels(NamedTuple):
    """The kernels at the T nodes on paths from input to output.

    Attributes:
        nodes: their numbers in the network as it was given, ascending, integers [T].
        nngp: K_tt, of a node with layer norm behind it, [T, N, M].
        ntk: K_tt + Theta_tt, the NTK of a read-out there of weight scale 1 without a bias, [T, N, M].
    """

    nodes: np.ndarray
    nngp: Array
    ntk: Array


@dataclass(frozen=True)
class AtNodes(PairMethod[Any, Any]):
    """A method whose kernels are those of all nodes.

    Args:
        method: the method.
        num_nodes: H + 1 of the pruned network.
    """

    method: AnyMethod
    num_nodes: int

    @classmethod
    def of(cls, method: AnyMethod, network: Network) -> AtNodes:
        """The nodes of a pruned network."""
        return cls(method.setting, method.with_tangent, method, dag_of(network).num_nodes)

    @property
    def leading(self) -> tuple[int, ...]:
        return (self.num_nodes,)

    def program(self, network: Network) -> Any:
        return self.method.node_program(network)

    def rows(self, program: Any, k: Array) -> Any:
        return self.method.rows(program, k)

    def pairs(self, program: Any, x: Any, y: Any, k: Array) -> tuple[Array, Array]:
        covariance, tangent = self.method.node_pairs(program, x, y, k)
        return self._nodes(covariance), self._nodes(tangent)

    def diagonal(self, program: Any, rows: Any) -> tuple[Array, Array]:
        variance, tangent = self.method.node_diagonal(program, rows)
        return self._nodes(variance), self._nodes(tangent)

    node_pairs, node_diagonal = pairs, diagonal

    def reached(self, network: Network, rows: Any) -> list[Any]:
        return self.method.reached(network, rows)

    def numbers_per_pair(self, network: Network, program: Any) -> int:
        return self.method.numbers_per_pair(network, program) + 2 * self.num_nodes

    def _nodes(self, values: Array) -> Array:
        """Without what fills up the last block."""
        return jnp.concatenate([values[: self.num_nodes - 1], values[-1:]])
