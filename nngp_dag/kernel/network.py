"""A network as kernels take it: a DAG, or a wiring of one that is more than its DAG."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from nngp_dag.dag import Dag, as_dag
from nngp_dag.reading import Reading
from nngp_dag.wiring import NetworkLike, Wiring

__all__ = ["Network", "dag_of", "network_of"]

Network: TypeAlias = "Dag | Wiring"


def network_of(network: NetworkLike, reading: Reading) -> Network:
    """The pruned network, checked: a plain DAG where a wiring is known to be no more, else every activation given."""
    if not isinstance(network, Wiring):
        return as_dag(network).pruned()
    wiring = network.checked().pruned()
    if wiring.is_plain:
        return wiring.dag
    return replace(wiring, activations=tuple(sigma or reading.activation for sigma in wiring.activations))


def dag_of(network: Network) -> Dag:
    """The DAG of a network."""
    return network.dag if isinstance(network, Wiring) else network
