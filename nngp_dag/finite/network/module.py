"""The network of a DAG as a Flax NNX module.

Features h_t in R^m have coordinates of order one; incoming edges are summed. The DAG enters as a wiring matrix (a
variable, not code), so that one compiled program runs many DAGs. `NetworkSpec` lists the formulas of both
parameterisations.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
from flax import nnx
from jax import Array

from nngp_dag.activations import Activation
from nngp_dag.activations.safe import reciprocal, root
from nngp_dag.dag import Dag
from nngp_dag.finite.network.spec import NetworkSpec
from nngp_dag.kernel.network import Network
from nngp_dag.support.flax_compat import ModuleList
from nngp_dag.wiring import Wiring

__all__ = ["DagNetwork", "Frozen", "Layer", "LayerNorm", "LayerScales", "WiringMatrix"]


class WiringMatrix(nnx.Variable):
    """The matrix of the DAG or the wiring: data of the network that is never trained."""


class Frozen(nnx.Variable):
    """A random weight that is not trained (the embedding matrix of `gaussian`)."""


class LayerScales(NamedTuple):
    """A layer's numbers in a wiring: the weight scale w, the bias scale v, and the bias b [fan_out] (None: none)."""

    weight: Array
    bias: Array
    vector: Array | None


class LayerNorm(nnx.Module):
    """The slot of a node with layer norm: each row's features are standardised over the width, constant ones are 0."""

    def __call__(
        self,
        h: Array,
        tap: Array | None = None,
        mask: Array | None = None,
        train: bool = False,
        scales: LayerScales | None = None,
    ) -> tuple[Array, Array]:
        """The features [N, m] standardised, and as they came; other arguments are those of a `Layer`, and unused."""
        centered = h - h.mean(axis=1, keepdims=True)
        variance = (centered**2).mean(axis=1, keepdims=True)
        return centered * reciprocal(root(variance)), h


class Layer(nnx.Module):
    """A random matrix with its scale, bias, normalisation and activation: z = scale W phi(h) [+ b], then the
    activation. With the `LayerScales` of a wiring: z = w scale W phi(h) + v b.

    Attributes:
        scale: the factor before W: 1 / sqrt(m), sqrt(c / m) or 1.
    """

    def __init__(
        self,
        spec: NetworkSpec,
        fan_in: int,
        fan_out: int,
        *,
        scale: float,
        stddev: float,
        activation: Activation | None = None,
        before: bool = False,
        after: bool = False,
        gain: float = 1.0,
        normalize: bool = False,
        trained: bool = True,
        rngs: nnx.Rngs,
    ) -> None:
        self.scale, self.gain, self.before, self.after = scale, gain, before, after
        self.activation = activation or spec.reading.activation
        dtype = jnp.dtype(spec.dtype)
        self.linear = nnx.Linear(
            fan_in,
            fan_out,
            use_bias=spec.parameterization == "standard",
            kernel_init=nnx.initializers.normal(stddev),
            dtype=dtype,
            param_dtype=dtype,
            rngs=rngs,
        )
        if not trained:
            _freeze(self.linear)
        self.norm = _batch_norm(fan_out, dtype, rngs) if normalize else None

    def __call__(
        self,
        h: Array,
        tap: Array | None = None,
        mask: Array | None = None,
        train: bool = False,
        scales: LayerScales | None = None,
    ) -> tuple[Array, Array]:
        """The layer's output [N, fan_out] and what its matrix multiplies, phi(h) [N, fan_in].

        Args:
            h: features [N, fan_in].
            tap: added to z; the gradient with respect to it is that with respect to z, for every row by itself.
            mask: rows that count in batch normalisation, bool [N].
            train: normalise by the batch (and update the running averages) instead of by the running averages.
            scales: of a wiring.
        """
        phi = self.activation(h) if self.before else h
        if scales is not None:
            z = self.linear(self.scale * scales.weight * phi)
            if scales.vector is not None:
                z = z + scales.bias * scales.vector
        else:
            z = self.linear(phi if self.scale == 1.0 else self.scale * phi)
        if tap is not None:
            z = z + tap
        if self.norm is not None:
            z = self.norm(z, use_running_average=not train, mask=None if mask is None else mask[:, None])
        if self.after:
            z = self.gain * self.activation(z) if self.gain != 1.0 else self.activation(z)
        return z, phi


