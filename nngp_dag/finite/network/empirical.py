"""Empirical NNGP and NTK of one finite network, by contracting Jacobians layer by layer.

A layer computes z = scale W phi + b, so that for output u and row i, du_i/dW = scale delta_i phi_i^T with delta_i =
du_i/dz_i, and its share of the tangent kernel is

    <du_i/dW, du_j/dW> = scale^2 (delta_i . delta_j) (phi_i . phi_j),        biases add delta_i . delta_j.

One forward and one backward pass over the N rows give all delta and phi: O(N L m^2 + N^2 L m) work and O(N L m)
memory, where the Jacobian itself would need N L m^2 numbers.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from nngp_dag.errors import InputError
from nngp_dag.finite.network.module import DagNetwork, Frozen
from nngp_dag.kernel.result import Kernel

__all__ = ["empirical_kernel"]


def empirical_kernel(network: DagNetwork, x: Array) -> Kernel:
    """Empirical kernels of one network on rows x [N, d]: `nngp` = h_H h_H^T / m, `ntk` = J J^T, both [N, N].

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
        return network.readout(h)[0][:, 0].sum(), (h, inputs)

    deltas, (h, inputs) = jax.grad(output, has_aux=True)(taps)
    nngp = h @ h.T / spec.width
    ntk = network.readout.scale**2 * (h @ h.T)
    if network.readout.linear.bias is not None:
        ntk = ntk + 1
    for layer, delta, phi in zip(network.layers(), deltas, inputs, strict=False):
        if isinstance(layer.linear.kernel, Frozen):
            continue
        gram = layer.scale**2 * (phi @ phi.T)
        if layer.linear.bias is not None:
            gram = gram + 1
        ntk = ntk + (delta @ delta.T) * gram
    return Kernel(nngp, ntk)
