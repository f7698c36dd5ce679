"""Networks of wirings written out from their definition, and their limit by weights of copies, with mistakes on demand.

Nothing of the library computes anything here: networks are NumPy with derivatives by hand. The limit sums over copies:
h_t is the sum over nodes u <= t of alpha_tu times what linear edges bring to u, where alpha_tu is the sum over skip
paths from u to t of the product of their gains and of the scales of the layer norms that they pass, a function of the
input's row. (`wiring_reference` goes over pairs of nodes instead.)
"""

from typing import NamedTuple

import numpy as np
from scipy import special

from verify.tools.dual_formulas import DUALS

CONSTANTS = {"relu": 2.0, "erf": 1 / (2 / np.pi * np.arcsin(2 / 3)), "sin": 2 / (1 - np.exp(-2))}
SIGMAS = {
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(z.dtype)),
    "erf": (special.erf, lambda z: 2 / np.sqrt(np.pi) * np.exp(-(z**2))),
    "sin": (np.sin, np.cos),
}
"""Activations and their derivatives."""


def empirical(wiring, x, order, trained, width, networks, rng):
    """Empirical NNGP and NTK of independent networks of a width, [networks, 2, N, N]; `trained`: the embedding is."""
    linear = dict(zip(wiring.linear_edges, range(99), strict=False))
    skip = dict(zip(wiring.skip_edges, map(np.float32, wiring.skip_gain), strict=True))
    last, root = wiring.dag.num_nodes - 1, np.float32(width**0.5)
    x, normal = x.astype(np.float32), lambda *shape: rng.standard_normal((networks, *shape), np.float32)
    sums = [x @ normal(x.shape[1], width)]  # what nodes receive, [networks, N, m]
    nodes, kept = [_standardised(wiring, 0, sums[0])], {}
    for t in range(1, last + 1):
        total = np.zeros_like(sums[0])
        for s in range(t):
            if (s, t) in skip:
                total += skip[s, t] * nodes[s]
            elif (s, t) in linear:
                numbers = (np.float32(v[linear[s, t]]) for v in (wiring.gain, wiring.weight_scale, wiring.bias_scale))
                edge = _Edge(wiring.activations[linear[s, t]].name, *numbers, normal(width, width), normal(1, width))
                kept[s, t] = edge
                total += edge.output(nodes[s], root, order)
        sums.append(total)
        nodes.append(_standardised(wiring, t, total))
    w, v = np.float32(wiring.readout_weight_scale), np.float32(wiring.readout_bias_scale)
    nngp = w**2 * _gram(nodes[last]) / width + v**2
    at = [np.zeros_like(sums[0]) for _ in nodes]  # du / dh
    at[last] += w * normal(1, width) / root
    ntk = nngp.copy()
    for t in range(last, 0, -1):
        at_sum = _through_norm(wiring, t, sums[t], at[t])
        for s in range(t):
            if (s, t) in skip:
                at[s] += skip[s, t] * at_sum
            elif (s, t) in kept:
                back, tangent = kept[s, t].backward(nodes[s], at_sum, root, order)
                at[s] += back
                ntk += tangent
    if trained:
        ntk += _gram(_through_norm(wiring, 0, sums[0], at[0])) * (x @ x.T)
    return np.stack([nngp, ntk], 1).astype(float)


class _Edge(NamedTuple):
    """A linear edge of all networks: activation, g, w, v, matrices [networks, m, m] and biases [networks, 1, m]."""

    name: str
    g: np.float32
    w: np.float32
    v: np.float32
    matrix: np.ndarray
    bias: np.ndarray

    def output(self, h, root, order):
        """What the edge brings, [networks, N, m]."""
        c, sigma = np.float32(CONSTANTS[self.name] ** 0.5), SIGMAS[self.name][0]
        if order == "activation-last":
            return self.g * c * sigma(self.w * h @ self.matrix / root + self.v * self.bias)
        return self.g * (self.w * c / root * sigma(h) @ self.matrix + self.v * self.bias)

    def backward(self, h, at, root, order):
        """du/dh at its source, from that at its target; and its part of the NTK, of the matrix and the bias."""
        c, (sigma, slope) = np.float32(CONSTANTS[self.name] ** 0.5), SIGMAS[self.name]
        if order == "activation-last":
            inner = self.w * h @ self.matrix / root + self.v * self.bias
            at = at * self.g * c * slope(inner)  # du / d(inner)
            tangent = _gram(at) * (self.w**2 * _gram(h) / root**2 + self.v**2)
            return self.w * at @ self.matrix.swapaxes(1, 2) / root, tangent
        at, scale = self.g * at, self.w * c / root
        tangent = _gram(at) * (scale**2 * _gram(sigma(h)) + self.v**2)
        return scale * slope(h) * (at @ self.matrix.swapaxes(1, 2)), tangent


def _gram(h):
    return h @ h.swapaxes(1, 2)


def _standardised(wiring, t, h):
    if t not in wiring.layer_norm:
        return h
    return (h - h.mean(axis=2, keepdims=True)) / h.std(axis=2, keepdims=True)


