"""The paper's formulas transcribed literally in NumPy, as a second route to every number: nothing here uses the
library.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from scipy import special

__all__ = ["EQUATIONS", "SIGMAS", "exact_two_point", "gaussian_integrals", "relu_f"]

SIGMAS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "erf": special.erf,
    "gelu": lambda x: x * special.ndtr(x),
    "sin": np.sin,
    "tanh": np.tanh,
    "identity": lambda x: x,
}
"""The activations themselves."""


def relu_f(k: np.ndarray) -> np.ndarray:
    """Lemma 3.2 for ReLU with c = 2 on a Gram matrix [N, N] with its own diagonal."""
    scale = np.sqrt(np.outer(np.diag(k), np.diag(k)))
    rho = np.clip(k / scale, -1, 1)
    np.fill_diagonal(rho, 1)
    return scale * (np.sqrt(1 - rho**2) + (np.pi - np.arccos(rho)) * rho) / np.pi


def _dag1(k: np.ndarray) -> np.ndarray:
    return relu_f(relu_f(relu_f(k)))


def _dag2(k: np.ndarray) -> np.ndarray:
    return 3 * relu_f(k)


def _dag3(k: np.ndarray) -> np.ndarray:
    return k + relu_f(k) + relu_f(2 * relu_f(k))


EQUATIONS: dict[str, tuple[str, str, Callable[[np.ndarray], np.ndarray]]] = {
    "dag-1": ("2_02_002", "Eq. 6-7", _dag1),
    "dag-2": ("1_01_222", "Eq. 8-9", _dag2),
    "dag-3": ("2_21_112", "Eq. 10-11", _dag3),
}
"""The paper's three DAGs: code, equations, and K^(3) as a function of the Gram matrix K^(0)."""


_legendre = lru_cache(np.polynomial.legendre.leggauss)


def gaussian_integrals(
    sigma: Callable[[np.ndarray], np.ndarray], kxx: float, kyy: float, rho: float, nodes: int = 120, reach: float = 12.0
) -> float:
    """E[sigma(g) sigma(g')] of Eq. 4 for variances kxx, kyy and correlation rho, by Gauss-Legendre panels.

    g = sqrt(kxx) z1 and g' = sqrt(kyy) (rho z1 + sqrt(1 - rho^2) z2). The plane is cut where g or g' is zero, so that a
    kink of sigma at zero lies on the border of a panel.

    Args:
        sigma: activation on arrays.
        kxx: variance of g.
        kyy: variance of g'.
        rho: correlation, -1 and 1 included.
        nodes: nodes a panel and dimension.
        reach: where the standard normal variables are cut off.
    """
    x, w = _legendre(nodes)

    def panel(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        half = (high - low) / 2
        return half[..., None] * x + ((low + high) / 2)[..., None], half[..., None] * w

    cuts = np.array([-reach, 0.0, reach])
    z1, w1 = panel(cuts[:-1], cuts[1:])
    z1, w1 = z1.ravel(), (w1 * np.exp(-(z1**2) / 2)).ravel() / np.sqrt(2 * np.pi)
    g = sigma(np.sqrt(kxx) * z1)
    if abs(rho) == 1:
        return float(np.sum(w1 * g * sigma(np.sqrt(kyy) * rho * z1)))
    root = np.sqrt(1 - rho**2)
    kink = np.clip(-rho * z1 / root, -reach, reach)
    total = np.zeros_like(z1)
    for low, high in ((np.full_like(kink, -reach), kink), (kink, np.full_like(kink, reach))):
        z2, w2 = panel(low, high)
        inner = sigma(np.sqrt(kyy) * (rho * z1[:, None] + root * z2)) * np.exp(-(z2**2) / 2) / np.sqrt(2 * np.pi)
        total += np.sum(w2 * inner, axis=1)
    return float(np.sum(w1 * g * total))


def exact_two_point(
    edges: Sequence[tuple[int, int, int]], n: int, rho: np.ndarray, last: bool, embedding: str, means: bool = True
) -> Kernels:
    """NNGP and NTK of wide ReLU networks on unit rows, by the recursion over all pairs of nodes.

    Args:
        edges: (s, t, op) of a pruned DAG, op 1 skip or 2 linear.
        n: number of nodes.
        rho: correlations [R].
        last: activation-last, else activation-first.
        embedding: `gaussian`, `gaussian-trained` or `stem`.
        means: whether features have their means; without, every mean is taken as zero.

    Returns:
        (NNGP K_ii, NNGP K_ij [R], NTK Theta_ii + K_ii, NTK K_ij + Theta_ij [R]).
    """
    k = np.concatenate([[1.0], rho])  # entry 0 is the pair of an input with itself, whose correlation is 1
    mean, theta = 0.0, np.zeros_like(k)
    if embedding == "stem":
        mean, theta, k = np.sqrt(1 / np.pi) * means, _fdot(k) * k, _f(k)
    elif embedding == "gaussian-trained":
        theta = k
    covariance = {(0, 0): k}
    tangent = {(0, 0): theta}
    totals = [mean]
    for t in range(1, n):
        skips = [s for s, head, op in edges if head == t and op == 1]
        linears = [s for s, head, op in edges if head == t and op == 2]
        b = {s: np.sqrt(covariance[s, s][0] / np.pi) if last and means else 0.0 for s in linears}
        for r in range(t):
            k_tr = sum((covariance[s, r] for s in skips), np.zeros_like(k)) + sum(b[s] * totals[r] for s in linears)
            theta_tr = sum((tangent[s, r] for s in skips), np.zeros_like(k))
            covariance[t, r] = covariance[r, t] = k_tr
            tangent[t, r] = tangent[r, t] = theta_tr
        k_tt, theta_tt = np.zeros_like(k), np.zeros_like(k)
        for s in skips:
            for u in skips:
                k_tt = k_tt + covariance[s, u]
                theta_tt = theta_tt + tangent[s, u]
            k_tt = k_tt + 2 * sum(totals[s] * b[u] for u in linears)
        for s in linears:
            inner = covariance[s, s]
            f, fdot = _f(inner), _fdot(inner)
            k_tt = k_tt + f + sum(b[s] * b[u] for u in linears if u != s)
            theta_tt = theta_tt + fdot * tangent[s, s] + (fdot * inner if last else f)
        covariance[t, t], tangent[t, t] = k_tt, theta_tt
        totals.append(sum(totals[s] for s in skips) + sum(b.values()))
    k, theta = covariance[n - 1, n - 1], tangent[n - 1, n - 1]
    return float(k[0]), k[1:], float(k[0] + theta[0]), (k + theta)[1:]


Kernels = tuple[float, np.ndarray, float, np.ndarray]


def _f(k: np.ndarray) -> np.ndarray:
    """The map f on [variance, covariances...] of two inputs of equal variance."""
    rho = np.clip(k / k[0], -1, 1)
    return k[0] * (np.sqrt(1 - rho**2) + (np.pi - np.arccos(rho)) * rho) / np.pi


def _fdot(k: np.ndarray) -> np.ndarray:
    return (np.pi - np.arccos(np.clip(k / k[0], -1, 1))) / np.pi
