"""Power series in rho of the kernels of the three DAGs, and the sign of the coefficients of their differences.

Under exact activation-last after a stem, K_0 = f(rho) and every feature has the mean 1 / sqrt(pi) on unit rows:

- DAG#1: f(f(f(K_0)));
- DAG#2: 3 f(K_0) + 6 / pi;
- DAG#3: K_0 + f(K_0) + k f((2 f(K_0) + 2 / pi) / k) + 2 / pi + 4 sqrt(k) / pi, with k = 2 + 2 / pi the variance of node
  2.

Without a stem they are Eq. 6, 8 and 10.
"""

from __future__ import annotations

from functools import lru_cache

from flint import arb, arb_series

from verify.tools.power_series import coefficients, correlation, relu_series, series_arithmetic

__all__ = ["kernel_coefficients", "positive_coefficients"]


@lru_cache
def kernel_coefficients(terms: int, stem: bool = True) -> tuple[list[arb], list[arb], list[arb]]:
    """The first coefficients of the kernels of DAG#1, DAG#2 and DAG#3."""
    with series_arithmetic(terms):
        first, second, third = (coefficients(series, terms) for series in (_stem() if stem else _gaussian()))
    return first, second, third


def _stem() -> tuple[arb_series, arb_series, arb_series]:
    k0 = relu_series(correlation())
    k1 = relu_series(k0)
    pi = arb.pi()
    k = 2 + 2 / pi
    third = k0 + k1 + k * relu_series((2 * k1 + 2 / pi) / k) + 2 / pi + 4 * k.sqrt() / pi
    return relu_series(relu_series(k1)), 3 * k1 + 6 / pi, third


def _gaussian() -> tuple[arb_series, arb_series, arb_series]:
    k0 = correlation()
    k1 = relu_series(k0)
    k2 = relu_series(k1)
    return relu_series(k2), 3 * k1, k0 + k1 + 2 * k2


def positive_coefficients(low: int, high: int, terms: int, stem: bool = True) -> int:
    """The number of coefficients of DAG#`high` - DAG#`low`, from the first on, that are proved to be positive."""
    kernels = kernel_coefficients(terms, stem)
    with series_arithmetic(terms):
        for k, (below, above) in enumerate(zip(kernels[low - 1], kernels[high - 1], strict=True)):
            if not above - below > 0:
                return k
    return terms
