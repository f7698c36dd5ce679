"""Kernels of wirings by a recursion over pairs of nodes in NumPy, and networks of them: neither knows ports or copies.

Uncentred covariances K_st, tangents Theta_st and means S_t of N joint rows, with A the skip and L the linear edges into
t, b_l = g beta(Q_l) for activation-last and 0 for activation-first:

    S_t = sum_A a S_s + sum_L b_l
    K_tr = sum_A a K_sr + sum_L b_l S_r',  Theta_tr = sum_A a Theta_sr,  r < t
    K_tt = sum_AA a a' K_ss' + sum_{A, L} a (S_s b_l' + b_l S_s') + sum_{l != l'} b_l b_l'' + sum_L F_l
    Theta_tt = sum_AA a a' Theta_ss' + sum_L G_l

activation-last: Q = w^2 K_ll + v^2, F = g^2 f(Q), G = g^2 fdot(Q) (w^2 (Theta_ll + K_ll) + v^2); activation-first:
F = g^2 (w^2 f(K_ll) + v^2), G = g^2 (w^2 (fdot(K_ll) Theta_ll + f(K_ll)) + v^2). Layer norm at t replaces h_t by
s (h_t - S_t), s = (K_tt(x, x) - S_t(x)^2)^(-1/2), in all of these.
"""

import numpy as np

from verify.tools.dual_formulas import DUALS


def duals(name, k):
    """F and fdot of all pairs of rows, beta of each, for a covariance matrix [N, N]."""
    variance = np.diag(k)
    columns, rows = np.meshgrid(variance, variance)
    dual = DUALS[name]
    return dual.f(rows, k, columns), dual.fdot(rows, k, columns), dual.beta(variance)


def reference_kernels(wiring, x, order, embedding, activation="relu", train_biases=True):
    """NNGP and NTK [N, N] of the output, and at every node of the pruned wiring K_tt and K_tt + Theta_tt [T, N, N].

    Where biases are not trained, their v^2 is no part of what the tangents receive.
    """
    wiring = wiring.pruned()
    k_in = x @ x.T
    theta_in = np.zeros_like(k_in) if embedding == "gaussian" else k_in
    s0 = np.zeros(len(x))
    if embedding == "stem":
        k_in, fdot, s0 = duals(activation, k_in)
        theta_in = fdot * (x @ x.T)
    last = order == "activation-last"
    cov, theta, mean = {(0, 0): k_in}, {(0, 0): theta_in}, [s0]
    normalise(cov, theta, mean, 0, wiring.layer_norm)
    linear = dict(zip(wiring.linear_edges, range(99), strict=False))
    skip = dict(zip(wiring.skip_edges, wiring.skip_gain, strict=True))
    for t in range(1, wiring.dag.num_nodes):
        a = {s: g for (s, end), g in skip.items() if end == t}
        b, received, grown = {}, np.zeros_like(k_in), np.zeros_like(k_in)
        for (s, end), i in linear.items():
            if end != t:
                continue
            g, w, v = (np.asarray(values)[i] for values in (wiring.gain, wiring.weight_scale, wiring.bias_scale))
            name = activation if wiring.activations[i] is None else wiring.activations[i].name
            if last:
                f, fdot, beta = duals(name, w**2 * cov[s, s] + v**2)
                b[s] = g * beta
                received = received + g**2 * f
                grown = grown + g**2 * fdot * (w**2 * (theta[s, s] + cov[s, s]) + train_biases * v**2)
            else:
                f, fdot, _ = duals(name, cov[s, s])
                b[s] = np.zeros(len(x))
                received = received + g**2 * (w**2 * f + v**2)
                grown = grown + g**2 * (w**2 * (fdot * theta[s, s] + f) + train_biases * v**2)
        for r in range(t):
            cov[t, r] = sum((g * cov[s, r] for s, g in a.items()), np.zeros_like(k_in))
            cov[t, r] = cov[t, r] + sum(np.outer(m, mean[r]) for m in b.values())
            theta[t, r] = sum((g * theta[s, r] for s, g in a.items()), np.zeros_like(k_in))
            cov[r, t], theta[r, t] = cov[t, r].T, theta[t, r].T
        k, th = received, grown
        for s, g in a.items():
            for r, h in a.items():
                k, th = k + g * h * cov[s, r], th + g * h * theta[s, r]
            for m in b.values():
                k = k + g * (np.outer(mean[s], m) + np.outer(m, mean[s]))
        for s, m in b.items():
            for r, other in b.items():
                if r != s:
                    k = k + np.outer(m, other)
        cov[t, t], theta[t, t] = k, th
        mean.append(sum((g * mean[s] for s, g in a.items()), sum(b.values(), np.zeros(len(x)))))
        normalise(cov, theta, mean, t, wiring.layer_norm)
    h = wiring.dag.num_nodes - 1
    w2, v2 = wiring.readout_weight_scale**2, wiring.readout_bias_scale**2
    nodes = np.array([cov[t, t] for t in range(h + 1)]), np.array([cov[t, t] + theta[t, t] for t in range(h + 1)])
    if not any(wiring.dag.ops):
        return v2 + 0 * k_in, v2 + 0 * k_in, nodes
    return w2 * cov[h, h] + v2, w2 * (cov[h, h] + theta[h, h]) + v2, nodes


