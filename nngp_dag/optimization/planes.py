r"""Kernels of many normal forms at once: each value's planes are computed once, and a kernel is a weighted sum of them.

A form is a map w -> (p, q) (`normal_form`), so that on given rows

    K_HH = sum_w p_w V_w + M M',    K_HH + Theta_HH = sum_w p_w (V_w + W_w) + M M',    M = sum_w q_w b_w:

a sparse matrix of the p times the planes, and one outer product. The planes of a value are the dual maps of a sum of
the same kind over values with smaller numbers, all values of one level at a time in one program. DAGs of six nodes have
334,344 kernels made of 2,645 values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike

from nngp_dag.activations import Activation
from nngp_dag.dag import Dag
from nngp_dag.kernel.functions import kernel_of
from nngp_dag.optimization.normal_form import Forms, Rules, Value
from nngp_dag.paths import path_counts
from nngp_dag.reading import Setting
from nngp_dag.support.x64 import enable_x64

__all__ = ["Planes", "numbered", "planes_bytes"]

_BATCH = 32
"""Values whose dual maps are evaluated in one call."""


@dataclass(frozen=True, eq=False)
class Planes:
    """The kernels that values send through a linear edge, on N rows; the embedding is number 0.

    Attributes:
        covariance, both: V_w and V_w + W_w, float64 [S, N^2].
        means: b_w, float64 [S, N].
    """

    covariance: np.ndarray
    both: np.ndarray
    means: np.ndarray

    @classmethod
    def of(cls, values: Sequence[Value], x: ArrayLike, setting: Setting) -> Planes:
        """The planes of numbered values (those of a `Forms`, from 1 on) on rows [N, d].

        Args:
            values: each made of smaller numbers.
            x: rows.
            setting: exact, independent or path-sum, and a reading whose activation has closed forms.
        """
        rows = np.asarray(x, np.float64)
        n = len(rows)
        found = cls(*(np.zeros((len(values) + 1, size)) for size in (n * n, n * n, n)))
        means = setting.method != "path-sum" and Rules.of(setting).means
        with enable_x64(True):
            start = kernel_of(Dag.from_code("1"), setting)(rows)
            if means and setting.embedding == "stem":
                found.means[0] = np.asarray(setting.activation.mean(jnp.asarray((rows**2).sum(axis=1))))
            mean = np.outer(found.means[0], found.means[0])
            found.covariance[0] = (np.asarray(start.nngp) - mean).ravel()
            found.both[0] = (np.asarray(start.ntk) - mean).ravel()
            for numbers in _levels(values):
                for first in range(0, len(numbers), _BATCH):
                    found._fill(numbers[first : first + _BATCH], values, setting, means)
        return found

    def kernels(self, forms: Sequence[Value], names: tuple[str, ...]) -> list[np.ndarray]:
        """Kernels of forms, by names of "nngp" and "ntk": float64 [A, N, N] each, symmetric to the last bit."""
        from scipy.sparse import csr_array

        numbers = np.array([w for form in forms for w, _, _ in form])
        starts = np.cumsum([0, *(len(form) for form in forms)])
        weights = [np.array([entry[i] for form in forms for entry in form], np.float64) for i in (1, 2)]
        shape = len(forms), len(self.means)
        powers, signed = (csr_array((data, numbers, starts), shape=shape) for data in weights)
        return self.weighted(powers, signed, names)

    def weighted(self, powers, signed, names: tuple[str, ...]) -> list[np.ndarray]:  # type: ignore[no-untyped-def]
        """The same for weights p and q as sparse matrices [A, S]."""
        n = self.means.shape[1]
        means = signed @ self.means
        outer = means[:, :, None] * means[:, None, :] if means.any() else 0.0
        planes = {"nngp": self.covariance, "ntk": self.both}
        return [(powers @ planes[name]).reshape(-1, n, n) + outer for name in names]

    def _fill(self, numbers: list[int], values: Sequence[Value], setting: Setting, means: bool) -> None:
        nngp, ntk = self.kernels([values[number - 1] for number in numbers], ("nngp", "ntk"))
        padded = [np.concatenate([k, np.ones((_BATCH - len(k), *k.shape[1:]))]) for k in (nngp, ntk - nngp)]
        sent = _send(setting.activation, setting.order == "activation-last", means, *padded)
        covariance, tangent, mean = (np.asarray(part)[: len(numbers)] for part in sent)
        self.covariance[numbers] = covariance.reshape(len(numbers), -1)
        self.both[numbers] = (covariance + tangent).reshape(len(numbers), -1)
        self.means[numbers] = mean


def planes_bytes(num_values: int, num_rows: int) -> int:
    """Memory of the planes of so many values."""
    return 16 * (num_values + 1) * num_rows**2


def _levels(values: Sequence[Value]) -> Iterator[list[int]]:
    """The numbers of values level by level: each is made of values of levels before."""
    level = [0]
    for value in values:
        level.append(1 + max(level[w] for w, _, _ in value))
    for depth in range(1, max(level) + 1):
        yield [number for number in range(1, len(level)) if level[number] == depth]


def numbered(dags: Sequence[Dag], setting: Setting) -> tuple[list[Value], list[Value]]:
    """Forms of DAGs with a path under a numbering of their own, and the values that they are made of."""
    if setting.method == "path-sum":
        counts = [path_counts(dag) for dag in dags]
        chain: list[Value] = [((d - 1, 1, 0),) for d in range(1, max(map(len, counts)))]
        return [tuple((d, n, 0) for d, n in enumerate(c) if n) for c in counts], chain
    forms = Forms(Rules.of(setting))
    return [forms.of(dag) for dag in dags], forms.values


@partial(jax.jit, static_argnames=("activation", "last", "means"))
def _send(activation: Activation, last: bool, means: bool, nngp: Array, tangent: Array) -> tuple[Array, Array, Array]:
    """V, W [B, N, N] and b [B, N] of linear edges out of nodes with these K and Theta [B, N, N]."""

    def one(k: Array, theta: Array) -> tuple[Array, Array, Array]:
        variance = jnp.diagonal(k)
        prepared = jax.vmap(activation.prepare)(variance)
        mean = jax.vmap(activation.mean)(variance) if means else jnp.zeros_like(variance)
        on_diagonal = jnp.eye(len(k), dtype=bool)

        def mapped(pair, single) -> Array:  # type: ignore[no-untyped-def]
            by_row = jax.vmap(jax.vmap(pair, (None, 0, 0)), (0, None, 0))(prepared, prepared, k)
            return jnp.where(on_diagonal, jax.vmap(single)(variance)[:, None], by_row)

        f = mapped(activation.dual, activation.dual_diagonal)
        slope = mapped(activation.dual_derivative, activation.dual_derivative_diagonal)
        return f - mean[:, None] * mean, slope * (theta + k) if last else slope * theta + f, mean

    return jax.vmap(one)(nngp, tangent)
