"""Activations and their dual maps: a name gets one (`get`), `ACTIVATIONS` lists them, any function makes another.

To add one: a module with a subclass of `Activation`, and its line in `ACTIVATIONS`; every test then covers it.
"""

from __future__ import annotations

from collections.abc import Callable

from jax import Array

from nngp_dag.activations.base import Accuracy as Accuracy
from nngp_dag.activations.base import Activation as Activation
from nngp_dag.activations.base import Prepared as Prepared
from nngp_dag.activations.erf import Erf as Erf
from nngp_dag.activations.gelu import Gelu as Gelu
from nngp_dag.activations.identity import Identity as Identity
from nngp_dag.activations.leaky_relu import LeakyRelu as LeakyRelu
from nngp_dag.activations.quadrature import Quadrature as Quadrature
from nngp_dag.activations.quadrature import from_function as from_function
from nngp_dag.activations.relu import Relu as Relu
from nngp_dag.activations.sin import Sin as Sin
from nngp_dag.activations.tanh import Tanh as Tanh
from nngp_dag.errors import unknown

__all__ = [
    "ACTIVATIONS",
    "Accuracy",
    "Activation",
    "Erf",
    "Gelu",
    "Identity",
    "LeakyRelu",
    "Prepared",
    "Quadrature",
    "Relu",
    "Sin",
    "Tanh",
    "from_function",
    "get",
]

ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation for activation in [Relu(), LeakyRelu(), Erf(), Gelu(), Sin(), Tanh(), Identity()]
}


def get(activation: str | Activation | Callable[[Array], Array]) -> Activation:
    """The activation of a name, the activation itself, or one made of a JAX function; else InputError."""
    if isinstance(activation, Activation):
        return activation
    if isinstance(activation, str) and activation in ACTIVATIONS:
        return ACTIVATIONS[activation]
    if callable(activation):
        return from_function(activation)
    raise unknown("activation", activation, ACTIVATIONS)
