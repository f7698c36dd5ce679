"""Full-batch gradient descent on L = |y - u|^2 / 2, as in Theorem 3.1: squared residuals of many networks at every
step.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from numpy.typing import ArrayLike

from nngp_dag.dag import Dag
from nngp_dag.finite.convergence.arguments import checked_targets
from nngp_dag.finite.network import Ensemble, Member, NetworkSpec, full_support, rebuild, wiring_matrix
from nngp_dag.reading import Reading

__all__ = ["GradientDescent"]


class GradientDescent:
    """Networks of several DAGs and seeds that start over for every call with other learning rates.

    One program is compiled for all DAGs, seeds and learning rates of a width.

    Args:
        dags: D DAGs.
        x: rows [N, d].
        y: targets [N], one real output.
        width: m.
        seeds: S seeds.
        reading: by default activation-last, gaussian, ReLU.
        dtype: float32 or float64; by default JAX's default.
    """

    def __init__(
        self,
        dags: Sequence[Dag],
        x: ArrayLike,
        y: ArrayLike,
        width: int,
        seeds: Sequence[int],
        reading: Reading | None = None,
        dtype: str | None = None,
    ) -> None:
        rows, targets = checked_targets(x, y)
        dtype = dtype or str(jnp.result_type(float))
        slots = max(len(wiring_matrix(dag)) - 1 for dag in dags)
        support = full_support(slots)
        spec = NetworkSpec.make(dags, rows.shape[1], width, reading=reading, dtype=dtype, support=support)
        self.ensemble = Ensemble(spec, list(dags), list(seeds))
        self.x, self.y = jnp.asarray(rows, dtype), jnp.asarray(targets, dtype)
        self._start = self.ensemble.init()

    def residuals(self, learning_rates: ArrayLike, steps: int) -> np.ndarray:
        """|y - u(k)|^2 for k = 0..steps, float64 [D, S, steps + 1], for learning rates [D, S] (or one for all).

        Where a run diverges, infinity takes the place of numbers that are no longer finite.
        """
        ensemble = self.ensemble
        rates = np.broadcast_to(
            np.asarray(learning_rates, np.float64), (len(ensemble.dags), len(ensemble.seeds))
        ).ravel()
        padding = len(ensemble.member_seeds) - rates.size
        rates = np.concatenate([rates, np.repeat(rates[-1:], padding)]).astype(ensemble.spec.dtype)
        placed = jax.device_put(rates, ensemble.sharding)
        found = np.asarray(
            ensemble.unpack(_descend(ensemble.spec, steps, self._start, placed, self.x, self.y)), np.float64
        )
        return np.where(np.isfinite(found), found, np.inf)


@partial(jax.jit, static_argnums=(0, 1))
def _descend(spec: NetworkSpec, steps: int, members: Member, rates: Array, x: Array, y: Array) -> Array:
    def one(member: Member, rate: Array) -> Array:
        optimizer = optax.sgd(rate)

        def loss(params: Any) -> Array:
            outputs = rebuild(spec, Member(params, member.rest))(x)[:, 0]
            return 0.5 * jnp.sum((y - outputs) ** 2)

        def step(carry: tuple[Any, Any], _: None) -> tuple[tuple[Any, Any], Array]:
            params, state = carry
            value, gradient = jax.value_and_grad(loss)(params)
            updates, state = optimizer.update(gradient, state)
            return (optax.apply_updates(params, updates), state), value

        (params, _), values = jax.lax.scan(step, (member.params, optimizer.init(member.params)), None, length=steps)
        return 2 * jnp.append(values, loss(params))

    return jax.vmap(one)(members, rates)
