"""The exact recursion of one pair of inputs, transcribed literally and slowly in NumPy: an independent route.

For every pair of nodes (s, t) and every pair (u, v) of the two inputs it holds K_st(u, v) and Theta_st(u, v), for every
node and input the mean S_t(u). With A the skip and L the linear predecessors of t, b_l = beta at l for activation-last
and 0 for activation-first, T_l = fdot(K_ll) K_ll for activation-last and f(K_ll) for activation-first:

    S_t    = sum_A S_s + sum_L b_l
    K_tr   = sum_{s in A} K_sr + sum_{l in L} b_l(u) S_r(v),  r < t
    K_tt   = sum_{s,s' in A} K_ss' + sum_{s in A, l in L} [S_s(u) b_l(v) + b_l(u) S_s(v)] + sum_L f(K_ll)
             + sum_{l != l' in L} b_l(u) b_l'(v)
    Theta_tr = sum_{s in A} Theta_sr,  Theta_tt = sum_{s,s' in A} Theta_ss' + sum_L [fdot(K_ll) Theta_ll + T_l]

NNGP = K_HH and NTK = K_HH + Theta_HH, of the pruned DAG.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr  # the distribution function of N(0, 1)

from nngp_dag.dag import Dag, Op

__all__ = ["DUALS", "Dual", "exact", "exact_gram"]


class Dual(NamedTuple):
    """Dual maps with the normalisation c inside: f and fdot of (kxx, kxy, kyy), beta of kxx."""

    f: Callable
    fdot: Callable
    beta: Callable


def _angle(kxx, kxy, kyy):
    q = np.sqrt(kxx * kyy)
    return q, np.arccos(np.clip(kxy / np.where(q > 0, q, 1), -1, 1))


def _relu_f(kxx, kxy, kyy):
    q, angle = _angle(kxx, kxy, kyy)
    return q * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / np.pi


def _relu_fdot(kxx, kxy, kyy):
    return (np.pi - _angle(kxx, kxy, kyy)[1]) / np.pi


_LEAK = 0.01
_LEAKY_C = 2 / (1 + _LEAK**2)


# leaky_relu(x) = (1 - a) relu(x) + a x, so that its moments follow from those of relu (c = 2) and of x.
def _leaky_f(kxx, kxy, kyy):
    return _LEAKY_C * ((1 - _LEAK) ** 2 * _relu_f(kxx, kxy, kyy) / 2 + (1 - _LEAK) * _LEAK * kxy + _LEAK**2 * kxy)


def _leaky_fdot(kxx, kxy, kyy):
    return _LEAKY_C * ((1 - _LEAK) ** 2 * _relu_fdot(kxx, kxy, kyy) / 2 + (1 - _LEAK) * _LEAK + _LEAK**2)


# Williams (1997), for erf(x) itself: E[erf(g) erf(g')] = 2/pi arcsin(2 kxy / sqrt((1 + 2 kxx)(1 + 2 kyy))).
_ERF_C = 1 / (2 / np.pi * np.arcsin(2 / 3))


def _erf_f(kxx, kxy, kyy):
    return _ERF_C * 2 / np.pi * np.arcsin(2 * kxy / np.sqrt((1 + 2 * kxx) * (1 + 2 * kyy)))


def _erf_fdot(kxx, kxy, kyy):
    return _ERF_C * 4 / np.pi / np.sqrt((1 + 2 * kxx) * (1 + 2 * kyy) - 4 * kxy**2)


# E[sin g sin g'] = (E cos(g - g') - E cos(g + g')) / 2 and E cos z = exp(-Var z / 2).
_SIN_C = 2 / (1 - np.exp(-2))


def _sin_f(kxx, kxy, kyy):
    return _SIN_C / 2 * (np.exp(-(kxx + kyy - 2 * kxy) / 2) - np.exp(-(kxx + kyy + 2 * kxy) / 2))


def _sin_fdot(kxx, kxy, kyy):
    return _SIN_C / 2 * (np.exp(-(kxx + kyy - 2 * kxy) / 2) + np.exp(-(kxx + kyy + 2 * kxy) / 2))


# GELU by two-dimensional Gauss-Hermite quadrature of the definition; entire functions and moderate variances.
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(120)
_WEIGHTS = _WEIGHTS / np.sqrt(2 * np.pi)


def _gelu(x):
    return x * ndtr(x)


def _gelu_prime(x):
    return ndtr(x) + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)


_GELU_C = 1 / np.sum(_WEIGHTS * _gelu(_NODES) ** 2)


def _expect(function):
    def dual(kxx, kxy, kyy):
        kxx, kxy, kyy = np.broadcast_arrays(kxx, kxy, kyy)
        x = np.sqrt(kxx)[..., None, None] * _NODES[:, None]
        slope = (kxy / np.where(kxx > 0, np.sqrt(kxx), 1))[..., None, None]
        y = slope * _NODES[:, None] + np.sqrt(np.maximum(kyy[..., None, None] - slope**2, 0)) * _NODES
        return _GELU_C * np.einsum("i,j,...ij", _WEIGHTS, _WEIGHTS, function(x) * function(y))

    return dual


def _gelu_beta(k):
    return np.sqrt(_GELU_C) * np.sum(_WEIGHTS * _gelu(np.sqrt(k)[..., None] * _NODES), axis=-1)


DUALS = {
    "relu": Dual(_relu_f, _relu_fdot, lambda k: np.sqrt(k / np.pi)),
    "leaky_relu": Dual(_leaky_f, _leaky_fdot, lambda k: np.sqrt(_LEAKY_C) * (1 - _LEAK) * np.sqrt(k / (2 * np.pi))),
    "erf": Dual(_erf_f, _erf_fdot, np.zeros_like),
    "gelu": Dual(_expect(_gelu), _expect(_gelu_prime), _gelu_beta),
    "sin": Dual(_sin_f, _sin_fdot, np.zeros_like),
    "identity": Dual(lambda kxx, kxy, kyy: kxy, lambda kxx, kxy, kyy: np.ones_like(kxy), np.zeros_like),
}


def exact(dag: Dag, kxx, kxy, kyy, order: str, embedding: str, activation: str = "relu"):
    """(NNGP, NTK) of the pair (x, x'); the three inputs are scalars or arrays of one shape, for many pairs at once."""
    kxx, kxy, kyy = np.broadcast_arrays(*(np.asarray(k, dtype=np.float64) for k in (kxx, kxy, kyy)))
    dag = dag.pruned()
    if not any(dag.ops):
        return np.zeros_like(kxy), np.zeros_like(kxy)
    dual = DUALS[activation]
    k_in = np.array([[kxx, kxy], [kxy, kyy]])  # [u, v], u and v each x or x'

    def each_pair(function, k):
        """A dual map of two inputs, for every (u, v)."""
        return np.array([[function(k[u, u], k[u, v], k[v, v]) for v in (0, 1)] for u in (0, 1)])

    def beta(k):
        return np.array([dual.beta(k[u, u]) for u in (0, 1)])

    def outer(a, b):
        """a(u) b(v)."""
        return np.array([[a[u] * b[v] for v in (0, 1)] for u in (0, 1)])

    def swap(k):
        """k(v, u)."""
        return np.swapaxes(k, 0, 1)

    zero_mean = np.zeros_like(np.array([kxx, kyy]))
    if embedding == "stem":
        k_00, s_0 = each_pair(dual.f, k_in), beta(k_in)
        theta_00 = each_pair(dual.fdot, k_in) * k_in
    else:
        k_00, s_0 = k_in, zero_mean
        theta_00 = k_in if embedding == "gaussian-trained" else np.zeros_like(k_in)

    covariance, tangent, mean = {(0, 0): k_00}, {(0, 0): theta_00}, [s_0]
    last = order == "activation-last"
    for t in range(1, dag.num_nodes):
        skip = [s for s in range(t) if dag.op(s, t) is Op.SKIP]
        linear = [s for s in range(t) if dag.op(s, t) is Op.LINEAR]
        b = {n: beta(covariance[n, n]) if last else zero_mean for n in linear}
        mean.append(sum((mean[s] for s in skip), zero_mean) + sum(b.values(), zero_mean))
        for r in range(t):
            k_tr, theta_tr = np.zeros_like(k_in), np.zeros_like(k_in)
            for s in skip:
                k_tr = k_tr + covariance[s, r]
                theta_tr = theta_tr + tangent[s, r]
            for n in linear:
                k_tr = k_tr + outer(b[n], mean[r])
            covariance[t, r], covariance[r, t] = k_tr, swap(k_tr)
            tangent[t, r], tangent[r, t] = theta_tr, swap(theta_tr)
        k_tt, theta_tt = np.zeros_like(k_in), np.zeros_like(k_in)
        for s in skip:
            for other in skip:
                k_tt = k_tt + covariance[s, other]
                theta_tt = theta_tt + tangent[s, other]
            for n in linear:
                k_tt = k_tt + outer(mean[s], b[n]) + outer(b[n], mean[s])
        for n in linear:
            f, fdot = each_pair(dual.f, covariance[n, n]), each_pair(dual.fdot, covariance[n, n])
            k_tt = k_tt + f
            theta_tt = theta_tt + fdot * tangent[n, n] + (fdot * covariance[n, n] if last else f)
            for other in linear:
                if other != n:
                    k_tt = k_tt + outer(b[n], b[other])
        covariance[t, t], tangent[t, t] = k_tt, theta_tt
    h = dag.num_nodes - 1
    return covariance[h, h][0, 1], (covariance[h, h] + tangent[h, h])[0, 1]


def exact_gram(dag: Dag, x1, x2, order: str, embedding: str, activation: str = "relu"):
    """(NNGP, NTK) as Gram matrices of rows x1 [N, d] against x2 [M, d]."""
    x1, x2 = np.asarray(x1, dtype=np.float64), np.asarray(x2, dtype=np.float64)
    kxx, kyy = (x1**2).sum(1)[:, None], (x2**2).sum(1)[None, :]
    return exact(dag, kxx, x1 @ x2.T, kyy, order, embedding, activation)
