"""What every method supplies: rows (one input at a time), pairs, and the diagonal. Gram matrices are made of these.

A method is a static, hashable object; what depends on the DAG is its *program*, a pytree of arrays, so that one
compilation serves all DAGs of a node count.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax import Array

from nngp_dag.dag import Dag
from nngp_dag.reading import Setting

__all__ = ["PairMethod", "Program", "Rows", "cast_program"]

Program = Any
"""Arrays that describe one DAG to a method (a pytree)."""

Rows = Any
"""What a method computes once an input: a pytree of arrays whose last axis is the inputs."""


@dataclass(frozen=True)
class PairMethod(ABC):
    """A method that is a function of one pair of inputs (x, x'), through K_in(x, x), K_in(x, x'), K_in(x', x').

    Args:
        setting: method, order, embedding and activation.
        with_tangent: compute the NTK too.
    """

    setting: Setting
    with_tangent: bool

    @abstractmethod
    def program(self, dag: Dag) -> Program:
        """The arrays (NumPy, float64) that describe a pruned DAG with a path."""

    @abstractmethod
    def rows(self, program: Program, k: Array) -> Rows:
        """What depends on one input, for K_in(x, x) = k [N]."""

    @abstractmethod
    def pairs(self, program: Program, x: Rows, y: Rows, k: Array) -> tuple[Array, Array]:
        """K_HH and Theta_HH (zero without tangents) [X, Y], for the rows of x and y and K_in(x, x') = k [X, Y]."""

    @abstractmethod
    def diagonal(self, program: Program, rows: Rows) -> tuple[Array, Array]:
        """K_HH(x, x) and Theta_HH(x, x) [N] of each input with itself."""


def cast_program(program: Program, dtype: np.dtype) -> Program:
    """The arrays of a program in the dtype of the data; what is too large becomes infinite, and shows in the result."""
    with np.errstate(over="ignore"):
        return jax.tree.map(lambda a: np.asarray(a, dtype), program)
