"""Empirical NNGP and NTK of one finite network, by contracting Jacobians layer by layer.

A layer computes z = scale W phi + b, so that for output u and row i, du_i/dW = scale delta_i phi_i^T with delta_i =
du_i/dz_i, and its share of the tangent kernel is

    <du_i/dW, du_j/dW> = scale^2 (delta_i . delta_j) (phi_i . phi_j),        biases add delta_i . delta_j.

With the scales w and v of a wiring, z = w scale W phi + v b, the two are multiplied by w^2 and v^2.

One forward and one backward pass over the N rows give all delta and phi: O(N L m^2 + N^2 L m) work and O(N L m)
memory, where the Jacobian itself would need N L m^2 numbers.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from nngp_dag.errors import InputError
from nngp_dag.finite.network.module import DagNetwork, Frozen, Layer, LayerScales
from nngp_dag.kernel.result import Kernel

__all__ = ["empirical_kernel"]


def empirical_kernel(network: DagNetwork, x: Array) -> Kernel:
    """Empirical kernels of one network on rows x [N, d]: `nngp` = h_H h_H^T / m, `ntk` = J J^T, both [N, N].

    Of a wiring `nngp` is w_out^2 h_H h_H^T / m + v_out^2, the covariance of outputs over read-outs.

    J is the Jacobian of the first output with respect to all trained parameters (embedding, matrices, readout,
    biases); in the limit of infinite width the two converge to K_HH and K_HH + Theta_HH (ntk parameterisation).

    Raises:
        InputError: a network with batch normalisation, where a row's output depends on the other rows.
    """
    spec = network.spec
    if spec.batch_norm:
        raise InputError("empirical kernels are not defined with batch normalisation: rows do not act alone")
    rows = x.shape[0]
    taps = [jnp.zeros((rows, spec.width), x.dtype) for _ in range(spec.slots + 1)]

    def output(taps: list[Array]) -> tuple[Array, tuple[Array, list[Array]]]:
        h, inputs = network.features(x, taps)
        return network.outputs(h)[:, 0].sum(), (h, inputs)

    deltas, (h, inputs) = jax.grad(output, has_aux=True)(taps)
    readout = network.scales(spec.slots)
    features = h @ h.T
    nngp = features / spec.width
    if readout is not None:
        nngp = readout.weight**2 * nngp + (0 if readout.vector is None else readout.bias**2)
    ntk = _share(network.readout, readout, features)
    for row, (layer, delta, phi) in enumerate(zip(network.layers(), deltas, inputs, strict=False)):
        if isinstance(layer, Layer) and not isinstance(layer.linear.kernel, Frozen):
            scales = network.scales(row - 1) if row else None
            ntk = ntk + (delta @ delta.T) * _share(layer, scales, phi @ phi.T)
    return Kernel(nngp, ntk)


def _share(layer: Layer, scales: LayerScales | None, gram: Array) -> Array:
    """The factor of delta_i . delta_j, from phi_i . phi_j [N, N]."""
    if scales is None:
        gram = layer.scale**2 * gram
        return gram if layer.linear.bias is None else gram + 1
    gram = (layer.scale * scales.weight) ** 2 * gram
    return gram if scales.vector is None else gram + scales.bias**2
