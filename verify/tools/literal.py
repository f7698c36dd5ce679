"""The paper's formulas transcribed literally in NumPy, as a second route to every number: nothing here uses the
library.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy import special

from verify.tools.dual_formulas import DUALS

__all__ = ["EQUATIONS", "SIGMAS", "gaussian_integrals", "gaussian_mean", "relu_f"]

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
    diagonal = np.diag(k)
    return DUALS["relu"].f(diagonal[:, None], k, diagonal[None, :])


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
        nodes: nodes per panel and dimension.
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


def gaussian_mean(sigma: Callable[[np.ndarray], np.ndarray], k: float) -> float:
    """E[sigma(g)], g ~ N(0, k), by the quadrature of `gaussian_integrals`: E[(sigma + 1)^2 - (sigma - 1)^2] / 4."""
    plus, minus = (
        gaussian_integrals(lambda x: sigma(x) + 1, k, k, 1),
        gaussian_integrals(lambda x: sigma(x) - 1, k, k, 1),
    )
    return (plus - minus) / 4
