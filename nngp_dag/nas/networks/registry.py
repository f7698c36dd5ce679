"""The spaces that have networks, by name."""

from __future__ import annotations

import importlib

from nngp_dag.errors import InputError, accepted_text
from nngp_dag.nas.networks.space_networks import SpaceNetworks
from nngp_dag.spaces import get

__all__ = ["space_networks", "spaces_with_networks"]

_MODULES = {"nasbench201": "nasbench201", "darts": "darts"}
"""Name of a space -> module in this folder, whose `make` gives its networks."""


def spaces_with_networks() -> list[str]:
    """The names of the spaces that have networks."""
    return list(_MODULES)


def space_networks(name: str) -> SpaceNetworks:
    """The networks of a space; InputError lists the spaces that have some."""
    if name not in _MODULES:
        raise InputError(accepted_text(f"no networks for the space {name!r}", _MODULES))
    module = importlib.import_module(f"nngp_dag.nas.networks.{_MODULES[name]}")
    networks: SpaceNetworks = module.make(get(name))
    return networks
