"""Eq. 1-2 transcribed literally as networks of finite width, and gradient descent on them: an independent route.

    h_0 = G x,   h_t = sum over skip edges of h_s + sum over linear edges of sqrt(c) sigma(W_st h_s / sqrt(m)),
    u = a . h_H / sqrt(m),

with standard normal G, W and a. It has the library's DAGs, and nothing of its networks, kernels or training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nngp_dag.dag import Dag, Op

__all__ = ["TRAINED", "Descent", "LiteralNetworks"]

SIGMAS: dict[str, Callable[[Array], Array]] = {
    "relu": lambda z: jnp.maximum(z, 0),
    "erf": jax.scipy.special.erf,
    "tanh": jnp.tanh,
    "gelu": partial(jax.nn.gelu, approximate=False),
}
"""The activations of these networks."""

TRAINED = {"all weights": (1.0, 1.0), "all but the read-out": (1.0, 0.0), "the read-out": (0.0, 1.0)}
"""Sets of trained weights: learning rates of the W and of a, as multiples of eta."""


_OPTIMISED = {"xla_backend_optimization_level": 3, "xla_llvm_disable_expensive_passes": False}
"""Hundreds of steps run longer than they compile, also where the process asks for quick compilation."""

_CHUNK = 50
"""Steps of one call of the compiled program, so that runs of any length share it."""


class _Weights(NamedTuple):
    """W [R, E, m, m] for the edges (0,1), (0,2), (1,2), (0,3), ... of a full DAG, and a [R, m], of R runs."""

    w: Array
    a: Array


class _Fixed(NamedTuple):
    """Of R runs: 1 where edge (s, t) is a skip or is linear, both [R, t, s]; h_0 [R, N, m]; the targets y [R, N]."""

    skip: Array
    linear: Array
    first: Array
    y: Array


@dataclass(frozen=True)
class Descent:
    """Runs of D DAGs and S seeds.

    Attributes:
        residuals: |y - u(k)|^2 for k = 0..T - 1, float64 [D, S, T].
        before, after: Gram matrices of the last node's features h_H / sqrt(m) at k = 0 and k = T, [D, S, N, N].
    """

    residuals: np.ndarray
    before: np.ndarray
    after: np.ndarray


class LiteralNetworks:
    """Networks of D DAGs with the same number of nodes and of S seeds; one program for all of them.

    Args:
        dags: D DAGs.
        x: rows [N, d].
        width: m.
        seeds: S numbers, one for each draw of the weights.
        activation: a name in `SIGMAS`.
        c: the factor of Eq. 2.
    """

    def __init__(
        self, dags: Sequence[Dag], x: np.ndarray, width: int, seeds: Sequence[int], activation: str, c: float
    ) -> None:
        nodes = {dag.num_nodes for dag in dags}
        if len(nodes) != 1:
            raise ValueError(f"DAGs of one number of nodes are needed, got {sorted(nodes)}")
        skip, linear = (np.stack([_indicators(dag, op) for dag in dags]) for op in (Op.SKIP, Op.LINEAR))
        drawn = [_draw(skip.shape[1], x.shape[1], width, seed) for seed in seeds]
        g, w, a = (jnp.asarray(np.stack(parts)) for parts in zip(*drawn, strict=True))
        self._shape = (len(dags), len(seeds))
        self._static = (activation, float(c))
        first = jnp.asarray(x, jnp.float32) @ g
        self._weights = _Weights(*(jnp.tile(part, (len(dags),) + (1,) * (part.ndim - 1)) for part in (w, a)))
        skip_of, linear_of = (jnp.repeat(jnp.asarray(of, jnp.float32), len(seeds), axis=0) for of in (skip, linear))
        first = jnp.tile(first, (len(dags), 1, 1))
        self._fixed = _Fixed(skip_of, linear_of, first, jnp.zeros(first.shape[:2]))

    def grams(self) -> np.ndarray:
        """Gram matrices of h_H / sqrt(m) at initialisation, float64 [D, S, N, N]."""
        return self._gram(self._weights)

    def descend(self, start: np.ndarray, rates: Sequence[float], steps: int, trained: str = "all weights") -> Descent:
        """Gradient descent on |y - u|^2 / 2 with targets y = u(0) + r.

        Args:
            start: r, the residuals y - u(0) of each DAG, [D, N].
            rates: eta of each DAG, [D].
            steps: T, rounded up to whole calls of 50.
            trained: a name in `TRAINED`.
        """
        r = jnp.repeat(jnp.asarray(start, jnp.float32), self._shape[1], axis=0)
        fixed = self._fixed._replace(y=_outputs(self._static, self._fixed, self._weights) + r)
        eta = np.repeat(np.asarray(rates), self._shape[1])[:, None] * np.asarray(TRAINED[trained])
        now, parts = self._weights, []
        for _ in range(-(-steps // _CHUNK)):
            now, residuals = _advance(self._static, fixed, jnp.asarray(eta, jnp.float32), now)
            parts.append(np.asarray(residuals, np.float64))
        found = np.concatenate(parts).T.reshape(*self._shape, -1)
        return Descent(np.where(np.isfinite(found), found, np.inf), self.grams(), self._gram(now))

    def _gram(self, weights: _Weights) -> np.ndarray:
        h = np.asarray(_features(self._static, self._fixed, weights), np.float64)
        gram = h @ np.swapaxes(h, 1, 2) / h.shape[2]
        return gram.reshape(*self._shape, *gram.shape[1:])


def _indicators(dag: Dag, op: Op) -> np.ndarray:
    """1 at [t, s] where edge (s, t) has the operation, [H, H] for t = 1..H and s = 0..H - 1."""
    h = dag.num_nodes - 1
    return np.array([[s <= t and dag.op(s, t + 1) is op for s in range(h)] for t in range(h)])


def _draw(nodes: int, columns: int, width: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """G [d, m], W [E, m, m] and a [m] of one network."""
    rng = np.random.default_rng(seed)
    shapes = ((columns, width), (nodes * (nodes + 1) // 2, width, width), (width,))
    g, w, a = (rng.standard_normal(shape, np.float32) for shape in shapes)
    return g, w, a


@partial(jax.jit, static_argnums=0)
def _features(static: tuple[str, float], fixed: _Fixed, weights: _Weights) -> Array:
    """h_H of every row, [R, N, m] (Eq. 1)."""
    activation, c = static
    h = [fixed.first]
    for t in range(fixed.skip.shape[1]):
        total = jnp.zeros_like(h[0])
        for s in range(t + 1):
            skip, linear = (of[:, t, s, None, None] for of in (fixed.skip, fixed.linear))
            branch = SIGMAS[activation](h[s] @ weights.w[:, t * (t + 1) // 2 + s] / h[s].shape[2] ** 0.5)
            total += skip * h[s] + linear * c**0.5 * branch
        h.append(total)
    return h[-1]


def _outputs(static: tuple[str, float], fixed: _Fixed, weights: _Weights) -> Array:
    h = _features(static, fixed, weights)
    return (h @ weights.a[:, :, None])[..., 0] / h.shape[2] ** 0.5


@partial(jax.jit, static_argnums=0, compiler_options=_OPTIMISED)
def _advance(static: tuple[str, float], fixed: _Fixed, eta: Array, weights: _Weights) -> tuple[_Weights, Array]:
    """`_CHUNK` steps at rates [R, 2] for W and a, and |y - u|^2 before each of them, [_CHUNK, R]."""

    def losses(weights: _Weights) -> tuple[Array, Array]:
        each = 0.5 * jnp.sum((fixed.y - _outputs(static, fixed, weights)) ** 2, axis=1)
        return each.sum(), each  # runs share no weights, so the sum's gradient is that of each

    def step(now: _Weights, _: None) -> tuple[_Weights, Array]:
        (_, each), gradient = jax.value_and_grad(losses, has_aux=True)(now)
        w = now.w - eta[:, 0, None, None, None] * gradient.w
        return _Weights(w, now.a - eta[:, 1, None] * gradient.a), 2 * each

    return jax.lax.scan(step, weights, None, length=_CHUNK)
