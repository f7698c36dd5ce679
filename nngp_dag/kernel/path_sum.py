"""The paper's simplified rule (Eq. 12): kernels as sums over end-to-end paths.

With k_0 = K_00, k_d = f(k_{d-1}), th_0 = Theta_00, th_d = fdot(k_{d-1}) th_{d-1} + T(k_{d-1}):
NNGP = sum_d n_d k_d and NTK = sum_d n_d (k_d + th_d), where n_d is the number of paths with d linear edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from nngp_dag.activations import Activation, Prepared
from nngp_dag.dag import Dag
from nngp_dag.errors import InputError
from nngp_dag.kernel.embedding import EmbeddedRow, embed_pair, embed_row
from nngp_dag.kernel.maps import over_pairs, over_rows
from nngp_dag.kernel.method import Numbers, PairMethod, cast_program
from nngp_dag.kernel.network import Network
from nngp_dag.kernel.products import squared_norms, symmetric_products
from nngp_dag.paths import path_counts, path_counts_array
from nngp_dag.wiring import Wiring

__all__ = ["ChainRows", "PathSum"]

_Link = tuple[Array, Array]
"""(k_d, th_d)"""


class ChainRows(NamedTuple):
    """Inputs along the chain k_0, k_1, ...: prepared variances stacked on the first axis, inputs on the last."""

    embedded: EmbeddedRow
    prepared: Prepared
    variances: Array
    tangents: Array


@dataclass(frozen=True)
class PathSum(PairMethod[Numbers, ChainRows]):
    """Eq. 12: sum over paths of the d-fold composition of f. Its program is n_d, float64 [D + 1]."""

    def program(self, network: Network) -> np.ndarray:
        if isinstance(network, Wiring):
            raise InputError("path-sum has no formula for this wiring: use method exact or independent")
        try:
            return np.array([float(n) for n in path_counts(network)])
        except OverflowError:
            raise InputError(
                "the number of paths of this DAG overflows float64: its path-sum kernel cannot be computed"
            ) from None

    def rows(self, program: Numbers, k: Array) -> ChainRows:
        return over_rows(lambda k, _: self.chain_row(k, program.shape[-1]))(k, None)

    def pairs(self, program: Numbers, x: ChainRows, y: ChainRows, k: Array) -> tuple[Array, Array]:
        chain = over_pairs(lambda k, x, y, _: self.chain_pair(x, y, k))
        return self._sum(program, *chain(k, x, y, None))

    def diagonal(self, program: Numbers, rows: ChainRows) -> tuple[Array, Array]:
        return self._sum(program, rows.variances, rows.tangents)

    def reached(self, network: Network, rows: ChainRows) -> list[tuple[Activation, Array]]:
        embedded = [] if self.setting.embedding != "stem" else [rows.embedded.prepared]
        return [(self.setting.activation, variances) for variances in (*embedded, rows.prepared[:-1])]

    def reached_by_many(self, codes: np.ndarray, k: np.ndarray) -> list[Array]:
        length = path_counts_array(codes).shape[1]
        rows = over_rows(lambda k, _: self.chain_row(k, length))(jnp.asarray(k), None)
        return [variances for _, variances in self.reached(Dag.from_array(codes[0]), rows)]

    def many(self, codes: np.ndarray, x: Array, names: tuple[str, ...]) -> tuple[Array, ...]:
        return _many(self, cast_program(path_counts_array(codes).astype(np.float64), x.dtype), x, names)

    def chain_row(self, k: Array, length: int) -> ChainRows:
        """(k_d, th_d), d = 0..length-1, of one input with itself."""
        activation = self.setting.activation
        embedded = embed_row(self.setting, k)

        def step(carry: _Link, _: None) -> tuple[_Link, tuple[Prepared, Array, Array]]:
            variance, tangent = carry
            f = activation.dual_diagonal(variance)
            after = f, self._tangent(f, activation.dual_derivative_diagonal(variance), variance, tangent)
            return after, (activation.prepare(variance), variance, tangent)

        _, rows = lax.scan(step, (embedded.variance, embedded.tangent), length=length)
        return ChainRows(embedded, *rows)

    def chain_pair(self, x: ChainRows, y: ChainRows, k: Array) -> tuple[Array, Array]:
        """(k_d, th_d), d = 0..D, of a pair of inputs: two arrays [D + 1]."""
        activation = self.setting.activation

        def step(carry: _Link, prepared: tuple[Prepared, Prepared]) -> tuple[_Link, _Link]:
            covariance, tangent = carry
            f = activation.dual(prepared[0], prepared[1], covariance)
            slope = activation.dual_derivative(prepared[0], prepared[1], covariance)
            return (f, self._tangent(f, slope, covariance, tangent)), carry

        _, chain = lax.scan(step, embed_pair(self.setting, x.embedded, y.embedded, k), (x.prepared, y.prepared))
        return chain

    def _tangent(self, f: Array, slope: Array, k: Array, tangent: Array) -> Array:
        if not self.with_tangent:
            return jnp.zeros_like(f)
        return slope * (tangent + k) if self.setting.order == "activation-last" else slope * tangent + f

    def _sum(self, counts: Numbers, k: Array, tangent: Array) -> tuple[Array, Array]:
        return (
            jnp.tensordot(counts, k, 1, precision=lax.Precision.HIGHEST),
            jnp.tensordot(counts, tangent, 1, precision=lax.Precision.HIGHEST),
        )


@partial(jax.jit, static_argnames=("method", "names"))
def _many(method: PathSum, counts: Numbers, x: Array, names: tuple[str, ...]) -> tuple[Array, ...]:
    rows = over_rows(lambda k, _: method.chain_row(k, counts.shape[1]))(squared_norms(x), None)
    k, tangent = over_pairs(lambda k, x, y, _: method.chain_pair(x, y, k))(symmetric_products(x), rows, rows, None)
    diagonal = jnp.arange(x.shape[0])
    planes = {"nngp": k.at[:, diagonal, diagonal].set(rows.variances)}
    planes["ntk"] = planes["nngp"] + tangent.at[:, diagonal, diagonal].set(rows.tangents)
    weights = jnp.asarray(counts)
    return tuple(_weighted(weights, planes[name]) for name in names)


def _weighted(weights: Array, planes: Array) -> Array:
    """sum_q weights[a, q] planes[q, x, y] in one elementwise pass: symmetric planes give symmetric sums, to the bit."""
    return sum(weights[:, q, None, None] * planes[q] for q in range(planes.shape[0]))  # type: ignore[return-value]
