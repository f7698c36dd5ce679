"""The paper's simplified rule (Eq. 12): kernels as sums over end-to-end paths.

With k_0 = K_00, k_d = f(k_{d-1}), th_0 = Theta_00, th_d = fdot(k_{d-1}) th_{d-1} + T(k_{d-1}):
NNGP = sum_d n_d k_d and NTK = sum_d n_d (k_d + th_d), where n_d is the number of paths with d linear edges. For wirings
see `wired_paths`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from nngp_dag.activations import Activation, Prepared
from nngp_dag.dag import Dag, Op
from nngp_dag.errors import InputError
from nngp_dag.kernel.embedding import EmbeddedRow, embed_pair, embed_row
from nngp_dag.kernel.maps import over_pairs, over_rows
from nngp_dag.kernel.method import Numbers, PairMethod, cast_program
from nngp_dag.kernel.network import Network
from nngp_dag.kernel.plane_sums import PlaneRows, PlaneSums
from nngp_dag.kernel.products import squared_norms, symmetric_products
from nngp_dag.kernel.wired_paths import WiredPaths, path_weights, single_activation, wired_paths
from nngp_dag.paths import path_counts, path_counts_array
from nngp_dag.support.distinct import distinct_rows
from nngp_dag.wiring import Wiring

__all__ = ["ChainRows", "PathSum"]

_Link = tuple[Array, Array]
"""(k_d, th_d)"""

_Program = Numbers | WiredPaths

_Scales = tuple[Numbers, Numbers] | None
"""w^2 and v^2 of each step of a wiring's chain; None: 1 and 0."""


class ChainRows(NamedTuple):
    """Inputs along the chain k_0, k_1, ...: prepared variances stacked on the first axis, inputs on the last."""

    embedded: EmbeddedRow
    prepared: Prepared
    variances: Array
    tangents: Array


