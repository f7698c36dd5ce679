"""Random initial weights of a network: one draw for all of them, so that the compiler sees one random number generator.

A network class is a description: its constructor makes zeros and ones. `blueprint` evaluates it without memory, `draw`
fills it with weights (pure and traceable), `rebuild` makes the module.
"""

from __future__ import annotations

import math
from functools import cache, partial

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from nngp_dag.nas.networks.network import Network
from nngp_dag.nas.networks.sizes import NetworkSizes

__all__ = ["blueprint", "create", "draw", "fan", "leaf_names", "rebuild"]


@cache
def blueprint(network: type[Network], spec: NetworkSizes) -> tuple[nnx.GraphDef[Network], nnx.State]:
    """Structure and shapes of `network(spec)`: graph definition and abstract state."""
    graph, state = nnx.split(nnx.eval_shape(lambda: network(spec)))
    return graph, state


def fan(shape: tuple[int, ...]) -> tuple[int, int]:
    """(fan_in, fan_out) of a kernel [inputs, outputs] or [..., height, width, inputs, outputs], as PyTorch counts."""
    field = math.prod(shape[-4:-2]) if len(shape) >= 4 else 1
    return field * shape[-2], field * shape[-1]


@partial(jax.jit, static_argnums=(0, 1))
def draw(network: type[Network], spec: NetworkSizes, key: Array) -> nnx.State:
    """Random state of `network(spec)` with the initialisation `spec.init`: pure, compiled, traceable in the key."""
    state = blueprint(network, spec)[1]
    leaves, tree = jax.tree.flatten(state)
    named = list(zip(leaf_names(state), leaves, strict=True))
    random = [
        names[-1] == "kernel" or (spec.init == "pytorch" and names[-2:] == ("classifier", "bias")) for names, _ in named
    ]
    total = sum(leaf.size for (_, leaf), chosen in zip(named, random, strict=True) if chosen)
    dtype = jnp.dtype(spec.dtype)
    if spec.init == "pytorch":
        numbers = jax.random.uniform(key, (total,), dtype, minval=-1, maxval=1)
    else:
        numbers = jax.random.normal(key, (total,), dtype)
    classifier = next(fan(leaf.shape)[0] for names, leaf in named if names[-2:] == ("classifier", "kernel"))
    values, start = [], 0
    for (names, leaf), chosen in zip(named, random, strict=True):
        if not chosen:
            values.append(jnp.full(leaf.shape, names[-1] == "scale", dtype))
            continue
        inputs, outputs = fan(leaf.shape) if names[-1] == "kernel" else (classifier, classifier)
        scale = {
            "pytorch": inputs**-0.5,
            "kaiming-fan-in": (2 / inputs) ** 0.5,
            "kaiming-fan-out": (2 / outputs) ** 0.5,
        }[spec.init]
        values.append(numbers[start : start + leaf.size].reshape(leaf.shape) * jnp.asarray(scale, dtype))
        start += leaf.size
    return jax.tree.unflatten(tree, values)


def rebuild(network: type[Network], spec: NetworkSizes, state: nnx.State) -> Network:
    """The module with that state; works under jit, scan and grad."""
    return nnx.merge(blueprint(network, spec)[0], state)


def create(network: type[Network], spec: NetworkSizes, key: Array) -> Network:
    """A network with random weights: `create(Network201, MacroSpec(), jax.random.key(0))`."""
    return rebuild(network, spec, draw(network, spec, key))


def leaf_names(state: nnx.State) -> list[tuple[str, ...]]:
    """For every leaf of a state, the attribute names that lead to it; the last is kernel, bias or scale."""
    paths = (path for path, _ in jax.tree_util.tree_flatten_with_path(state)[0])
    named = [tuple(str(getattr(part, "key", getattr(part, "name", ""))) for part in path) for path in paths]
    return [tuple(name for name in names if name not in ("", "value", "raw_value")) for names in named]
