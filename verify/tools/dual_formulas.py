"""Dual maps of activations by formulas that share nothing with the library's, on NumPy arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr  # the distribution function of N(0, 1)

__all__ = ["DUALS", "Dual"]

_Map = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


class Dual(NamedTuple):
    """Dual maps with the normalisation c inside: f and fdot of (kxx, kxy, kyy), beta of kxx."""

    f: _Map
    fdot: _Map
    beta: Callable[[np.ndarray], np.ndarray]


def _correlation(kxx: np.ndarray, kxy: np.ndarray, kyy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Q = sqrt(K(x,x) K(x',x')), and rho."""
    q = np.sqrt(kxx * kyy)
    return q, np.clip(kxy / np.where(q > 0, q, 1), -1, 1)


def _relu_f(kxx: np.ndarray, kxy: np.ndarray, kyy: np.ndarray) -> np.ndarray:
    q, rho = _correlation(kxx, kxy, kyy)
    return q * (np.sqrt(1 - rho**2) + (np.pi - np.arccos(rho)) * rho) / np.pi


def _relu_fdot(kxx: np.ndarray, kxy: np.ndarray, kyy: np.ndarray) -> np.ndarray:
    return (np.pi - np.arccos(_correlation(kxx, kxy, kyy)[1])) / np.pi


_LEAK = 0.01
_LEAKY_C = 2 / (1 + _LEAK**2)


# leaky_relu(x) = (1 - a) relu(x) + a x, so that its moments follow from those of relu (c = 2) and of x.
def _leaky_f(kxx: np.ndarray, kxy: np.ndarray, kyy: np.ndarray) -> np.ndarray:
    return _LEAKY_C * ((1 - _LEAK) ** 2 * _relu_f(kxx, kxy, kyy) / 2 + (1 - _LEAK) * _LEAK * kxy + _LEAK**2 * kxy)


def _leaky_fdot(kxx: np.ndarray, kxy: np.ndarray, kyy: np.ndarray) -> np.ndarray:
    return _LEAKY_C * ((1 - _LEAK) ** 2 * _relu_fdot(kxx, kxy, kyy) / 2 + (1 - _LEAK) * _LEAK + _LEAK**2)


# Williams (1997), for erf(x) itself: E[erf(g) erf(g')] = 2/pi arcsin(2 kxy / sqrt((1 + 2 kxx)(1 + 2 kyy))).
_ERF_C = 1 / (2 / np.pi * np.arcsin(2 / 3))


def _erf_f(kxx: np.ndarray, kxy: np.ndarray, kyy: np.ndarray) -> np.ndarray:
    return _ERF_C * 2 / np.pi * np.arcsin(2 * kxy / np.sqrt((1 + 2 * kxx) * (1 + 2 * kyy)))


def _erf_fdot(kxx: np.ndarray, kxy: np.ndarray, kyy: np.ndarray) -> np.ndarray:
    return _ERF_C * 4 / np.pi / np.sqrt((1 + 2 * kxx) * (1 + 2 * kyy) - 4 * kxy**2)


# E[sin g sin g'] = (E cos(g - g') - E cos(g + g')) / 2 and E cos z = exp(-Var z / 2).
_SIN_C = 2 / (1 - np.exp(-2))


def _sin_f(kxx: np.ndarray, kxy: np.ndarray, kyy: np.ndarray) -> np.ndarray:
    return _SIN_C / 2 * (np.exp(-(kxx + kyy - 2 * kxy) / 2) - np.exp(-(kxx + kyy + 2 * kxy) / 2))


def _sin_fdot(kxx: np.ndarray, kxy: np.ndarray, kyy: np.ndarray) -> np.ndarray:
    return _SIN_C / 2 * (np.exp(-(kxx + kyy - 2 * kxy) / 2) + np.exp(-(kxx + kyy + 2 * kxy) / 2))


# GELU by two-dimensional Gauss-Hermite quadrature of the definition; entire functions and moderate variances.
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(120)
_WEIGHTS = _WEIGHTS / np.sqrt(2 * np.pi)


def _gelu(x: np.ndarray) -> np.ndarray:
    return x * ndtr(x)


def _gelu_prime(x: np.ndarray) -> np.ndarray:
    return ndtr(x) + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)


_GELU_C = 1 / np.sum(_WEIGHTS * _gelu(_NODES) ** 2)


def _expect(function: Callable[[np.ndarray], np.ndarray]) -> _Map:
    def dual(kxx: np.ndarray, kxy: np.ndarray, kyy: np.ndarray) -> np.ndarray:
        kxx, kxy, kyy = np.broadcast_arrays(kxx, kxy, kyy)
        x = np.sqrt(kxx)[..., None, None] * _NODES[:, None]
        slope = (kxy / np.where(kxx > 0, np.sqrt(kxx), 1))[..., None, None]
        y = slope * _NODES[:, None] + np.sqrt(np.maximum(kyy[..., None, None] - slope**2, 0)) * _NODES
        return _GELU_C * np.einsum("i,j,...ij", _WEIGHTS, _WEIGHTS, function(x) * function(y))

    return dual


def _gelu_beta(k: np.ndarray) -> np.ndarray:
    return np.sqrt(_GELU_C) * np.sum(_WEIGHTS * _gelu(np.sqrt(k)[..., None] * _NODES), axis=-1)


DUALS: dict[str, Dual] = {
    "relu": Dual(_relu_f, _relu_fdot, lambda k: np.sqrt(k / np.pi)),
    "leaky_relu": Dual(_leaky_f, _leaky_fdot, lambda k: np.sqrt(_LEAKY_C) * (1 - _LEAK) * np.sqrt(k / (2 * np.pi))),
    "erf": Dual(_erf_f, _erf_fdot, np.zeros_like),
    "gelu": Dual(_expect(_gelu), _expect(_gelu_prime), _gelu_beta),
    "sin": Dual(_sin_f, _sin_fdot, np.zeros_like),
    "identity": Dual(lambda kxx, kxy, kyy: kxy, lambda kxx, kxy, kyy: np.ones_like(kxy), np.zeros_like),
}
"""The dual maps by the name of the activation."""
