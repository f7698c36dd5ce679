"""Activations and their dual maps: a name gets one (`get`), `ACTIVATIONS` lists them, any function makes another."""

from __future__ import annotations

from nngp_dag.activations.base import Activation as Activation
from nngp_dag.activations.base import Prepared as Prepared
from nngp_dag.activations.relu import Relu as Relu
from nngp_dag.errors import InputError

__all__ = ["ACTIVATIONS", "Activation", "Relu", "get"]

ACTIVATIONS: dict[str, Activation] = {activation.name: activation for activation in [Relu()]}


def get(activation: str | Activation) -> Activation:
    """The activation of a name, or the activation itself; InputError for an unknown name."""
    if isinstance(activation, Activation):
        return activation
    if activation in ACTIVATIONS:
        return ACTIVATIONS[activation]
    raise InputError(f"unknown activation {activation!r}: accepted are {', '.join(ACTIVATIONS)}")