class DagNetwork(nnx.Module):
    """A network of width m whose connectivity is a DAG; u = a h_H / sqrt(m) in the ntk parameterisation.

    Args:
        spec: sizes and reading.
        dag: the DAG or the wiring; its matrix [`spec.wiring_shape`] (NumPy or traced) will do.
        rngs: the stream `params` is drawn from: embedding, readout, then the linear edges in slot order, so that spare
            slots change no weight, and two DAGs with the same seed share the weights of equal slots; biases of a
            wiring come last, so that it has the weights of its DAG.
    """

    def __init__(self, spec: NetworkSpec, dag: Network | Array, *, rngs: nnx.Rngs) -> None:
        self.spec = spec
        m, d, c = spec.width, spec.inputs, spec.reading.activation.normalization
        standard, stem = spec.parameterization == "standard", spec.reading.embedding == "stem"
        self.embedding = Layer(
            spec,
            d,
            m,
            scale=1.0,
            stddev=math.sqrt((c if stem else 1) / d) if standard else 1.0,
            after=stem,
            gain=1.0 if standard else math.sqrt(c),
            normalize=spec.batch_norm and stem,
            trained=spec.reading.embedding != "gaussian",
            rngs=rngs,
        )
        self.readout = Layer(
            spec,
            m,
            spec.outputs,
            scale=1.0 if standard else 1 / math.sqrt(m),
            stddev=math.sqrt(c / m) if standard else 1.0,
            rngs=rngs,
        )
        self.edges = ModuleList(_edge(spec, slot, rngs) for slot in range(spec.slots))
        self.biases = _biases(spec, rngs)
        matrix = spec.wiring(dag) if isinstance(dag, (Dag, Wiring)) else dag
        self.wiring = WiringMatrix(jnp.asarray(matrix, jnp.dtype(spec.dtype)))

    def layers(self) -> list[Layer | LayerNorm]:
        """All layers in the order of `features`' records and taps: embedding, slots, readout."""
        return [self.embedding, *self.edges, self.readout]

    def scales(self, row: int) -> LayerScales | None:
        """The scales of a slot of a wiring, and behind the slots of its read-out; None for a plain DAG."""
        wired = self.spec.wired
        if wired is None:
            return None
        weight, bias = self.wiring[...][row, -2:]
        has_bias = [*(kind.has_bias for kind in wired.kinds), wired.readout_bias]
        if not has_bias[row]:
            return LayerScales(weight, bias, None)
        if row == self.spec.slots:
            return LayerScales(weight, bias, self.biases[-1][...])
        return LayerScales(weight, bias, self.biases[0][...][sum(has_bias[:row])])

    def features(
        self, x: Array, taps: Sequence[Array | None] | None = None, mask: Array | None = None, train: bool = False
    ) -> tuple[Array, list[Array]]:
        """The output node's features h_H [N, m], and what each layer's matrix multiplies (embedding, then slots)."""
        taps = taps or [None] * (self.spec.slots + 2)
        c, phi = self.embedding(x, taps[0], mask, train)
        columns, inputs = [c], [phi]
        for row, edge in enumerate(self.edges):
            c, phi = edge(self._mix(row, columns), taps[row + 1], mask, train, self.scales(row))
            columns.append(c)
            inputs.append(phi)
        return self._mix(self.spec.slots, columns), inputs

    def outputs(self, h: Array) -> Array:
        """Outputs u [N, outputs] for the output node's features h_H [N, m]."""
        return self.readout(h, scales=self.scales(self.spec.slots))[0]

    def __call__(self, x: Array, mask: Array | None = None, train: bool = False) -> Array:
        """Outputs u [N, outputs] for rows x [N, d]; `mask` and `train` matter with batch normalisation only."""
        h, _ = self.features(x, mask=mask, train=train)
        return self.outputs(h)

    def _mix(self, row: int, columns: list[Array]) -> Array:
        support = self.spec.support[row]
        wiring = self.wiring[...]
        if not support:
            return jnp.zeros_like(columns[0])
        total = wiring[row, support[0]] * columns[support[0]]
        for column in support[1:]:
            total = total + wiring[row, column] * columns[column]
        return total


def _edge(spec: NetworkSpec, slot: int, rngs: nnx.Rngs) -> Layer | LayerNorm:
    activation: Activation | None = spec.reading.activation
    if spec.wired is not None:
        activation = spec.wired.kinds[slot].activation
    if activation is None:
        return LayerNorm()
    standard, last = spec.parameterization == "standard", spec.reading.order == "activation-last"
    m, c = spec.width, activation.normalization
    return Layer(
        spec,
        m,
        m,
        scale=1.0 if standard else (1 if last else math.sqrt(c)) / math.sqrt(m),
        stddev=math.sqrt(c / m) if standard else 1.0,
        activation=activation,
        before=not last,
        after=last,
        gain=1.0 if standard else math.sqrt(c),
        normalize=spec.batch_norm,
        rngs=rngs,
    )


def _biases(spec: NetworkSpec, rngs: nnx.Rngs) -> ModuleList:
    """Biases of N(0, 1) entries: one matrix [B, m] for the B slots that have one, and one [outputs] of the read-out."""
    if spec.wired is None:
        return ModuleList([])
    draw = nnx.initializers.normal(1.0)
    number = sum(kind.has_bias for kind in spec.wired.kinds)
    shapes = [(number, spec.width)] * (number > 0) + [(spec.outputs,)] * spec.wired.readout_bias
    return ModuleList([nnx.Param(draw(rngs.params(), shape, jnp.dtype(spec.dtype))) for shape in shapes])


def _freeze(linear: nnx.Linear) -> None:
    for name in ("kernel", "bias"):
        if getattr(linear, name) is not None:
            setattr(linear, name, Frozen(getattr(linear, name)[...]))


def _batch_norm(features: int, dtype: jnp.dtype, rngs: nnx.Rngs) -> nnx.BatchNorm:
    norm = nnx.BatchNorm(features, momentum=0.9, epsilon=1e-5, dtype=dtype, param_dtype=dtype, rngs=rngs)
    # Flax keeps running averages in float32 whatever the dtype.
    norm.mean = nnx.BatchStat(jnp.zeros(features, dtype))
    norm.var = nnx.BatchStat(jnp.ones(features, dtype))
    return norm
