"""What is computed: method, order, embedding and activation of a kernel, and which of them go together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from jax import Array

from nngp_dag import activations
from nngp_dag.activations import Activation
from nngp_dag.errors import InputError

__all__ = ["EMBEDDINGS", "METHODS", "ORDERS", "Embedding", "Kernel", "Method", "Order", "Setting"]

Method = Literal["exact", "independent", "path-sum", "neural-tangents"]
Order = Literal["activation-last", "activation-first"]
Embedding = Literal["gaussian", "gaussian-trained", "stem"]

METHODS: tuple[Method, ...] = get_args(Method)
ORDERS: tuple[Order, ...] = get_args(Order)
EMBEDDINGS: tuple[Embedding, ...] = get_args(Embedding)


class Kernel(NamedTuple):
    """The kernels of one DAG: `nngp` = K_HH and `ntk` = K_HH + Theta_HH, scalars or Gram matrices."""

    nngp: Array
    ntk: Array


@dataclass(frozen=True)
class Setting:
    """A validated combination of method, order, embedding and activation (a *reading*, with the activation).

    Raises (from `make`):
        InputError: an unknown name, or a stem where its features would not be Gaussian.
    """

    method: Method
    order: Order
    embedding: Embedding
    activation: Activation

    @classmethod
    def make(
        cls,
        method: str = "exact",
        order: str | None = None,
        embedding: str = "gaussian",
        activation: str | Activation | Callable[[Array], Array] = "relu",
    ) -> Setting:
        """Check names and combination; by default activation-first for neural-tangents, else activation-last."""
        if order is None:
            order = "activation-first" if method == "neural-tangents" else "activation-last"
        for kind, value, accepted in (
            ("method", method, METHODS),
            ("order", order, ORDERS),
            ("embedding", embedding, EMBEDDINGS),
        ):
            if value not in accepted:
                raise InputError(f"unknown {kind} {value!r}: accepted are {', '.join(accepted)}")
        if embedding == "stem" and order == "activation-first" and method in ("exact", "neural-tangents"):
            raise InputError(
                f"the stem embedding is not available for {method} with activation-first: the next activation would see"
                " features that are not Gaussian; use gaussian-trained, which is NAS-Bench-201's stem"
            )
        return cls(method, order, embedding, activations.get(activation))  # type: ignore[arg-type]