def _through_norm(wiring, t, h, at):
    """Du / d(what node t receives), from du / dh_t: the Jacobian of layer norm with its projections."""
    if t not in wiring.layer_norm:
        return at
    z = _standardised(wiring, t, h)
    inner = at - at.mean(axis=2, keepdims=True) - z * (at * z).mean(axis=2, keepdims=True)
    return inner / h.std(axis=2, keepdims=True)


MISTAKES = (
    "means dropped",
    "copies uncorrelated",
    "alpha for alpha squared",
    "no bias scale in the tangent",
    "no weight scale in the tangent",
    "gain for its square",
    "layer norm forgets copies",
    "layer norm leaves the mean",
    "layer norm divides by the mean square",
    "no read-out bias in the NTK",
)


def limit(wiring, x, order, trained, mistake=""):
    """NNGP and NTK [N, N] by weights of copies, right or with one mistake."""
    n, k_in = wiring.dag.num_nodes, x @ x.T
    zero, one = np.zeros(len(x)), np.ones(len(x))
    alpha = {(0, 0): one}
    squares = {(0, 0): one}  # sums over paths of squared products, for a mistake
    fresh, grown, mean, covariance, tangent = [k_in], [k_in * trained], [], [], []
    skip = dict(zip(wiring.skip_edges, wiring.skip_gain, strict=True))

    def combined(parts, t):
        if mistake == "copies uncorrelated":
            return sum(part * np.sqrt(np.outer(squares[t, u], squares[t, u])) for u, part in enumerate(parts))
        power = 0.5 if mistake == "alpha for alpha squared" else 1
        weights = [np.sign(alpha[t, u]) * np.abs(alpha[t, u]) ** power for u in range(len(parts))]
        return sum(part * np.outer(weight, weight) for part, weight in zip(parts, weights, strict=True))

    for t in range(n):
        incoming = {s: a for (s, end), a in skip.items() if end == t}
        m = zero
        if t:
            for u in range(t):
                alpha[t, u] = sum((a * alpha.get((s, u), zero) for s, a in incoming.items()), zero)
                squares[t, u] = sum((a**2 * squares.get((s, u), zero) for s, a in incoming.items()), zero)
            alpha[t, t] = squares[t, t] = one
            d, e, m = _brought(wiring, t, covariance, tangent, order, mistake)
            fresh.append(d)
            grown.append(e)
        s = sum((a * mean[source] for source, a in incoming.items()), zero) + m
        k, theta = combined(fresh, t) + np.outer(s, s), combined(grown, t)
        if t in wiring.layer_norm:
            kept = mistake == "layer norm leaves the mean"
            square = np.diag(k) - (0 if mistake == "layer norm divides by the mean square" else s**2)
            scale = square**-0.5
            for u in range(t + 1):
                alpha[t, u], squares[t, u] = scale * alpha[t, u], scale**2 * squares[t, u]
            s = scale * s if kept else zero
            k, theta = combined(fresh, t) + np.outer(s, s), combined(grown, t)
            if mistake == "layer norm forgets copies":
                fresh[t], grown[t] = k - np.outer(s, s), theta
                for u in range(t + 1):
                    alpha[t, u] = squares[t, u] = one * (u == t)
        covariance.append(k)
        tangent.append(theta)
        mean.append(s)
    w, v = wiring.readout_weight_scale**2, wiring.readout_bias_scale**2
    untold = mistake == "no read-out bias in the NTK"
    return w * covariance[-1] + v, w * (covariance[-1] + tangent[-1]) + (0 if untold else v)


def _brought(wiring, t, covariance, tangent, order, mistake):
    """What linear edges bring to node t: centred covariance, tangent, mean."""
    shape = covariance[0].shape
    d, e, m = np.zeros(shape), np.zeros(shape), np.zeros(shape[0])
    for i, (s, end) in enumerate(wiring.linear_edges):
        if end != t:
            continue
        g, w, v = (np.asarray(values)[i] for values in (wiring.gain, wiring.weight_scale, wiring.bias_scale))
        dual, k, theta = DUALS[wiring.activations[i].name], covariance[s], tangent[s]
        g2 = abs(g) if mistake == "gain for its square" else g**2
        v2 = 0 if mistake == "no bias scale in the tangent" else v**2
        w2 = 1 if mistake == "no weight scale in the tangent" else w**2
        if order == "activation-last":
            q = w**2 * k + v**2
            f, fdot, beta = _duals(dual, q)
            b = np.zeros_like(beta) if mistake == "means dropped" else beta
            d = d + g2 * (f - np.outer(b, b))
            e = e + g2 * fdot * (w2 * (theta + k) + v2)
            m = m + g * b
        else:
            f, fdot, _ = _duals(dual, k)
            d, e = d + g2 * (w**2 * f + v**2), e + g2 * (w2 * (fdot * theta + f) + v2)
    return d, e, m


def _duals(dual, k):
    columns, rows = np.meshgrid(np.diag(k), np.diag(k))
    return dual.f(rows, k, columns), dual.fdot(rows, k, columns), dual.beta(np.diag(k))
