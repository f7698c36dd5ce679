"""A convolutional network ready for images of one size, and pairs of images through all of it."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
from jax import Array

from nngp_dag.activations import Activation
from nngp_dag.conv.layout import PixelLayout
from nngp_dag.conv.maps import Filter
from nngp_dag.conv.operations import Convolution
from nngp_dag.conv.plan import Plan
from nngp_dag.conv.propagate import Arrived, propagate_pairs
from nngp_dag.kernel.pair_recursion import Node

__all__ = ["ConvProgram", "Nodes", "kernels_of_pairs", "start"]


class ConvProgram(NamedTuple):
    """A network, ready for images of one size; hashable.

    Attributes:
        stem: the first convolution, without activation.
        plans: of every cell and the read-out.
        layout: pairs of pixels that are held.
        activation: sigma.
        with_tangent: compute the NTK too.
    """

    stem: Convolution
    plans: tuple[Plan, ...]
    layout: PixelLayout
    activation: Activation
    with_tangent: bool


Nodes = list[list[Node]]
"""Of images, the nodes of every plan; arrays [h, w, images]."""


def kernels_of_pairs(program: ConvProgram, x: Nodes, y: Nodes, images: Array, others: Array) -> tuple[Array, ...]:
    """NNGP, and NTK if asked for, of the pairs that the layout makes of images and others, given their nodes."""
    total = start(program, images, others)
    for plan, nodes_x, nodes_y in zip(program.plans, x, y, strict=True):
        total = propagate_pairs(plan, program.layout, program.activation, total, nodes_x, nodes_y)
    return (total.covariance,) if total.tangent is None else (total.covariance, total.tangent)


def start(program: ConvProgram, x: Array, y: Array) -> Arrived:
    """The features that the stem makes: K = Theta, for they are linear in its weights."""
    k = Filter(program.stem).kernel(program.layout, _products(program.layout, x, y))
    return Arrived(k, k if program.with_tangent else None, None)


@partial(jax.jit, static_argnums=0)
def _products(layout: PixelLayout, x: Array, y: Array) -> Array:
    return layout.products(x, y)
