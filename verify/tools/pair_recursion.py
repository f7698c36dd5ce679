"""The exact recursion of one pair of inputs, transcribed literally and slowly in NumPy: an independent route.

For every pair of nodes (s, t) and every pair (u, v) of the two inputs it holds K_st(u, v) and Theta_st(u, v), for every
node and input the mean S_t(u). With A the skip and L the linear predecessors of t, b_l = beta at l for activation-last
and 0 for activation-first, T_l = fdot(K_ll) K_ll for activation-last and f(K_ll) for activation-first:

    S_t    = sum_A S_s + sum_L b_l
    K_tr   = sum_{s in A} K_sr + sum_{l in L} b_l(u) S_r(v),  r < t
    K_tt   = sum_{s,s' in A} K_ss' + sum_{s in A, l in L} [S_s(u) b_l(v) + b_l(u) S_s(v)] + sum_L f(K_ll)
             + sum_{l != l' in L} b_l(u) b_l'(v)
    Theta_tr = sum_{s in A} Theta_sr,  Theta_tt = sum_{s,s' in A} Theta_ss' + sum_L [fdot(K_ll) Theta_ll + T_l]

NNGP = K_HH and NTK = K_HH + Theta_HH, of the pruned DAG. Claims and tests compare the library with it; it has the
library's DAGs, and nothing of its kernels or activations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nngp_dag.dag import Dag, Op
from verify.tools.dual_formulas import DUALS, Dual

__all__ = ["exact_gram", "exact_pair"]


@dataclass(frozen=True)
class _Nodes:
    """Nodes 0 to t - 1: arrays [2, 2, ...] over the inputs u and v for pairs of nodes, [2, ...] for the means."""

    covariance: dict[tuple[int, int], np.ndarray]
    tangent: dict[tuple[int, int], np.ndarray]
    mean: list[np.ndarray]


def exact_pair(
    dag: Dag,
    kxx: ArrayLike,
    kxy: ArrayLike,
    kyy: ArrayLike,
    order: str,
    embedding: str,
    activation: str = "relu",
    means: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """(NNGP, NTK) of the pair (x, x').

    Args:
        dag: the DAG, pruned or not.
        kxx: K_in(x, x), a scalar, or for many pairs at once an array of the same shape as the next two.
        kxy: K_in(x, x').
        kyy: K_in(x', x').
        order: activation-last or activation-first.
        embedding: gaussian, gaussian-trained or stem.
        activation: a name in `DUALS`.
        means: whether features have their means; without, every mean is taken as zero.
    """
    kxx, kxy, kyy = np.broadcast_arrays(*(np.asarray(k, dtype=np.float64) for k in (kxx, kxy, kyy)))
    dag, dual = dag.pruned(), DUALS[activation]
    if not any(dag.ops):
        return np.zeros_like(kxy), np.zeros_like(kxy)
    nodes = _input_node(np.array([[kxx, kxy], [kxy, kyy]]), dual, embedding, means)
    last = order == "activation-last"
    for t in range(1, dag.num_nodes):
        skip = [s for s in range(t) if dag.op(s, t) is Op.SKIP]
        linear = [s for s in range(t) if dag.op(s, t) is Op.LINEAR]
        b = {n: _beta(dual, nodes.covariance[n, n], last and means) for n in linear}
        _pairs_with_earlier(nodes, t, skip, b)
        _pair_with_itself(nodes, t, skip, b, dual, last)
        nodes.mean.append(sum((nodes.mean[s] for s in skip), sum(b.values(), np.zeros_like(nodes.mean[0]))))
    h = dag.num_nodes - 1
    return nodes.covariance[h, h][0, 1], (nodes.covariance[h, h] + nodes.tangent[h, h])[0, 1]


def exact_gram(
    dag: Dag,
    x1: ArrayLike,
    x2: ArrayLike,
    order: str,
    embedding: str,
    activation: str = "relu",
    means: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """(NNGP, NTK) as Gram matrices of rows x1 [N, d] against x2 [M, d]."""
    x1, x2 = np.asarray(x1, dtype=np.float64), np.asarray(x2, dtype=np.float64)
    kxx, kyy = (x1**2).sum(1)[:, None], (x2**2).sum(1)[None, :]
    return exact_pair(dag, kxx, x1 @ x2.T, kyy, order, embedding, activation, means)


def _input_node(k_in: np.ndarray, dual: Dual, embedding: str, means: bool) -> _Nodes:
    """Node 0, by the embedding."""
    if embedding == "stem":
        k, theta = _each_pair(dual.f, k_in), _each_pair(dual.fdot, k_in) * k_in
        return _Nodes({(0, 0): k}, {(0, 0): theta}, [_beta(dual, k_in, means)])
    theta = k_in if embedding == "gaussian-trained" else np.zeros_like(k_in)
    return _Nodes({(0, 0): k_in}, {(0, 0): theta}, [np.zeros_like(k_in[0])])


def _pairs_with_earlier(nodes: _Nodes, t: int, skip: list[int], b: dict[int, np.ndarray]) -> None:
    """K_tr, K_rt and Theta_tr, Theta_rt for every r < t."""
    for r in range(t):
        k, theta = np.zeros_like(nodes.covariance[0, 0]), np.zeros_like(nodes.covariance[0, 0])
        for s in skip:
            k = k + nodes.covariance[s, r]
            theta = theta + nodes.tangent[s, r]
        for mean in b.values():
            k = k + _outer(mean, nodes.mean[r])
        nodes.covariance[t, r], nodes.covariance[r, t] = k, np.swapaxes(k, 0, 1)
        nodes.tangent[t, r], nodes.tangent[r, t] = theta, np.swapaxes(theta, 0, 1)


def _pair_with_itself(nodes: _Nodes, t: int, skip: list[int], b: dict[int, np.ndarray], dual: Dual, last: bool) -> None:
    """K_tt and Theta_tt."""
    k, theta = np.zeros_like(nodes.covariance[0, 0]), np.zeros_like(nodes.covariance[0, 0])
    for s in skip:
        for other in skip:
            k = k + nodes.covariance[s, other]
            theta = theta + nodes.tangent[s, other]
        for mean in b.values():
            k = k + _outer(nodes.mean[s], mean) + _outer(mean, nodes.mean[s])
    for n in b:
        covariance = nodes.covariance[n, n]
        f, fdot = _each_pair(dual.f, covariance), _each_pair(dual.fdot, covariance)
        k = k + f
        theta = theta + fdot * nodes.tangent[n, n] + (fdot * covariance if last else f)
        for other in b:
            if other != n:
                k = k + _outer(b[n], b[other])
    nodes.covariance[t, t], nodes.tangent[t, t] = k, theta


def _each_pair(function: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray], k: np.ndarray) -> np.ndarray:
    """A dual map of two inputs, for every (u, v)."""
    return np.array([[function(k[u, u], k[u, v], k[v, v]) for v in (0, 1)] for u in (0, 1)])


def _beta(dual: Dual, k: np.ndarray, means: bool) -> np.ndarray:
    """The mean of a feature behind a linear edge, for each input u; zero without means."""
    return np.array([dual.beta(k[u, u]) for u in (0, 1)]) if means else np.zeros_like(k[0])


def _outer(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a(u) b(v)."""
    return np.array([[a[u] * b[v] for v in (0, 1)] for u in (0, 1)])
