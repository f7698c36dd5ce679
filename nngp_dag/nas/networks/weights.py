"""The kernels of a network's state by themselves: what scores differentiate with respect to, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import jax
from flax import nnx
from jax import Array

from nngp_dag.nas.networks.initialize import leaf_names

__all__ = ["by_layer", "select_weights"]


def select_weights(
    state: nnx.State, names: Sequence[str] = ("kernel",)
) -> tuple[list[Array], Callable[[Sequence[Array]], nnx.State]]:
    """Some leaves of a network's state, and the function that puts others in their place.

    Args:
        state: of a network, see `nngp_dag.nas.networks.initialize.draw`.
        names: the last names of the leaves that are chosen, of kernel, bias and scale.

    Returns:
        The chosen leaves; and from as many leaves of the same shapes to a state with those.
    """
    leaves, tree = jax.tree.flatten(state)
    places = [i for i, path in enumerate(leaf_names(state)) if path[-1] in names]

    def fill(chosen: Sequence[Array]) -> nnx.State:
        filled = list(leaves)
        for i, leaf in zip(places, chosen, strict=True):
            filled[i] = leaf
        return jax.tree.unflatten(tree, filled)

    return [leaves[i] for i in places], fill


def by_layer(kernel: Array) -> Array:
    """A kernel as rows, [layers, weights of one]: stacked convolutions are as many layers, a matrix is one."""
    own = kernel.shape[-4:] if kernel.ndim >= 4 else kernel.shape
    return kernel.reshape(-1, math.prod(own))
