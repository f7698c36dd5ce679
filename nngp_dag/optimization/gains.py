r"""Gradient ascent over gains: a relaxation in which every edge is a mixture of none, a copy and a linear edge.

The complete graph of n nodes with both kinds of edges between all pairs is a wiring: a linear edge (s, t) with gain
g_st, and beside it a copy of gain a_st, which goes by a node of its own. Of three logits an edge has weights (zero,
skip, linear) by softmax, a = weight of skip and g = weight of linear. The scale-free smallest eigenvalue of the exact
NTK is differentiable in all of them, and Adam climbs from several random starts at once. A mixture is rounded to its
largest weights, and the rounded graph judged as every graph is: what was gained by mixing is lost there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from nngp_dag.dag import Dag, edge_index, num_edges
from nngp_dag.errors import InputError
from nngp_dag.kernel.functions import kernel_of
from nngp_dag.optimization.criteria import CRITERIA
from nngp_dag.optimization.judging import GraphJudge
from nngp_dag.optimization.problem import Problem
from nngp_dag.support.x64 import enable_x64
from nngp_dag.wiring import Wiring

__all__ = ["MAX_NODES", "Relaxed", "complete_mixture", "relax"]

MAX_NODES = 6
_RATE = 0.1


@dataclass(frozen=True, eq=False)
class Relaxed:
    """Where gradient ascent ended, start by start.

    Attributes:
        weights: of zero, skip and linear of each edge in code order, float64 [R, E, 3].
        values: the scale-free smallest eigenvalue of each mixture, [R].
        rounded: the graph of each one's largest weights; None where it has no path.
        rounded_values: the values of these, NaN without a path, [R].
    """

    weights: np.ndarray
    values: np.ndarray
    rounded: tuple[Dag | None, ...]
    rounded_values: np.ndarray

    @property
    def best(self) -> Dag:
        """The best rounded graph; InputError where none has a path."""
        if np.isnan(self.rounded_values).all():
            raise InputError("no mixture was rounded to a graph with a path from input to output")
        found = self.rounded[int(np.nanargmax(self.rounded_values))]
        assert found is not None
        return found


def complete_mixture(num_nodes: int, weights: Array | np.ndarray) -> Wiring:
    """The wiring of the complete graph whose edges have these weights of zero, skip and linear, [E, 3].

    Node t of the graph comes after the copies into it: for each s < t a node that copies s, of which t takes the sum.
    """
    edges: dict[tuple[int, int], str] = {}
    linear: dict[tuple[int, int], int] = {}
    copies: dict[tuple[int, int], int] = {}
    place, at = [0], 1
    for t in range(1, num_nodes):
        inner = {s: at + s for s in range(t)}
        end = at + t
        for s in range(t):
            edges[place[s], inner[s]] = edges[inner[s], end] = "skip"
            edges[place[s], end] = "linear"
            copies[place[s], inner[s]] = linear[place[s], end] = edge_index(s, t)
        place.append(end)
        at = end + 1
    dag = Dag.from_edges(edges)
    order = [(s, t, op.name.lower()) for s, t, op in dag.edges()]
    gains = jnp.asarray(weights)
    gain = jnp.stack([gains[linear[s, t], 2] for s, t, op in order if op == "linear"])
    one = jnp.ones((), gains.dtype)
    skip = jnp.stack([gains[copies[s, t], 1] if (s, t) in copies else one for s, t, op in order if op == "skip"])
    return Wiring.make(dag, gain=gain, skip_gain=skip)


def relax(
    num_nodes: int, problem: Problem, *, starts: int = 8, steps: int = 150, seed: int = 0, spread: float = 1.0
) -> Relaxed:
    """Climb the scale-free smallest eigenvalue of the NTK from random mixtures, and round where it ends.

    Args:
        num_nodes: 2 to 6.
        problem: the rows, and a reading; the method is exact.
        starts: R random starts, in one program.
        steps: of Adam.
        seed: of the starts.
        spread: deviation of the logits at the start.

    Raises:
        InputError: a number out of range, or another method.
    """
    if not 2 <= num_nodes <= MAX_NODES:
        raise InputError(f"mixtures are those of 2 to {MAX_NODES} nodes, got {num_nodes}")
    if problem.setting.method != "exact":
        raise InputError(f"mixtures have exact kernels, got {problem.setting.method}")
    if starts < 1 or steps < 1:
        raise InputError("gradient ascent takes one start and one step or more")
    with enable_x64(True):
        logits = spread * jnp.asarray(np.random.default_rng(seed).normal(size=(starts, num_edges(num_nodes), 3)))
        ended, values = _climb(num_nodes, problem.setting, steps, logits, jnp.asarray(problem.x, jnp.float64))
        weights = np.asarray(jax.nn.softmax(ended, axis=-1))
    graphs = [Dag.from_array(row.argmax(axis=1)) for row in weights]
    rounded = tuple(dag.pruned() if dag.reachable().any() else None for dag in graphs)
    found = np.full(starts, np.nan)
    have = [i for i, dag in enumerate(rounded) if dag is not None]
    if have:
        criterion = CRITERIA["lambda-min"]
        found[have] = -GraphJudge((criterion,), problem).costs([dag for dag in rounded if dag is not None])[:, 0]
    return Relaxed(weights, np.asarray(values), rounded, found)


@partial(jax.jit, static_argnums=(0, 1, 2))
def _climb(num_nodes: int, setting, steps: int, logits: Array, x: Array):  # type: ignore[no-untyped-def]
    """Logits [R, E, 3] after gradient ascent, and the values of their mixtures [R]."""

    def value(logits: Array) -> Array:
        kernel = kernel_of(complete_mixture(num_nodes, jax.nn.softmax(logits, axis=-1)), setting)(x, get="ntk")
        return jnp.linalg.eigvalsh(kernel)[0] / (jnp.trace(kernel) / len(kernel))

    optimizer = optax.adam(_RATE)

    def step(carry, _):  # type: ignore[no-untyped-def]
        logits, state = carry
        gradient = jax.grad(value)(logits)
        updates, state = optimizer.update(-gradient, state)
        return (optax.apply_updates(logits, updates), state), None

    def climb(logits: Array) -> tuple[Array, Array]:
        (ended, _), _ = jax.lax.scan(step, (logits, optimizer.init(logits)), None, length=steps)
        return ended, value(ended)

    return jax.lax.map(climb, logits)
