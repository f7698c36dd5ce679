"""Literal, slow transcriptions of what the search's networks and scores are, with no code in common.

Networks are in NumPy, or in jax.numpy where weights or images are JAX arrays, so that JAX differentiates them.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

OPERATIONS = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]


def parameters(state):
    """All leaves of a network's state by dotted name, as float64 NumPy arrays."""
    import jax

    from nngp_dag.nas.networks.initialize import leaf_names

    leaves = jax.tree.leaves(state)
    return {".".join(n): np.array(leaf, np.float64) for n, leaf in zip(leaf_names(state), leaves, strict=True)}


def numpy_of(*arrays):
    return jnp if any(isinstance(array, jax.Array) for array in arrays) else np


def windows(x, size, stride=1, dilation=1, outside=0.0):
    """The pixels that each entry (a, b) of a kernel meets, [N, a, h / stride, b, w / stride, C].

    By lists of rows and columns: JAX compiles slices, and their gradients, anew for every (a, b).
    """
    xp = numpy_of(x)
    h, w = x.shape[1:3]
    pad = dilation * (size - 1) // 2
    padded = xp.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)), constant_values=outside)
    shifts = dilation * np.arange(size)[:, None]
    return xp.take(xp.take(padded, shifts + np.arange(0, h, stride), axis=1), shifts + np.arange(0, w, stride), axis=3)


def conv(x, kernel, stride=1, dilation=1, groups=1):
    xp = numpy_of(x, kernel)
    size, _, per_group, outputs = kernel.shape
    assert x.shape[-1] == per_group * groups
    parts = []
    for g in range(groups):
        ins = slice(g * per_group, (g + 1) * per_group)
        outs = slice(g * outputs // groups, (g + 1) * outputs // groups)
        seen = windows(x[..., ins], size, stride, dilation)
        parts.append(xp.tensordot(seen, kernel[..., outs], axes=((1, 3, 5), (0, 1, 2))))
    return xp.concatenate(parts, axis=-1)


def batch_norm(z, scale, bias, held=False):
    mean = z.mean(axis=(0, 1, 2))
    variance = ((z - mean) ** 2).mean(axis=(0, 1, 2))
    if held:
        mean, variance = jax.lax.stop_gradient(mean), jax.lax.stop_gradient(variance)
    return scale * (z - mean) / numpy_of(z).sqrt(variance + 1e-5) + bias


def pool(x, kind, stride=1):
    if kind == "max":
        return windows(x, 3, stride, outside=-np.inf).max((1, 3))
    inside = windows(np.ones((1, *x.shape[1:3], 1)), 3, stride)
    return windows(x, 3, stride).sum((1, 3)) / inside.sum((1, 3))


def relu(x):
    return x * (x > 0)


class Layers:
    """What the networks of both spaces share: convolutions and norms by the name of their weights.

    `relus` collects (input, in a ReLU-conv-BN block), one a ReLU; `outputs` what each convolution and the classifier
    gives, by (name, place in a stack), and `shifts` is added to those (zeros, to differentiate with respect to them).
    `held` takes the statistics of batch normalisations as constants.
    """

    def __init__(self, values, spec, normalised=True):
        self.values, self.spec, self.normalised = values, spec, normalised
        self.relus, self.outputs, self.shifts, self.held = [], {}, {}, False

    def leaf(self, name, index=None):
        value = self.values[name]
        return value if index is None else value[index]

    def relu(self, x, block=False):
        self.relus.append((x, block))
        return relu(x)

    def seen(self, z, name, index):
        z = z + self.shifts.get((name, index), 0.0)
        self.outputs[name, index] = z
        return z

    def conv(self, x, name, index=None, stride=1, dilation=1, groups=1):
        return self.seen(conv(x, self.leaf(f"{name}.kernel", index), stride, dilation, groups), name, index)

    def norm(self, z, name, index=None):
        if not self.normalised:
            return z
        return batch_norm(z, self.leaf(f"{name}.scale", index), self.leaf(f"{name}.bias", index), self.held)

    def classify(self, x):
        logits = x.mean(axis=(1, 2)) @ self.values["classifier.kernel"] + self.values["classifier.bias"]
        return self.seen(logits, "classifier", None)


class Network(Layers):
    """The NAS-Bench-201 network of one architecture."""

    def relu_conv_bn(self, x, name, stride=1, index=None):
        z = self.conv(self.relu(x, block=True), f"{name}.conv", index, stride)
        return self.norm(z, f"{name}.norm", index)

    def edge(self, x, operation, stage, cell, edge):
        name = f"stages.{stage}.edges.{edge}"
        if operation == "none":
            return 0 * x
        if operation == "skip_connect":
            return x
        if operation == "avg_pool_3x3":
            return pool(x, "avg")
        return self.relu_conv_bn(x, f"{name}.{operation.removeprefix('nor_')}", index=cell)

    def __call__(self, x, genes):
        self.relus, self.outputs = [], {}
        spec = self.spec
        if spec.stem:
            x = self.norm(self.conv(x, "stem.0"), "stem.1")
        for stage in range(spec.stages):
            if stage:
                name = f"blocks.{stage - 1}"
                inner = self.relu_conv_bn(x, f"{name}.first", stride=2)
                inner = self.relu_conv_bn(inner, f"{name}.second")
                h, w = x.shape[1] // 2, x.shape[2] // 2
                small = sum(x[:, a : 2 * h : 2, b : 2 * w : 2] for a in (0, 1) for b in (0, 1)) / 4
                x = self.conv(small, f"{name}.shortcut") + inner
            for cell in range(spec.cells):
                nodes, edge = [x], 0
                for t in range(1, 4):
                    total = 0
                    for s in range(t):
                        total = total + self.edge(nodes[s], OPERATIONS[genes[edge]], stage, cell, edge)
                        edge += 1
                    nodes.append(total)
                x = nodes[-1]
        return self.classify(self.relu(self.norm(x, "norm")))


def wot_kernel(relus, weights):
    """Sum over ReLUs of the number of units on which two images agree."""
    n = len(relus[0][0])
    kernel = np.zeros((n, n))
    for z, block in relus:
        code = z.reshape(n, -1) > 0
        for i in range(n):
            for j in range(n):
                agree = np.sum(code[i] & code[j]) + np.sum(~code[i] & ~code[j])
                kernel[i, j] += agree * (2 if block and weights == "released" else 1)
    return kernel


def distinct_patterns(list_of_relus):
    """Number of different strings of zeros and ones over several batches."""
    seen = set()
    for relus in list_of_relus:
        for i in range(len(relus[0][0])):
            seen.add("".join("1" if value > 0 else "0" for z, _ in relus for value in z[i].ravel()))
    return len(seen)
