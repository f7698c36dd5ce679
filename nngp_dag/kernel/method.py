"""The interface of a method: rows (one input at a time), pairs, and the diagonal. Gram matrices are made of these.

A method is a static, hashable object; what depends on the DAG is its *program*, a pytree of arrays, so that one
compilation serves all DAGs of a node count.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeAlias, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nngp_dag.activations import Activation
from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.kernel.network import Network, dag_of
from nngp_dag.kernel.plane_sums import PlaneRows, PlaneSums, Shared
from nngp_dag.kernel.products import squared_norms, symmetric_products
from nngp_dag.reading import METHODS, PAIR_METHODS, Setting

__all__ = ["AnyMethod", "Numbers", "PairMethod", "Program", "Rows", "cast_program", "pair_method"]

Numbers: TypeAlias = Array | np.ndarray
"""An array of JAX, or one of NumPy that becomes one."""

Program = TypeVar("Program")
"""Arrays that describe one DAG to a method: a pytree."""

Rows = TypeVar("Rows")
"""The values that a method computes once per input: a pytree of arrays whose last axis is the inputs."""


@dataclass(frozen=True)
class PairMethod(ABC, Generic[Program, Rows]):
    """A method that is a function of one pair of inputs (x, x'), through K_in(x, x), K_in(x, x'), K_in(x', x').

    Args:
        setting: method, order, embedding and activation.
        with_tangent: compute the NTK too.
    """

    setting: Setting
    with_tangent: bool

    @abstractmethod
    def program(self, network: Network) -> Program:
        """The arrays (NumPy, float64) that describe a pruned DAG with a path, or a wiring (then JAX's where its are).

        Raises:
            InputError: a wiring for which the method has no formula.
        """

    @abstractmethod
    def rows(self, program: Program, k: Array) -> Rows:
        """The values that depend on one input, for K_in(x, x) = k [N]."""

    @abstractmethod
    def pairs(self, program: Program, x: Rows, y: Rows, k: Array) -> tuple[Array, Array]:
        """K_HH and Theta_HH (zero without tangents) [X, Y], for the rows of x and y and K_in(x, x') = k [X, Y]."""

    @abstractmethod
    def diagonal(self, program: Program, rows: Rows) -> tuple[Array, Array]:
        """K_HH(x, x) and Theta_HH(x, x) [N] of each input with itself."""

    @abstractmethod
    def reached(self, network: Network, rows: Rows) -> list[tuple[Activation, Array]]:
        """Activations and the variances to which they are applied; the rows are those of some that prepare nothing."""

    def adapted(self, network: Network) -> PairMethod[Program, Rows]:
        """The method as it serves a network; itself, but for what a wiring decides in the place of the setting.

        Raises:
            InputError: a wiring for which the method has no formula.
        """
        del network
        return self

    @property
    def leading(self) -> tuple[int, ...]:
        """The leading axes of what `pairs` and `diagonal` give: none, but at all nodes at once."""
        return ()

    def node_program(self, network: Network) -> Program:
        """The program for `node_pairs` and `node_diagonal`."""
        return self.program(network)

    @abstractmethod
    def node_pairs(self, program: Program, x: Rows, y: Rows, k: Array) -> tuple[Array, Array]:
        """K_tt and Theta_tt [T, X, Y] at nodes 0, ..., H-1, with what fills up the last block, and at node H."""

    @abstractmethod
    def node_diagonal(self, program: Program, rows: Rows) -> tuple[Array, Array]:
        """The same of each input with itself, [T, N]."""

    def reached_by_many(self, codes: np.ndarray, k: np.ndarray) -> list[Array]:
        """The variances for the DAGs of `many`, for K_in(x, x) = k [N]; here one DAG after the other."""
        found: list[Array] = []
        for code in codes:
            dag = Dag.from_array(code).pruned()
            if any(dag.ops):
                rows = self.rows(cast_program(self.program(dag), k.dtype), jnp.asarray(k))
                found += [variances for _, variances in self.reached(dag, rows)]
        return found

    def estimated_seconds(self, network: Network, num_pairs: int) -> float:
        """Seconds of one core for so many pairs of inputs; 0 where that is no matter, as it is for most methods."""
        del network, num_pairs
        return 0.0

    def numbers_per_pair(self, network: Network, program: Program) -> int:
        """Numbers that are held at once for one pair of inputs, from which tiles get their size."""
        del program
        return 4 * dag_of(network).num_nodes + 8

    def many(self, codes: np.ndarray, x: Array, names: tuple[str, ...]) -> tuple[Array, ...]:
        """Kernels of many DAGs of equal node count on the same rows; here one after the other.

        A method that can share work between DAGs does so in an override.

        Args:
            codes: flat codes [A, E], in lexicographic order; not pruned, and some may have no path.
            x: rows [N, d].
            names: "nngp" and "ntk", or one of them (with "ntk" only where `with_tangent`).

        Returns:
            an array [A, N, N] for each name, symmetric to the last bit.
        """
        found = [_one_of_many(self, Dag.from_array(code).pruned(), x, names) for code in codes]
        return tuple(jnp.stack(kernels) for kernels in zip(*found, strict=True))

    def plane_sums(self, codes: np.ndarray) -> PlaneSums | None:
        """Kernels of many DAGs of equal node count as sums of planes they share; None from a method that has none.

        Args:
            codes: flat codes [A, E], in lexicographic order; not pruned, and some may have no path.
        """
        del codes
        return None

    def plane_rows(self, program: Shared, k: Array) -> PlaneRows:
        """The diagonals of the planes of `plane_sums`, and what its pairs need, for K_in(x, x) = k [N]."""
        raise NotImplementedError(f"{type(self).__name__} has no planes that DAGs share")

    def planes(self, program: Shared, x: Shared, y: Shared, k: Array) -> tuple[Array, Array]:
        """V and W (zero without tangents) [S, X, Y] of those planes, for states of rows and K_in(x, x') = k [X, Y]."""
        raise NotImplementedError(f"{type(self).__name__} has no planes that DAGs share")


AnyMethod: TypeAlias = PairMethod[Any, Any]
"""Some method: its programs and rows are its own business, and are only handed back to it."""


def pair_method(setting: Setting, with_tangent: bool = True) -> AnyMethod:
    """The method object of a setting.

    Raises:
        InputError: neural-tangents, which is no function of one pair of inputs.
    """
    implementation = METHODS[setting.method].implementation
    if implementation is None:
        raise InputError(f"{setting.method} needs data: use kernel_fn, or one of {', '.join(PAIR_METHODS)}")
    module, name = implementation.split(":")
    method: AnyMethod = getattr(importlib.import_module(module), name)(setting, with_tangent)
    return method


def cast_program(program: Program, dtype: np.dtype) -> Program:
    """The numbers of a program in the dtype of the data (what is too large becomes infinite, and shows in the result).

    Integers are positions, and stay as they are.
    """
    with np.errstate(over="ignore"):
        return jax.tree.map(lambda a: _cast(a, dtype), program)


def _cast(a: Numbers, dtype: np.dtype) -> Numbers:
    if a.dtype.kind in "iu":
        return a
    return a.astype(dtype) if isinstance(a, jax.Array) else np.asarray(a, dtype)


def _one_of_many(method: AnyMethod, dag: Dag, x: Array, names: tuple[str, ...]) -> tuple[Array, ...]:
    if not any(dag.ops):
        return (jnp.zeros((x.shape[0], x.shape[0]), x.dtype),) * len(names)
    return _whole(method, cast_program(method.program(dag), x.dtype), x, names)


@partial(jax.jit, static_argnames=("method", "names"))
def _whole(method: AnyMethod, program: Program, x: Array, names: tuple[str, ...]) -> tuple[Array, ...]:
    rows = method.rows(program, squared_norms(x))
    index = jnp.arange(x.shape[0])
    nngp, tangent = (
        plane.at[index, index].set(diagonal)
        for plane, diagonal in zip(
            method.pairs(program, rows, rows, symmetric_products(x)), method.diagonal(program, rows), strict=True
        )
    )
    kernels = {"nngp": nngp, "ntk": nngp + tangent}
    return tuple(kernels[name] for name in names)
