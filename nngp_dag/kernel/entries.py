"""The entries of a kernel: one number each, or an array of numbers, one for each pair of pixels of two images.

The recursion over nodes is the same for both; what weighs, adds, multiplies two means and applies a dual map is not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeAlias

import jax.numpy as jnp
from jax import Array, lax

from nngp_dag.activations import Activation, Prepared

__all__ = ["SCALARS", "Entries", "Part", "ScalarEntries", "Values", "tangent_through"]

Part: TypeAlias = Any
"""The part of a kernel or of means at one node: an array, or of images None where there is none."""

Values: TypeAlias = Array | tuple[Part, ...]
"""Parts of all nodes so far: an array with nodes first, or a tuple that grows."""


class Entries(ABC):
    """The operations of the recursion on entries. Instances are immutable and hashable."""

    @abstractmethod
    def weigh(self, weights: Any, values: Values) -> Part:
        """sum_u weights_u values_u over earlier nodes or ports."""

    @abstractmethod
    def nothing(self, like: Part) -> Part:
        """In the place of a part that is left out or that nothing brings."""

    @abstractmethod
    def plus(self, a: Part, b: Part) -> Part:
        """The sum of two parts."""

    @abstractmethod
    def plus_product(self, k: Part, x: Part, y: Part) -> Part:
        """K + x y, of the means x and y of two inputs."""

    @abstractmethod
    def less_product(self, k: Part, x: Part, y: Part) -> Part:
        """K - x y, of the means x and y of two inputs."""

    @abstractmethod
    def duals(self, activation: Activation, x: Prepared, y: Prepared, k: Part, with_slope: bool) -> tuple[Part, Part]:
        """f(K), and fdot(K) (nothing unless asked for), of inputs whose variances are prepared."""

    @abstractmethod
    def tangent(self, ahead: int, behind: int, f: Part, slope: Part, k: Part, theta: Part) -> Part:
        """The tangent kernel fdot (Theta + a K) + n f behind a and n trained matrices next to the activation."""

    def apart(self, function: Callable[..., Any], *parts: Any) -> Any:
        """A function applied to parts, each value of which it uses several times."""
        return function(*parts)


class ScalarEntries(Entries):
    """A number per entry, on axes that callers map over."""

    def weigh(self, weights: Any, values: Values) -> Array:
        """The sum; of tuples term by term, which fuses with what follows when mapped over pairs."""
        if isinstance(values, tuple):
            terms = (jnp.asarray(weights[u]) * values[u] for u in range(1, len(values)))
            return sum(terms, jnp.asarray(weights[0]) * values[0])
        return jnp.dot(jnp.asarray(weights), values, precision=lax.Precision.HIGHEST)

    def nothing(self, like: Array) -> Array:
        return jnp.zeros_like(like)

    def plus(self, a: Array, b: Array) -> Array:
        return a + b

    def plus_product(self, k: Array, x: Array, y: Array) -> Array:
        return k + x * y

    def less_product(self, k: Array, x: Array, y: Array) -> Array:
        return k - x * y

    def duals(
        self, activation: Activation, x: Prepared, y: Prepared, k: Array, with_slope: bool
    ) -> tuple[Array, Array]:
        f = activation.dual(x, y, k)
        return f, activation.dual_derivative(x, y, k) if with_slope else jnp.zeros_like(f)

    def tangent(self, ahead: int, behind: int, f: Array, slope: Array, k: Array, theta: Array) -> Array:
        return tangent_through(ahead, behind, f, slope, k, theta)


def tangent_through(ahead: int, behind: int, f: Part, slope: Part, k: Part, theta: Part) -> Array:
    """The tangent kernel that a port sends: fdot (Theta + a K) + n f."""
    before = theta + ahead * k if ahead else theta
    through: Array = slope * before
    return through + behind * f if behind else through


SCALARS = ScalarEntries()
