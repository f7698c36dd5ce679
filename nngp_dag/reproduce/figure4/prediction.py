"""Training accuracy as the tangent kernel at initialisation predicts it: linearised networks under the same loss.

A wide network follows u <- u - (eta / N) Theta (softmax(u) - y) from its initial outputs, Theta being its NTK on the N
rows. Theta is the average over seeds for the very networks that are trained (in the standard parameterisation each
layer has a share of its own in it), the initial outputs are theirs too. The authors' batches are replaced by the mean
over all rows, and their many small steps by fewer: gradient flow in the time eta k.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax import Array
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from nngp_dag.finite.network import Ensemble, Member, NetworkSpec, empirical_kernel, rebuild

__all__ = ["initial_state", "predicted_accuracy"]


def initial_state(ensemble: Ensemble, x: npt.ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Mean NTK over seeds [D, N, N] and every network's outputs [D, S, N, C], at initialisation, on rows x [N, d]."""
    spec = ensemble.spec
    rows = jnp.asarray(x, spec.dtype)
    members = ensemble.init()
    ntk = np.asarray(ensemble.unpack(_tangent_kernels(spec, members, rows)), np.float64)
    return ntk.mean(axis=1), np.asarray(ensemble.apply(members, rows), np.float64)


def predicted_accuracy(
    ntk: npt.ArrayLike,
    initial: npt.ArrayLike,
    targets: npt.ArrayLike,
    times: Sequence[float],
    *,
    output_scale: float = 1.0,
) -> np.ndarray:
    """Mean per-class training accuracy of the linearised networks at each time eta k, averaged over networks: [T].

    Args:
        ntk: NTK at initialisation, [N, N].
        initial: initial outputs, [S, N, C].
        targets: one-hot labels [N, C].
        times: ascending, from 0.
        output_scale: factor s on the outputs; the NTK is multiplied by s^2.
    """
    y = np.asarray(targets, np.float64)
    rows = len(y)
    kernel = output_scale**2 * np.asarray(ntk, np.float64)
    # Columns are (class, network), so that a step is one product of matrices.
    outputs = (output_scale * np.asarray(initial, np.float64)).transpose(1, 2, 0).copy()
    # The softmax's Jacobian has norm at most 1/2: steps stay below half of the stability limit 4 / lambda_max.
    largest_step = 2 * rows / float(np.linalg.eigvalsh(kernel)[-1])
    labels, counts = y.argmax(axis=1)[:, None], np.maximum(y.sum(axis=0), 1)

    def velocity(outputs: np.ndarray) -> np.ndarray:
        residual = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        residual /= residual.sum(axis=1, keepdims=True)
        residual -= y[..., None]
        return -(kernel @ residual.reshape(rows, -1)).reshape(outputs.shape) / rows

    found, now = [], 0.0
    with threadpool_limits(1, "blas"):  # many small products: more threads only wait for each other
        for time in times:
            pieces = int(np.ceil((time - now) / largest_step))
            for _ in range(pieces):  # the midpoint rule
                step = (time - now) / pieces
                outputs += step * velocity(outputs + step / 2 * velocity(outputs))
            now = time
            hits = (outputs.argmax(axis=1) == labels).mean(axis=1)
            found.append(float((hits @ y / counts).mean()))
    return np.asarray(found)


@partial(jax.jit, static_argnums=0)
def _tangent_kernels(spec: NetworkSpec, members: Member, x: Array) -> Array:
    return jax.lax.map(lambda member: empirical_kernel(rebuild(spec, member), x).ntk, members)
