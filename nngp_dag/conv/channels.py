"""Features whose channels are not alike: groups of channels, each a node of its own in a cell.

A node of a cell stands for channels that are identically distributed, and independent as the width grows. Nodes set
side by side (a concatenation), or two halves of channels that were made in different ways, are several nodes, each with
a share s_j of the channels, sum_j s_j = 1. A copy (skip, pooling, sum) keeps the groups apart. A convolution of all of
them has one matrix W over m = sum_j m_j inputs, m_j = s_j m, whose blocks of columns W_j are independent, so that

    W sigma(h) / sqrt(m) = sum_j sqrt(s_j) W_j sigma(h_j) / sqrt(m_j)

is a sum of independent convolutions of gain sqrt(s_j): D = sum_j s_j C_k[f(K_j)], and
E = sum_j s_j C_k[fdot(K_j) Theta_j + n f(K_j)], for the derivatives with respect to all W_j together are those with
respect to the one matrix. A separable convolution has n = 2: each of its filters belongs to a channel of one group, and
what its matrix makes of them is averaged over groups as above. Averaging the K_j before f would give the kernel of
another network: f is not linear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nngp_dag.conv.cell import Edge
from nngp_dag.conv.operations import Convolution
from nngp_dag.errors import InputError

__all__ = ["Channels", "convolved", "side_by_side"]


@dataclass(frozen=True)
class Channels:
    """The channels of some features.

    Attributes:
        groups: (node, share of the channels), shares adding up to 1; groups of one node are independent of each other.
    """

    groups: tuple[tuple[int, float], ...]

    @classmethod
    def alike(cls, *nodes: int) -> Channels:
        """Equally many channels of every node."""
        return cls(tuple((node, 1 / len(nodes)) for node in nodes))

    @property
    def nodes(self) -> tuple[int, ...]:
        """The nodes in order."""
        return tuple(node for node, _ in self.groups)


def side_by_side(parts: Sequence[Channels]) -> Channels:
    """The concatenation of features of equally many channels."""
    return Channels(tuple((node, share / len(parts)) for part in parts for node, share in part.groups))


def convolved(channels: Channels, target: int, convolution: Convolution) -> tuple[Edge, ...]:
    """The edges that make one convolution of all channels, to a node `target`; for activation-first.

    Raises:
        InputError: layer norm behind the convolution, which acts on the sum of the edges and is no matter of each.
    """
    if convolution.normalized and len(channels.groups) > 1:
        raise InputError("layer norm is not computed behind a convolution of groups of channels, a sum of edges")
    return tuple(
        (node, target, replace(convolution, gain=convolution.gain * share**0.5)) for node, share in channels.groups
    )