def normalise(cov, theta, mean, t, norms):
    if t not in norms:
        return
    variance = np.diag(cov[t, t]) - mean[t] ** 2
    s = np.where(variance > 0, 1 / np.sqrt(np.where(variance > 0, variance, 1)), 0)
    for r in range(t):
        cov[t, r] = s[:, None] * (cov[t, r] - np.outer(mean[t], mean[r]))
        theta[t, r] = s[:, None] * theta[t, r]
        cov[r, t], theta[r, t] = cov[t, r].T, theta[t, r].T
    cov[t, t] = s[:, None] * (cov[t, t] - np.outer(mean[t], mean[t])) * s
    theta[t, t] = s[:, None] * theta[t, t] * s
    mean[t] = np.zeros_like(mean[t])


def independent_kernels(wiring, x, order, embedding, activation="relu"):
    """NNGP and NTK by the paper's rule: kernels of branches add up, means are dropped."""
    wiring = wiring.pruned()
    k_in = x @ x.T
    theta_in = np.zeros_like(k_in) if embedding == "gaussian" else k_in
    if embedding == "stem":
        k_in, fdot, _ = duals(activation, k_in)
        theta_in = fdot * (x @ x.T)
    cov, theta = [], []

    def settle(t, k, th):
        if t in wiring.layer_norm:
            s = np.where(np.diag(k) > 0, np.diag(k), np.inf) ** -0.5
            k, th = s[:, None] * k * s, s[:, None] * th * s
        cov.append(k)
        theta.append(th)

    settle(0, k_in, theta_in)
    for t in range(1, wiring.dag.num_nodes):
        k, th = np.zeros_like(k_in), np.zeros_like(k_in)
        for (s, end), a in zip(wiring.skip_edges, wiring.skip_gain, strict=True):
            if end == t:
                k, th = k + a**2 * cov[s], th + a**2 * theta[s]
        for i, (s, end) in enumerate(wiring.linear_edges):
            if end != t:
                continue
            g, w, v = wiring.gain[i], wiring.weight_scale[i], wiring.bias_scale[i]
            name = activation if wiring.activations[i] is None else wiring.activations[i].name
            if order == "activation-last":
                f, fdot, _ = duals(name, w**2 * cov[s] + v**2)
                k, th = k + g**2 * f, th + g**2 * fdot * (w**2 * (theta[s] + cov[s]) + v**2)
            else:
                f, fdot, _ = duals(name, cov[s])
                k, th = k + g**2 * (w**2 * f + v**2), th + g**2 * (w**2 * (fdot * theta[s] + f) + v**2)
        settle(t, k, th)
    w2, v2 = wiring.readout_weight_scale**2, wiring.readout_bias_scale**2
    if not any(wiring.dag.ops):
        return v2 + 0 * k_in, v2 + 0 * k_in
    return w2 * cov[-1] + v2, w2 * (cov[-1] + theta[-1]) + v2
