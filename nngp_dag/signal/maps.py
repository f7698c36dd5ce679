"""The maps of a network: what it makes of the variance of one input, and of the correlation of two.

With K_in(x, x) = K_in(x', x') = q and K_in(x, x') = c q, and K the NNGP at the output node (Poole et al. 2016,
arXiv:1606.05340; Schoenholz et al. 2017, arXiv:1611.01232; there for one layer):

    q_H(q) = K(x, x),                 variance map, with slope dq_H / dq,
    c_H(c) = K(x, x') / K(x, x),      correlation map at fixed q, with slope c_H'(1) = chi q / q_H,
    chi(q) = dK(x, x') / dK_in(x, x') at x = x',

chi is the factor by which a small distance of two inputs, and by duality a gradient, grows on the way. At a fixed
point of the variances chi = c_H'(1). It needs no derivative: tangents start with Theta_00 = 0 for a fixed embedding and
with q for a trained one, and all that follows is affine in Theta_00, so that

    chi = (Theta_HH[gaussian-trained] - Theta_HH[gaussian]) / q.

Features of activation-last have means, and K(x, x') is then not their covariance: c_H is the cosine of the features,
which is also the correlation of the outputs. `centred` takes the mean over features off, K - S S', as a layer norm
does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike

from nngp_dag.dag import Dag, num_edges
from nngp_dag.errors import InputError
from nngp_dag.kernel.functions import pair_kernel_of
from nngp_dag.kernel.method import AnyMethod, pair_method
from nngp_dag.reading import ActivationLike, Reading, Setting
from nngp_dag.support.known import is_known
from nngp_dag.support.x64 import enable_x64
from nngp_dag.wiring import NetworkLike, Wiring, as_wiring

__all__ = ["NodeSignal", "SignalMaps", "covariance_slopes", "output_variances"]


class NodeSignal(NamedTuple):
    """The maps from the input to one node, at one variance of the input.

    Attributes:
        node: its number in the DAG that was given.
        variance: K_tt(x, x).
        variance_slope: its derivative by the input's variance.
        chi: dK_tt(x, x') / dK_in(x, x') at x = x'.
        correlation_slope: that of the correlation, c_t'(1).
    """

    node: int
    variance: float
    variance_slope: float
    chi: float
    correlation_slope: float


@dataclass(frozen=True)
class SignalMaps:
    """The maps of a network; make them with `SignalMaps.of`.

    Attributes:
        wiring: the network, not pruned, every activation given, its read-out plain: the maps are those of features.
        reading: order and activation; the embedding is gaussian.
    """

    wiring: Wiring
    reading: Reading

    @classmethod
    def of(cls, network: NetworkLike, order: str | None = None, activation: ActivationLike = "relu") -> SignalMaps:
        """The maps of a DAG or wiring by the exact kernel.

        Args:
            network: anything that describes a DAG, or a wiring (not a batch).
            order: "activation-last" (the default) or "activation-first".
            activation: of the edges that have none of their own.

        Raises:
            InputError: an unknown name, a batch, or no path from input to output.
        """
        reading = Reading.make(order, "gaussian", activation)
        wiring = as_wiring(network).checked()
        if wiring.batch_shape:
            raise InputError("signal maps are those of one wiring, not of a batch")
        if not wiring.dag.reachable().any():
            raise InputError(f"the DAG {wiring.dag.to_code()} has no path from input to output: no signal passes")
        sigmas = tuple(sigma or reading.activation for sigma in wiring.activations)
        plain = replace(wiring, activations=sigmas, readout_weight_scale=np.ones(()), readout_bias_scale=np.zeros(()))
        return cls(plain, reading)

    # ---- one input --------------------------------------------------------------------------------------------------

    def variance(self, q: ArrayLike) -> Array:
        """q_H(q), of the shape of q > 0, float64."""
        return self.signals(q)[0]

    def variance_slope(self, q: ArrayLike) -> Array:
        """dq_H / dq, of the shape of q > 0."""
        return self.signals(q)[1]

    def chi(self, q: ArrayLike) -> Array:
        """The slope of covariances at equal inputs, of the shape of q > 0."""
        return self.signals(q)[2]

    def correlation_slope(self, q: ArrayLike) -> Array:
        """c_H'(1) = chi q / q_H, of the shape of q > 0."""
        with enable_x64(True):
            variance, _, chi = self.signals(q)
            return chi * _positive(q) / variance

    def signals(self, q: ArrayLike) -> tuple[Array, Array, Array]:
        """q_H, dq_H / dq and chi, by one program; of the shape of q > 0, float64.

        Raises:
            InputError: a variance that is not a positive number.
        """
        with enable_x64(True):
            return _signals((self.method, *self.tangent_methods), self._pruned, _positive(q))

    # ---- two inputs -------------------------------------------------------------------------------------------------

    def correlation(self, c: ArrayLike, q: ArrayLike = 1.0, centred: bool = False) -> Array:
        """c_H(c), for correlations c in [-1, 1] of inputs of variance q; both broadcast.

        Args:
            c: correlations of the inputs.
            q: their variance.
            centred: of features without their mean.

        Raises:
            InputError: c outside [-1, 1], or q that is not positive.
        """
        with enable_x64(True):
            size = _positive(q)
            c = jnp.asarray(c, jnp.float64)
            if is_known(c) and not bool((abs(c) <= 1).all()):
                raise InputError("correlations must be numbers between -1 and 1")
            last = self._pruned.dag.num_nodes - 1
            norm = tuple(sorted({*self._pruned.layer_norm, last})) if centred else self._pruned.layer_norm
            network = replace(self._pruned, layer_norm=norm)
            kernel = pair_kernel_of(network, size, c * size, size, Setting("exact", self.reading)).nngp
            return kernel if centred else kernel / self.variance(size)

    # ---- node by node -----------------------------------------------------------------------------------------------

    def at_node(self, node: int) -> SignalMaps:
        """The maps from the input to a node that can be reached.

        Raises:
            InputError: a node that the DAG does not have, the input, or one that cannot be reached.
        """
        if not 0 < node < self.wiring.dag.num_nodes:
            raise InputError(f"node {node} has no maps: those of this DAG are 1..{self.wiring.dag.num_nodes - 1}")
        part = _up_to(self.wiring, node)
        if not part.dag.reachable().any():
            raise InputError(f"node {node} cannot be reached from the input")
        return SignalMaps(part, self.reading)

    def nodes(self, q: float = 1.0) -> tuple[NodeSignal, ...]:
        """The signal at every node on a path from input to output, the input first, at one variance of the input."""
        found = [NodeSignal(0, float(q), 1.0, 1.0, 1.0)]
        for node in np.flatnonzero(self.wiring.dag.reachable())[1:].tolist():
            variance, slope, chi = map(float, self.at_node(node).signals(q))
            found.append(NodeSignal(node, variance, slope, chi, chi * q / variance))
        return tuple(found)

    # ---- the kernels behind -----------------------------------------------------------------------------------------

    @property
    def method(self) -> AnyMethod:
        """The exact method, without tangents."""
        return pair_method(Setting("exact", self.reading), with_tangent=False)

    @property
    def tangent_methods(self) -> tuple[AnyMethod, AnyMethod]:
        """The exact method with tangents that start at zero, and at q."""
        embeddings = (self.reading, replace(self.reading, embedding="gaussian-trained"))
        fixed, trained = (pair_method(Setting("exact", reading)) for reading in embeddings)
        return fixed, trained

    @cached_property
    def _pruned(self) -> Wiring:
        return self.wiring.pruned()


