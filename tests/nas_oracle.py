"""Literal, slow transcriptions in NumPy of what the search's networks and scores are, with no code in common."""

from __future__ import annotations

import numpy as np

OPERATIONS = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]


def parameters(state):
    """All leaves of a network's state by dotted name, as float64 NumPy arrays."""
    import jax

    from nngp_dag.nas.networks.initialize import leaf_names

    leaves = jax.tree.leaves(state)
    return {".".join(n): np.array(leaf, np.float64) for n, leaf in zip(leaf_names(state), leaves, strict=True)}


def conv(x, kernel, stride=1, dilation=1, groups=1):
    n, h, w, inputs = x.shape
    size, _, per_group, outputs = kernel.shape
    pad = dilation * (size - 1) // 2
    out_h, out_w = -(-h // stride), -(-w // stride)
    y = np.zeros((n, out_h, out_w, outputs))
    for p in range(out_h):
        for q in range(out_w):
            for a in range(size):
                for b in range(size):
                    row, column = stride * p + dilation * a - pad, stride * q + dilation * b - pad
                    if not (0 <= row < h and 0 <= column < w):
                        continue
                    for g in range(groups):
                        ins = slice(g * per_group, (g + 1) * per_group)
                        outs = slice(g * outputs // groups, (g + 1) * outputs // groups)
                        y[:, p, q, outs] += x[:, row, column, ins] @ kernel[a, b, :, outs]
    assert inputs == per_group * groups
    return y


def batch_norm(z, scale, bias):
    mean = z.mean(axis=(0, 1, 2))
    variance = ((z - mean) ** 2).mean(axis=(0, 1, 2))
    return scale * (z - mean) / np.sqrt(variance + 1e-5) + bias


def pool(x, kind, stride=1):
    n, h, w, c = x.shape
    y = np.zeros((n, -(-h // stride), -(-w // stride), c))
    for p in range(y.shape[1]):
        for q in range(y.shape[2]):
            rows = slice(max(0, stride * p - 1), stride * p + 2)
            columns = slice(max(0, stride * q - 1), stride * q + 2)
            window = x[:, rows, columns].reshape(n, -1, c)
            y[:, p, q] = window.mean(1) if kind == "avg" else window.max(1)
    return y


class Network:
    """The NAS-Bench-201 network of one architecture; `relus` collects (input, in a ReLU-conv-BN block), one a ReLU."""

    def __init__(self, values, spec):
        self.values, self.spec, self.relus = values, spec, []

    def relu_conv_bn(self, x, name, stride=1, index=()):
        self.relus.append((x, True))
        v = self.values
        z = conv(np.maximum(x, 0), v[f"{name}.conv.kernel"][index], stride)
        return batch_norm(z, v[f"{name}.norm.scale"][index], v[f"{name}.norm.bias"][index])

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
        self.relus = []
        v, spec = self.values, self.spec
        if spec.stem:
            x = batch_norm(conv(x, v["stem.0.kernel"]), v["stem.1.scale"], v["stem.1.bias"])
        for stage in range(spec.stages):
            if stage:
                name = f"blocks.{stage - 1}"
                inner = self.relu_conv_bn(x, f"{name}.first", stride=2)
                inner = self.relu_conv_bn(inner, f"{name}.second")
                h, w = x.shape[1] // 2, x.shape[2] // 2
                small = sum(x[:, a : 2 * h : 2, b : 2 * w : 2] for a in (0, 1) for b in (0, 1)) / 4
                x = conv(small, v[f"{name}.shortcut.kernel"]) + inner
            for cell in range(spec.cells):
                nodes, edge = [x], 0
                for t in range(1, 4):
                    total = 0
                    for s in range(t):
                        total = total + self.edge(nodes[s], OPERATIONS[genes[edge]], stage, cell, edge)
                        edge += 1
                    nodes.append(total)
                x = nodes[-1]
        x = batch_norm(x, v["norm.scale"], v["norm.bias"])
        self.relus.append((x, False))
        return np.maximum(x, 0).mean(axis=(1, 2)) @ v["classifier.kernel"] + v["classifier.bias"]


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
