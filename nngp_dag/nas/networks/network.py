"""The interface of image networks: all that scores and searches need of one."""

from __future__ import annotations

import abc

from flax import nnx
from jax import Array

from nngp_dag.nas.networks.probe import Probe, Report, no_probe
from nngp_dag.nas.networks.sizes import NetworkSizes

__all__ = ["Network"]


class Network(nnx.Module):
    """A network whose architecture is an input, so that one compilation serves all of a space.

    The constructor makes a description without random weights: see `nngp_dag.nas.networks.initialize`.
    """

    @abc.abstractmethod
    def __init__(self, spec: NetworkSizes) -> None:
        """The network of these sizes; every class takes its own kind."""

    @abc.abstractmethod
    def __call__(self, x: Array, genes: Array, probe: Probe = no_probe) -> tuple[Array, list[Report]]:
        """Logits [N, classes], and the probe's reports: a list, each with a first axis.

        Args:
            x: images [N, height, width, inputs].
            genes: the architecture: indices of operations, or a weight for every operation (a supernet); traced.
            probe: what to report about the ReLUs' inputs.
        """
