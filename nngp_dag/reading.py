"""The reading of a DAG as a network, and the method by which its kernels are computed.

A *reading* says which network a DAG stands for: the order of matrix and activation in a linear edge, what embeds the
data, and the activation. A *setting* is a method applied to a reading. Both are made from names once, checked where
they are made, and passed on whole; they are hashable, and static under `jax.jit`. `str` shows one to people, and
nothing reads that back.

To add a method: a module with its `PairMethod` (`nngp_dag.kernel.method`), and its entry in `METHODS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias, cast, get_args

from nngp_dag.errors import InputError, unknown

if TYPE_CHECKING:
    from jax import Array

    from nngp_dag.activations import Activation

__all__ = [
    "EMBEDDINGS",
    "METHODS",
    "ORDERS",
    "PAIR_METHODS",
    "ActivationLike",
    "Embedding",
    "Method",
    "Order",
    "Reading",
    "Setting",
]

Order = Literal["activation-last", "activation-first"]
Embedding = Literal["gaussian", "gaussian-trained", "stem"]

ORDERS: tuple[Order, ...] = get_args(Order)
EMBEDDINGS: tuple[Embedding, ...] = get_args(Embedding)

ActivationLike: TypeAlias = "str | Activation | Callable[[Array], Array]"
"""The argument of `nngp_dag.activations.get`: a name, an `Activation`, or a JAX function of one number."""


@dataclass(frozen=True)
class Method:
    """Description of a method, known before it computes anything.

    Attributes:
        implementation: "module:name" of its `PairMethod`, imported at its first use; None where the method is no
            function of one pair of inputs and has a kernel function of its own (neural-tangents).
        default_order: the order where none is asked for.
        needs_gaussian_features: it has no formula for activation-first after a stem, whose features are not Gaussian.
        assumes_none_of: kinds of meetings of features (`nngp_dag.analysis.structure`) that it takes not to occur.
    """

    implementation: str | None
    default_order: Order = "activation-last"
    needs_gaussian_features: bool = False
    assumes_none_of: tuple[str, ...] = ()

    @property
    def is_pairwise(self) -> bool:
        """It is a function of one pair of inputs, given their inner products."""
        return self.implementation is not None


METHODS: dict[str, Method] = {
    "exact": Method("nngp_dag.kernel.propagate:Exact", needs_gaussian_features=True),
    "independent": Method("nngp_dag.kernel.propagate:Independent", assumes_none_of=("copies", "means")),
    "path-sum": Method("nngp_dag.kernel.path_sum:PathSum", assumes_none_of=("copies", "means", "depths")),
    "neural-tangents": Method(None, default_order="activation-first", needs_gaussian_features=True),
}
"""The methods by name, the default first."""

PAIR_METHODS = tuple(name for name, method in METHODS.items() if method.is_pairwise)
"""The methods that are functions of one pair of inputs."""


@dataclass(frozen=True)
class Reading:
    """Order, embedding and activation: which network a DAG stands for.

    Attributes:
        order: activation-last (Eq. 1-2) or activation-first (ReLU-Conv).
        embedding: gaussian (not trained), gaussian-trained or stem.
        activation: sigma.

    Raises:
        InputError: an unknown name.
    """

    order: Order = "activation-last"
    embedding: Embedding = "gaussian"
    activation: Activation = field(default_factory=lambda: _activation("relu"))

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise unknown("order", self.order, ORDERS)
        if self.embedding not in EMBEDDINGS:
            raise unknown("embedding", self.embedding, EMBEDDINGS)

    @classmethod
    def make(
        cls, order: str | None = None, embedding: str = "gaussian", activation: ActivationLike = "relu"
    ) -> Reading:
        """The reading of these names; by default activation-last, gaussian, ReLU."""
        return cls(cast(Order, order or ORDERS[0]), cast(Embedding, embedding), _activation(activation))

    def names(self) -> dict[str, str]:
        """The names of its parts, for a document: order, embedding, activation."""
        return {"order": self.order, "embedding": self.embedding, "activation": self.activation.name}

    def __str__(self) -> str:
        """Order and embedding, and the activation where it is not ReLU."""
        shown = f"{self.order}, {self.embedding}"
        return shown if self.activation.name == "relu" else f"{shown}, {self.activation.name}"


@dataclass(frozen=True)
class Setting:
    """A method applied to a reading.

    Attributes:
        method: a name in `METHODS`.
        reading: order, embedding and activation.

    Raises:
        InputError: an unknown method, or a stem where its features would have to be Gaussian.
    """

    method: str = "exact"
    reading: Reading = field(default_factory=Reading)

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise unknown("method", self.method, METHODS)
        stem_first = self.embedding == "stem" and self.order == "activation-first"
        if stem_first and METHODS[self.method].needs_gaussian_features:
            raise InputError(
                f"the stem embedding is not available for {self.method} with activation-first: the next activation"
                " would see features that are not Gaussian; use gaussian-trained, which is NAS-Bench-201's stem"
            )

    @classmethod
    def make(
        cls,
        method: str = "exact",
        order: str | None = None,
        embedding: str = "gaussian",
        activation: ActivationLike = "relu",
    ) -> Setting:
        """The setting of these names; by default the method's own order (activation-first for neural-tangents)."""
        if method not in METHODS:
            raise unknown("method", method, METHODS)
        return cls(method, Reading.make(order or METHODS[method].default_order, embedding, activation))

    @property
    def order(self) -> Order:
        """The order of the reading."""
        return self.reading.order

    @property
    def embedding(self) -> Embedding:
        """The embedding of the reading."""
        return self.reading.embedding

    @property
    def activation(self) -> Activation:
        """The activation of the reading."""
        return self.reading.activation

    def names(self) -> dict[str, str]:
        """The names of its parts, for a document: method, order, embedding, activation."""
        return {"method": self.method, **self.reading.names()}

    def __str__(self) -> str:
        """The method, then the reading."""
        return f"{self.method}, {self.reading}"


def _activation(activation: ActivationLike) -> Activation:
    from nngp_dag import activations  # with JAX, which the command line does without until something is computed

    return activations.get(activation)