def output_variances(method: AnyMethod, wiring: Wiring, q: Array) -> Array:
    """q_H [N] for q [N], of a pruned wiring all of whose activations are given; to be traced."""
    program = method.program(wiring)
    return method.diagonal(program, method.rows(program, q))[0]


def covariance_slopes(fixed: AnyMethod, trained: AnyMethod, wiring: Wiring, q: Array) -> Array:
    """Chi [N] for q [N], of a pruned wiring all of whose activations are given; to be traced."""
    tangents = []
    for method in (fixed, trained):
        program = method.program(wiring)
        tangents.append(method.diagonal(program, method.rows(program, q))[1])
    return (tangents[1] - tangents[0]) / q


@partial(jax.jit, static_argnames="methods")
def _signals(methods: tuple[AnyMethod, AnyMethod, AnyMethod], wiring: Wiring, q: Array) -> tuple[Array, Array, Array]:
    method, fixed, trained = methods
    # Each variance depends on its own input alone: the derivative in the direction of all ones has all slopes.
    ones = jnp.ones(q.size, q.dtype)
    variance, slope = jax.jvp(lambda k: output_variances(method, wiring, k), (q.ravel(),), (ones,))
    chi = covariance_slopes(fixed, trained, wiring, q.ravel())
    return variance.reshape(q.shape), slope.reshape(q.shape), chi.reshape(q.shape)


def _positive(q: ArrayLike) -> Array:
    """Variances as float64; InputError for one that is not a positive number."""
    values = jnp.asarray(q, jnp.float64)
    if is_known(values) and not bool(((values > 0) & jnp.isfinite(values)).all()):
        raise InputError("variances must be positive numbers")
    return values


def _up_to(wiring: Wiring, node: int) -> Wiring:
    """The wiring of nodes 0..node; edges are in code order, by the node in which they end."""
    linear = sum(t <= node for _, t in wiring.linear_edges)
    skip = sum(t <= node for _, t in wiring.skip_edges)
    return replace(
        wiring,
        dag=Dag(node + 1, wiring.dag.ops[: num_edges(node + 1)]),
        activations=wiring.activations[:linear],
        layer_norm=tuple(t for t in wiring.layer_norm if t <= node),
        weight_scale=wiring.weight_scale[:linear],
        bias_scale=wiring.bias_scale[:linear],
        gain=wiring.gain[:linear],
        skip_gain=wiring.skip_gain[:skip],
    )
