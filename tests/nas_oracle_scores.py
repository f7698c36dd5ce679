"""Literal transcriptions of scores by gradients: loops over layers, channels and images, with JAX's gradients of the
literal networks (`nas_oracle`, `nas_oracle_darts`).

`network(values, normalised=True)` makes a literal network with those weights by name, and a network is called with
(images, architecture).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np


def loss(logits, labels):
    total = 0.0
    for n, label in enumerate(labels):
        total = total - jnp.log(jnp.exp(logits[n, label]) / jnp.exp(logits[n]).sum())
    return total / len(labels)


def own(array, index):
    return np.asarray(array if index is None else array[index])


def layers(network, values, x, architecture):
    """Names and places of the layers that an architecture has."""
    literal = network(values)
    literal(x, architecture)
    return list(literal.outputs)


def gradients(network, values, x, labels, architecture):
    """By layer, the weights and the gradient of the loss."""
    values = {name: jnp.asarray(value) for name, value in values.items()}
    found = jax.grad(lambda values: loss(network(values)(x, architecture), labels))(values)
    return [
        (own(values[f"{name}.kernel"], index), own(found[f"{name}.kernel"], index))
        for name, index in layers(network, values, x, architecture)
    ]


def grad_norm(network, values, x, labels, architecture):
    return sum(np.linalg.norm(g.ravel()) for _, g in gradients(network, values, x, labels, architecture))


def snip(network, values, x, labels, architecture):
    return sum(
        abs(a * b)
        for w, g in gradients(network, values, x, labels, architecture)
        for a, b in zip(w.ravel(), g.ravel(), strict=True)
    )


def grasp(network, values, x, labels, architecture):
    kernels = {name: jnp.asarray(value) for name, value in values.items() if name.endswith("kernel")}

    def slope(kernels):
        return jax.grad(lambda kernels: loss(network({**values, **kernels})(x, architecture), labels))(kernels)

    g = slope(kernels)
    _, hessian_times_g = jax.jvp(slope, (kernels,), (g,))
    return -sum(float((kernels[name] * hessian_times_g[name]).sum()) for name in kernels)


def zico(network, values, batches, labels, architecture):
    found = [
        gradients(network, values, x, batch_labels, architecture)
        for x, batch_labels in zip(batches, labels, strict=True)
    ]
    total = 0.0
    for layer in zip(*found, strict=True):
        g = np.array([gradient.ravel() for _, gradient in layer])
        mean, deviation = np.abs(g).mean(0), np.std(g, axis=0)
        ratio = sum(m / d for m, d in zip(mean, deviation, strict=True) if d != 0)
        if ratio != 0:
            total += np.log(ratio)
    return total


def fisher(network, values, x, labels, architecture, counts):
    values = {name: jnp.asarray(value) for name, value in values.items()}
    first = network(values)
    first(x, architecture)

    def of_shifts(shifts):
        literal = network(values)
        literal.shifts = shifts
        return loss(literal(x, architecture), labels)

    found = jax.grad(of_shifts)({layer: jnp.zeros(a.shape) for layer, a in first.outputs.items()})
    total = 0.0
    for (name, index), a in first.outputs.items():
        product = np.asarray(a * found[name, index])
        kernel = own(values[f"{name}.kernel"], index)
        times = kernel[..., 0].size if counts == "released" else 1
        for k in range(product.shape[-1]):
            for n in range(len(x)):
                total += times * product[n, ..., k].sum() ** 2 / (2 * len(x))
    return total


def jacob_cov(network, values, x, architecture, held=False):
    literal = network({name: jnp.asarray(value) for name, value in values.items()})
    literal.held = held
    jacobian = jax.grad(lambda x: literal(x, architecture).sum())(jnp.asarray(x))
    v = np.linalg.eigvals(np.corrcoef(np.asarray(jacobian).reshape(len(x), -1))).real
    return -np.sum(np.log(v + 1e-5) + 1 / (v + 1e-5))


def synflow(network, values, architecture, inputs=3):
    positive = {name: jnp.abs(value) for name, value in values.items()}
    ones = np.ones((1, 32, 32, inputs))
    found = jax.grad(lambda values: network(values, normalised=False)(ones, architecture).sum())(positive)
    return np.log(sum(float((positive[name] * found[name]).sum()) for name in positive if name.endswith("kernel")))
