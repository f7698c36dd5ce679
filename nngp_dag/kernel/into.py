"""The numbers of one node of a network, as the recursion over nodes takes them; and the ports that nodes have.

A node sends its features through *ports*: one for each different activation sigma and pre-activation variance
Q = w^2 K + v^2 among the linear edges that leave it (Q = K where nothing is scaled; a node of a plain DAG has that one
port). What edges multiply by is in the weights with which later nodes add up what ports send.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from nngp_dag.activations import Activation
from nngp_dag.kernel.method import Numbers
from nngp_dag.kernel.mixing import Mixing
from nngp_dag.reading import Order

__all__ = ["Into", "Layout", "Port", "Scales", "variance_of"]


@dataclass(frozen=True)
class Port:
    """A port, as far as it is known before any number is: it is static under jit.

    Attributes:
        activation: sigma.
        scaled: its variance is Q = w^2 K + v^2, with numbers of its own (`Scales`); else it is K.
        ahead, behind: trained matrices next to the activation on the way to the next node.
    """

    activation: Activation
    scaled: bool = False
    ahead: int = 0
    behind: int = 1

    @classmethod
    def of(cls, order: Order, activation: Activation, scaled: bool = False) -> Port:
        """The port of an edge with one matrix: ahead of the activation with activation-last, else behind it."""
        ahead = int(order == "activation-last")
        return cls(activation, scaled, ahead, 1 - ahead)


Layout = tuple[tuple[Port, ...], ...]
"""The ports of nodes 0..H-1, one tuple a node; or of all nodes alike, one tuple in all."""


class Scales(NamedTuple):
    """The squares of w and v of each port of a node, in order: tuples, or arrays on their last axis."""

    weight: Numbers | Sequence[Numbers]
    bias: Numbers | Sequence[Numbers]


class Into(NamedTuple):
    """The numbers of node t. Weights are over earlier nodes and their ports, in order.

    Attributes:
        mean: weights of coordinate means m and b: gains.
        power: weights of covariances and tangents, D, E, V and W: for copies of one feature and for independent
            weights the squares of gains.
        constant: what D_t and E_t receive whatever the data: the biases of activation-first.
        scales: of the ports of node t.
        norm: 1 where the node has layer norm, else 0 (`layer_norm`).
    """

    mean: Mixing
    power: Mixing
    constant: Numbers | None = None
    scales: Scales | None = None
    norm: Numbers | None = None


def variance_of(port: Port, scales: Scales | None, j: int, k: Array) -> Array:
    """Q of port j of a node: of its variance or, for two inputs, their covariance there."""
    if not port.scaled:
        return k
    assert scales is not None
    return jnp.asarray(scales.weight[j]) * k + jnp.asarray(scales.bias[j])