@dataclass(frozen=True)
class PathSum(PairMethod[_Program, ChainRows]):
    """Eq. 12: sum over paths of the d-fold composition of f. Its program is n_d, float64 [D + 1], or `WiredPaths`."""

    def program(self, network: Network) -> _Program:
        return wired_paths(network) if isinstance(network, Wiring) else _counts(network)

    def node_program(self, network: Network) -> _Program:
        if isinstance(network, Wiring):
            return wired_paths(network, at_nodes=True)
        linear, skip = (np.ones(sum(found is op for *_, found in network.edges())) for op in (Op.LINEAR, Op.SKIP))
        return path_weights(network, linear, skip, at_nodes=True)

    def adapted(self, network: Network) -> PathSum:
        sigma = single_activation(network) if isinstance(network, Wiring) else None
        own = self.setting.activation
        if sigma is None or sigma == own:
            return self
        if self.setting.embedding == "stem":
            raise InputError(f"path-sum has one activation for all: the stem has {own.name}, the edges {sigma.name}")
        reading = replace(self.setting.reading, activation=sigma)
        return replace(self, setting=replace(self.setting, reading=reading))

    def rows(self, program: _Program, k: Array) -> ChainRows:
        wired = _wired(program)
        return over_rows(lambda k, scales: self.chain_row(k, wired.weights.shape[-1], scales))(k, _scales(program))

    def pairs(self, program: _Program, x: ChainRows, y: ChainRows, k: Array) -> tuple[Array, Array]:
        chain = over_pairs(lambda k, x, y, scales: self.chain_pair(x, y, k, scales))
        return self._sum(program, *chain(k, x, y, _scales(program)))

    def diagonal(self, program: _Program, rows: ChainRows) -> tuple[Array, Array]:
        return self._sum(program, rows.variances, rows.tangents)

    def node_pairs(self, program: _Program, x: ChainRows, y: ChainRows, k: Array) -> tuple[Array, Array]:
        return self.pairs(program, x, y, k)

    def node_diagonal(self, program: _Program, rows: ChainRows) -> tuple[Array, Array]:
        return self.diagonal(program, rows)

    def reached(self, network: Network, rows: ChainRows) -> list[tuple[Activation, Array]]:
        embedded = [] if self.setting.embedding != "stem" else [rows.embedded.prepared]
        return [(self.setting.activation, variances) for variances in (*embedded, rows.prepared[:-1])]

    def reached_by_many(self, codes: np.ndarray, k: np.ndarray) -> list[Array]:
        length = path_counts_array(codes).shape[1]
        rows = over_rows(lambda k, _: self.chain_row(k, length))(jnp.asarray(k), None)
        return [variances for _, variances in self.reached(Dag.from_array(codes[0]), rows)]

    def many(self, codes: np.ndarray, x: Array, names: tuple[str, ...]) -> tuple[Array, ...]:
        return _many(self, cast_program(path_counts_array(codes).astype(np.float64), x.dtype), x, names)

    def plane_sums(self, codes: np.ndarray) -> PlaneSums:
        counts = path_counts_array(codes).astype(np.float64)
        first, which = distinct_rows(counts)
        links = np.where(counts[first] == 0, 0, np.arange(counts.shape[1]))
        return PlaneSums(np.ones(counts.shape[1]), links, counts[first], np.zeros_like(counts[first]), which)

    def plane_rows(self, program: np.ndarray, k: Array) -> PlaneRows:
        rows = over_rows(lambda k, _: self.chain_row(k, len(program)))(k, None)
        return PlaneRows(rows, rows.variances, rows.tangents, jnp.zeros_like(rows.variances))

    def planes(self, program: np.ndarray, x: ChainRows, y: ChainRows, k: Array) -> tuple[Array, Array]:
        del program
        return over_pairs(lambda k, x, y, _: self.chain_pair(x, y, k))(k, x, y, None)

    def chain_row(self, k: Array, length: int, scales: _Scales = None) -> ChainRows:
        """(k_d, th_d), d = 0..length-1, of one input with itself."""
        activation = self.setting.activation
        embedded = embed_row(self.setting, k)

        def step(carry: _Link, _: None) -> tuple[_Link, tuple[Prepared, Array, Array]]:
            variance, tangent = carry
            q = self._seen(variance, scales)
            f = activation.dual_diagonal(q)
            after = self._after(f, activation.dual_derivative_diagonal(q), q, tangent, scales)
            return after, (activation.prepare(q), variance, tangent)

        _, rows = lax.scan(step, (embedded.variance, embedded.tangent), length=length)
        return ChainRows(embedded, *rows)

    def chain_pair(self, x: ChainRows, y: ChainRows, k: Array, scales: _Scales = None) -> tuple[Array, Array]:
        """(k_d, th_d), d = 0..D, of a pair of inputs: two arrays [D + 1]."""
        activation = self.setting.activation

        def step(carry: _Link, prepared: tuple[Prepared, Prepared]) -> tuple[_Link, _Link]:
            covariance, tangent = carry
            q = self._seen(covariance, scales)
            f = activation.dual(prepared[0], prepared[1], q)
            slope = activation.dual_derivative(prepared[0], prepared[1], q)
            return self._after(f, slope, q, tangent, scales), carry

        _, chain = lax.scan(step, embed_pair(self.setting, x.embedded, y.embedded, k), (x.prepared, y.prepared))
        return chain

    def _seen(self, k: Array, scales: _Scales) -> Array:
        """The covariance to which the activation is applied, for k_{d-1}."""
        if scales is None or self.setting.order == "activation-first":
            return k
        return jnp.asarray(scales[0] * k + scales[1])

    def _after(self, f: Array, slope: Array, q: Array, tangent: Array, scales: _Scales) -> _Link:
        """k_d and th_d."""
        weight, bias = (1.0, 0.0) if scales is None else scales
        if self.setting.order == "activation-last":
            return f, slope * (weight * tangent + q) if self.with_tangent else jnp.zeros_like(f)
        k = f if scales is None else jnp.asarray(weight * f + bias)
        if not self.with_tangent:
            return k, jnp.zeros_like(f)
        grown = slope * tangent + f
        return k, grown if scales is None else jnp.asarray(weight * grown + bias)

    def _sum(self, program: _Program, k: Array, tangent: Array) -> tuple[Array, Array]:
        wired = _wired(program)
        weights = wired.weights
        nngp = jnp.tensordot(weights, k, 1, precision=lax.Precision.HIGHEST)
        theta = jnp.tensordot(weights, tangent, 1, precision=lax.Precision.HIGHEST)
        if not isinstance(program, WiredPaths) or np.ndim(weights) > 1:  # at nodes there is no read-out
            return nngp, theta
        return jnp.asarray(wired.readout_weight * nngp + wired.readout_bias), jnp.asarray(wired.readout_weight * theta)


def _counts(dag: Dag) -> np.ndarray:
    try:
        return np.array([float(n) for n in path_counts(dag)])
    except OverflowError:
        raise InputError(
            "the number of paths of this DAG overflows float64: its path-sum kernel cannot be computed"
        ) from None


def _wired(program: _Program) -> WiredPaths:
    if isinstance(program, WiredPaths):
        return program
    return WiredPaths(program, *[np.ones(()), np.zeros(())] * 2)


def _scales(program: _Program) -> _Scales:
    return (program.weight, program.bias) if isinstance(program, WiredPaths) else None


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
