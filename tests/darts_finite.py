"""DARTS networks of finite width, written out with real channels: N(0, 1) weights, ReLU, no normalisation.

Channels are the last axis; a node has `width` of them, the output of a cell as many times more as nodes are set side by
side. Nothing is shared with `nngp_dag.conv`, nor with the library's networks.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from conv_finite import convolve, normal, pool


def forward(take, x, genotype, kinds, width, concat=(2, 3, 4, 5), last_relu=False):
    """Of images x [N, h, w, C] what the classifier multiplies by its weights [N, m], and an output [N].

    `take(shape)` gives the weights one after the other.
    """

    def conv(h, outputs, size, gain, stride=1):
        weights = take((size, size, h.shape[-1], outputs))
        return convolve(h, weights, stride) * (gain / (size**2 * h.shape[-1])) ** 0.5

    def relu_conv(h):
        return conv(jax.nn.relu(h), width, 1, 2)

    def factorized(h):
        h = jax.nn.relu(h)
        halves = [conv(view, width // 2, 1, 2, stride=2) for view in (h, h[:, 1:, 1:])]
        return jnp.concatenate(halves, axis=-1)

    def depthwise_separable(h, size, stride, dilation):
        filters = take((size, size, 1, h.shape[-1]))
        h = convolve(jax.nn.relu(h), filters, stride, dilation, groups=h.shape[-1]) / size
        return conv(h, width, 1, 2)

    def operation(op, h, stride):
        size = 5 if op.endswith("5x5") else 3
        if op == "skip_connect":
            return h if stride == 1 else factorized(h)
        if op == "avg_pool_3x3":
            return pool(h, stride)
        if op.startswith("dil_conv"):
            return depthwise_separable(h, size, stride, 2)
        assert op.startswith("sep_conv")
        return depthwise_separable(depthwise_separable(h, size, stride, 1), size, 1, 1)

    before = last = conv(x, width, 3, 1)
    halved = False
    for kind in kinds:
        nodes = [factorized(before) if halved else relu_conv(before), relu_conv(last)]
        for i in range(len(genotype[kind]) // 2):
            pair = genotype[kind][2 * i : 2 * i + 2]
            nodes.append(sum(operation(op, nodes[s], 2 if kind == "reduce" and s < 2 else 1) for op, s in pair))
        before, last, halved = last, jnp.concatenate([nodes[v] for v in concat], axis=-1), kind == "reduce"
    features = (jax.nn.relu(last) if last_relu else last).mean((1, 2))
    features = features * ((2 if last_relu else 1) / features.shape[-1]) ** 0.5
    return features, features @ take((features.shape[-1],))


def prior_and_tangent(x, genotype, kinds, width, key, **options):
    """The mean of u u' over the classifier's weights, and J J' of u with respect to all weights; [N, N] each."""
    shapes = []

    def noted(shape):
        shapes.append(shape)
        return jnp.zeros(shape, x.dtype)

    jax.eval_shape(partial(forward, noted, genotype=genotype, kinds=kinds, width=width, **options), x)
    weights = normal(key, shapes, x.dtype)

    def network(weights, x):
        rest = iter(weights)
        return forward(lambda shape: next(rest), x, genotype, kinds, width, **options)

    def gradients(x):
        return jax.grad(lambda w: network(w, x[None])[1][0])(weights)

    features, _ = network(weights, x)
    leaves = [leaf.reshape(len(x), -1) for leaf in jax.tree.leaves(jax.lax.map(gradients, x))]
    return features @ features.T, sum(leaf @ leaf.T for leaf in leaves)
